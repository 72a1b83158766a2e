/* turn.h: what a runner must hold to run datums: its tokens of make, its places in pools. */
#ifndef RUNTIME_TURN_H
#define RUNTIME_TURN_H

#include "lend.h"
#include "pools.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct plan_head;

struct turn { struct lend lend; struct pools pools; bool ours; };

#define TURN_INIT { LEND_INIT, POOLS_INIT, false }

/* Hold all of it; what there is to wait for is waited for with everything lent.  0; >0 a signal that came; -1 error. */
int turn_take(struct turn *t, const struct plan_head *h, struct err *err);

/* Wait until that moment of exec_clock, with everything given back unless that is too soon to be worth it.
 * 0 or the signal that came. */
int turn_wait(struct turn *t, uint64_t until);

void turn_end(struct turn *t);

#endif
