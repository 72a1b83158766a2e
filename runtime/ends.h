/* ends.h: how the parts of a `dassie run` ended, told to it by the scan and the stages themselves: make's own exit status says
 * only that something failed.  The file is in memory and has no name; everything below the run inherits its descriptor. */
#ifndef RUNTIME_ENDS_H
#define RUNTIME_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define ENDS_SCAN ".scan"           /* no pipeline is called so */

/* For the run: make the file and name it in the environment.  Its descriptor, -1. */
int ends_open(struct err *err);

/* For those below: this exit status, if it is one worth telling and somebody asked. */
void ends_add(const char *name, int status);
/* Is there a run above, which tells of all failures at its end? */
bool ends_wanted(void);

/* For the run again: the exit status of the last part of this name, 0 if none was told; name NULL: the highest of all. */
int ends_of(int fd, const char *name);

#endif
