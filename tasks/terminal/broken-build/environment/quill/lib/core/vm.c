#include <stddef.h>

#include "internal.h"
#include "opcodes.h"
#include "quill/registry.h"

static void step(struct q_vm *vm, const struct q_ins *ins, int *pc)
{
    struct q_value a, b;
    long long x, y, r;
    int error;
    q_builtin fn;

    switch (ins->op) {
    case OP_PUSH:
        q_push_int(vm, ins->n);
        break;
    case OP_TEXT:
        q_push_text(vm, ins->s);
        break;
    case OP_DUP:
    case OP_OVER: {
        const struct q_value *v = q_peek(vm, ins->op == OP_OVER);
        if (!v)
            q_fail(vm, Q_E_UNDERFLOW);
        else if (v->kind == Q_INT)
            q_push_int(vm, v->i);
        else
            q_push_text(vm, v->s);
        break;
    }
    case OP_DROP:
        q_pop(vm, &a);
        break;
    case OP_SWAP:
        if (vm->depth < 2) {
            q_fail(vm, Q_E_UNDERFLOW);
            break;
        }
        a = vm->stack[vm->depth - 1];
        vm->stack[vm->depth - 1] = vm->stack[vm->depth - 2];
        vm->stack[vm->depth - 2] = a;
        break;
    case OP_ADD:
    case OP_SUB:
    case OP_MUL:
    case OP_DIV:
    case OP_MOD:
    case OP_LT:
        if (q_pop_int(vm, &y) || q_pop_int(vm, &x))
            break;
        error = 0;
        if (ins->op == OP_ADD)
            r = q_int_add(vm, x, y);
        else if (ins->op == OP_SUB)
            error = __builtin_sub_overflow(x, y, &r) ? Q_E_RANGE : 0;
        else if (ins->op == OP_MUL)
            r = q_int_mul(vm, x, y);
        else if (ins->op == OP_DIV)
            error = qi_div(x, y, &r);
        else if (ins->op == OP_MOD)
            error = qi_mod(x, y, &r);
        else
            r = x < y;
        if (error)
            q_fail(vm, error);
        else
            q_push_int(vm, r);
        break;
    case OP_NEG:
        if (q_pop_int(vm, &x))
            break;
        if (__builtin_sub_overflow(0LL, x, &r))
            q_fail(vm, Q_E_RANGE);
        else
            q_push_int(vm, r);
        break;
    case OP_NOT:
        if (q_pop_int(vm, &x) == 0)
            q_push_int(vm, x == 0);
        break;
    case OP_EQ:
        if (q_pop(vm, &b) == 0 && q_pop(vm, &a) == 0)
            q_push_int(vm, qi_equal(&a, &b));
        break;
    case OP_JMP:
        *pc = (int)ins->n;
        break;
    case OP_JZ:
    case OP_JNZ:
        if (q_pop_int(vm, &x) == 0 && (x == 0) == (ins->op == OP_JZ))
            *pc = (int)ins->n;
        break;
    case OP_LOAD:
        a = vm->slots[ins->n];
        if (a.kind == Q_INT)
            q_push_int(vm, a.i);
        else
            q_push_text(vm, a.s);
        break;
    case OP_STORE:
        if (q_pop(vm, &a) == 0)
            vm->slots[ins->n] = a;
        break;
    case OP_CALL:
        fn = q_find(ins->s);
        if (fn)
            fn(vm);
        else
            q_fail(vm, Q_E_BUILTIN);
        break;
    case OP_PRINT:
        if (q_pop(vm, &a) == 0)
            qi_show(&a);
        break;
    case OP_PRINT_ALL:
        for (int i = 0; i < vm->depth; i++)
            qi_show(&vm->stack[i]);
        vm->depth = 0;
        break;
    case OP_HALT:
        *pc = -1;
        break;
    }
}

int q_run(struct q_vm *vm, const struct q_program *p, int *line)
{
    int pc = 0;
    for (long steps = 0; pc >= 0 && pc < p->count; steps++) {
        const struct q_ins *ins = &p->code[pc++];
        if (steps == Q_STEPS_MAX)
            q_fail(vm, Q_E_STEPS);
        else
            step(vm, ins, &pc);
        if (vm->error) {
            *line = ins->line;
            return -1;
        }
    }
    return 0;
}
