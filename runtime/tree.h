/* tree.h: the outputs of a job's datums become one tree: no path twice, no file where a directory is. */
#ifndef RUNTIME_TREE_H
#define RUNTIME_TREE_H

#include "../base/buf.h"
#include "../base/manifest.h"
#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct result;
struct roster;
struct tree_output;

/* What two commits differ in: `old` and `new_` have only such entries. */
struct tree_diff { struct oid from; struct manifest old, new_; };

struct tree {
	struct arena arena;             /* paths */
	struct tree_output *v; size_t n, cap;   /* outputs of new datums */
	/* After tree_make() */
	struct buf writers;             /* P.job's lines about it */
	uint64_t files, bytes;
	struct tree_diff diff;          /* from the last job's commit */
};

#define TREE_INIT { .arena = ARENA_INIT }

/* What a datum wrote that the last job did not have; datums come in their order. */
void tree_add(struct tree *t, const struct result *r, uint64_t number);

/* Put together what the last job's datums wrote, as far as they are still there, and what was added; store it as a
 * commit.  last: the bytes of the last job's commit (manifest_view).  concat: what several datums wrote under one path is
 * put together in datum order; else different contents are an error.  0, or -1 with *ret_conflict telling whether it was
 * the user's tree (a sentence that names path and datums) or the world. */
int tree_make(struct tree *t, struct roster *r, const struct recfile *last, bool concat, struct oid *ret_commit,
              bool *ret_conflict, struct err *err);

void tree_release(struct tree *t);

#endif
