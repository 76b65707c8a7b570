#ifndef QUILL_REGISTRY_H
#define QUILL_REGISTRY_H

#include "quill/vm.h"

typedef int (*q_builtin)(struct q_vm *vm);

void q_register(const char *name, q_builtin fn);
q_builtin q_find(const char *name);
/* the i-th builtin in the order of names, NULL behind the last one */
const char *q_builtin_name(int i);

#define Q_BUILTIN(name)                                          \
    static int bi_##name(struct q_vm *vm);                       \
    __attribute__((constructor)) static void reg_##name(void)    \
    {                                                            \
        q_register(#name, bi_##name);                            \
    }                                                            \
    static int bi_##name(struct q_vm *vm)

#endif
