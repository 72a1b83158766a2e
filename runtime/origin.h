/* origin.h: which datum wrote each file of a commit, by P.job, if that is still of this commit. */
#ifndef RUNTIME_ORIGIN_H
#define RUNTIME_ORIGIN_H

#include "../base/jobfile.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct origin {
	struct jobfile job;
	bool known;
	struct job_writers w;
	uint64_t next;                      /* the entry that w is before */
	struct origin_number { uint64_t number; size_t at; } *by_number;
};

/* What cannot be read is not known. */
void origin_open(struct origin *o, const char *pipeline, const struct oid *commit);
void origin_rewind(struct origin *o);
void origin_release(struct origin *o);

/* The key of the datum that wrote entry `index` of the commit (of several, the first); indices must not go back.  False: not known. */
bool origin_of(struct origin *o, uint64_t index, struct oid *ret_key);
/* The job that made the commit, or "". */
const char *origin_job(const struct origin *o);

#endif
