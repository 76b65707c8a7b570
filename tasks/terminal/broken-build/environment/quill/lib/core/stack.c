#include <stdio.h>
#include <string.h>

#include "internal.h"

void q_vm_init(struct q_vm *vm)
{
    memset(vm, 0, sizeof *vm);
}

int q_fail(struct q_vm *vm, int error)
{
    if (!vm->error)
        vm->error = error;
    return -1;
}

int q_depth(const struct q_vm *vm)
{
    return vm->depth;
}

int q_push_int(struct q_vm *vm, long long n)
{
    if (vm->depth == Q_STACK_MAX)
        return q_fail(vm, Q_E_OVERFLOW);
    struct q_value *v = &vm->stack[vm->depth++];
    v->kind = Q_INT;
    v->i = n;
    return 0;
}

int q_push_text(struct q_vm *vm, const char *s)
{
    if (vm->depth == Q_STACK_MAX)
        return q_fail(vm, Q_E_OVERFLOW);
    struct q_value *v = &vm->stack[vm->depth++];
    v->kind = Q_TEXT;
    snprintf(v->s, sizeof v->s, "%s", s);
    return 0;
}

int q_pop(struct q_vm *vm, struct q_value *out)
{
    if (vm->depth == 0)
        return q_fail(vm, Q_E_UNDERFLOW);
    *out = vm->stack[--vm->depth];
    return 0;
}

int q_pop_int(struct q_vm *vm, long long *out)
{
    struct q_value v;
    if (q_pop(vm, &v))
        return -1;
    if (v.kind != Q_INT)
        return q_fail(vm, Q_E_TYPE);
    *out = v.i;
    return 0;
}

int q_pop_text(struct q_vm *vm, char *out)
{
    struct q_value v;
    if (q_pop(vm, &v))
        return -1;
    if (v.kind != Q_TEXT)
        return q_fail(vm, Q_E_TYPE);
    memcpy(out, v.s, sizeof v.s);
    return 0;
}

const struct q_value *q_peek(const struct q_vm *vm, int from_top)
{
    if (from_top < 0 || from_top >= vm->depth)
        return NULL;
    return &vm->stack[vm->depth - 1 - from_top];
}

int qi_equal(const struct q_value *a, const struct q_value *b)
{
    if (a->kind != b->kind)
        return 0;
    return a->kind == Q_INT ? a->i == b->i : strcmp(a->s, b->s) == 0;
}

void qi_show(const struct q_value *v)
{
    if (v->kind == Q_INT)
        printf("%lld\n", v->i);
    else
        printf("%s\n", v->s);
}
