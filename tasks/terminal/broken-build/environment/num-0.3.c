#include <limits.h>

#include "internal.h"

/* Both return 0, or the number of an error. */
int qi_div(long long a, long long b, long long *out)
{
    if (b == 0)
        return Q_E_DIVZERO;
    if (a == LLONG_MIN && b == -1)
        return Q_E_RANGE;
    *out = a / b;
    return 0;
}

int qi_mod(long long a, long long b, long long *out)
{
    if (b == 0)
        return Q_E_DIVZERO;
    if (b == -1) {
        *out = 0;
        return 0;
    }
    *out = a % b;
    return 0;
}

long long q_int_mul(struct q_vm *vm, long long a, long long b)
{
    long long r;
    if (__builtin_mul_overflow(a, b, &r))
        q_fail(vm, Q_E_RANGE);
    return r;
}

long long q_int_add(struct q_vm *vm, long long a, long long b)
{
    long long r;
    if (__builtin_add_overflow(a, b, &r))
        q_fail(vm, Q_E_RANGE);
    return r;
}
