#include <ctype.h>
#include <string.h>

#include "quill/registry.h"

Q_BUILTIN(upper)
{
    char s[Q_TEXT_MAX + 1];
    if (q_pop_text(vm, s))
        return -1;
    for (char *p = s; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return q_push_text(vm, s);
}

Q_BUILTIN(length)
{
    char s[Q_TEXT_MAX + 1];
    if (q_pop_text(vm, s))
        return -1;
    return q_push_int(vm, (long long)strlen(s));
}

Q_BUILTIN(concat)
{
    char a[Q_TEXT_MAX + 1], b[Q_TEXT_MAX + 1];
    if (q_pop_text(vm, b) || q_pop_text(vm, a))
        return -1;
    strncat(a, b, Q_TEXT_MAX - strlen(a));
    return q_push_text(vm, a);
}

Q_BUILTIN(repeat)
{
    char s[Q_TEXT_MAX + 1], out[Q_TEXT_MAX + 1] = "";
    long long n;
    if (q_pop_int(vm, &n) || q_pop_text(vm, s))
        return -1;
    while (n-- > 0 && *s && strlen(out) < Q_TEXT_MAX)
        strncat(out, s, Q_TEXT_MAX - strlen(out));
    return q_push_text(vm, out);
}

Q_BUILTIN(reverse)
{
    char s[Q_TEXT_MAX + 1], out[Q_TEXT_MAX + 1];
    if (q_pop_text(vm, s))
        return -1;
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++)
        out[i] = s[n - 1 - i];
    out[n] = 0;
    return q_push_text(vm, out);
}
