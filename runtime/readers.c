/* readers.c: a datum's inputs are on record as a path and a hash, of a file or of a directory: so it saw a file if it saw that, or one
 * of the directories that it is in, with the hash that this has in the commit. */
#include "readers.h"

#include <string.h>

#include "../base/key.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "lineage.h"
#include "query.h"

struct readers { struct oid *v; size_t n, cap; };

static void
take(struct readers *r, struct arena *a, const struct oid *key, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (r->n == r->cap) {
			size_t cap = r->cap ? 2 * r->cap : 16;
			struct oid *v = arena_alloc(a, cap * sizeof *v);

			if (r->n)
				memcpy(v, r->v, r->n * sizeof *v);
			r->v = v;
			r->cap = cap;
		}
		r->v[r->n++] = key[i];
	}
}

static int
ask(struct lineage *l, const char *repo, const char *path, const struct oid *id, struct readers *r, struct err *err)
{
	struct oid *key;
	size_t n;

	if (query_readers(l->q, &l->a, repo, path, id, &key, &n, err) < 0)
		return -1;
	take(r, &l->a, key, n);
	return 0;
}

int
readers_find(struct lineage *l, const struct lin_file *f, struct oid **ret, size_t *ret_n, struct err *err)
{
	const struct manifest *m = f->has_commit ? lineage_manifest(l, &f->commit) : NULL;
	struct readers r = { NULL, 0, 0 };
	int rc = ask(l, f->repo, f->path, &f->id, &r, err);

	for (const char *slash = strrchr(f->path, '/'); rc == 0 && m; ) {
		const char *dir = arena_dup(&l->a, f->path, slash ? (size_t)(slash - f->path) : 0);
		size_t lo = 0, hi = m->n;
		struct oid id;

		if (!*dir || manifest_below(m, dir, &lo, &hi)) {
			key_dir_hash(m, lo, hi, &id);
			rc = ask(l, f->repo, dir, &id, &r, err);
		}
		if (!slash)
			break;
		slash = memrchr(f->path, '/', (size_t)(slash - f->path));
	}
	*ret = r.v;
	*ret_n = r.n;
	return rc;
}
