/* stale.h: which pipelines are up to date, and why the others are not, from the refs: nothing is scanned. */
#ifndef RUNTIME_STALE_H
#define RUNTIME_STALE_H

#include "query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct index;
struct query;

enum stale_state { STALE_NO, STALE_YES, STALE_NEVER, STALE_FAILED, STALE_RUNNING };

struct stale {
	const char *pipeline;
	enum stale_state state;
	const char **reason; size_t n_reason;   /* sentences; names in them are escaped for a terminal */
	bool has_job;
	struct q_job job;                       /* the newest */
};

const char *stale_word(enum stale_state s);     /* "up to date" "stale" "never run" "failed" "running" */
const char *stale_sentence(enum stale_state s); /* "is up to date" … */

/* Every pipeline of the index, in its order. */
int stale_all(struct query *q, struct arena *a, const struct index *x, struct stale **ret, struct err *err);

/* When the scan last looked, as far as its files tell; 0 if it never did. */
uint64_t stale_as_of(void);

#endif
