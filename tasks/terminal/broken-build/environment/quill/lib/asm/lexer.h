#ifndef ASM_LEXER_H
#define ASM_LEXER_H

#include "quill/limits.h"

struct qi_line {
    char label[Q_TEXT_MAX + 1];
    char name[Q_TEXT_MAX + 1];
    char operand[Q_TEXT_MAX + 1];
    int has_operand;
    int quoted;
};

/* takes one line of the text; -1 if it cannot be read */
int qi_lex(const char **text, struct qi_line *l);

#endif
