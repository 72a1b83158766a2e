/* roster.h: the datums of a job in its order, by P.JOB.set and P.job: stretches of what the newest successful job had,
 * and new ones.  Each has a number (jobfile.h); the new ones are numbered on from that job's last. */
#ifndef RUNTIME_ROSTER_H
#define RUNTIME_ROSTER_H

#include "../base/jobfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct spool;

struct roster_datum { struct oid key; const char *label; bool left_out; };     /* left_out: it is to be no part of P.job */
struct roster_piece { bool same; size_t from, n; };    /* of last's datums, or of the new ones */
struct roster_place { uint64_t number; size_t place; };

struct roster {
	struct recfile set;                     /* what the labels point into */
	struct jobfile last;                    /* the newest successful job; empty if there is none to go by */
	struct roster_piece *piece; size_t n_piece, cap_piece;
	struct roster_datum *fresh; size_t n_fresh, cap_fresh;  /* the new ones */
	size_t n;                               /* datums of the job */
	uint64_t *gone; size_t n_gone, cap_gone; /* numbers of those that only `last` has, ascending */
	struct roster_place *place;             /* ascending by number; made by the first who asks */
};

#define ROSTER_INIT { .set = RECFILE_INIT, .last = JOBFILE_INIT }

/* P.job, and only that: it has to be read before a plan is made, since the set tells of it.  1, 0 there is none, -1. */
int roster_last(struct roster *r, const char *pipeline, struct err *err);
/* Then the set.  1, 0 there is none, or its P.job is no more; -1. */
int roster_read(struct roster *r, const char *pipeline, const char *job, struct err *err);
void roster_release(struct roster *r);

uint64_t roster_number(const struct roster *r, size_t fresh);
bool roster_is_gone(const struct roster *r, uint64_t number);
size_t roster_place(struct roster *r, uint64_t number);
/* For messages; lives as long as the arena and the roster. */
const char *roster_label(const struct roster *r, uint64_t number, struct arena *a);

/* The datums as P.job's lines. */
int roster_put(const struct roster *r, struct spool *s, struct err *err);

#endif
