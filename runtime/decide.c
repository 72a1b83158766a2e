/* decide.c: of n instants that are due, the newest ones run, as many as `missed` allows; the newest one also whenever it is on
 * time, because then it was not missed.  They are counted first and then gone through again, so that a year of seconds needs
 * no memory. */
#include "decide.h"

#include <stdlib.h>

#include "../base/cronnext.h"
#include "../base/mem.h"
#include "scheds.h"

static void
add(struct decisions *d, int64_t at, const char *decision, int64_t many)
{
	GROW(d->v, d->n, d->cap);
	d->v[d->n++] = (struct decided){ at, decision, many };
}

/* The clock was set forward over it: is it lost?  Fixed times that a small step skips run at once, as at the beginning of summer. */
static bool
stepped_over(const struct sched *s, int64_t at, int64_t late, int64_t step)
{
	if (at >= late || step <= DECIDE_GRACE)
		return false;
	return step > DECIDE_CORRECTION || s->expr.wild || s->expr.kind == CRON_EVERY;
}

void
decide(struct decisions *d, const struct sched *s, int64_t upto, int64_t now, int64_t step)
{
	int64_t end = now - s->delay, late = end - DECIDE_GRACE;
	bool small = step > DECIDE_GRACE && step <= DECIDE_CORRECTION;
	uint64_t due = 0, run, i = 0, missed, merged = 0;
	struct cron_instant t;
	struct cron_walk w;
	int64_t newest = INT64_MIN;

	d->n = 0;
	if (upto > now + DECIDE_CORRECTION)
		upto = late;
	d->upto = upto > end ? upto : end;
	sched_walk(&w, s, upto);
	while (cron_walk_next(&w, &t) && t.at <= end)
		if (t.how != CRON_DROPPED && !stepped_over(s, t.at, late, step)) {
			newest = t.at;
			due++;
		}
	run = s->missed == 0 && due && newest >= late ? 1 : s->missed;
	if (small && !s->expr.wild)
		run = UINT64_MAX;
	missed = due > run ? due - run : 0;
	sched_walk(&w, s, upto);
	while (cron_walk_next(&w, &t) && t.at <= end) {
		if (t.how == CRON_DROPPED || stepped_over(s, t.at, late, step)) {
			add(d, t.at, "gap", 1);
			continue;
		}
		if (s->paused)
			add(d, t.at, "paused", 1);
		else if (i >= missed)
			add(d, t.at, "ran", 1);
		else if (missed <= DECIDE_ROWS || i >= missed - DECIDE_ROWS)
			add(d, t.at, "missed", 1);
		else if (merged++ == 0)
			add(d, t.at, "missed", (int64_t)(missed - DECIDE_ROWS));
		i++;
	}
}

void
decisions_release(struct decisions *d)
{
	free(d->v);
	*d = (struct decisions)DECISIONS_INIT;
}
