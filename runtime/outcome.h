/* outcome.h: what became of each pipeline in a run: for its summary and for its alerts. */
#ifndef RUNTIME_OUTCOME_H
#define RUNTIME_OUTCOME_H

#include "../base/mem.h"
#include "query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct index;
struct index_pipeline;
struct query;

enum outcome_state {
	OUTCOME_CURRENT,            /* it was up to date */
	OUTCOME_DONE,               /* its job succeeded */
	OUTCOME_FAILED,             /* its job failed: datums, or a conflict, or its time was over */
	OUTCOME_UNSENT,             /* its output is there, and could not be pushed */
	OUTCOME_BROKEN,             /* the world failed: disk, permissions, a missing program; it was told then */
	OUTCOME_LEFT,               /* its job was interrupted; the next run goes on with it */
	OUTCOME_BLOCKED,            /* something that it reads did not come to be */
	OUTCOME_NOT_REACHED,        /* make stopped before its turn */
	N_OUTCOME
};

struct outcome {
	const char *pipeline;
	enum outcome_state state;
	const char *blocked_by;     /* of BLOCKED: where it began */
	bool has_job;
	struct q_job job;           /* of this run */
	struct oid *failed; size_t n_failed;    /* its failed datums, in the job's order */
};

struct outcomes {
	struct arena a;
	struct outcome *v; size_t n;        /* the pipelines that were wanted and what they need, by the index */
	size_t count[N_OUTCOME];
	uint64_t started, ended;            /* of the run */
	const char *run;
	int status;                         /* exit status of the run */
	bool interrupted;
};

#define OUTCOMES_INIT { .a = ARENA_INIT }

/* The pipeline that a goal of make speaks of: by its name, its egress or a ref; NULL if of none. */
const struct index_pipeline *outcome_goal(const struct index *x, const char *goal);

const char *outcome_word(enum outcome_state s);

/* What the run is called, when it was, its exit status and whether it was interrupted are set before.  goal: names of
 * pipelines, or none for all; ends: of ends.h. */
int outcomes_collect(struct outcomes *o, struct query *q, const struct index *x, const char *const *goal, size_t n_goal, int ends,
                     struct err *err);
void outcomes_release(struct outcomes *o);

#endif
