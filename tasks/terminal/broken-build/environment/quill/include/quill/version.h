#ifndef QUILL_VERSION_H
#define QUILL_VERSION_H

#define QUILL_VERSION "0.4.1"

#endif
