/* decide.h: what becomes of the instants of a schedule that have come: pure, the clock is an argument. */
#ifndef RUNTIME_DECIDE_H
#define RUNTIME_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sched;

enum {
	DECIDE_GRACE = 120,         /* s: so late is on time yet */
	DECIDE_ROWS = 100000,       /* missed instants beyond so many are told in one row */
	DECIDE_CORRECTION = 3 * 3600,   /* s: the clock was set by more: a correction, the new time counts at once */
};

struct decided { int64_t at; const char *decision; int64_t many; };   /* as in the ledger */

struct decisions {
	struct decided *v; size_t n, cap;
	int64_t upto;               /* what is not later has been looked at now */
};

#define DECISIONS_INIT { 0, 0, 0, 0 }

/* Of the instants after `upto` that are due at `now`; overlap is not looked at.  step: by how much the clock was set forward since
 * the last look, seconds. */
void decide(struct decisions *d, const struct sched *s, int64_t upto, int64_t now, int64_t step);
void decisions_release(struct decisions *d);

#endif
