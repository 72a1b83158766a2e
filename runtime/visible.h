/* visible.h: what others wrote (names, output of commands) as a terminal may get it: no byte of it does anything there. */
#ifndef RUNTIME_VISIBLE_H
#define RUNTIME_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Control characters as ^X, C1 and what is not UTF-8 as <XX>; tabs stay. */
void visible(struct buf *b, const char *s, size_t n);
void visible_str(struct buf *b, const char *s);

/* The same on at most so many columns (a character each), tabs as blanks; what is cut ends with "…". */
void visible_cut(struct buf *b, const char *s, size_t n, size_t columns);

#endif
