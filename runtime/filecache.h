/* filecache.h: a stat cache of files that are asked for by name: specs and code files, refs. */
#ifndef RUNTIME_FILECACHE_H
#define RUNTIME_FILECACHE_H

#include "complaint.h"
#include "statcache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct filecache_entry {
	const char *name;
	size_t len;
	struct signature sig;
	struct oid id;
	uint64_t t0;                /* of the cache that believed it; 0: it has no content yet */
	unsigned pass;              /* in which it was asked for last */
	size_t turn;                /* when it was asked for first; 0: not yet */
	bool there;                 /* in that pass */
};

struct filecache {
	char *path;
	bool by_ctime;              /* statcache_believed */
	struct statcache old;
	struct statcache_info info;
	struct statcache_new new_;  /* begun when the first file had to be looked into */
	struct filecache_entry *loaded; size_t n_loaded;    /* entries of `old` */
	size_t next, turns;                 /* which of them is likely to be asked for next */
	struct arena_block *added;          /* entries that were not in it */
	struct filecache_entry **slot; size_t n, mask;      /* all by name; NULL while nobody asked out of order */
	unsigned pass;
	bool changed;
	struct complaints bad;      /* of files that cannot be hashed */
};

/* Read the cache; absent or damaged is empty. */
void filecache_open(struct filecache *c, const char *path, bool by_ctime);

/* From here on every file is looked at again. */
void filecache_again(struct filecache *c);

/* The entry of this name, made if there is none. */
struct filecache_entry *filecache_entry(struct filecache *c, const char *name, size_t len);
/* Does it say what this file is?  Then it counts as there. */
bool filecache_fits(struct filecache *c, struct filecache_entry *e, const struct signature *sig);
/* Before a file's content is looked at; then filecache_set. */
int filecache_prepare(struct filecache *c, struct err *err);
void filecache_set(struct filecache *c, struct filecache_entry *e, const struct signature *sig, const struct oid *id);

/* The content of a regular file. */
enum filecache_kind { FILE_ABSENT, FILE_REGULAR, FILE_DIRECTORY, FILE_SPECIAL };
/* ret_e is the entry, whose sig and id hold for FILE_REGULAR.  -1: what is wrong was complained of, or is in err. */
int filecache_hash(struct filecache *c, const char *path, const struct filecache_entry **ret_e, struct err *err);

/* The entry of a folder itself, "DIR/", whatever number of slashes it was given with. */
struct filecache_entry *filecache_folder(struct filecache *c, const char *dir);
/* Are all names in a folder that are to be there?  `as_of` says which, so that the names need not be made: when it was listed last
 * for the same, and is no other folder, they are. */
bool filecache_held(struct filecache *c, const char *dir, const struct oid *as_of);
/* List it.  1; 0 one is missing, or there is no such folder; -1. */
int filecache_holds(struct filecache *c, const char *dir, const struct oid *as_of, const char *const *name, size_t n, struct err *err);

/* Write it if anything is new.  complete: what nobody asked for in the last pass is forgotten.  Releases it in any case. */
int filecache_close(struct filecache *c, bool complete, struct err *err);

#endif
