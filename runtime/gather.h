/* gather.h: after the sub-make: which datums of the job have a result, and what they wrote. */
#ifndef RUNTIME_GATHER_H
#define RUNTIME_GATHER_H

#include "roster.h"
#include "tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct open_job;
struct prov;

struct gather {
	struct roster roster;                   /* the job's datums, and the newest successful job */
	struct recfile commit;                  /* of that job, as text */
	struct tree tree;
	uint64_t n;                             /* datums of the job */
	uint64_t processed;                     /* ran to success in this job */
	uint64_t failed;                        /* every attempt failed in this job */
	uint64_t recovered;                     /* so did theirs, but err_cmd says that the job may do without them */
	uint64_t missing;                       /* neither: the job was interrupted, or the world failed */
	struct oid *failure; size_t cap_failure; /* keys of the failed ones */
};

#define GATHER_INIT { .roster = ROSTER_INIT, .commit = RECFILE_INIT, .tree = TREE_INIT }

/* Before the plan is made: read P.job and its commit.  If they are not to be believed P.job is removed, so that the planner
 * does not go by it either. */
int gather_begin(struct gather *g, const struct open_job *o, struct err *err);

/* After it was made: read P.JOB.set. */
int gather_planned(struct gather *g, const struct open_job *o, struct err *err);

/* Results that no job covers and that cannot be believed (another boot wrote them and their objects do not fit; objects
 * that are gone) are removed.  Returns how many, or -1. */
int64_t gather_distrust(struct gather *g, struct err *err);

/* Take in every result that the newest successful job does not cover: into the tree and into the database. */
int gather_results(struct gather *g, const struct open_job *o, struct prov *p, struct err *err);

void gather_release(struct gather *g);

#endif
