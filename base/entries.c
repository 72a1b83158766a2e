/* entries.c: a file is read twice, once for its hash and once for its lines, through one buffer of fixed size. */
#include "entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "layout.h"
#include "mem.h"
#include "rec.h"
#include "sha256.h"

enum { PIECE = 128 * 1024, SEAL_LEN = 7 + OID_HEX + 1 };      /* "sha256 " HEX "\n" */

void
entries_array(struct entries *s, const struct manifest *m)
{
	*s = (struct entries)ENTRIES_INIT;
	s->v = m->v;
	s->n = m->n;
	s->name = "";
	s->more = "";
}

/* The SHA-256 of the first n bytes. */
static int
hash(int fd, uint64_t n, struct oid *ret, struct err *err)
{
	struct sha256 h;
	char *piece = xmalloc(PIECE);
	uint64_t at = 0;
	int rc = 0;

	sha256_init(&h);
	while (rc == 0 && at < n) {
		ssize_t got = pread(fd, piece, n - at < PIECE ? (size_t)(n - at) : PIECE, (off_t)at);

		if (got > 0) {
			sha256_update(&h, piece, (size_t)got);
			at += (uint64_t)got;
		} else if (got == 0 || errno != EINTR) {
			rc = err_set(err, got == 0 ? 0 : errno, got == 0 ? "it became shorter" : "read:");
		}
	}
	sha256_final(&h, ret);
	free(piece);
	return rc;
}

/* 1, 0 not there, -1. */
static int
open_file(struct entries *s, const char *path, struct err *err)
{
	struct stat st;

	*s = (struct entries)ENTRIES_INIT;
	s->name = path;
	s->more = "";
	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot open '%s':", path);
	if (fstat(s->fd, &st) < 0)
		return err_set(err, errno, "cannot read '%s':", path);
	s->left = (uint64_t)st.st_size;
	return 1;
}

/* A line without its end; NULL and rc 0 at the end of the file. */
static char *
next_line(struct entries *s, int *rc, struct err *err)
{
	char *nl, *line;

	for (;;) {
		size_t have = s->text.n - s->at, want;
		ssize_t got;

		nl = have ? memchr(s->text.s + s->at, '\n', have) : NULL;
		if (nl || s->left == 0)
			break;
		if (s->at) {
			memmove(s->text.s, s->text.s + s->at, have);
			s->text.n = have;
			s->at = 0;
		}
		buf_reserve(&s->text, PIECE);
		want = s->left < PIECE ? (size_t)s->left : PIECE;
		got = read(s->fd, s->text.s + s->text.n, want);
		if (got <= 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			*rc = err_set(err, got == 0 ? EIO : errno, "cannot read '%s':", s->name);
			return NULL;
		}
		s->text.n += (size_t)got;
		s->left -= (uint64_t)got;
	}
	*rc = 0;
	if (!nl)
		return NULL;
	line = s->text.s + s->at;
	s->at = (size_t)(nl - s->text.s) + 1;
	return line;
}

static void
split(const struct entries *s, char *line, struct rec *r)
{
	struct recfile f;

	recfile_memory(&f, line, (size_t)(s->text.s + s->at - line));
	recfile_next(&f, r);
}

int
entries_commit(struct entries *s, const struct oid *id, struct err *err)
{
	char path[LAYOUT_MAX], hex[OID_HEX + 1];
	struct oid have;
	int rc;

	manifest_empty_id(&have);
	entries_array(s, &(struct manifest)MANIFEST_INIT);
	if (oid_eq(&have, id))
		return 0;
	rc = open_file(s, layout_commit(path, id), err);
	s->name = "the commit";
	if (rc < 0 || (rc == 1 && hash(s->fd, s->left, &have, err) < 0))
		goto fail;
	if (rc == 1 && oid_eq(&have, id) && next_line(s, &rc, err))
		return 0;
	oid_hex(id, hex);
	err_set(err, 0, "commit %.12s is %s: 'dassie fsck --repair' drops what hangs on it, the next make does it again", hex,
	    rc == 1 ? "damaged" : "not there");
fail:
	entries_release(s);
	return -1;
}

/* Its last line is the hash of all before it. */
static bool
seal_fits(struct entries *s, struct err *err)
{
	char line[SEAL_LEN + 1] = "";
	struct oid want, have;

	if (s->left < SEAL_LEN || pread(s->fd, line, SEAL_LEN, (off_t)(s->left - SEAL_LEN)) != SEAL_LEN ||
	    memcmp(line, "sha256 ", 7) != 0 || line[SEAL_LEN - 1] != '\n')
		return false;
	line[SEAL_LEN - 1] = '\0';
	s->left -= SEAL_LEN;
	return oid_parse(line + 7, &want) && hash(s->fd, s->left, &have, err) == 0 && oid_eq(&want, &have);
}

int
entries_sealed(struct entries *s, const char *path, const char *kind, unsigned version, struct err *err)
{
	int rc = open_file(s, path, err);
	uint64_t have;
	struct rec r;
	char *line;

	if (rc <= 0)
		return rc;
	if (!seal_fits(s, err) || !(line = next_line(s, &rc, err)))
		return err_set(err, 0, "'%s' is damaged", path);
	split(s, line, &r);
	if (strncmp(r.f[0], "dassie-", 7) || strcmp(r.f[0] + 7, kind) || !rec_get_u64(&r, 1, &have))
		return err_set(err, 0, "'%s' is damaged or not dassie's", path);
	if (have != version)
		return err_set(err, 0, "'%s' has format %llu, this dassie reads %u: use the version that wrote it", path,
		    (unsigned long long)have, version);
	return 1;
}

void
entries_release(struct entries *s)
{
	if (s->fd >= 0)
		close(s->fd);
	buf_release(&s->text);
	*s = (struct entries)ENTRIES_INIT;
}

int
entries_head(struct entries *s, struct rec *r, struct err *err)
{
	int rc;
	char *line = next_line(s, &rc, err);

	if (!line)
		return rc;
	if ((line[0] == 'f' || line[0] == 'x') && line[1] == ' ') {
		s->at = (size_t)(line - s->text.s);
		return 0;
	}
	split(s, line, r);
	return 1;
}

static int
read_entry(struct entries *s, struct err *err)
{
	struct rec r;
	int rc;
	char *line = next_line(s, &rc, err);

	if (!line)
		return rc;
	split(s, line, &r);
	if ((r.n != 4 && r.n != 5) || r.len[0] != 1 || (r.f[0][0] != 'f' && r.f[0][0] != 'x') ||
	    !rec_get_u64(&r, 1, &s->own.size) || !rec_get_oid(&r, 2, &s->own.id))
		return err_set(err, 0, "'%s' is malformed", s->name);
	s->own.kind = r.f[0][0];
	s->own.path = r.f[3];
	s->more = r.n == 5 ? r.f[4] : "";
	s->e = &s->own;
	return 1;
}

int
entries_next(struct entries *s, struct err *err)
{
	for (;;) {
		int rc = s->fd >= 0 ? read_entry(s, err) : s->n > 0;

		if (rc <= 0)
			return rc;
		if (s->fd < 0) {
			s->e = s->v++;
			s->n--;
		}
		s->index = s->seen++;
		if (!s->wants || s->wants(s->wants_ctx, s->e->path))
			return 1;
	}
}

static bool
same(const struct entry *a, const struct entry *b)
{
	return a->kind == b->kind && oid_eq(&a->id, &b->id);
}

int
entries_diff(struct entries *a, struct entries *b, manifest_diff_fn *fn, void *ctx, struct err *err)
{
	int more_a = entries_next(a, err), more_b = more_a < 0 ? -1 : entries_next(b, err), rc = 0;

	while (rc == 0 && more_a >= 0 && more_b >= 0 && (more_a || more_b)) {
		int order = !more_a ? 1 : !more_b ? -1 : strcmp(a->e->path, b->e->path);

		if (order < 0)
			rc = fn(ctx, a->e, NULL);
		else if (order > 0)
			rc = fn(ctx, NULL, b->e);
		else if (!same(a->e, b->e))
			rc = fn(ctx, a->e, b->e);
		if (order <= 0)
			more_a = entries_next(a, err);
		if (order >= 0)
			more_b = entries_next(b, err);
	}
	return more_a < 0 || more_b < 0 ? -1 : rc;
}

int
manifest_diff(const struct manifest *a, const struct manifest *b, manifest_diff_fn *fn, void *ctx)
{
	struct entries ea, eb;
	struct err never = ERR_INIT;

	entries_array(&ea, a);
	entries_array(&eb, b);
	return entries_diff(&ea, &eb, fn, ctx, &never);
}
