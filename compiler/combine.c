/* combine.c: cross, union, join and group.
 *
 * A cross and a union compute which datum of which kid is meant.  A join and a group take their kids apart into
 * files: each file brings its own key (join_on or group_by of its leaf, "" without one), whatever is in between.
 * Sorted by key, then kid, the files of a key are a bucket and those of one kid in it a run; a group's datum is a
 * bucket, a join's is one file of each run.  Keys come in byte order. */
#include "node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"

struct tuple { const char *key; const struct dmatch *m; uint32_t kid, seq; };
struct run { size_t from, n; };
struct bucket { size_t from, n; uint64_t start; };   /* runs; number of its first datum */

/* What the factors are, for the sentence: "books 2000 x words 1500". */
static void
factors(struct buf *b, const struct node *n)
{
	for (size_t i = 0; i < n->n_kid; i++)
		buf_fmt(b, "%s%s %llu", i ? " x " : "", n->kid[i].name, (unsigned long long)n->kid[i].count);
}

static int
too_many(const struct node *n, struct err *err)
{
	struct buf b = BUF_INIT;

	factors(&b, n);
	err_set(err, 0, "the %s (%s) makes more than %d datums; take fewer paths or put some of them into one datum "
	    "(a glob \"/\" takes the whole repo as one)", n->kind == CONF_CROSS ? "cross" : "join", b.s, DATUMS_MAX);
	buf_release(&b);
	return -2;
}

/* a * b, or more than the limit. */
static uint64_t
times(uint64_t a, uint64_t b)
{
	return b && a > DATUMS_MAX / b ? DATUMS_MAX + 1 : a * b;
}

static int
fill_cross(struct node *n, struct err *err)
{
	n->count = n->n_kid > 0;
	for (size_t i = 0; i < n->n_kid; i++)
		if (n->kid[i].count == 0)
			n->count = 0;
	for (size_t i = 0; n->count && i < n->n_kid; i++) {
		n->count = times(n->count, n->kid[i].count);
		if (n->count > DATUMS_MAX)
			return too_many(n, err);
	}
	return 0;
}

static int
fill_union(struct node *n)
{
	for (size_t i = 0; i < n->n_kid; i++)
		n->count += n->kid[i].count;
	return 0;
}

static int
by_key(const void *va, const void *vb)
{
	const struct tuple *a = va, *b = vb;
	int order = strcmp(a->key, b->key);

	if (order)
		return order;
	if (a->kid != b->kid)
		return a->kid < b->kid ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static void
gather(struct node *n)
{
	struct matches m = { 0 };

	for (size_t k = 0; k < n->n_kid; k++) {
		uint32_t seq = 0;

		for (uint64_t i = 0; i < n->kid[k].count; i++) {
			m.n = 0;
			node_get(&n->kid[k], i, &m);
			for (size_t f = 0; f < m.n; f++) {
				const char *key = n->kind == CONF_JOIN ? m.v[f]->join_on : m.v[f]->group_by;

				GROW(n->tuple, n->n_tuple, n->cap_tuple);
				n->tuple[n->n_tuple++] = (struct tuple){ key ? key : "", m.v[f], (uint32_t)k, seq++ };
			}
		}
	}
	free(m.v);
	if (n->n_tuple)
		qsort(n->tuple, n->n_tuple, sizeof *n->tuple, by_key);
}

/* The runs of the key that begins at tuple i; where the next key begins. */
static size_t
add_runs(struct node *n, size_t i)
{
	const char *key = n->tuple[i].key;

	while (i < n->n_tuple && strcmp(n->tuple[i].key, key) == 0) {
		size_t from = i;

		while (i < n->n_tuple && n->tuple[i].kid == n->tuple[from].kid && strcmp(n->tuple[i].key, key) == 0)
			i++;
		GROW(n->run, n->n_run, n->cap_run);
		n->run[n->n_run++] = (struct run){ from, i - from };
	}
	return i;
}

/* A key that not every kid has: only the files of those flagged outer stay. */
static void
drop_inner(struct node *n, size_t first_run)
{
	size_t out = first_run;

	if (n->n_run - first_run == n->n_kid)
		return;
	for (size_t i = first_run; i < n->n_run; i++)
		if (n->tuple[n->run[i].from].m->outer)
			n->run[out++] = n->run[i];
	n->n_run = out;
}

static uint64_t
bucket_count(const struct node *n, size_t first_run)
{
	uint64_t count = 1;

	if (n->kind == CONF_GROUP)
		return 1;
	for (size_t i = first_run; i < n->n_run; i++)
		count = times(count, n->run[i].n);
	return count;
}

static int
fill_keyed(struct node *n, struct err *err)
{
	gather(n);
	for (size_t i = 0; i < n->n_tuple;) {
		size_t first = n->n_run;

		i = add_runs(n, i);
		if (n->kind == CONF_JOIN)
			drop_inner(n, first);
		if (n->n_run == first)
			continue;
		GROW(n->bucket, n->n_bucket, n->cap_bucket);
		n->bucket[n->n_bucket++] = (struct bucket){ first, n->n_run - first, n->count };
		n->count += bucket_count(n, first);
		if (n->count > DATUMS_MAX && n->kind == CONF_JOIN)
			return too_many(n, err);
	}
	return 0;
}

int
combine_fill(struct node *n, struct err *err)
{
	if (n->kind == CONF_CROSS)
		return fill_cross(n, err);
	if (n->kind == CONF_UNION)
		return fill_union(n);
	return fill_keyed(n, err);
}

void
combine_release(struct node *n)
{
	free(n->tuple);
	free(n->run);
	free(n->bucket);
}

static void
put(struct matches *to, const struct dmatch *m)
{
	GROW(to->v, to->n, to->cap);
	to->v[to->n++] = m;
}

static const struct bucket *
find_bucket(const struct node *n, uint64_t i)
{
	size_t lo = 0, hi = n->n_bucket;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->bucket[mid].start <= i)
			lo = mid;
		else
			hi = mid;
	}
	return &n->bucket[lo];
}

static void
get_join(const struct node *n, uint64_t i, struct matches *to)
{
	const struct bucket *b = find_bucket(n, i);
	uint64_t below = 1;

	i -= b->start;
	for (size_t r = 1; r < b->n; r++)
		below *= n->run[b->from + r].n;
	for (size_t r = 0; r < b->n; r++) {
		const struct run *run = &n->run[b->from + r];

		put(to, n->tuple[run->from + i / below].m);
		i %= below;
		if (r + 1 < b->n)
			below /= n->run[b->from + r + 1].n;
	}
}

static void
get_group(const struct node *n, uint64_t i, struct matches *to)
{
	const struct bucket *b = &n->bucket[i];

	for (size_t r = 0; r < b->n; r++) {
		const struct run *run = &n->run[b->from + r];

		for (size_t t = 0; t < run->n; t++)
			put(to, n->tuple[run->from + t].m);
	}
}

/* The last factor runs fastest. */
static void
get_cross(const struct node *n, uint64_t i, struct matches *to)
{
	uint64_t below = n->count;

	for (size_t k = 0; k < n->n_kid; k++) {
		below /= n->kid[k].count;
		node_get(&n->kid[k], i / below, to);
		i %= below;
	}
}

static void
get_union(const struct node *n, uint64_t i, struct matches *to)
{
	size_t k = 0;

	while (i >= n->kid[k].count)
		i -= n->kid[k++].count;
	node_get(&n->kid[k], i, to);
}

void
node_get(const struct node *n, uint64_t i, struct matches *to)
{
	switch (n->kind) {
	case CONF_PFS:
	case CONF_CRON:
		put(to, &n->match[i]);
		break;
	case CONF_CROSS:
		get_cross(n, i, to);
		break;
	case CONF_UNION:
		get_union(n, i, to);
		break;
	case CONF_JOIN:
		get_join(n, i, to);
		break;
	case CONF_GROUP:
		get_group(n, i, to);
		break;
	}
}
