/* work.h: step (b) of a stage: plan what is missing and run it under a sub-make. */
#ifndef RUNTIME_WORK_H
#define RUNTIME_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct limits;
struct mflags;
struct open_job;

/* Plan the job in P.open: writes P.JOB, P.JOB.mk and P.JOB.set.  0 planned; >0 the planner refused
 * and said why: the exit status to end with; -1. */
int work_plan(const struct open_job *o, const struct mflags *m, struct err *err);

/* Say what of the pipeline's limits is held how, or cannot be; for a job that has something to run. */
void work_tell_limits(const char *pipeline, const struct limits *l, const struct mflags *m);

/* How many datums there are and how many are missing, by a planner that writes nothing.  As work_plan. */
int work_count(const struct open_job *o, uint64_t *ret_total, uint64_t *ret_missing, struct err *err);

/* What the planner wrote into P.JOB.set. */
int work_planned(const struct open_job *o, uint64_t *ret_total, uint64_t *ret_missing, struct err *err);

/* Run the plan with this make, always with -k, at most this long (ns, 0: no limit; *ret_late: it was ended).  0 whatever became of the datums; what make itself complained about lies
 * in P.JOB.err.  -1 if it could not be run. */
int work_run(const struct open_job *o, const char *make, uint64_t limit, bool *ret_late, struct err *err);

/* Tell what make itself said (for a job that ended with neither results nor failures). */
void work_tell_make(const struct open_job *o);

/* Remove what killed runners of a job left in .dassie/work.  Before anything of this pipeline runs again. */
void work_sweep(const char *pipeline, const char *job);

/* After a success: the list of datums and make's words are needed no more. */
void work_tidy(const char *pipeline, const char *job);

/* Remove all that a job left in .dassie/plan. */
void work_clean(const char *pipeline, const char *job);

#endif
