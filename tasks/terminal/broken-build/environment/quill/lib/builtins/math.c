#include <limits.h>

#include "quill/registry.h"

Q_BUILTIN(gcd)
{
    long long a, b;
    if (q_pop_int(vm, &b) || q_pop_int(vm, &a))
        return -1;
    if (a == LLONG_MIN || b == LLONG_MIN)
        return q_fail(vm, Q_E_RANGE);
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    while (b) {
        long long t = a % b;
        a = b;
        b = t;
    }
    return q_push_int(vm, a);
}

Q_BUILTIN(pow)
{
    long long base, n, r = 1;
    if (q_pop_int(vm, &n) || q_pop_int(vm, &base))
        return -1;
    if (n < 0 || n > 64)
        return q_fail(vm, Q_E_RANGE);
    while (n-- > 0 && !vm->error)
        r = q_int_mul(vm, r, base);
    return vm->error ? -1 : q_push_int(vm, r);
}

Q_BUILTIN(isqrt)
{
    long long n, r = 0;
    if (q_pop_int(vm, &n))
        return -1;
    if (n < 0)
        return q_fail(vm, Q_E_RANGE);
    for (long long bit = 1LL << 31; bit; bit >>= 1)
        if ((r + bit) <= 3037000499LL && (r + bit) * (r + bit) <= n)
            r += bit;
    return q_push_int(vm, r);
}

Q_BUILTIN(abs)
{
    long long n;
    if (q_pop_int(vm, &n))
        return -1;
    if (n == LLONG_MIN)
        return q_fail(vm, Q_E_RANGE);
    return q_push_int(vm, n < 0 ? -n : n);
}
