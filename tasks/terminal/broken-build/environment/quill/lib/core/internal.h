#ifndef CORE_INTERNAL_H
#define CORE_INTERNAL_H

#include "quill/vm.h"

int qi_div(long long a, long long b, long long *out);
int qi_mod(long long a, long long b, long long *out);
int qi_equal(const struct q_value *a, const struct q_value *b);
void qi_show(const struct q_value *v);

#endif
