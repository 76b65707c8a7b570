#include "quill/registry.h"

static int fold(struct q_vm *vm, int what)
{
    long long r, x;
    if (q_depth(vm) == 0)
        return q_fail(vm, Q_E_UNDERFLOW);
    if (q_pop_int(vm, &r))
        return -1;
    while (q_depth(vm)) {
        if (q_pop_int(vm, &x))
            return -1;
        if (what == 0)
            r = q_int_add(vm, r, x);
        else if (what < 0 ? x < r : x > r)
            r = x;
        if (vm->error)
            return -1;
    }
    return q_push_int(vm, r);
}

Q_BUILTIN(sum)
{
    return fold(vm, 0);
}

Q_BUILTIN(max)
{
    return fold(vm, 1);
}

Q_BUILTIN(min)
{
    return fold(vm, -1);
}
