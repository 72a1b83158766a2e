/* queue.h: datums between two attempts, of one runner; and the file in which it leaves them to the end of the pipeline.
 *
 * Where make runs a fixed number of runners (no jobserver, or lanes: compiler/planmk.c) one that waits would hold up the chunks
 * behind it.  So there it ends, and what is to be tried again comes after the last chunk: rules of P.JOB.mk run
 * `dassie-datum PLAN again FILE I N`.  FILE, appended to by each runner in one write (syntax: base/rec.h), gone with its job:
 *
 *   later OFFSET DUE ALIKE OOM     the datum's place in the plan; by the clock that only goes forward; hash of its last failure, - if none
 *                                  is known; how often it ran out of memory
 *   attempt …                      as in a result
 */
#ifndef RUNTIME_QUEUE_H
#define RUNTIME_QUEUE_H

#include "../base/plan.h"
#include "again.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;
struct err;

struct waiting {
	struct plan_datum datum;
	uint64_t at;                    /* in the plan */
	struct attempt *attempt; size_t n, cap;
	struct again again;
	uint64_t due;                   /* by exec_clock */
};

struct queue { struct waiting *v; size_t n, cap; };

#define QUEUE_INIT { 0 }

void queue_put(struct queue *q, const struct waiting *w);       /* takes it over */
struct waiting queue_take(struct queue *q);                     /* the one that is due first; the caller's */

/* Append all to the file and forget them.  0 or -1. */
int queue_leave(struct queue *q, const char *path, struct err *err);

/* Put into the queue every n-th of the file, from the i-th on (from 1).  A file that is not there has none. */
int queue_read(struct queue *q, const char *path, struct recfile *plan, uint64_t i, uint64_t n, struct err *err);

void queue_release(struct queue *q);

#endif
