/* trigger.h: branches that follow another one when something has gathered there. */
#ifndef RUNTIME_TRIGGER_H
#define RUNTIME_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct index;
struct oid;

/* Look at the triggers of the index, or at those of one repo (NULL: all): a branch whose conditions hold moves to what it
 * follows.  A trigger that cannot be judged is an error, and the others are looked at all the same. */
int triggers_look(const struct index *x, const char *repo, struct err *err);

/* The head of a branch (REPO@BRANCH) moves, with a fresh stamp: 1 moved, 0 it was there already, -1.  Under its lock. */
int branch_move(const char *name, const struct oid *id, struct err *err);

#endif
