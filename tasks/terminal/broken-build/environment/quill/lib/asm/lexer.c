#include <ctype.h>
#include <string.h>

#include "lexer.h"

static const char *blanks(const char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\r')
        s++;
    return s;
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '+';
}

static const char *word(const char *s, char *out)
{
    int n = 0;
    while (is_word(*s)) {
        if (n == Q_TEXT_MAX)
            return NULL;
        out[n++] = *s++;
    }
    out[n] = 0;
    return s;
}

static const char *quoted(const char *s, char *out)
{
    int n = 0;
    while (*s != '"') {
        char c = *s++;
        if (c == 0 || c == '\n' || n == Q_TEXT_MAX)
            return NULL;
        if (c == '\\') {
            c = *s++;
            if (c == 'n')
                c = '\n';
            else if (c != '"' && c != '\\')
                return NULL;
        }
        out[n++] = c;
    }
    out[n] = 0;
    return s + 1;
}

int qi_lex(const char **text, struct qi_line *l)
{
    const char *s = blanks(*text);

    memset(l, 0, sizeof *l);
    s = word(s, l->name);
    if (!s)
        return -1;
    if (*s == ':') {
        if (!*l->name)
            return -1;
        strcpy(l->label, l->name);
        s = word(blanks(s + 1), l->name);
        if (!s)
            return -1;
    }
    s = blanks(s);
    if (*l->name && *s == '"') {
        l->has_operand = l->quoted = 1;
        s = quoted(s + 1, l->operand);
    } else if (*l->name && is_word(*s)) {
        l->has_operand = 1;
        s = word(s, l->operand);
    }
    if (!s)
        return -1;
    s = blanks(s);
    if (*s == ';')
        while (*s && *s != '\n')
            s++;
    if (*s == '\n')
        s++;
    else if (*s)
        return -1;
    *text = s;
    return 0;
}
