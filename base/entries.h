/* entries.h: the entries of a manifest one after another, and the difference of two such lists: the one routine for it, over what
 * lies in memory and over what is read as it goes, so that a list of any length costs the same memory. */
#ifndef BASE_ENTRIES_H
#define BASE_ENTRIES_H

#include "buf.h"
#include "manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct entries {
	const struct entry *v; size_t n;    /* of an array: what is still to come */
	int fd;                             /* of a file; -1 */
	struct buf text;                    /* read ahead */
	size_t at;                          /* of the next line in it */
	uint64_t left;                      /* bytes of the file not read yet */
	const char *name;                   /* for messages */
	struct entry own;
	bool (*wants)(const void *ctx, const char *path);   /* NULL: all; the others are passed over, but counted */
	const void *wants_ctx;
	/* What entries_next() found: */
	const struct entry *e;              /* until the next one */
	uint64_t index;                     /* from 0 */
	const char *more;                   /* a file's field behind the path; "" */
	uint64_t seen;
};

#define ENTRIES_INIT { .fd = -1 }

void entries_array(struct entries *s, const struct manifest *m);
/* A commit; its hash is checked first.  -1 if it is not there or damaged, with the way out. */
int entries_commit(struct entries *s, const struct oid *id, struct err *err);
/* A sealed file whose entries come last; the seal is checked first.  1, 0 not there, -1 (as recfile_open_sealed). */
int entries_sealed(struct entries *s, const char *path, const char *kind, unsigned version, struct err *err);
void entries_release(struct entries *s);

/* The lines before the first entry.  1, 0 no more, -1. */
int entries_head(struct entries *s, struct rec *r, struct err *err);
/* 1, 0 at the end, -1 (cannot be read, malformed). */
int entries_next(struct entries *s, struct err *err);

/* As manifest_diff(); -1 also for what cannot be read, then with err.  fn finds what else is known of the entry at hand in a and b. */
int entries_diff(struct entries *a, struct entries *b, manifest_diff_fn *fn, void *ctx, struct err *err);

#endif
