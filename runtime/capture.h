/* capture.h: run a small tool (git, diff) and take what it prints. */
#ifndef RUNTIME_CAPTURE_H
#define RUNTIME_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* argv ends with NULL; argv[0] is looked up in PATH. stdin and stderr are /dev/null, and no descriptor of ours is
 * inherited. What it prints is appended to ret, at most `max` bytes of it; the rest is read and forgotten.
 * Returns the exit status (128 + signal), -2 if there is no such program, -1 on error. */
int capture(const char *const argv[], struct buf *ret, size_t max, struct err *err);

#endif
