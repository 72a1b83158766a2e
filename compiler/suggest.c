/* suggest.c: "did you mean", as diagnostics say it. */
#include "suggest.h"

#include "../base/mem.h"
#include "../base/suggest.h"

const char *
did_you_mean(struct arena *a, const char *word, const char *const *candidate, size_t n)
{
	const char *best = suggest(word, candidate, n);

	return best ? arena_fmt(a, "; did you mean '%s'?", best) : "";
}
