/* suggest.h: "did you mean". */
#ifndef COMPILER_SUGGEST_H
#define COMPILER_SUGGEST_H

#include <stddef.h>

struct arena;

/* "; did you mean 'X'?", from the arena, where X is the candidate that `word` is most likely a slip of (the first of
 * equals), or "" if it is like none. */
const char *did_you_mean(struct arena *a, const char *word, const char *const *candidate, size_t n);

#endif
