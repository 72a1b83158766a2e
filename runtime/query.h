/* query.h: reads the index. Nothing is locked for longer than a question takes: answers are copied into the caller's
 * arena, and only then is anything printed. */
#ifndef RUNTIME_QUERY_H
#define RUNTIME_QUERY_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct err;
struct pushed;
struct query;
struct result;

/* 1 open, 0 there is no database yet (*ret is NULL: every question below has the answer "nothing" then), -1 error. */
int query_open(struct query **ret, struct err *err);
void query_close(struct query *q);             /* legal on NULL */

struct q_job {
	int64_t row;
	const char *id, *run, *pipeline, *state, *reason;
	uint64_t started, finished, total, processed, skipped, failed, recovered;
	const char *head, *branch;                 /* git; head NULL without one */
	bool dirty, has_commit, has_spec, has_step;
	struct oid commit, spec, step;
};

/* Newest first. pipeline NULL: all; prefix: of the id, "" all; limit 0: no limit. */
int query_jobs(struct query *q, struct arena *a, const char *pipeline, const char *prefix, unsigned limit,
               struct q_job **ret, size_t *ret_n, struct err *err);

/* The jobs that a run began, oldest first. */
int query_run(struct query *q, struct arena *a, const char *run, struct q_job **ret, size_t *ret_n, struct err *err);
/* The keys of a job's failed datums, not of its recovered ones. */
int query_failed(struct query *q, struct arena *a, int64_t job, struct oid **ret, size_t *ret_n, struct err *err);

struct q_code { const char *path; bool exec; struct oid id; };
struct q_input { const char *repo; struct oid commit; };

int query_code(struct query *q, struct arena *a, int64_t job, struct q_code **ret, size_t *ret_n, struct err *err);
int query_job_inputs(struct query *q, struct arena *a, int64_t job, struct q_input **ret, size_t *ret_n, struct err *err);
/* What git diff said when the job ran; *ret "" if nothing. */
int query_diff(struct query *q, struct arena *a, int64_t job, const char **ret, struct err *err);

struct q_version { struct oid step; const char *script, *spec, *salt; };   /* texts, NULL if unknown */

int query_version(struct query *q, struct arena *a, const char *pipeline, const struct oid *spec, struct q_version *ret,
                  struct err *err);                                   /* 1, 0, -1 */

/* The jobs that executed a datum, newest first. */
int query_executions(struct query *q, struct arena *a, const struct oid *key, const char ***ret, size_t *ret_n,
                     struct err *err);
/* What the datum's result file says, from the index: of its execution by this job, NULL: the newest one. Strings are
 * in the arena; result_release() as ever. ret_spec may be NULL. 1, 0, -1. */
int query_result(struct query *q, struct arena *a, const struct oid *key, const char *job, struct result *ret,
                 struct oid *ret_spec, struct err *err);
/* Keys that begin with these hex digits. */
int query_keys(struct query *q, struct arena *a, const char *hex, struct oid **ret, size_t *ret_n, struct err *err);
/* The datum of this name that ran last before this key did, whatever its version. 1, 0, -1. */
int query_before(struct query *q, const char *pipeline, const char *label, const struct oid *key, struct oid *ret,
                 struct err *err);
/* Datums that a job executed, in the order they were recorded in. */
int query_ran(struct query *q, struct arena *a, int64_t job, struct oid **ret, size_t *ret_n, struct err *err);
/* Datums of a pipeline that wrote this path: with this content, or with id NULL whatever content. Newest first. */
int query_writers(struct query *q, struct arena *a, const char *pipeline, const char *path, const struct oid *id,
                  struct oid **ret, size_t *ret_n, struct err *err);

/* Datums that saw this path of a repo, a file or a directory, with this hash. Newest first. */
int query_readers(struct query *q, struct arena *a, const char *repo, const char *path, const struct oid *id, struct oid **ret, size_t *ret_n,
                  struct err *err);

struct q_commit { struct oid id; uint64_t time, files, bytes; const char *job; };   /* job NULL: a source */

int query_commits(struct query *q, struct arena *a, const char *repo, struct q_commit **ret, size_t *ret_n,
                  struct err *err);                                   /* newest first */

/* How the last push of a pipeline's commit to each place ended. */
int query_pushes(struct query *q, struct arena *a, const char *pipeline, const struct oid *commit, struct pushed **ret,
                 size_t *ret_n, struct err *err);

/* What SQLite finds wrong with the file, a line each; nothing if it is sound. */
int query_check(struct query *q, struct buf *ret, struct err *err);

#endif
