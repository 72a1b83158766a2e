/* format.h: .dassie/format, one line, "dassie-state 1": the version of the folder as a whole.  It changes when a dassie that does not
 * know it could do harm; each file has a version of its own besides. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* 1 it is ours, 0 there is none yet (or one that cannot be ours), -1 another version's, with the way out. */
int format_check(struct err *err);

int format_write(struct err *err);

#endif
