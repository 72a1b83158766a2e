/* provenance.h: the SQLite index over the files: runs, jobs, pipeline versions, code, datums, attempts, commits.
 * Written only by a stage's commit (under the database lock, one transaction a job, idempotent by job id);
 * everything in it can be found again in the files: results are such, the rest goes into the journal, too. */
#ifndef RUNTIME_PROVENANCE_H
#define RUNTIME_PROVENANCE_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct buf;
struct err;
struct prov;
struct pushed;
struct result;
struct sqlite3;

struct prov_run { const char *id; uint64_t started; const char *host, *user, *command, *version; };

struct prov_code { const char *path; bool exec; struct oid id; };

struct prov_git { const char *commit, *branch; bool dirty; const char *diff; };   /* commit "": no git */

struct prov_input { const char *repo; struct oid commit; };

struct prov_job {
	const char *id, *run, *pipeline;
	const char *state;                  /* success failure running killed */
	const char *reason;                 /* "" or why it failed, one sentence */
	uint64_t started, finished;
	uint64_t total, processed, skipped, failed, recovered;
	bool has_commit; struct oid commit; /* output commit of a success */
	struct oid spec, step;              /* the pipeline version, put before */
	const struct prov_git *git;
	const struct prov_code *code; size_t n_code;
	const struct prov_input *input; size_t n_input;
};

/* The writer.  Takes the database lock, makes or migrates the database, begins a transaction. -1 with nothing held. */
int prov_begin(struct prov **ret, struct err *err);
/* The same to tell it what the journal has: nothing of it is put into the journal again. */
int prov_rebuild(struct prov **ret, struct err *err);
int prov_put_run(struct prov *p, const struct prov_run *run, struct err *err);
/* The version (spec hash, step hash) with the full step and spec text (NULL: not known); an existing one is success. */
int prov_put_version(struct prov *p, const struct conf *c, const struct oid *spec, const struct oid *step,
                     const char *script_text, struct err *err);
int prov_put_job(struct prov *p, const struct prov_job *job, struct err *err);            /* replaces a job of that id */
/* A result or failure that this job found new.  One that is known (same key, same job of execution) is success. */
int prov_put_result(struct prov *p, const struct result *r, const struct oid *spec, struct err *err);
/* A commit of a repo: sources when the scan moved them, outputs by their job ("" for a source). */
int prov_put_commit(struct prov *p, const char *repo, const struct oid *id, uint64_t when, const char *job,
                    uint64_t files, uint64_t bytes, struct err *err);
/* How a push ended; the same one again is success. */
int prov_put_egress(struct prov *p, const struct pushed *v, struct err *err);
/* Take a commit that is gone out of the history: jobs that made it are left without one. */
int prov_forget_commit(struct prov *p, const struct oid *id, struct err *err);
/* Commit the transaction, checkpoint, let go of the lock.  Frees p in any case. */
int prov_commit(struct prov *p, struct err *err);
/* The connection, for what else is in the journal and has its own tables. */
struct sqlite3 *prov_database(struct prov *p);
void prov_abort(struct prov *p);            /* legal on NULL */

/* Average duration of an attempt of this pipeline's newest successes, ns; 0 if there are none. */
uint64_t prov_duration(const char *pipeline);

/* What took longest in the newest job that ran something: "took NS LABEL" lines (base/plan.h), at most so many.  Nothing if there is no
 * database or it cannot be read. */
void prov_longest(const char *pipeline, unsigned most, struct buf *ret);

#endif
