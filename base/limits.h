/* limits.h: what a datum may take, and how many of them run at once, as the spec says it.  In P.conf and in a plan's head:
 *
 *   limits CPU MEMORY RAISE WORKERS    tokens of make that it holds (0: one), bytes (0: no limit), thousandths by which a try that
 *                                      ran out of memory raises the limit (0: not), datums of the pipeline at once (0: any)
 *   pool NAME TAKES SIZE               so many places of a pool that has SIZE of them; sorted by name
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct rec;

struct limits_pool { const char *name; unsigned takes, size; };

struct limits {
	unsigned cpu, workers, raise;
	uint64_t memory;
	struct limits_pool *pool; size_t n_pool, cap_pool;
};

#define LIMITS_INIT { 0 }

void limits_write(struct buf *b, const struct limits *l);
/* Take in one of these lines; names go to the arena.  1 taken, 0 another line, -1 malformed. */
int limits_read(struct limits *l, struct arena *a, const struct rec *r);
void limits_release(struct limits *l);

/* The memory limit of an attempt before which the datum ran out of memory so many times; 0: none. */
uint64_t limits_memory(const struct limits *l, unsigned times);

/* How many runners of the pipeline are of use at once, by `workers` and the pools; 0: any number. */
unsigned limits_lanes(const struct limits *l);

#endif
