/* lockwait.h: a lock that a stage waits for with its job token lent. */
#ifndef RUNTIME_LOCKWAIT_H
#define RUNTIME_LOCKWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* As lock_take, for children to inherit.  While it waits somebody else may use our slot of make -jN.  A signal that ends
 * us does so when the token is back. */
int lockwait_take(const char *name, bool shared, struct err *err);

#endif
