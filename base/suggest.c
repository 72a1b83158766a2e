/* suggest.c: the nearest known word, by edit distance.
 *
 * Three rows of the usual dynamic programming table, cut off as soon as a row has no cell
 * within the limit.  How far a slip may be from its word grows with the word's length: one in
 * three letters, so that short names do not suggest each other. */
#include "suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 64 };

static unsigned
lower(char c)
{
	unsigned u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? u + 32 : u;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Damerau-Levenshtein distance (optimal string alignment), at most max + 1: insertions, deletions, substitutions and
 * swaps of neighbours count one each, a change of letter case nothing. */
static unsigned
edit_distance(const char *a, const char *b, unsigned max)
{
	unsigned row[3][WORD_MAX + 1];
	unsigned *before = row[0], *prev = row[1], *cur = row[2];
	size_t na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX || (na > nb ? na - nb : nb - na) > max)
		return max + 1;
	for (size_t j = 0; j <= nb; j++)
		prev[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned best = cur[0] = (unsigned)i;
		unsigned *spare;

		for (size_t j = 1; j <= nb; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]) &&
			    before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
			if (cur[j] < best)
				best = cur[j];
		}
		if (best > max)
			return max + 1;
		spare = before;
		before = prev;
		prev = cur;
		cur = spare;
	}
	return prev[nb] > max ? max + 1 : prev[nb];
}

const char *
suggest(const char *word, const char *const *candidate, size_t n)
{
	return suggest_within(word, candidate, n, 5);
}

const char *
suggest_within(const char *word, const char *const *candidate, size_t n, unsigned most)
{
	size_t len = strlen(word);
	unsigned max = len < 3 ? 1 : (unsigned)((len + 2) / 3);
	const char *best = 0;

	if (max > most)
		max = most;
	for (size_t i = 0; i < n; i++) {
		unsigned d;

		if (!candidate[i] || strlen(candidate[i]) < 2)
			continue;
		d = edit_distance(word, candidate[i], max);
		if (d <= max && d < strlen(candidate[i])) {
			best = candidate[i];
			if (d == 0)
				break;
			max = d - 1;
		}
	}
	return best;
}
