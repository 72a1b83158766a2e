/* manifest.c: manifests are read by mapping and written as one buffer; both are linear, since
 * a repo of a million files is one file of a million lines. */
#include "manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "layout.h"
#include "mem.h"
#include "spool.h"

static const char HEAD[] = "dassie-commit 1\n";

void
manifest_head(struct buf *b)
{
	buf_str(b, HEAD);
}

void
manifest_line(struct buf *b, char kind, uint64_t size, const struct oid *id, const char *path)
{
	buf_byte(b, kind);
	rec_u64(b, size);
	rec_oid(b, id);
	rec_str(b, path);
	rec_end(b);
}

void
manifest_empty_id(struct oid *ret_id)
{
	sha256_bytes(HEAD, sizeof HEAD - 1, ret_id);
}

bool
manifest_is_there(const struct oid *id)
{
	char path[LAYOUT_MAX];
	struct oid empty;
	struct stat st;

	manifest_empty_id(&empty);
	return oid_eq(id, &empty) || stat(layout_commit(path, id), &st) == 0;
}

int
manifest_open(struct spool *s, struct err *err)
{
	if (spool_open(s, DIR_COMMITS "/new", err) < 0)
		return -1;
	manifest_head(&s->b);
	return 0;
}

int
manifest_close(struct spool *s, struct oid *ret_id, struct err *err)
{
	char path[LAYOUT_MAX];
	struct stat st;

	if (spool_hash(s, ret_id, err) < 0)
		return -1;
	layout_commit(path, ret_id);
	if (stat(path, &st) < 0 || (uint64_t)st.st_size != spool_at(s))
		return spool_commit(s, path, err);
	spool_release(s);
	return 0;
}

int
manifest_store(const struct buf *b, struct oid *ret_id, struct err *err)
{
	char path[LAYOUT_MAX];
	struct recfile there = RECFILE_INIT;
	struct err unread = ERR_INIT;
	bool same;

	sha256_bytes(b->s, b->n, ret_id);
	layout_commit(path, ret_id);
	/* What a power cut left may have the right length and other bytes. */
	same = recfile_map(&there, path, &unread) == 1 && there.n == b->n && memcmp(there.text, b->s, b->n) == 0;
	recfile_release(&there);
	if (same)
		return 0;
	return fs_replace(path, b->s, b->n, 0444, err);
}

static bool
parse_entry(struct entry *e, const struct rec *r)
{
	if (r->n != 4 || r->len[0] != 1 || (r->f[0][0] != 'f' && r->f[0][0] != 'x'))
		return false;
	e->kind = r->f[0][0];
	e->path = r->f[3];
	return rec_get_u64(r, 1, &e->size) && rec_get_oid(r, 2, &e->id);
}

static int
damaged(const struct oid *id, const char *what, struct err *err)
{
	char hex[OID_HEX + 1];

	oid_hex(id, hex);
	return err_set(err, 0, "commit %.12s is %s: 'dassie fsck --repair' drops what hangs on it, the next make does it again",
	    hex, what);
}

/* The hash is taken of the mapping before the lines are split in it. */
int
manifest_load(struct manifest *m, const struct oid *id, struct err *err)
{
	char path[LAYOUT_MAX];
	size_t cap = 0;
	struct oid have;
	struct rec r;
	int rc;

	*m = (struct manifest)MANIFEST_INIT;
	manifest_empty_id(&have);
	if (oid_eq(&have, id))
		return 0;
	rc = recfile_map(&m->text, layout_commit(path, id), err);
	if (rc < 0 && err->num)
		return -1;
	if (rc == 1)
		sha256_bytes(m->text.text, m->text.n, &have);
	if (rc != 1 || !oid_eq(&have, id)) {
		recfile_release(&m->text);
		return damaged(id, rc == 0 ? "not there" : "damaged", err);
	}
	recfile_next(&m->text, &r);
	while (recfile_next(&m->text, &r)) {
		GROW(m->v, m->n, cap);
		if (!parse_entry(&m->v[m->n++], &r)) {
			manifest_release(m);
			return damaged(id, "malformed", err);
		}
	}
	return 0;
}

void
manifest_release(struct manifest *m)
{
	free(m->v);
	recfile_release(&m->text);
	*m = (struct manifest)MANIFEST_INIT;
}

int
manifest_view(struct recfile *f, const struct oid *id, struct err *err)
{
	char path[LAYOUT_MAX];
	struct oid have;
	int rc;

	*f = (struct recfile)RECFILE_INIT;
	manifest_empty_id(&have);
	if (oid_eq(&have, id))
		return 1;
	rc = recfile_view(f, layout_commit(path, id), err);
	if (rc <= 0)
		return rc < 0 && err->num == 0 ? 0 : rc;
	sha256_bytes(f->text, f->n, &have);
	f->pos = sizeof HEAD - 1;
	if (oid_eq(&have, id))
		return 1;
	recfile_release(f);
	return 0;
}

/* The first entry whose path is not less than these n bytes. */
static size_t
lower_bound(const struct manifest *m, const char *path, size_t n)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(m->v[mid].path, path, n) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct entry *
manifest_find(const struct manifest *m, const char *path)
{
	size_t i = lower_bound(m, path, strlen(path) + 1);

	return i < m->n && strcmp(m->v[i].path, path) == 0 ? &m->v[i] : NULL;
}

bool
manifest_below(const struct manifest *m, const char *dir, size_t *ret_lo, size_t *ret_hi)
{
	struct buf prefix = BUF_INIT;
	size_t lo = 0, hi = m->n;

	if (dir[0]) {
		buf_str(&prefix, dir);
		buf_byte(&prefix, '/');
		lo = lower_bound(m, prefix.s, prefix.n);
		prefix.s[prefix.n - 1] = '/' + 1;
		hi = lower_bound(m, prefix.s, prefix.n);
		buf_release(&prefix);
	}
	*ret_lo = lo;
	*ret_hi = hi;
	return lo < hi;
}
