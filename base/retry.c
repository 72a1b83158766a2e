/* retry.c: a handful of lines, the same in two files.  Delays are counted in whole numbers, and stop growing at their
 * maximum, so nothing overflows whatever the spec says. */
#include "retry.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rec.h"

static const char *const kind_word[] = { "exit", "signal", "match" };
enum { KINDS = sizeof kind_word / sizeof *kind_word };

void
retry_write(struct buf *b, const struct retry *t)
{
	rec_word(b, "retry");
	rec_u64(b, t->delay);
	rec_u64(b, t->factor);
	rec_u64(b, t->max_delay);
	rec_end(b);
	for (size_t i = 0; i < t->n_rule; i++) {
		const struct retry_rule *r = &t->rule[i];

		rec_word(b, "rule");
		rec_str(b, r->never ? "never" : "on");
		rec_str(b, kind_word[r->kind]);
		if (r->kind == RETRY_MATCH)
			rec_str(b, r->pattern);
		else
			rec_i64(b, r->number);
		rec_end(b);
	}
}

static int
read_rule(struct retry *t, struct arena *a, const struct rec *r)
{
	struct retry_rule rule = { .never = strcmp(r->f[1], "never") == 0 };
	int64_t number = 0;
	size_t k = 0;

	while (k < KINDS && strcmp(r->f[2], kind_word[k]))
		k++;
	if (k == KINDS || (!rule.never && strcmp(r->f[1], "on")))
		return -1;
	rule.kind = (enum retry_kind)k;
	if (rule.kind == RETRY_MATCH)
		rule.pattern = arena_dup(a, r->f[3], r->len[3]);
	else if (!rec_get_i64(r, 3, &number) || number < 0 || number > 255)
		return -1;
	rule.number = (int)number;
	GROW(t->rule, t->n_rule, t->cap_rule);
	t->rule[t->n_rule++] = rule;
	return 1;
}

int
retry_read(struct retry *t, struct arena *a, const struct rec *r)
{
	uint64_t factor;

	if (rec_is(r, "rule", 4))
		return read_rule(t, a, r);
	if (!rec_is(r, "retry", 4))
		return 0;
	if (!rec_get_u64(r, 1, &t->delay) || !rec_get_u64(r, 2, &factor) || !rec_get_u64(r, 3, &t->max_delay) || factor > UINT32_MAX)
		return -1;
	t->factor = (unsigned)factor;
	return 1;
}

void
retry_release(struct retry *t)
{
	free(t->rule);
	*t = (struct retry)RETRY_INIT;
}

uint64_t
retry_longest(const struct retry *t, unsigned number)
{
	uint64_t d = t->delay < t->max_delay ? t->delay : t->max_delay;

	for (unsigned i = 1; i < number && d && d < t->max_delay && t->factor > 1000; i++) {
		if (d / 1000 > t->max_delay / t->factor)
			return t->max_delay;
		d = d / 1000 * t->factor + d % 1000 * t->factor / 1000;
	}
	return d < t->max_delay ? d : t->max_delay;
}
