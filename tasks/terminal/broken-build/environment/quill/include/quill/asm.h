#ifndef QUILL_ASM_H
#define QUILL_ASM_H

#include "quill/vm.h"

enum q_operand { Q_OPD_NONE, Q_OPD_INT, Q_OPD_STR, Q_OPD_LABEL, Q_OPD_SLOT, Q_OPD_NAME };

struct q_opname {
    const char *name;
    int op;
    enum q_operand operand;
    int alias;
};

/* 0, or the number of an error with the line in *line */
int q_assemble(const char *text, struct q_program *p, int *line);
const struct q_opname *q_op_by_name(const char *name);
const struct q_opname *q_op_by_code(int op);

#endif
