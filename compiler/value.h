/* value.h: numbers, durations and sizes as specs write them. */
#ifndef COMPILER_VALUE_H
#define COMPILER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, no sign but '-', no leading zeros: 0, 17, -3. */
bool value_int(const char *s, int64_t *ret);
/* Any decimal number: 0.5, 2, 1e3. */
bool value_number(const char *s);
/* true or false in any letter case. */
bool value_bool(const char *s, bool *ret);
/* A Go duration (1h30m, 1.5s, 200ms) or plain seconds (30; *ret_bare is set then), to nanoseconds.  Not negative. */
bool value_duration(const char *s, int64_t *ret_ns, bool *ret_bare);
/* Bytes with an optional suffix: 10G, 64Mi, 100MB, 1.5K, 512; Kubernetes' "m" is a thousandth. */
bool value_size(const char *s, int64_t *ret);

/* A name that sh can give a variable: letters, digits and '_', no digit first. */
bool value_shell_name(const char *s);

#endif
