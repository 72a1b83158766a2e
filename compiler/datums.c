/* datums.c: builds the tree of nodes, and hands out a datum's matches in the order that keys want them. */
#include "datums.h"

#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "node.h"

struct datums {
	struct arena arena;
	struct node root;
	struct datums_input *input;
	size_t n_input, cap_input;
	size_t *count;              /* of each input, while sorting */
	struct matches raw, sorted;
};

static bool
is_leaf(const struct conf_input *in)
{
	return in->kind == CONF_PFS || in->kind == CONF_CRON;
}

static void
gather_inputs(struct datums *d, const struct conf_input *in)
{
	if (is_leaf(in)) {
		GROW(d->input, d->n_input, d->cap_input);
		d->input[d->n_input++] = (struct datums_input){ in->name, in->repo };
	}
	for (size_t i = 0; i < in->n_kids; i++)
		gather_inputs(d, &in->kids[i]);
}

static int
by_input(const void *va, const void *vb)
{
	const struct datums_input *a = va, *b = vb;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->repo, b->repo);
}

static void
sort_inputs(struct datums *d)
{
	size_t out = 0;

	if (d->n_input)
		qsort(d->input, d->n_input, sizeof *d->input, by_input);
	for (size_t i = 0; i < d->n_input; i++)
		if (out == 0 || by_input(&d->input[out - 1], &d->input[i]))
			d->input[out++] = d->input[i];
	d->n_input = out;
}

static unsigned
input_index(const struct datums *d, const struct conf_input *in)
{
	struct datums_input key = { in->name, in->repo };
	const struct datums_input *at = bsearch(&key, d->input, d->n_input, sizeof key, by_input);

	return (unsigned)(at - d->input);
}

/* Insertion: stable, and nobody writes a thousand members. */
static void
sort_kids(struct node *n)
{
	for (size_t i = 1; i < n->n_kid; i++) {
		struct node kid = n->kid[i];
		size_t k = i;

		for (; k > 0 && strcmp(n->kid[k - 1].name, kid.name) > 0; k--)
			n->kid[k] = n->kid[k - 1];
		n->kid[k] = kid;
	}
}

static int
fill_leaf(struct datums *d, struct node *n, const struct datums_repo *repo, size_t n_repo, struct err *err)
{
	size_t i = 0;

	while (i < n_repo && strcmp(repo[i].repo, n->in->repo))
		i++;
	if (i == n_repo)
		return err_set(err, 0, "input '%s': no commit of '%s' was given to plan from", n->in->name, n->in->repo);
	return leaf_fill(n, repo[i].m, input_index(d, n->in), &d->arena, err);
}

static int
build(struct datums *d, struct node *n, const struct conf_input *in, const struct datums_repo *repo, size_t n_repo,
    struct err *err)
{
	*n = (struct node){ .kind = in->kind, .in = in, .name = in->kind == CONF_PFS ? in->name : "" };
	if (is_leaf(in))
		return fill_leaf(d, n, repo, n_repo, err);
	n->kid = arena_alloc(&d->arena, in->n_kids * sizeof *n->kid);
	for (size_t i = 0; i < in->n_kids; i++) {
		int rc;

		n->n_kid++;
		rc = build(d, &n->kid[i], &in->kids[i], repo, n_repo, err);
		if (rc < 0)
			return rc;
	}
	sort_kids(n);
	if (n->n_kid)
		n->name = n->kid[0].name;
	return combine_fill(n, err);
}

int
datums_new(struct datums **ret, const struct conf_input *in, const struct datums_repo *repo, size_t n, struct err *err)
{
	struct datums *d = xcalloc(1, sizeof *d);
	int rc;

	gather_inputs(d, in);
	sort_inputs(d);
	d->count = xcalloc(d->n_input + 1, sizeof *d->count);
	rc = build(d, &d->root, in, repo, n, err);
	if (rc < 0) {
		datums_free(d);
		return rc;
	}
	*ret = d;
	return 0;
}

static void
release(struct node *n)
{
	for (size_t i = 0; i < n->n_kid; i++)
		release(&n->kid[i]);
	combine_release(n);
	free(n->match);
}

void
datums_free(struct datums *d)
{
	if (!d)
		return;
	release(&d->root);
	free(d->input);
	free(d->count);
	free(d->raw.v);
	free(d->sorted.v);
	arena_release(&d->arena);
	free(d);
}

uint64_t
datums_count(const struct datums *d)
{
	return d->root.count;
}

size_t
datums_inputs(const struct datums *d, const struct datums_input **ret)
{
	*ret = d->input;
	return d->n_input;
}

/* By counting: a group may hold every file of a repo. */
static void
sort_matches(struct datums *d)
{
	size_t at = 0;

	memset(d->count, 0, (d->n_input + 1) * sizeof *d->count);
	for (size_t i = 0; i < d->raw.n; i++)
		d->count[d->raw.v[i]->input]++;
	for (size_t i = 0; i <= d->n_input; i++) {
		size_t here = d->count[i];

		d->count[i] = at;
		at += here;
	}
	GROW(d->sorted.v, d->raw.n, d->sorted.cap);
	for (size_t i = 0; i < d->raw.n; i++)
		d->sorted.v[d->count[d->raw.v[i]->input]++] = d->raw.v[i];
}

size_t
datums_get(struct datums *d, uint64_t i, const struct dmatch *const **ret)
{
	bool sorted = true;

	d->raw.n = 0;
	node_get(&d->root, i, &d->raw);
	for (size_t k = 1; sorted && k < d->raw.n; k++)
		sorted = d->raw.v[k - 1]->input <= d->raw.v[k]->input;
	if (!sorted)
		sort_matches(d);
	*ret = sorted ? d->raw.v : d->sorted.v;
	return d->raw.n;
}
