/* tree.h: the outputs of a job's datums become one tree: no path twice, no file where a directory is. */
#ifndef RUNTIME_TREE_H
#define RUNTIME_TREE_H

#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct job_datum;
struct job_tree;
struct jobfile;
struct manifest;
struct result;

struct tree {
	struct arena arena;         /* the paths of new outputs */
	struct job_tree *v;         /* sorted by path, then datum, after tree_sort */
	size_t n, cap, n_old;       /* the first n_old came from the last job */
};

#define TREE_INIT { .arena = ARENA_INIT }

/* Outputs of the last job whose datum is still there: map[old index] is the new one, or -1.  First, and once. */
void tree_keep(struct tree *t, const struct jobfile *last, const int64_t *map);
void tree_add(struct tree *t, const struct result *r, uint32_t datum);
void tree_sort(struct tree *t);

/* The manifest's bytes.  concat: what several datums wrote under one path is put together in datum order; else
 * different contents are an error.  0, or -1 with *ret_conflict telling whether it was the user's tree (a sentence that
 * names path and datums) or the world. */
int tree_manifest(const struct tree *t, const struct job_datum *datum, bool concat, struct buf *ret_b, uint64_t *ret_files,
                  uint64_t *ret_bytes, bool *ret_conflict, struct err *err);

void tree_release(struct tree *t);

#endif
