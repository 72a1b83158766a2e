/* child.h: run a program of ours (planner, sub-make) and wait for it. */
#ifndef RUNTIME_CHILD_H
#define RUNTIME_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct lender;

/* argv ends with NULL; argv[0] is looked up in PATH if it has no '/'.  errfd: the child's stderr, -1 for ours.
 * SIGINT, SIGTERM and SIGHUP that reach us meanwhile are passed on; when the child has ended after one, this process
 * ends by the same signal.  Returns the exit status, 128 + the signal that ended the child, or -1. */
int child_run(const char *const argv[], int errfd, struct err *err);

/* The same; when it has taken this long (ns, 0: no limit) it gets SIGTERM, and *ret_late is true.  l lends while it
 * runs, and is closed when it has ended. */
int child_run_for(const char *const argv[], int errfd, uint64_t limit, bool *ret_late, struct lender *l, struct err *err);

#endif
