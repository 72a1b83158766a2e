/* times.h: how long datums are expected to take: P.times (base/plan.h). */
#ifndef COMPILER_TIMES_H
#define COMPILER_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct times_one { const char *label; uint32_t ms; };

struct times { struct times_one *v; size_t n, cap; char *text; uint32_t each; };

#define TIMES_INIT { 0 }

/* Nothing is known where there is no such file, or it cannot be read. */
void times_read(struct times *t, const char *pipeline);

/* The datum of this name took so long last time; else what one takes on average.  ms, 0: nobody knows. */
uint32_t times_of(const struct times *t, const char *label);

void times_release(struct times *t);

#endif
