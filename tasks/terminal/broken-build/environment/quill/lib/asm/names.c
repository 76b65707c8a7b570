#include <stdlib.h>
#include <string.h>

#include "opcodes.h"
#include "quill/asm.h"

/* in the order of strcmp */
static const struct q_opname names[] = {
#include "opnames.inc"
};

static int compare(const void *a, const void *b)
{
    return strcmp(a, ((const struct q_opname *)b)->name);
}

const struct q_opname *q_op_by_name(const char *name)
{
    return bsearch(name, names, sizeof names / sizeof *names, sizeof *names, compare);
}

const struct q_opname *q_op_by_code(int op)
{
    if (op < 0 || op >= OP_COUNT)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].op == op && !names[i].alias)
            return &names[i];
    return NULL;
}
