/* manifest.h: a commit is a sorted manifest; its id is the SHA-256 of the manifest's bytes.
 *
 *   dassie-commit 1
 *   f SIZE SHA256 PATH        a file           one line a file, sorted by the bytes of PATH,
 *   x SIZE SHA256 PATH        an executable    no PATH twice, no leading '/', no "." or ".."
 *
 * (fields as in rec.h).  It lies at .dassie/commits/HEX, immutable. */
#ifndef BASE_MANIFEST_H
#define BASE_MANIFEST_H

#include "rec.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct spool;

struct entry {
	const char *path;
	uint64_t size;
	struct oid id;
	char kind;                  /* 'f' or 'x' */
};

struct manifest {
	struct entry *v;            /* sorted by strcmp of path */
	size_t n;
	struct recfile text;        /* what the paths point into */
};

#define MANIFEST_INIT { 0 }

/* The empty commit exists without a file. */
int manifest_load(struct manifest *m, const struct oid *id, struct err *err);   /* -1 also when it is not there or damaged: says the way out */
void manifest_release(struct manifest *m);
/* The same bytes, checked, as they are: an entry a line from pos on.  1, 0 it is not there or damaged, -1. */
int manifest_view(struct recfile *f, const struct oid *id, struct err *err);

/* The bytes of a manifest, entries already sorted. */
void manifest_head(struct buf *b);
void manifest_line(struct buf *b, char kind, uint64_t size, const struct oid *id, const char *path);
/* Store such bytes as a commit.  An existing one is success. */
int manifest_store(const struct buf *b, struct oid *ret_id, struct err *err);
/* The same for large ones, piece by piece: between these two, lines are appended to s->b, then spool_step(). */
int manifest_open(struct spool *s, struct err *err);
int manifest_close(struct spool *s, struct oid *ret_id, struct err *err);
void manifest_empty_id(struct oid *ret_id);
/* Is this commit stored?  The empty one needs no file. */
bool manifest_is_there(const struct oid *id);

/* The entry of exactly this path, or NULL. */
const struct entry *manifest_find(const struct manifest *m, const char *path);
/* Entries [*ret_lo, *ret_hi) are those below directory dir ("" is the root). False if there are none. */
bool manifest_below(const struct manifest *m, const char *dir, size_t *ret_lo, size_t *ret_hi);

/* The difference (entries.c): calls fn for each path that is only in a (new_ NULL), only in b (old NULL) or differs in
 * content or kind.  In path order.  Stops at the first non-zero return of fn and returns it. */
typedef int manifest_diff_fn(void *ctx, const struct entry *old, const struct entry *new_);
int manifest_diff(const struct manifest *a, const struct manifest *b, manifest_diff_fn *fn, void *ctx);

#endif
