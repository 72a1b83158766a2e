/* statcache.c: .dassie/scan/NAME: one cache a source, ".code" for specs and code files, ".refs" for the refs.
 *
 * Binary, in this machine's byte order, read by mapping it; everything is aligned to 8 bytes:
 *   head    "dassieSC"; checksum of all that follows; version (3), byte order mark; size of the file; T0, the mtime that
 *           the temporary file had when it was made; the time before the walk; number of directories and entries; flags;
 *           an id (a source: its commit)
 *   then directory by directory: its signature, number of entries, length of the path, flags, bytes of the names of its
 *           directories, bytes of its entries; path; those names; its entries:
 *           inode, size, mtime, ctime (ns), device, mode, rank, length of the name, SHA-256, name
 * Directories and entries stand in the order in which the file system told them, which mostly is the order in which it
 * tells them the next time.  Rank is the place in the order of all paths, so that a manifest is made again without sorting.
 *
 * A cache is an answer that can be found again: whatever is odd about it (checksum, size, version, another machine's
 * byte order), it is taken as absent.  The checksum guards against damage, not against malice. */
#include "statcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"

enum { VERSION = 3, ORDER = 0x01020304 };

static const char MAGIC[8] = { 'd', 'a', 's', 's', 'i', 'e', 'S', 'C' };

struct statcache_head {
	char magic[8];
	uint64_t sum;
	uint32_t version, order;
	uint64_t size;
	uint64_t t0, walked;
	uint64_t dirs, entries;
	uint32_t flags, unused;
	struct oid id;
};

enum { SUMMED = offsetof(struct statcache_head, version) };

_Static_assert(sizeof(struct statcache_head) % 8 == 0, "records are aligned");
_Static_assert(sizeof(struct statcache_dir) == 64, "no padding");
_Static_assert(sizeof(struct statcache_entry) == 80, "no padding");

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

void
signature_of(struct signature *ret, const struct stat *st)
{
	ret->ino = st->st_ino;
	ret->size = (uint64_t)st->st_size;
	ret->mtime = fs_mtime_ns(st);
	ret->ctime = fs_ctime_ns(st);
	ret->dev = (uint32_t)(st->st_dev ^ st->st_dev >> 32);
	ret->mode = st->st_mode;
}

bool
signature_same(const struct signature *a, const struct signature *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime && a->dev == b->dev &&
	    a->mode == b->mode;
}

/* Every step can be undone, so a change of any one word always changes the sum; four lanes keep the multiplier busy. */
static uint64_t
checksum(const void *p, size_t n)
{
	const uint64_t k = 0x9e3779b97f4a7c15u;
	uint64_t lane[4] = { 1, 2, 3, 4 }, w[4], sum = n;
	const unsigned char *s = p;

	for (; n >= sizeof w; n -= sizeof w, s += sizeof w) {
		memcpy(w, s, sizeof w);
		for (int i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ w[i]) * k;
			lane[i] ^= lane[i] >> 32;
		}
	}
	memset(w, 0, sizeof w);
	memcpy(w, s, n);
	for (int i = 0; i < 4; i++) {
		sum = (sum ^ (lane[i] ^ w[i]) * k) * k;
		sum ^= sum >> 29;
	}
	return sum;
}

static uint64_t
name_hash(const char *s, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

static const struct statcache_dir *
first_dir(const struct statcache_head *h)
{
	return (const struct statcache_dir *)(const void *)(h + 1);
}

static const struct statcache_dir *
next_dir(const struct statcache_dir *d)
{
	return (const struct statcache_dir *)(const void *)(d->path + padded(d->len + 1) + padded(d->subs) + d->bytes);
}

static bool
usable(const struct statcache_head *h, size_t size)
{
	return size >= sizeof *h && memcmp(h->magic, MAGIC, sizeof MAGIC) == 0 && h->version == VERSION && h->order == ORDER &&
	    h->size == size && h->sum == checksum((const char *)h + SUMMED, size - SUMMED);
}

static void
table_dirs(struct statcache *c)
{
	const struct statcache_dir *d = first_dir(c->head);
	size_t n = 4;

	while (n < 2 * c->head->dirs)
		n *= 2;
	c->mask = n - 1;
	c->slot = xcalloc(n, sizeof *c->slot);
	for (uint64_t i = 0; i < c->head->dirs; i++, d = next_dir(d)) {
		size_t at = name_hash(d->path, d->len) & c->mask;

		while (c->slot[at])
			at = (at + 1) & c->mask;
		c->slot[at] = d;
	}
}

void
statcache_open(struct statcache *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	*c = (struct statcache)STATCACHE_INIT;
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && (size_t)st.st_size >= sizeof *c->head) {
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (p != MAP_FAILED && !usable(p, (size_t)st.st_size))
			munmap(p, (size_t)st.st_size);
		else if (p != MAP_FAILED)
			c->head = p;
	}
	close(fd);
	if (c->head)
		table_dirs(c);
}

void
statcache_release(struct statcache *c)
{
	if (c->head)
		munmap((void *)(uintptr_t)c->head, c->head->size);
	free(c->slot);
	*c = (struct statcache)STATCACHE_INIT;
}

void
statcache_about(const struct statcache *c, struct statcache_info *ret)
{
	*ret = (struct statcache_info){ 0 };
	if (c->head)
		*ret = (struct statcache_info){ c->head->id, c->head->t0, c->head->walked,
			c->head->entries, c->head->flags };
}

const struct statcache_dir *
statcache_dir(const struct statcache *c, const char *path, size_t len)
{
	if (!c->head)
		return NULL;
	for (size_t at = name_hash(path, len) & c->mask; c->slot[at]; at = (at + 1) & c->mask)
		if (c->slot[at]->len == len && memcmp(c->slot[at]->path, path, len) == 0)
			return c->slot[at];
	return NULL;
}

const char *
statcache_subs(const struct statcache_dir *d)
{
	return d->path + padded(d->len + 1);
}

const struct statcache_entry *
statcache_first(const struct statcache_dir *d)
{
	return (const struct statcache_entry *)(const void *)(statcache_subs(d) + padded(d->subs));
}

const struct statcache_entry *
statcache_next(const struct statcache_entry *e)
{
	return (const struct statcache_entry *)(const void *)(e->name + padded(e->len + 1));
}

bool
statcache_believed(const struct statcache_info *c, const struct signature *sig, bool by_ctime)
{
	return sig->ctime < c->t0 && (by_ctime || sig->mtime < c->t0);
}

int
statcache_begin(struct statcache_new *w, const char *path, struct err *err)
{
	static const struct statcache_head blank;
	struct buf tmp = BUF_INIT;
	struct stat st;

	*w = (struct statcache_new)STATCACHE_NEW_INIT;
	buf_fmt(&tmp, "%s.%ld-0.tmp", path, (long)getpid());
	unlink(tmp.s);
	w->fd = open(tmp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	/* Caches may be removed, with their folder. */
	if (w->fd < 0 && errno == ENOENT && fs_mkdirs_for(path, err) == 0)
		w->fd = open(tmp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (w->fd < 0 || fstat(w->fd, &st) < 0) {
		err_set(err, errno, "cannot write '%s':", path);
		if (w->fd >= 0) {
			unlink(tmp.s);
			close(w->fd);
			w->fd = -1;
		}
		buf_release(&tmp);
		return -1;
	}
	w->t0 = fs_mtime_ns(&st);
	w->path = xstrdup(path);
	w->tmp = buf_detach(&tmp);
	buf_add(&w->body, &blank, sizeof blank);
	return 0;
}

static void *
append(struct buf *b, size_t n)
{
	void *p;

	buf_reserve(b, n);
	p = b->s + b->n;
	b->n += n;
	return p;
}

/* len bytes, then zeros up to size. */
static void
put_padded(char *to, const char *s, size_t len, size_t size)
{
	if (len)
		memcpy(to, s, len);
	memset(to + len, 0, size - len);
}

static void
drop_empty_dir(struct statcache_new *w)
{
	struct statcache_dir d;

	if (!w->dir)
		return;
	memcpy(&d, w->body.s + w->dir, sizeof d);
	if (d.n == 0 && !d.flags) {
		w->body.n = w->dir;
		w->dirs--;
	}
}

void
statcache_put_dir(struct statcache_new *w, const char *path, size_t len, const struct signature *sig, uint32_t flags,
                  const char *subs, size_t n_subs)
{
	struct statcache_dir d = { .len = (uint32_t)len, .flags = flags, .subs = (uint32_t)n_subs };
	char *p;

	drop_empty_dir(w);
	w->dir = w->body.n;
	w->dirs++;
	if (sig)
		d.sig = *sig;
	p = append(&w->body, sizeof d + padded(len + 1) + padded(n_subs));
	memcpy(p, &d, sizeof d);
	put_padded(p + sizeof d, path, len, padded(len + 1));
	put_padded(p + sizeof d + padded(len + 1), subs, n_subs, padded(n_subs));
}

void
statcache_put(struct statcache_new *w, const char *name, size_t len, const struct signature *sig, const struct oid *id,
              uint32_t rank)
{
	struct statcache_entry e = { .sig = *sig, .rank = rank, .len = (uint32_t)len, .id = *id };
	size_t n = sizeof e + padded(len + 1);
	struct statcache_dir d;
	char *p = append(&w->body, n);

	memcpy(p, &e, sizeof e);
	put_padded(p + sizeof e, name, len, padded(len + 1));
	memcpy(&d, w->body.s + w->dir, sizeof d);
	d.n++;
	d.bytes += n;
	memcpy(w->body.s + w->dir, &d, sizeof d);
	w->entries++;
}

int
statcache_commit(struct statcache_new *w, const struct oid *id, uint64_t walked, uint32_t flags, struct err *err)
{
	struct statcache_head h = { .version = VERSION, .order = ORDER, .t0 = w->t0, .walked = walked, .flags = flags,
		.id = *id };
	int rc, fd = w->fd;

	drop_empty_dir(w);
	memcpy(h.magic, MAGIC, sizeof MAGIC);
	h.size = w->body.n;
	h.dirs = w->dirs;
	h.entries = w->entries;
	memcpy(w->body.s, &h, sizeof h);
	h.sum = checksum(w->body.s + SUMMED, w->body.n - SUMMED);
	memcpy(w->body.s, &h, sizeof h);
	rc = fs_write_all(fd, w->body.s, w->body.n, err);
	w->fd = -1;
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "close:");
	if (rc == 0 && rename(w->tmp, w->path) < 0)
		rc = err_set(err, errno, "rename:");
	if (rc < 0) {
		unlink(w->tmp);
		err_wrap(err, "cannot write '%s'", w->path);
	}
	statcache_abandon(w);
	return rc;
}

void
statcache_abandon(struct statcache_new *w)
{
	if (w->fd >= 0) {
		unlink(w->tmp);
		close(w->fd);
	}
	free(w->path);
	free(w->tmp);
	buf_release(&w->body);
	*w = (struct statcache_new)STATCACHE_NEW_INIT;
}
