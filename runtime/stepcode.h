/* stepcode.h: the code files of one pipeline as they are now. */
#ifndef RUNTIME_STEPCODE_H
#define RUNTIME_STEPCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct index;
struct oid;
struct step_code;

/* Array and strings from the arena.  -1 also if they no longer make this step: somebody changed them since the scan. */
int stepcode_list(const struct index *x, const char *pipeline, const struct oid *step, struct arena *a, struct step_code **ret,
                  size_t *ret_n, struct err *err);

#endif
