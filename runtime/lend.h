/* lend.h: job tokens: one that its holder does not need while it waits, several that a datum counts as. */
#ifndef RUNTIME_LEND_H
#define RUNTIME_LEND_H

#include "jobserver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollfd;

/* The stage's side */

/* A runner that has come to us: how many tokens it has, how many it waits for (0: it does not). */
struct borrower { int fd; unsigned held, wants; };

struct lender {
	struct jobserver pool;
	int ours, theirs;           /* the two ends by which runners come to us; -1: nothing is lent */
	struct borrower *v; size_t n, cap;
	unsigned owed;              /* tokens in the pool that the dead have lent */
	bool collects;              /* we hold the lock under which several are collected */
};

#define LENDER_INIT { JOBSERVER_INIT, -1, -1, NULL, 0, 0, 0, false }

/* Lend for the runners that are started from now on (they find us by DASSIE_LEND).  Does nothing without a pool. */
void lender_open(struct lender *l, const char *makeflags);

/* How many descriptors lender_fill fills in: what to wait for beside the sub-make. */
size_t lender_room(const struct lender *l);
void lender_fill(const struct lender *l, struct pollfd *v);
/* How long that may wait, ms: -1 for ever. */
int lender_patience(const struct lender *l);
/* After a poll of just these. */
void lender_serve(struct lender *l, const struct pollfd *v);

/* The sub-make has ended: take back what is still lent, waiting for it, at most ms (-1: however long). */
void lender_close(struct lender *l, int ms);

/* The runner's side: it begins with one token, which make gave it. */

struct lend {
	int line;                   /* to our stage; -1: there is none (yet) */
	unsigned held;
	bool known;                 /* the stage said that ours are in the pool */
};

#define LEND_INIT { -1, 1, false }

/* Lend all that we hold, if there is somebody to lend to. */
void lend_all(struct lend *l);

/* Hold n tokens: waits until we do; whoever waits has lent all it has.  Without a pool we go on with what we have.
 * Returns a signal that came meanwhile (then what is lent is taken back by the stage when we end), or 0. */
int lend_hold(struct lend *l, unsigned n);

/* Back to the one that make gave us, which it takes back itself. */
void lend_end(struct lend *l);

#endif
