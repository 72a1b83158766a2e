/* rec.c: writing escapes byte by byte, reading splits and unescapes in a private mapping, so that a file of
 * a million lines costs no allocation a line. */
#include "rec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "mem.h"
#include "sha256.h"

static const char SEAL[] = "sha256 ";

static bool
plain(unsigned char c)
{
	return c > ' ' && c != 0x7f && c != '%';
}

void
rec_head(struct buf *b, const char *kind, unsigned version)
{
	buf_fmt(b, "dassie-%s %u\n", kind, version);
}

void
rec_word(struct buf *b, const char *word)
{
	buf_str(b, word);
}

void
rec_bytes(struct buf *b, const void *p, size_t n)
{
	static const char digit[] = "0123456789ABCDEF";
	const unsigned char *s = p, *end = s + n;
	char *w;

	buf_reserve(b, 3 * n + 3);
	w = b->s + b->n;
	*w++ = ' ';
	if (n == 0) {
		*w++ = '%';
		*w++ = '-';
	}
	for (; s < end; s++) {
		if (plain(*s)) {
			*w++ = (char)*s;
		} else {
			*w++ = '%';
			*w++ = digit[*s >> 4];
			*w++ = digit[*s & 15];
		}
	}
	*w = '\0';
	b->n = (size_t)(w - b->s);
}

void
rec_str(struct buf *b, const char *s)
{
	rec_bytes(b, s, strlen(s));
}

void
rec_u64(struct buf *b, uint64_t v)
{
	buf_byte(b, ' ');
	buf_u64(b, v);
}

void
rec_i64(struct buf *b, int64_t v)
{
	buf_byte(b, ' ');
	if (v < 0)
		buf_byte(b, '-');
	buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void
rec_oid(struct buf *b, const struct oid *id)
{
	char hex[OID_HEX + 1];

	oid_hex(id, hex);
	buf_byte(b, ' ');
	buf_add(b, hex, OID_HEX);
}

void
rec_end(struct buf *b)
{
	buf_byte(b, '\n');
}

void
rec_put_seal(struct buf *b, const struct oid *id)
{
	rec_word(b, "sha256");
	rec_oid(b, id);
	rec_end(b);
}

void
rec_seal(struct buf *b)
{
	struct oid id;

	sha256_bytes(b->s, b->n, &id);
	rec_put_seal(b, &id);
}

/* How a file is mapped.  Of one that is read whole every page is touched: one call for all is cheaper than faults. */
enum { LAZY = MAP_PRIVATE, WHOLE = MAP_PRIVATE | MAP_POPULATE };

static int
map_file(struct recfile *f, const char *path, int prot, int how, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 1;
	struct stat st;

	*f = (struct recfile)RECFILE_INIT;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot open '%s':", path);
	if (fstat(fd, &st) < 0) {
		rc = err_set(err, errno, "cannot stat '%s':", path);
	} else if (st.st_size > 0) {
		void *p = mmap(NULL, (size_t)st.st_size + 1, prot, how, fd, 0);

		if (p == MAP_FAILED) {
			rc = err_set(err, errno, "cannot map '%s':", path);
		} else {
			f->text = p;
			f->n = (size_t)st.st_size;
			f->mapped = f->n + 1;
			/* A last line without its end would be terminated past the mapped pages. */
			if (f->text[f->n - 1] != '\n')
				rc = err_set(err, 0, "'%s' is damaged", path);
		}
	}
	close(fd);
	return rc;
}

/* "dassie-KIND VERSION": split in a copy, since the text may be for reading only. */
static int
check_head(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err)
{
	char line[64];
	const char *end = f->n ? memchr(f->text, '\n', f->n < sizeof line ? f->n : sizeof line) : NULL;
	struct recfile head;
	struct rec r;
	uint64_t have;

	f->pos = end ? (size_t)(end - f->text) + 1 : 0;
	if (end)
		memcpy(line, f->text, f->pos);
	recfile_memory(&head, line, f->pos);
	if (!recfile_next(&head, &r) || strncmp(r.f[0], "dassie-", 7) || strcmp(r.f[0] + 7, kind) || !rec_get_u64(&r, 1, &have))
		return err_set(err, 0, "'%s' is damaged or not dassie's", path);
	if (have != version)
		return err_set(err, 0, "'%s' has format %llu, this dassie reads %u: use the version that wrote it", path,
		    (unsigned long long)have, version);
	return 1;
}

/* The seal is the last line, of fixed length; it is taken off. */
static bool
seal_fits(struct recfile *f)
{
	size_t len = sizeof SEAL - 1 + OID_HEX + 1;
	struct oid have;
	char hex[OID_HEX + 1];
	const char *at;

	if (f->n < len)
		return false;
	at = f->text + f->n - len;
	if (memcmp(at, SEAL, sizeof SEAL - 1) || at[len - 1] != '\n' || (at > f->text && at[-1] != '\n'))
		return false;
	memcpy(hex, at + sizeof SEAL - 1, OID_HEX);
	hex[OID_HEX] = '\0';
	if (!oid_parse(hex, &f->seal))
		return false;
	f->n -= len;
	sha256_bytes(f->text, f->n, &have);
	return oid_eq(&f->seal, &have);
}

/* Of what was mapped: sealed or not, of this kind if one is named. */
static int
check(struct recfile *f, int rc, const char *path, bool sealed, const char *kind, unsigned version, struct err *err)
{
	if (rc == 1 && sealed && !seal_fits(f))
		rc = err_set(err, 0, "'%s' is damaged", path);
	if (rc == 1 && kind)
		rc = check_head(f, path, kind, version, err);
	if (rc < 0)
		recfile_release(f);
	return rc;
}

int
recfile_open(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err)
{
	return check(f, map_file(f, path, PROT_READ | PROT_WRITE, LAZY, err), path, false, kind, version, err);
}

int
recfile_open_sealed(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err)
{
	return check(f, map_file(f, path, PROT_READ | PROT_WRITE, WHOLE, err), path, true, kind, version, err);
}

int
recfile_map(struct recfile *f, const char *path, struct err *err)
{
	return check(f, map_file(f, path, PROT_READ | PROT_WRITE, WHOLE, err), path, false, NULL, 0, err);
}

int
recfile_view(struct recfile *f, const char *path, struct err *err)
{
	return check(f, map_file(f, path, PROT_READ, WHOLE, err), path, false, NULL, 0, err);
}

int
recfile_view_sealed(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err)
{
	return check(f, map_file(f, path, PROT_READ, WHOLE, err), path, true, kind, version, err);
}

void
recfile_memory(struct recfile *f, char *text, size_t n)
{
	*f = (struct recfile){ .text = text, .n = n };
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

size_t
rec_unescape(char *s, size_t n)
{
	char *pct = memchr(s, '%', n), *w, *end = s + n;

	if (!pct)
		return n;
	for (w = pct; pct < end; pct++) {
		if (*pct != '%') {
			*w++ = *pct;
		} else if (end - pct >= 3 && nibble(pct[1]) >= 0 && nibble(pct[2]) >= 0) {
			*w++ = (char)(nibble(pct[1]) << 4 | nibble(pct[2]));
			pct += 2;
		} else if (end - pct >= 2 && pct[1] == '-') {
			pct++;
		}
	}
	return (size_t)(w - s);
}

bool
recfile_next(struct recfile *f, struct rec *r)
{
	char *s = f->text + f->pos, *end, *line_end;
	bool escapes;

	if (f->pos >= f->n)
		return false;
	r->at = f->pos;
	r->n = 0;
	line_end = memchr(s, '\n', f->n - f->pos);
	end = line_end ? line_end : f->text + f->n;
	f->pos = (size_t)(end - f->text) + (line_end ? 1 : 0);
	escapes = memchr(s, '%', (size_t)(end - s)) != NULL;
	while (s <= end && r->n < REC_FIELDS) {
		char *blank = r->n + 1 < REC_FIELDS ? memchr(s, ' ', (size_t)(end - s)) : NULL;
		char *stop = blank ? blank : end;
		size_t len = escapes && r->n ? rec_unescape(s, (size_t)(stop - s)) : (size_t)(stop - s);

		r->f[r->n] = s;
		r->len[r->n++] = len;
		s[len] = '\0';
		s = stop + 1;
	}
	return true;
}

void
recfile_seek(struct recfile *f, size_t pos)
{
	f->pos = pos;
}

void
recfile_release(struct recfile *f)
{
	if (f->mapped)
		munmap(f->text, f->mapped);
	*f = (struct recfile)RECFILE_INIT;
}

bool
rec_is(const struct rec *r, const char *word, size_t fields)
{
	return r->n >= fields && r->len[0] == strlen(word) && memcmp(r->f[0], word, r->len[0]) == 0;
}

bool
rec_get_u64(const struct rec *r, size_t i, uint64_t *ret)
{
	uint64_t v = 0;
	const char *s;

	if (i >= r->n || r->len[i] == 0 || r->len[i] > 20)
		return false;
	for (s = r->f[i]; *s; s++) {
		unsigned d = (unsigned)(*s - '0');

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*ret = v;
	return true;
}

bool
rec_get_i64(const struct rec *r, size_t i, int64_t *ret)
{
	bool minus = i < r->n && r->f[i][0] == '-';
	struct rec one = { .n = 1 };
	uint64_t v;

	if (i >= r->n)
		return false;
	one.f[0] = r->f[i] + minus;
	one.len[0] = r->len[i] - minus;
	if (!rec_get_u64(&one, 0, &v) || v > INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

bool
rec_get_oid(const struct rec *r, size_t i, struct oid *ret)
{
	return i < r->n && r->len[i] == OID_HEX && oid_parse(r->f[i], ret);
}

bool
rec_get_ints(const struct rec *r, size_t i, int max, int **v, size_t *n)
{
	size_t cap = 0;

	for (; i < r->n; i++) {
		char *s = r->f[i], *end;

		for (; *s; s = end + strspn(end, " ")) {
			long value = strtol(s, &end, 10);

			if (end == s || value < 0 || value > max)
				return false;
			GROW(*v, *n, cap);
			(*v)[(*n)++] = (int)value;
		}
	}
	return true;
}
