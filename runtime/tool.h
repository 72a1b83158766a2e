/* tool.h: run a small program of the system's with a text for its stdin, and take all that it says. */
#ifndef RUNTIME_TOOL_H
#define RUNTIME_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* argv ends with NULL; argv[0] is looked up in PATH. `in` (n bytes, NULL: none) is its stdin; stdout and stderr are appended
 * to ret_out and ret_said. Its messages are in English (LC_ALL=C), and no descriptor of ours is inherited.
 * Returns the exit status (128 + signal), -2 if there is no such program, -1 on error. */
int tool_run(const char *const argv[], const char *in, size_t n, struct buf *ret_out, struct buf *ret_said, struct err *err);

/* What it said, for a message: its first lines as one, without control characters. Appended to b. */
void tool_said(struct buf *b, const struct buf *said);

#endif
