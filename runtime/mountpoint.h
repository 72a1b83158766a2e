/* mountpoint.h: a folder to mount on, at a path that the host need not have: in mount namespaces of our own, nothing is made on it. */
#ifndef RUNTIME_MOUNTPOINT_H
#define RUNTIME_MOUNTPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* After pfs_enter, before pfs_show: an absolute path becomes a folder that is there.  What was beside it stays there; where
 * its parent had to be made anew, what is later written directly into that one is seen by this process and its children only. */
int mountpoint_make(const char *project, const char *path, struct err *err);

#endif
