/* tree.c: the last job's tree is sorted already, new outputs are few: they are sorted alone and merged in. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/manifest.h"
#include "../base/plan.h"
#include "result.h"
#include "store.h"

void
tree_keep(struct tree *t, const struct jobfile *last, const int64_t *map)
{
	t->v = xcalloc(last->n_tree, sizeof *t->v);
	t->cap = last->n_tree ? last->n_tree : 1;
	for (size_t i = 0; i < last->n_tree; i++) {
		int64_t datum = map[last->tree[i].datum];

		if (datum < 0)
			continue;
		t->v[t->n] = last->tree[i];
		t->v[t->n++].datum = (uint32_t)datum;
	}
	t->n_old = t->n;
}

void
tree_add(struct tree *t, const struct result *r, uint32_t datum)
{
	for (size_t i = 0; i < r->n_output; i++) {
		const struct result_output *o = &r->output[i];

		GROW(t->v, t->n, t->cap);
		t->v[t->n++] = (struct job_tree){ arena_str(&t->arena, o->path), o->size, o->id, datum, o->kind };
	}
}

static int
by_path(const void *a, const void *b)
{
	const struct job_tree *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : x->datum < y->datum ? -1 : x->datum > y->datum;
}

/* Datums may have changed places since the last job: equal paths go by the new places. */
static void
sort_groups(struct job_tree *v, size_t n)
{
	for (size_t lo = 0, hi; lo < n; lo = hi) {
		for (hi = lo + 1; hi < n && strcmp(v[lo].path, v[hi].path) == 0; hi++)
			;
		if (hi - lo > 1)
			qsort(v + lo, hi - lo, sizeof *v, by_path);
	}
}

void
tree_sort(struct tree *t)
{
	struct job_tree *merged;
	size_t i = 0, k = t->n_old, n = 0;

	if (t->n == 0)
		return;
	sort_groups(t->v, t->n_old);
	qsort(t->v + t->n_old, t->n - t->n_old, sizeof *t->v, by_path);
	merged = xcalloc(t->n, sizeof *merged);
	while (i < t->n_old || k < t->n)
		merged[n++] = k == t->n || (i < t->n_old && by_path(&t->v[i], &t->v[k]) <= 0) ? t->v[i++] : t->v[k++];
	free(t->v);
	t->v = merged;
	t->cap = t->n_old = t->n;
}

static int
put_together(const struct job_tree *v, size_t n, struct entry *ret, struct err *err)
{
	struct oid *part = xcalloc(n, sizeof *part);
	int rc;

	for (size_t i = 0; i < n; i++) {
		part[i] = v[i].id;
		if (v[i].kind == 'x')
			ret->kind = 'x';
	}
	rc = store_concat(part, n, &ret->id, &ret->size, err);
	free(part);
	return rc;
}

static int
two_writers(const struct job_tree *a, const struct job_tree *b, const struct job_datum *datum, struct err *err)
{
	return err_set(err, 0, "two datums wrote '%s' with different content: %s and %s; give each its own name, "
	    "or say 'merge: concat' to put them together", a->path, datum[a->datum].label, datum[b->datum].label);
}

/* Paths are sorted, so what lies below "a" follows it, though not at once: "a-b" and "a.b" stand between. */
static int
check_directories(const struct entry *v, size_t n, const struct job_tree *const *from, const struct job_datum *datum,
                  struct err *err)
{
	struct manifest m = { .v = (struct entry *)v, .n = n };

	for (size_t i = 0; i + 1 < n; i++) {
		size_t len = strlen(v[i].path), lo, hi;

		if (strncmp(v[i].path, v[i + 1].path, len) || !manifest_below(&m, v[i].path, &lo, &hi))
			continue;
		return err_set(err, 0, "'%s' is a file of datum %s and a directory of datum %s", v[i].path,
		    datum[from[i]->datum].label, datum[from[lo]->datum].label);
	}
	return 0;
}

static int
merge_groups(const struct tree *t, const struct job_datum *datum, bool concat, struct entry *v, const struct job_tree **from,
             size_t *ret_n, bool *ret_conflict, struct err *err)
{
	size_t n = 0, hi;

	for (size_t lo = 0; lo < t->n; lo = hi) {
		const struct job_tree *a = &t->v[lo];

		from[n] = a;
		v[n] = (struct entry){ a->path, a->size, a->id, a->kind };
		for (hi = lo + 1; hi < t->n && strcmp(a->path, t->v[hi].path) == 0; hi++) {
			if (!concat && (!oid_eq(&a->id, &t->v[hi].id) || a->kind != t->v[hi].kind)) {
				*ret_conflict = true;
				return two_writers(a, &t->v[hi], datum, err);
			}
		}
		if (concat && hi - lo > 1 && put_together(a, hi - lo, &v[n], err) < 0)
			return -1;
		n++;
	}
	*ret_n = n;
	*ret_conflict = true;
	if (check_directories(v, n, from, datum, err) < 0)
		return -1;
	*ret_conflict = false;
	return 0;
}

int
tree_manifest(const struct tree *t, const struct job_datum *datum, bool concat, struct buf *ret_b, uint64_t *ret_files,
              uint64_t *ret_bytes, bool *ret_conflict, struct err *err)
{
	struct entry *v = xcalloc(t->n, sizeof *v);
	const struct job_tree **from = xcalloc(t->n, sizeof *from);
	size_t n = 0;
	int rc;

	*ret_conflict = false;
	rc = merge_groups(t, datum, concat, v, from, &n, ret_conflict, err);
	manifest_head(ret_b);
	*ret_files = n;
	*ret_bytes = 0;
	for (size_t i = 0; i < n; i++) {
		manifest_line(ret_b, v[i].kind, v[i].size, &v[i].id, v[i].path);
		*ret_bytes += v[i].size;
	}
	free(v);
	free(from);
	return rc;
}

void
tree_release(struct tree *t)
{
	free(t->v);
	arena_release(&t->arena);
	*t = (struct tree)TREE_INIT;
}
