/* hint.h: what a command that failed has overlooked: that inputs cannot be written to, that `sandbox: strict` hides a file. */
#ifndef RUNTIME_HINT_H
#define RUNTIME_HINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct fault;
struct plan_head;

/* Add a sentence to the fault, if what the command printed or its step explain it.  The current directory is the project, with all that
 * is in it; log NULL: it printed nothing. */
void hint_add(struct fault *f, const struct plan_head *h, const char *project, const struct buf *step, const char *log);

#endif
