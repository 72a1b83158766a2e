/* planmk.h: P.JOB.mk, the sub-make's file: chunks of a plan as grouped targets.  A plan of more than PLANMK_PART datums
 * has parts P.JOB.part.1.mk and so on, which P.JOB.mk runs one after the other, each with all slots: that bounds make.
 *
 * What is expected to take longest comes first, and a datum of a second or more is a chunk by itself: else the last slot would
 * still be busy with it when all others have nothing to do.
 *
 * Lanes: where only so many datums may run at once (parallelism_spec, pools), each chunk waits for the one that stands so many
 * before it.  More runners than that could only wait, and each that waits lends its token, with which make starts the next. */
#ifndef COMPILER_PLANMK_H
#define COMPILER_PLANMK_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { PLANMK_PART = 100 * 1000 };

/* Missing: where it is in the plan, how long it is expected to take, ms (0 for all: nobody knows). */
struct planmk_datum { struct oid key; uint64_t at; uint32_t ms; };

struct planmk {
	const char *pipeline, *job;
	uint64_t total;             /* datums of the job, for the heading */
	unsigned slots;             /* of make; 1 at least */
	unsigned max;               /* datums of a chunk at most */
	unsigned lanes;             /* chunks at once; 0: as many as make has slots */
	bool later;                 /* what is to be tried again comes after all chunks: with lanes, and where make has no jobserver */
	const struct planmk_datum *v;
	size_t n;
};

/* How many datums go to one runner: so that a slot gets 20 chunks where there are enough, and make, which keeps for each
 * target a list of the others in its group, stays small. */
size_t planmk_chunk(size_t n, unsigned slots, unsigned max);

int planmk_write(const struct planmk *p, struct err *err);

#endif
