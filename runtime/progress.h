/* progress.h: how far the jobs of a run are, from files alone: P.open, the plan, results, failures, views, logs.  Nobody has to
 * answer, nothing is locked, so whoever looks can neither slow nor break the run. */
#ifndef RUNTIME_PROGRESS_H
#define RUNTIME_PROGRESS_H

#include "../base/buf.h"
#include "../base/layout.h"
#include "../base/sha256.h"
#include "gauge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A pipeline's job under way. */
struct lane {
	char pipeline[NAME_MAX_REPO + 1], job[64];
	uint64_t total, done, failed, recovered, skipped;   /* of total: done has those that ran, not the skipped */
	uint64_t each;                      /* an attempt's time by recorded durations, ns; 0 unknown */
	bool planned;                       /* the numbers are known */
	bool there;                         /* its P.open is still there */

	struct lane_datum { struct oid key; size_t at; } *todo; size_t n_todo, cap_todo;   /* not ended yet, in the plan's order */
	size_t turn;                        /* where the last look went on behind the window */
	struct gauge gauge;
};

/* A datum whose command is running. */
struct running { struct oid key; uint64_t since; unsigned attempt; bool there; };

struct progress {
	const char *run;
	uint64_t begun;                     /* wall clock: failures that are older are of an earlier run */
	unsigned slots;
	struct lane *v; size_t n, cap;
	struct running *running; size_t n_running, cap_running;
	/* The running datum that began first. */
	const struct lane *slowest_of;      /* NULL: none */
	struct oid slowest;
	uint64_t slowest_since;
	struct buf label, line;             /* its name; the last line of its log, as the command wrote it */
};

#define PROGRESS_INIT { .label = BUF_INIT, .line = BUF_INIT }

/* Look at the files.  What cannot be read now may be there the next time. */
void progress_look(struct progress *p);
void progress_release(struct progress *p);

/* Datums a second of late; 0 if it is too early to say. */
double progress_rate(const struct lane *l);
/* Seconds to go, by rate or by recorded durations; -1 unknown. */
double progress_left(const struct progress *p, const struct lane *l);

#endif
