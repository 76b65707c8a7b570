#include <stdlib.h>
#include <string.h>

#include "quill/registry.h"

static struct entry {
    const char *name;
    q_builtin fn;
} table[64];
static int used;

void q_register(const char *name, q_builtin fn)
{
    int i = used;
    if (used == (int)(sizeof table / sizeof *table))
        abort();
    while (i > 0 && strcmp(table[i - 1].name, name) > 0) {
        table[i] = table[i - 1];
        i--;
    }
    table[i].name = name;
    table[i].fn = fn;
    used++;
}

q_builtin q_find(const char *name)
{
    for (int i = 0; i < used; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].fn;
    return NULL;
}

const char *q_builtin_name(int i)
{
    return i >= 0 && i < used ? table[i].name : NULL;
}
