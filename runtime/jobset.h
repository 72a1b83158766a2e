/* jobset.h: jobs, those under way too, and the datums of one job, each with how it fared. */
#ifndef RUNTIME_JOBSET_H
#define RUNTIME_JOBSET_H

#include "../base/sha256.h"
#include "query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct query;
struct result;

/* Newest first, of the index and of the files of jobs that no stage has ended: those are running, or killed if nobody
 * holds their pipeline's lock. pipeline NULL: all; prefix "" all; limit 0: no limit. */
int jobset_jobs(struct query *q, struct arena *a, const char *pipeline, const char *prefix, unsigned limit,
                struct q_job **ret, size_t *ret_n, struct err *err);

/* JOB or the beginning of one, as a person gives it: exactly one. prefix "" or NULL: the newest. 1, 0 nothing has run
 * (of this pipeline), -1 also when it is unknown or ambiguous. */
int jobset_find(struct query *q, struct arena *a, const char *pipeline, const char *prefix, struct q_job *ret,
                struct err *err);

struct jobset_datum { struct oid key; const char *label; };   /* label NULL: look into its result */

struct jobset {
	struct jobset_datum *v; size_t n;
	bool whole;                 /* false: only what this job executed is known, its skipped datums are not */
};

/* The datums of a job, in its order. Everything in the arena. */
int jobset_load(struct query *q, struct arena *a, const struct q_job *job, struct jobset *ret, struct err *err);

/* A datum's newest result or failure, out of its file or else the index. job: of its execution by that job if it had
 * one, else the newest. 1, 0 there is none, -1 error. Strings live as long as ret and the arena. */
int jobset_result(struct query *q, struct arena *a, const struct oid *key, const char *job, struct result *ret,
                  struct err *err);

/* Keys that begin with these hex digits, in the index or among the results that no job has recorded yet. */
int jobset_keys(struct query *q, struct arena *a, const char *hex, struct oid **ret, size_t *ret_n, struct err *err);

#endif
