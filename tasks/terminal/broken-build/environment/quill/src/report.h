#ifndef REPORT_H
#define REPORT_H

/* prints "quill: FILE:LINE: Enn wording" */
void report(const char *file, int line, int error);

#endif
