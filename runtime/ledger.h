/* ledger.h: what was decided of each instant of each schedule: one row an instant, whoever asks and how often.
 *
 * A schedule is called "PIPELINE/INPUT" (a cron input), "PIPELINE" (its own schedule) or "*" (that of the whole spec).  The rows
 * are in the database, and in the journal for its rebuilding:
 *   schedule NAME PRINT UPTO         what it says, in one word; instants up to here were looked at
 *   tick NAME AT DECISION CAUSE DECIDED MANY STATE RUN BEGAN ENDED          the last line of an instant counts */
#ifndef RUNTIME_LEDGER_H
#define RUNTIME_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct ledger;
struct rec;
struct sqlite3;

struct ledger_tick {
	const char *schedule;
	int64_t at;                 /* the instant as the schedule names it, seconds since 1970 */
	const char *decision;       /* ran, overlap, missed, paused, gap */
	const char *cause;          /* cron, hand, backfill */
	uint64_t decided;           /* ns */
	int64_t many;               /* instants that the row stands for, from this one on; 1 but for very long times off */
	const char *state;          /* of "ran": waiting, running, success, failure, cancelled; else "" */
	const char *run;            /* of make, "" before it */
	uint64_t began, ended;      /* ns, 0: not yet */
};

struct ledger_schedule { const char *name, *print; int64_t upto; };

/* The writer: takes the database's lock and begins a transaction. */
int ledger_begin(struct ledger **ret, struct err *err);
int ledger_put_schedule(struct ledger *l, const struct ledger_schedule *s, struct err *err);
/* Of a schedule that was put before. 1 that is decided now, 0 something was decided of the instant before, and that stays, -1. */
int ledger_decide(struct ledger *l, const struct ledger_tick *t, struct err *err);
/* Have the instant run whatever was decided, unless it ran with success, is running or waits.  1 it waits now, 0, -1. */
int ledger_want(struct ledger *l, const struct ledger_tick *t, struct err *err);
/* The row of t->schedule and t->at, if its state is `from`, gets t's state, run, began and ended. */
int ledger_move(struct ledger *l, const struct ledger_tick *t, const char *from, struct err *err);
int ledger_commit(struct ledger *l, struct err *err);       /* frees l in any case */
void ledger_abort(struct ledger *l);                        /* legal on NULL */

/* Questions; arrays from the arena, nothing where there is no database yet. */
int ledger_schedules(struct arena *a, struct ledger_schedule **ret, size_t *ret_n, struct err *err);
/* Those that wait or run, of a pipeline (NULL: all), by time. */
int ledger_open_ticks(struct arena *a, const char *pipeline, struct ledger_tick **ret, size_t *ret_n, struct err *err);
/* Newest first; limit 0: all. */
int ledger_history(struct arena *a, const char *pipeline, uint64_t limit, struct ledger_tick **ret, size_t *ret_n, struct err *err);
/* Of a schedule, by time, from one instant to another. */
int ledger_between(struct arena *a, const char *schedule, int64_t from, int64_t to, struct ledger_tick **ret, size_t *ret_n,
                   struct err *err);

/* A line of the journal.  0 also when it is none of ours. */
int ledger_replay(struct sqlite3 *db, const struct rec *r, struct err *err);

#endif
