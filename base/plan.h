/* plan.h: the files between planner, runner and stage.  All lie in .dassie/plan and have rec.h's syntax.
 *
 * P.open: the job under way, written by the stage before it plans; what the planner is to plan from:
 *   dassie-open 1
 *   pipeline NAME    job ID    run ID    started NS    spec HEX    step HEX
 *   input REPO COMMIT ASOF DIR       DIR: the source's directory, "-" for a pipeline's output (contents in objects/)
 *   code KIND HASH PATH              the step's code files as they were then; KIND f or x
 *
 * P.failed: the same, of the newest job that failed, until the next job ends.
 *
 * P.JOB, the plan: what is missing.  Immutable.  The runner is called with a byte offset and a number of datums.
 *   dassie-plan 1
 *   pipeline NAME    job ID    run ID    script PATH    step HEX    tries N    timeout NS    retry …  rule …    limits …  pool …    secret …    err_script PATH    user USER    container RUNTIME IMAGE    sandbox WORD    working_dir PATH    accept N …    salt TEXT
 *   input NAME REPO COMMIT ASOF DIR          the inputs by name, sorted; numbered from 0 in this order
 *   code KIND HASH PATH
 *   begin                                    (base/retry.h, base/limits.h, base/secret.h)
 *   datum KEY LABEL                          LABEL names the datum for people: "books:/hamlet.txt", "a:/x b:/y"
 *   match INPUT# KIND PATH HASH SIZE EMPTY   its matches, input order; KIND f x d; PATH without leading '/'; SIZE 0 for d; EMPTY 0|1
 *   var NAME VALUE                           captured values that reach the command
 *
 * P.times: what the stage knows of how long datums took lately, for the planner; not there if it knows nothing:
 *   dassie-times 1
 *   each NS                          an attempt, on average
 *   took NS LABEL                    those that took longest, the longest first
 *
 * P.JOB.mk: the sub-make's file: chunks of the plan as grouped targets, one runner a chunk.
 *
 * P.JOB.set: every datum of the job in order, by what the newest successful job (P.job, jobfile.h) had:
 *   dassie-set 2
 *   total N    missing N
 *   last JOB                         the job that P.job tells of, "-" if there is none to go by
 *   same INDEX COUNT                 so many datums of P.job's list, from this place in it on
 *   datum KEY LABEL                  one that is not in there
 */
#ifndef BASE_PLAN_H
#define BASE_PLAN_H

#include "limits.h"
#include "mem.h"
#include "rec.h"
#include "retry.h"
#include "secret.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct open_input { const char *repo, *dir; struct oid commit; uint64_t asof; };
struct plan_code { const char *path; bool exec; struct oid id; };

struct open_job {
	struct arena arena;
	const char *pipeline, *job, *run;
	uint64_t started;
	struct oid spec, step;
	struct open_input *input; size_t n_input;    /* sorted by repo */
	struct plan_code *code; size_t n_code;       /* sorted by path */
};

#define OPEN_JOB_INIT { .arena = ARENA_INIT }

int open_job_read(struct open_job *o, const char *pipeline, struct err *err);     /* 1, 0 absent, -1 */
/* The same from P.SUFFIX. */
int open_job_read_as(struct open_job *o, const char *pipeline, const char *suffix, struct err *err);
int open_job_write(const struct open_job *o, struct err *err);
int open_job_write_as(const struct open_job *o, const char *suffix, struct err *err);
void open_job_release(struct open_job *o);

struct plan_input { const char *name, *repo, *dir; struct oid commit; uint64_t asof; };

struct plan_head {
	struct arena arena;
	const char *pipeline, *job, *run, *script, *salt;
	struct oid step;
	unsigned tries;
	struct retry retry;
	struct limits limits;
	struct secret_uses secrets;
	const char *err_script;     /* NULL: none */
	const char *user;           /* whom the command runs as; NULL: nobody else */
	const char *runtime, *image;    /* what it runs in; NULL: this machine.  Among the code there is its digest */
	const char *sandbox, *working_dir;  /* as in struct conf */
	uint64_t timeout;           /* of an attempt, ns; 0: none */
	int *accept; size_t n_accept;
	struct plan_input *input; size_t n_input;
	struct plan_code *code; size_t n_code;
};

#define PLAN_HEAD_INIT { .arena = ARENA_INIT }

void plan_head_write(struct buf *b, const struct plan_head *h);
/* Reads up to and with "begin"; f stands at the first datum after it. */
int plan_head_read(struct plan_head *h, struct recfile *f, struct err *err);
void plan_head_release(struct plan_head *h);

struct plan_match { unsigned input; char kind; bool empty; const char *path; struct oid id; uint64_t size; };
struct plan_var { const char *name, *value; };

struct plan_datum {
	struct oid key;
	const char *label;
	struct plan_match *match; size_t n_match, cap_match;
	struct plan_var *var; size_t n_var, cap_var;
};

#define PLAN_DATUM_INIT { 0 }

void plan_datum_write(struct buf *b, const struct plan_datum *d);
/* The datum at f's position; strings point into f.  1 read, 0 end, -1 malformed. */
int plan_datum_read(struct plan_datum *d, struct recfile *f, struct err *err);
void plan_datum_release(struct plan_datum *d);
/* The key that these contents have: what a runner compares with d->key. */
void plan_datum_key(const struct plan_head *h, const struct plan_datum *d, struct oid *ret);

#endif
