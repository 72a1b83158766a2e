/* again.h: is a failed datum to be tried again, and when.  The one place that decides. */
#ifndef RUNTIME_AGAIN_H
#define RUNTIME_AGAIN_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;
struct fault;
struct plan_head;

/* What is remembered of a datum's last failure, and how often it ran out of memory. */
struct again { struct oid alike; bool known; unsigned oom; };

#define AGAIN_INIT { 0 }

/* Attempt `number` (from 1) of a datum ended with this fault; a: how its command ended, NULL if none was started; its log
 * is at `log`.  The fault gets the class that its output speaks of, and the reason if no other attempt is worth it. */
bool again_wanted(struct again *last, const struct plan_head *h, struct fault *f, const struct attempt *a, const char *log, unsigned number);

/* How long to wait after attempt `number`, ns: anything up to what the spec says, so that what failed together does not
 * come back together.  One that gets more memory need not wait. */
uint64_t again_wait(const struct plan_head *h, const struct fault *f, unsigned number);

/* The output without what differs from one attempt to the next: numbers, addresses, ids.  In place; the new length. */
size_t again_blur(char *s, size_t n);

#endif
