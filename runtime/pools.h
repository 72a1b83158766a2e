/* pools.h: places in named pools, for all pipelines and all runs of a project together.
 *
 * .dassie/pools/NAME.I, I from 0 to SIZE-1, is a place: who holds an flock on it has it, so a killed holder gives it back.
 * .dassie/pools/NAME.turn is held by the one that waits for places, or takes several: the others stand behind it. */
#ifndef RUNTIME_POOLS_H
#define RUNTIME_POOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct limits;

struct pools {
	int *fd; size_t n, cap;     /* the places that are ours */
	size_t at;                  /* the pool that is being taken from */
	unsigned got;               /* places of it */
	int turn;
};

#define POOLS_INIT { NULL, 0, 0, 0, 0, -1 }

/* Go on with taking what a datum takes of every pool.  1 we have it all, 0 not yet: call it again, -1 error. */
int pools_step(struct pools *p, const struct limits *l, struct err *err);

/* Give all back. */
void pools_leave(struct pools *p);
void pools_release(struct pools *p);

#endif
