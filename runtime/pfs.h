/* pfs.h: a /pfs of our own: the same path for every datum, attempt and machine, since paths end up in outputs.
 * Nothing is made on the host: the runner leaves for mount (and, as an ordinary user, user) namespaces of its own. */
#ifndef RUNTIME_PFS_H
#define RUNTIME_PFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PFS_DIR "/pfs"

/* Would pfs_enter succeed for the project in this directory (absolute)?  Tried in a child, so nothing changes here. */
bool pfs_possible(const char *project);

/* Leave for the namespaces; the current directory is the project again.  -1: this process must not go on. */
int pfs_enter(const char *project, struct err *err);

/* After pfs_enter, before pfs_show: a folder directly in / that the host does not have; the current directory is the project. */
int pfs_root_folder(const char *project, const char *name, struct err *err);

/* Show this directory as /pfs (another one than before is put in its place). */
int pfs_show(const char *dir, struct err *err);

#endif
