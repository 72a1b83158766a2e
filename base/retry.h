/* retry.h: when a failed attempt is followed by another one, as the spec says it.  In P.conf and in a plan's head:
 *
 *   retry DELAY FACTOR MAX             ns, thousandths, ns: the n-th wait is anything from 0 to min(DELAY * FACTOR^(n-1), MAX)
 *   rule on|never exit|signal N        how the attempt ended
 *   rule on|never match PATTERN        PCRE2, over the end of its output
 */
#ifndef BASE_RETRY_H
#define BASE_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct rec;

enum retry_kind { RETRY_EXIT, RETRY_SIGNAL, RETRY_MATCH };

struct retry_rule {
	bool never;
	enum retry_kind kind;
	int number;                 /* exit status or signal */
	const char *pattern;        /* of RETRY_MATCH */
};

struct retry {
	uint64_t delay, max_delay;  /* ns */
	unsigned factor;            /* thousandths */
	struct retry_rule *rule; size_t n_rule, cap_rule;
};

#define RETRY_INIT { 0 }

void retry_write(struct buf *b, const struct retry *t);
/* Take in one of these lines; texts go to the arena.  1 taken, 0 another line, -1 malformed. */
int retry_read(struct retry *t, struct arena *a, const struct rec *r);
void retry_release(struct retry *t);

/* The longest that the wait after attempt `number` (from 1) may be. */
uint64_t retry_longest(const struct retry *t, unsigned number);

#endif
