/* node.h: the tree behind datums.h: every node is a list of datums that knows its length and can name any of them. */
#ifndef COMPILER_NODE_H
#define COMPILER_NODE_H

#include "../base/conf.h"
#include "datums.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct matches {                    /* of a datum, while it is put together */
	const struct dmatch **v;
	size_t n, cap;
};

struct tuple;
struct run;
struct bucket;

struct node {
	enum conf_kind kind;
	const struct conf_input *in;
	const char *name;           /* what it is sorted by among its siblings */
	struct node *kid;
	size_t n_kid;
	uint64_t count;
	struct dmatch *match;       /* pfs, cron: one a datum */
	size_t n_match, cap_match;
	struct tuple *tuple;        /* join, group: every file of every kid, by key */
	size_t n_tuple, cap_tuple;
	struct run *run;            /* those of one kid with one key */
	size_t n_run, cap_run;
	struct bucket *bucket;      /* the runs of one key */
	size_t n_bucket, cap_bucket;
};

/* leaf.c: fill a pfs or cron node.  Strings go to the arena.  0, -1, -2 as datums_new(). */
int leaf_fill(struct node *n, const struct manifest *m, unsigned input, struct arena *a, struct err *err);

/* combine.c: fill a cross, union, join or group whose kids are filled. */
int combine_fill(struct node *n, struct err *err);
void combine_release(struct node *n);

/* Append the matches of datum i. */
void node_get(const struct node *n, uint64_t i, struct matches *to);

#endif
