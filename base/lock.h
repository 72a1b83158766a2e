/* lock.h: flocks under .dassie/lock: the kernel frees them with their last holder.
 *
 * Order, always: "gc" (shared) -> a pipeline or source by its name -> ".database" -> clock (clock.h).
 * The lock file holds the holder's pid and start, for messages only. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define LOCK_GC ".gc"
#define LOCK_DATABASE ".database"
#define LOCK_SPECS ".specs"
#define LOCK_ALERTS ".alerts"          /* likewise */
#define LOCK_FORCED ".forced"          /* held by nobody who waits for another */

/* Wait for the lock and return its descriptor.  inherit: children keep it over exec (a stage's
 * sub-make and runners), else close-on-exec.  If it must wait, it says after a second on stderr
 * for whom.  Closing the descriptor frees it.  -1 on error. */
int lock_take(const char *name, bool shared, bool inherit, struct err *err);

/* The same without waiting: -2 if somebody holds it. */
int lock_try(const char *name, bool shared, bool inherit, struct err *err);

/* Say for whom one waits that lock_try has refused: who holds it, since when, and whether that process lives. */
void lock_tell(const char *name, bool shared);

/* The process that took the lock, as the kernel tells; 0 if nobody holds it or it cannot be told. */
long lock_holder(const char *name);

#endif
