#include <stdio.h>
#include <string.h>

#include "report.h"

#ifndef DATADIR
#error "DATADIR is not set"
#endif

void report(const char *file, int line, int error)
{
    char want[8], text[160];
    FILE *f = fopen(DATADIR "/messages.txt", "r");

    snprintf(want, sizeof want, "E%02d ", error);
    if (f) {
        while (fgets(text, sizeof text, f))
            if (strncmp(text, want, 4) == 0) {
                text[strcspn(text, "\n")] = 0;
                fprintf(stderr, "quill: %s:%d: %s\n", file, line, text);
                fclose(f);
                return;
            }
        fclose(f);
    }
    fprintf(stderr, "quill: %s:%d: %s(no message text)\n", file, line, want);
}
