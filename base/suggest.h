/* suggest.h: which known word a wrong one is most likely a slip of. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The candidate that is nearest to `word` by Damerau-Levenshtein distance (the first of equals), NULL if none is near: one slip
 * in three letters.  Candidates of one letter and NULLs are passed over. */
const char *suggest(const char *word, const char *const *candidate, size_t n);
/* Likewise, but with at most so many slips: where names are long and alike. */
const char *suggest_within(const char *word, const char *const *candidate, size_t n, unsigned most);

#endif
