#ifndef QUILL_LIMITS_H
#define QUILL_LIMITS_H

#define Q_STACK_MAX 64      /* values on the stack */
#define Q_SLOTS_MAX 16      /* slots of load and store */
#define Q_TEXT_MAX 120      /* bytes of a text */
#define Q_CODE_MAX 512      /* instructions of a program */
#define Q_LABELS_MAX 64
#define Q_STEPS_MAX 500000  /* instructions carried out */

#endif
