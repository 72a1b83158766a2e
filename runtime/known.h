/* known.h: a pipeline that a person named. */
#ifndef RUNTIME_KNOWN_H
#define RUNTIME_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Is it in the specs as they were compiled last?  -1 if not (SHOW_USAGE, with the nearest name), or they cannot be read. */
int known_pipeline(const char *name, struct err *err);

#endif
