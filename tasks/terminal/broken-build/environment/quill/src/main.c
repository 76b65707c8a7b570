#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quill/asm.h"
#include "quill/registry.h"
#include "quill/version.h"
#include "report.h"

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0, cap = 4096;
    char *buf = malloc(cap);

    if (!f || !buf)
        return NULL;
    while (!feof(f) && !ferror(f)) {
        if (n + 1024 > cap)
            buf = realloc(buf, cap *= 2);
        if (!buf)
            return NULL;
        n += fread(buf + n, 1, 1000, f);
    }
    fclose(f);
    buf[n] = 0;
    return buf;
}

static void list(const struct q_program *p)
{
    for (int i = 0; i < p->count; i++) {
        const struct q_ins *ins = &p->code[i];
        const struct q_opname *o = q_op_by_code(ins->op);
        printf("%04d %02d %s", i, ins->op, o->name);
        if (o->operand == Q_OPD_STR)
            printf(" (%zu)", strlen(ins->s));
        else if (o->operand == Q_OPD_NAME)
            printf(" %s", ins->s);
        else if (o->operand != Q_OPD_NONE)
            printf(" %lld", ins->n);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    static struct q_program program;
    static struct q_vm vm;
    int listing = argc == 3 && strcmp(argv[1], "-d") == 0, line, error;

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("quill %s\n", QUILL_VERSION);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--builtins") == 0) {
        for (int i = 0; q_builtin_name(i); i++)
            puts(q_builtin_name(i));
        return 0;
    }
    if (argc != 2 + listing) {
        fprintf(stderr, "usage: quill [-d] FILE\n");
        return 2;
    }
    const char *file = argv[argc - 1];
    char *text = slurp(file);
    if (!text) {
        fprintf(stderr, "quill: cannot read %s\n", file);
        return 2;
    }
    error = q_assemble(text, &program, &line);
    free(text);
    if (error) {
        report(file, line, error);
        return 3;
    }
    if (listing) {
        list(&program);
        return 0;
    }
    q_vm_init(&vm);
    if (q_run(&vm, &program, &line)) {
        fflush(stdout);
        report(file, line, vm.error);
        return 3;
    }
    return 0;
}
