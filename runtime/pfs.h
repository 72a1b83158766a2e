/* pfs.h: a /pfs of our own: the same path for every datum, attempt and machine, since paths end up in outputs.
 * Nothing is made on the host: the runner leaves for mount (and, as an ordinary user, user) namespaces of its own, and what it mounts
 * is gone with it.  All of it is read-only, also for root, but /pfs/out. */
#ifndef RUNTIME_PFS_H
#define RUNTIME_PFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PFS_DIR "/pfs"
#define PFS_MEMORY "v"

struct pfs {
	int fd;             /* a folder in memory: what is below PFS_MEMORY in it is shown; -1: it is not there yet */
	bool by_tree;       /* the kernel makes a tree of mounts read-only in one call */
	bool shown, files, out, tmp;    /* what is mounted: /pfs, files in it, /pfs/out, the other folder */
	const char *tmp_at;         /* where an attempt's TMPDIR is shown; NULL: nowhere */
};

#define PFS_INIT { .fd = -1, .tmp_at = NULL }

/* Is this absolute path /pfs or below it? */
bool pfs_covers(const char *path);

/* Would pfs_enter succeed for the project in this directory (absolute)?  Tried in a child, so nothing changes here. */
bool pfs_possible(const char *project);

/* Leave for the namespaces; the current directory is the project again.  -1: this process must not go on. */
int pfs_enter(const char *project, struct err *err);

/* After pfs_enter, before pfs_ready: a folder directly in / that the host does not have; the current directory is the project. */
int pfs_root_folder(const char *project, const char *name, struct err *err);

/* The folder in memory, once nothing changes the root any more; nothing if it is there. */
int pfs_ready(struct pfs *p, struct err *err);

/* Show folder, NULL for that in memory, as /pfs; nothing if something is shown. */
int pfs_open(struct pfs *p, const char *folder, struct err *err);

/* Show this file at a path below /pfs, where there is a file.  -1 with errno: ENOSPC there are as many mounts as may be. */
int pfs_bind(struct pfs *p, const char *file, const char *at);

/* When all is there: from now on it is read-only, and out is shown as /pfs/out, tmp as p->tmp_at (they may be so already). */
int pfs_seal(struct pfs *p, const char *out, const char *tmp, struct err *err);

/* Make a mount read-only, and those below it.  -1 with errno; ENOSYS before Linux 5.12. */
int pfs_read_only(const char *path, bool below);

/* Take down what pfs_open, pfs_bind and pfs_seal have put up. */
int pfs_close(struct pfs *p, struct err *err);

void pfs_release(struct pfs *p);

#endif
