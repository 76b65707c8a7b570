#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lexer.h"
#include "opcodes.h"
#include "quill/asm.h"

struct label {
    char name[Q_TEXT_MAX + 1];
    int at;
};

static int number(const char *s, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(s, &end, 10);
    return errno || *end || end == s || isspace((unsigned char)*s) ? -1 : 0;
}

int q_assemble(const char *text, struct q_program *p, int *line)
{
    static struct label labels[Q_LABELS_MAX];
    int nlabels = 0;
    struct qi_line l;

    p->count = 0;
    *line = 0;
    while (*text) {
        ++*line;
        if (qi_lex(&text, &l))
            return Q_E_SYNTAX;
        if (*l.label) {
            if (nlabels == Q_LABELS_MAX)
                return Q_E_TOOBIG;
            for (int i = 0; i < nlabels; i++)
                if (strcmp(labels[i].name, l.label) == 0)
                    return Q_E_LABEL;
            strcpy(labels[nlabels].name, l.label);
            labels[nlabels++].at = p->count;
        }
        if (!*l.name)
            continue;
        const struct q_opname *o = q_op_by_name(l.name);
        if (!o || l.has_operand != (o->operand != Q_OPD_NONE) || l.quoted != (o->operand == Q_OPD_STR))
            return Q_E_SYNTAX;
        if (p->count == Q_CODE_MAX)
            return Q_E_TOOBIG;
        struct q_ins *ins = &p->code[p->count++];
        ins->op = o->op;
        ins->line = *line;
        ins->n = 0;
        strcpy(ins->s, l.operand);
        if (o->operand == Q_OPD_INT || o->operand == Q_OPD_SLOT)
            if (number(l.operand, &ins->n))
                return Q_E_SYNTAX;
        if (o->operand == Q_OPD_SLOT && (ins->n < 0 || ins->n >= Q_SLOTS_MAX))
            return Q_E_SLOT;
    }
    for (int i = 0; i < p->count; i++) {
        struct q_ins *ins = &p->code[i];
        if (ins->op == OP_JMP || ins->op == OP_JZ || ins->op == OP_JNZ) {
            int k = 0;
            while (k < nlabels && strcmp(labels[k].name, ins->s))
                k++;
            *line = ins->line;
            if (k == nlabels)
                return Q_E_LABEL;
            ins->n = labels[k].at;
        }
    }
    return 0;
}
