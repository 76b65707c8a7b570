#ifndef QUILL_VM_H
#define QUILL_VM_H

#include "quill/limits.h"

enum q_kind { Q_INT, Q_TEXT };

struct q_value {
    enum q_kind kind;
    char s[Q_TEXT_MAX + 1];
    long long i;
};

struct q_vm {
    struct q_value stack[Q_STACK_MAX];
    struct q_value slots[Q_SLOTS_MAX];
    int depth;
    int error;              /* 0, or the number of a message */
};

struct q_ins {
    int op;
    int line;
    long long n;            /* int, slot, or the target of a jump */
    char s[Q_TEXT_MAX + 1]; /* text or name */
};

struct q_program {
    int count;
    struct q_ins code[Q_CODE_MAX];
};

/* errors */
enum {
    Q_E_OVERFLOW = 1, Q_E_UNDERFLOW, Q_E_DIVZERO, Q_E_RANGE, Q_E_TYPE, Q_E_BUILTIN, Q_E_STEPS, Q_E_SLOT,
    Q_E_SYNTAX, Q_E_LABEL, Q_E_TOOBIG
};

void q_vm_init(struct q_vm *vm);
int q_fail(struct q_vm *vm, int error);
int q_depth(const struct q_vm *vm);
int q_push_int(struct q_vm *vm, long long n);
int q_push_text(struct q_vm *vm, const char *s);
int q_pop(struct q_vm *vm, struct q_value *out);
int q_pop_int(struct q_vm *vm, long long *out);
int q_pop_text(struct q_vm *vm, char *out);
const struct q_value *q_peek(const struct q_vm *vm, int from_top);
long long q_int_mul(struct q_vm *vm, long long a, long long b);
long long q_int_add(struct q_vm *vm, long long a, long long b);

/* returns 0, or -1 with vm->error set and the line in *line */
int q_run(struct q_vm *vm, const struct q_program *p, int *line);

#endif
