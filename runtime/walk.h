/* walk.h: all files of a directory tree, compared with a stat cache while walking, on every core. */
#ifndef RUNTIME_WALK_H
#define RUNTIME_WALK_H

#include "../base/buf.h"
#include "../base/mem.h"
#include "hashpool.h"
#include "statcache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct complaints;
struct ignore;
struct walk_dir;

/* A file that the cache does not answer for. */
struct walk_file {
	struct hashfile hash;                   /* its signature is set by the walk, its id is not */
	const struct statcache_entry *old;      /* what the cache said of this path, or NULL */
	uint32_t rank;
};

/* Each item is one or the other, or neither: a directory, or a file that went away. */
struct walk_item {
	const struct statcache_entry *old;      /* unchanged */
	struct walk_file *file;                 /* to be hashed */
};

struct walk_batch {
	struct walk_batch *next;
	struct walk_dir *dir;
	size_t n;
	struct walk_item item[];
};

struct walk_dir {
	struct walk_dir *next;                  /* in the list of all */
	struct walk_dir *parent;
	const char *path;                       /* from the root, "" is the root */
	size_t len;
	const struct ignore *ignore;            /* rules that hold in it */
	struct ignore *own;                     /* those of its own file */
	struct walk_batch *batch, **tail;       /* its entries, in the order in which the file system told them */
	struct signature sig;                   /* before its names were read */
	const char *sub; size_t n_sub;          /* names of the directories in it, each with its NUL */
	struct buf subs;                        /* what sub points to, if it was read */
	_Atomic bool odd;                       /* it holds more than that: its names must be read every time */
};

struct walk {
	/* in */
	const char *root;                       /* the directory */
	const struct statcache *cache;          /* what is known; may be an empty one */
	bool distrust;                          /* believe no entry */
	bool pycache;                           /* leave out __pycache__: code folders, which python3 writes into */
	const char *project;                    /* path of the project's folder from the root, "" if it is the root; NULL: it is not inside */
	const char *makefile;                   /* generated in the project's folder, no data */
	struct complaints *bad;                 /* everything that is wrong with files */
	/* out */
	int rootfd;                             /* open until walk_release */
	struct walk_dir *dirs;
	uint64_t kept;                          /* unchanged files */
	uint64_t began;                         /* the file system's clock before the first directory was read */
	uint64_t reread;                        /* directories that the cache will answer for when it is written again */
	struct walk_file **fresh; size_t n_fresh, cap_fresh;
	/* own */
	struct arena *arena; size_t n_arena;
};

#define WALK_INIT { .rootfd = -1 }

/* Symlinks are followed; empty directories, .git, .dassie and what .dassieignore names are left out; special files,
 * dangling and circular links, unreadable directories are complained of. */
void walk_run(struct walk *w);
void walk_release(struct walk *w);

#endif
