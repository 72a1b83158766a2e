/* hashpool.h: the SHA-256 of many files, on every core. */
#ifndef RUNTIME_HASHPOOL_H
#define RUNTIME_HASHPOOL_H

#include "statcache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct complaints;

struct hashfile {
	const char *dir;            /* from the root, without '/' at its end; "" is the root itself */
	const char *name;
	struct signature sig;       /* out: of the bytes that were hashed */
	struct oid id;              /* out */
};

/* Cores this process may use, at most 16. */
unsigned cores(void);

/* Hash every file.  What fails is complained of, by its path with `shown` before it (and `hint` behind it where a
 * permission is missing); a file that goes on changing while it is read is an error.  rootfd may be AT_FDCWD. */
void hashpool_run(int rootfd, const char *shown, const char *hint, struct hashfile *const *v, size_t n,
                  struct complaints *bad);

/* Open the directory rootfd/path, which may be longer than PATH_MAX.  -1 with errno. */
int open_deep(int rootfd, const char *path);

/* "SHOWN/DIR/NAME", without what is empty. */
struct buf;
void shown_path(struct buf *b, const char *shown, const char *dir, const char *name);

#endif
