/* cronnext.h: the instants of a cron expression in a time zone.
 *
 * Changes of the clocks by up to three hours, by the rule that cronie states (cron(8)): fixed times (neither minute nor hour begins
 * with "*") that are skipped run at once after the change, and do not run again when they come twice; with wildcards
 * an expression follows the clock: what is skipped is dropped, what comes twice runs twice.  Larger changes are corrections: the new
 * time counts at once (Apia's 30 December 2011: what was due on it is dropped).
 * @every counts from its start (1970 if none is given), so it never drifts. */
#ifndef BASE_CRONNEXT_H
#define BASE_CRONNEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cron_expr;
struct zone;

enum cron_how {
	CRON_PLAIN,
	CRON_MOVED,                 /* its time is skipped: runs at once after the change */
	CRON_ONCE,                  /* its time comes again, and then is not run again */
	CRON_AGAIN,                 /* its time comes for the second time */
	CRON_DROPPED,               /* its time is skipped, and nothing runs in its place: not an instant of the expression */
};

struct cron_instant {
	int64_t at;                 /* seconds since 1970; of a dropped one: as the clocks before the change would have had it */
	int64_t asked;              /* local time that the expression names, as if it were UTC */
	int32_t offset;             /* of local time at `at`, seconds east (a dropped one's: before the change) */
	enum cron_how how;
};

struct cron_walk {
	const struct cron_expr *c;
	const struct zone *z;
	int64_t after;              /* instants up to here are behind us */
	int64_t start;              /* of @every */
	size_t span;                /* of the zone */
	int64_t main, main_end;     /* local minutes of the span that were not looked at yet, */
	int64_t ghost, ghost_end;   /* and those that the clocks skipped at its beginning */
	int64_t day; bool day_good; /* the day that was looked at last */
	struct cron_instant next, dropped;
	bool has_next, has_dropped;
};

/* From the first instant after `after` on.  start: of @every.  The expression and the zone must outlive the walk. */
void cron_walk(struct cron_walk *w, const struct cron_expr *c, const struct zone *z, int64_t start, int64_t after);

/* The next one in time.  False: there is none before the year 2200. */
bool cron_walk_next(struct cron_walk *w, struct cron_instant *ret);

#endif
