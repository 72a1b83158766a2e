/* gather.h: after the sub-make: which datums of the job have a result, and what they wrote. */
#ifndef RUNTIME_GATHER_H
#define RUNTIME_GATHER_H

#include "../base/plan.h"
#include "tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct prov;

struct gather {
	struct recfile set;                     /* what the labels point into */
	struct jobfile last;                    /* the newest successful job; empty if there is none */
	struct job_datum *datum; size_t n, cap;
	int64_t *old; size_t cap_old;           /* index in `last`, or -1 */
	struct tree tree;
	uint64_t processed;                     /* ran to success in this job */
	uint64_t failed;                        /* every attempt failed in this job */
	uint64_t missing;                       /* neither: the job was interrupted, or the world failed */
	struct oid *failure; size_t cap_failure; /* keys of the failed ones */
};

#define GATHER_INIT { .set = RECFILE_INIT, .last = JOBFILE_INIT, .tree = TREE_INIT }

/* Read P.JOB.set and P.job. */
int gather_begin(struct gather *g, const struct open_job *o, struct err *err);

/* Results that no job covers and that cannot be believed (another boot wrote them and their objects do not fit; objects
 * that are gone) are removed.  Returns how many, or -1. */
int64_t gather_distrust(struct gather *g, struct err *err);

/* Take in every result that `last` does not cover: into the tree and into the database. */
int gather_results(struct gather *g, const struct open_job *o, struct prov *p, struct err *err);

void gather_release(struct gather *g);

#endif
