/* percent.h: bytes that a text cannot hold as they are, written %XX. */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place.  False: a % without two hexadecimal digits, or %00; s is then spoilt. */
bool percent_decode(char *s);

#endif
