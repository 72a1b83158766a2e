/* lend.h: a job token that its holder does not need while it waits. */
#ifndef RUNTIME_LEND_H
#define RUNTIME_LEND_H

#include "jobserver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollfd;

/* The stage's side */

struct borrower { int fd; bool wants; };

struct lender {
	struct jobserver pool;
	int ours, theirs;           /* the two ends by which runners come to us; -1: nothing is lent */
	struct borrower *v; size_t n, cap;
	unsigned owed;              /* tokens in the pool that the dead have lent */
};

#define LENDER_INIT { JOBSERVER_INIT, -1, -1, NULL, 0, 0, 0 }

/* Lend for the runners that are started from now on (they find us by DASSIE_LEND).  Does nothing without a pool. */
void lender_open(struct lender *l, const char *makeflags);

/* How many descriptors lender_fill fills in: what to wait for beside the sub-make. */
size_t lender_room(const struct lender *l);
void lender_fill(const struct lender *l, struct pollfd *v);
/* After a poll of just these. */
void lender_serve(struct lender *l, const struct pollfd *v);

/* The sub-make has ended: take back what is still lent, waiting for it, at most ms (-1: however long). */
void lender_close(struct lender *l, int ms);

/* The runner's side */

/* Lend our token: what lend_back gets, or -1 if it cannot be lent. */
int lend_token(void);

/* Take it back: waits until there is one.  Returns a signal that came meanwhile (then it is not back: our end makes
 * the stage take it), or 0. */
int lend_back(int lent);

#endif
