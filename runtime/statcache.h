/* statcache.h: what files looked like when their content was hashed, so that an unchanged file costs one stat.
 * The format is described at the top of statcache.c. */
#ifndef RUNTIME_STATCACHE_H
#define RUNTIME_STATCACHE_H

#include "../base/buf.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct stat;

/* By what a file is known to be the one that was hashed. */
struct signature {
	uint64_t ino, size, mtime, ctime;   /* times in ns */
	uint32_t dev, mode;
};

void signature_of(struct signature *ret, const struct stat *st);
bool signature_same(const struct signature *a, const struct signature *b);

/* Entries and directories as they lie in the file; names end with a NUL, records are padded to 8 bytes. */
struct statcache_entry {
	struct signature sig;
	uint32_t rank;                      /* its place in the order of all paths */
	uint32_t len;                       /* of the name */
	struct oid id;
	char name[];
};

struct statcache_dir {
	struct signature sig;
	uint32_t n;                         /* entries */
	uint32_t len;                       /* of the path */
	uint32_t flags, subs;               /* bytes of the names of directories in it, each with its NUL */
	uint64_t bytes;                     /* of the entries */
	char path[];                        /* padded; then those names, padded; then the entries */
};

enum { STATCACHE_WHOLE = 1 };               /* dir flag: entries and names are all that it holds */

struct statcache_head;

struct statcache {
	const struct statcache_head *head;  /* NULL: there is none that can be used */
	const struct statcache_dir **slot;  /* hash table by path */
	size_t mask;
};

#define STATCACHE_INIT { 0 }

enum { STATCACHE_KEPT = 1 };                /* flag: the contents were stored as objects */

/* Map the cache at this path.  One that is absent, damaged or of another version is an empty one. */
void statcache_open(struct statcache *c, const char *path);
void statcache_release(struct statcache *c);

/* What it says of the whole: zeros if it is empty. */
struct statcache_info { struct oid id; uint64_t t0, walked, entries; uint32_t flags; };
void statcache_about(const struct statcache *c, struct statcache_info *ret);

const struct statcache_dir *statcache_dir(const struct statcache *c, const char *path, size_t len);
const char *statcache_subs(const struct statcache_dir *d);
const struct statcache_entry *statcache_first(const struct statcache_dir *d);
const struct statcache_entry *statcache_next(const struct statcache_entry *e);

/* git's racy rule: a file that changed in the clock tick in which it was hashed may look the same afterwards, so
 * an entry is believed only if the file's times are older than the cache.  by_ctime: the mtime is not looked at,
 * for files whose mtime dassie sets. */
bool statcache_believed(const struct statcache_info *c, const struct signature *sig, bool by_ctime);

/* A new one.  The temporary file is made by statcache_begin, before anything is hashed: its time is the cache's. */
struct statcache_new {
	char *path, *tmp;
	int fd;                             /* -1: not begun */
	uint64_t t0;
	struct buf body;
	size_t dir;                         /* offset of the directory under way */
	uint64_t dirs, entries;
};

#define STATCACHE_NEW_INIT { .fd = -1 }

int statcache_begin(struct statcache_new *w, const char *path, struct err *err);
/* Entries that are put afterwards are in this directory.  sig and subs may be NULL. */
void statcache_put_dir(struct statcache_new *w, const char *path, size_t len, const struct signature *sig, uint32_t flags,
                       const char *subs, size_t n_subs);
void statcache_put(struct statcache_new *w, const char *name, size_t len, const struct signature *sig, const struct oid *id,
                   uint32_t rank);
/* Put it in place.  On failure the old one stays.  walked: the coarse clock before the first directory was read. */
int statcache_commit(struct statcache_new *w, const struct oid *id, uint64_t walked, uint32_t flags, struct err *err);
void statcache_abandon(struct statcache_new *w);    /* legal in every state; releases what commit left, too */

#endif
