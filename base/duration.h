/* duration.h: Go's durations, as specs and cron expressions write them. */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 1h30m, 1.5s, 200ms, or plain seconds (30; *ret_bare is set then), to nanoseconds.  Not negative.  False: it is none,
 * or more than an int64_t holds. */
bool duration_parse(const char *s, int64_t *ret_ns, bool *ret_bare);

/* N or N.M before unit_text at *p, times unit, exactly but for what is below one; *p moves behind it. */
bool duration_scaled(const char **p, int64_t unit, const char *unit_text, int64_t *ret);

/* The text after the digits and the point. */
const char *duration_suffix(const char *s);

#endif
