/* filecache.c: one hash table by name over one stat cache; a thousand pipelines that share a code file stat it once.
 *
 * Entries are written in the order in which they were asked for, which is that of the next time, too: most are found beside the
 * one before, and the table is made when somebody asks otherwise. */
#include "filecache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "hashpool.h"

static struct filecache_entry **
slot_of(const struct filecache *c, const char *name, size_t len)
{
	uint64_t h = len;
	size_t at;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3u;
	for (at = (h ^ h >> 29) & c->mask; c->slot[at]; at = (at + 1) & c->mask)
		if (c->slot[at]->len == len && memcmp(c->slot[at]->name, name, len) == 0)
			break;
	return &c->slot[at];
}

/* With room for one more. */
static void
make_table(struct filecache *c)
{
	struct filecache_entry **old = c->slot;
	size_t n = c->slot ? c->mask + 1 : 0, size = 64;

	if (old && 2 * (c->n + 1) <= c->mask)
		return;
	while (size < 4 * c->n)
		size *= 2;
	c->slot = xcalloc(size, sizeof *c->slot);
	c->mask = size - 1;
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*slot_of(c, old[i]->name, old[i]->len) = old[i];
	for (size_t i = 0; !old && i < c->n_loaded; i++)
		*slot_of(c, c->loaded[i].name, c->loaded[i].len) = &c->loaded[i];
	free(old);
}

static struct filecache_entry *
add(struct filecache *c, struct filecache_entry **slot, const char *name, size_t len)
{
	struct arena a = { c->added };
	struct filecache_entry *e = arena_alloc(&a, sizeof *e);

	e->name = arena_dup(&a, name, len);
	e->len = len;
	c->added = a.head;
	c->n++;
	return *slot = e;
}

void
filecache_open(struct filecache *c, const char *path, bool by_ctime)
{
	static const struct complaints none = COMPLAINTS_INIT;
	const struct statcache_dir *d;
	const struct statcache_entry *e;

	*c = (struct filecache){ .path = xstrdup(path), .by_ctime = by_ctime, .pass = 1, .bad = none };
	c->new_ = (struct statcache_new)STATCACHE_NEW_INIT;
	statcache_open(&c->old, path);
	statcache_about(&c->old, &c->info);
	d = statcache_dir(&c->old, "", 0);
	if (!d)
		return;
	c->loaded = xcalloc(d->n, sizeof *c->loaded);
	c->n = c->n_loaded = d->n;
	e = statcache_first(d);
	for (uint32_t i = 0; i < d->n; i++, e = statcache_next(e))
		c->loaded[i] = (struct filecache_entry){ .name = e->name, .len = e->len, .sig = e->sig, .id = e->id,
			.t0 = c->info.t0 };
}

void
filecache_again(struct filecache *c)
{
	c->pass++;
}

static struct filecache_entry *
find(struct filecache *c, const char *name, size_t len)
{
	struct filecache_entry **slot;

	if (c->next < c->n_loaded) {
		struct filecache_entry *e = &c->loaded[c->next];

		if (e->len == len && memcmp(e->name, name, len) == 0)
			return e;
	}
	make_table(c);
	slot = slot_of(c, name, len);
	return *slot ? *slot : add(c, slot, name, len);
}

struct filecache_entry *
filecache_entry(struct filecache *c, const char *name, size_t len)
{
	struct filecache_entry *e = find(c, name, len);

	if (c->n_loaded && e >= c->loaded && e < c->loaded + c->n_loaded)
		c->next = (size_t)(e - c->loaded) + 1;
	if (!e->turn)
		e->turn = ++c->turns;
	return e;
}

bool
filecache_fits(struct filecache *c, struct filecache_entry *e, const struct signature *sig)
{
	const struct statcache_info by = { .t0 = e->t0 };

	if (!e->t0 || !signature_same(&e->sig, sig) || !statcache_believed(&by, sig, c->by_ctime))
		return false;
	e->pass = c->pass;
	e->there = true;
	return true;
}

int
filecache_prepare(struct filecache *c, struct err *err)
{
	return c->new_.fd >= 0 ? 0 : statcache_begin(&c->new_, c->path, err);
}

void
filecache_set(struct filecache *c, struct filecache_entry *e, const struct signature *sig, const struct oid *id)
{
	e->sig = *sig;
	e->id = *id;
	e->t0 = c->new_.t0;
	e->pass = c->pass;
	e->there = true;
	c->changed = true;
}

static int
look_into(struct filecache *c, struct filecache_entry *e, struct err *err)
{
	struct hashfile f = { .dir = "", .name = e->name }, *const v = &f;
	size_t bad = c->bad.n;

	if (filecache_prepare(c, err) < 0)
		return -1;
	hashpool_run(AT_FDCWD, "", "", &v, 1, &c->bad);
	if (c->bad.n > bad)
		return -1;
	filecache_set(c, e, &f.sig, &f.id);
	return FILE_REGULAR;
}

int
filecache_hash(struct filecache *c, const char *path, const struct filecache_entry **ret_e, struct err *err)
{
	struct filecache_entry *e = filecache_entry(c, path, strlen(path));
	struct signature sig;
	struct stat st;

	*ret_e = e;
	if (e->pass == c->pass && e->there)
		return FILE_REGULAR;
	e->pass = c->pass;
	e->there = false;
	if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return FILE_ABSENT;
		complain(&c->bad, "cannot look at '%s': %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? FILE_DIRECTORY : FILE_SPECIAL;
	signature_of(&sig, &st);
	return filecache_fits(c, e, &sig) ? FILE_REGULAR : look_into(c, e, err);
}

struct filecache_entry *
filecache_folder(struct filecache *c, const char *dir)
{
	struct buf b = BUF_INIT;
	struct filecache_entry *e;
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	buf_add(&b, dir, n);
	buf_byte(&b, '/');
	e = filecache_entry(c, b.s, b.n);
	buf_release(&b);
	return e;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
holds(const char *dir, const char *const *name, size_t n)
{
	DIR *d = opendir(dir);
	const char **want = xcalloc(n + 1, sizeof *want);
	struct dirent *e;
	size_t found = 0;

	memcpy(want, name, n * sizeof *want);
	if (n)
		qsort(want, n, sizeof *want, by_text);
	while (d && (e = readdir(d))) {
		const char *have = e->d_name;

		found += bsearch(&have, want, n, sizeof *want, by_text) != NULL;
	}
	if (d)
		closedir(d);
	free(want);
	return d && found == n;
}

bool
filecache_held(struct filecache *c, const char *dir, const struct oid *as_of)
{
	struct filecache_entry *e = filecache_folder(c, dir);
	struct signature sig;
	struct stat st;

	if (!oid_eq(&e->id, as_of) || stat(dir, &st) < 0)
		return false;
	signature_of(&sig, &st);
	return filecache_fits(c, e, &sig);
}

int
filecache_holds(struct filecache *c, const char *dir, const struct oid *as_of, const char *const *name, size_t n, struct err *err)
{
	struct signature sig;
	struct stat st;

	if (stat(dir, &st) < 0)
		return n == 0;
	signature_of(&sig, &st);
	if (filecache_prepare(c, err) < 0)
		return -1;
	if (!holds(dir, name, n))
		return 0;
	filecache_set(c, filecache_folder(c, dir), &sig, as_of);
	return 1;
}

static int
by_turn(const void *pa, const void *pb)
{
	const struct filecache_entry *a = *(struct filecache_entry *const *)pa, *b = *(struct filecache_entry *const *)pb;

	return a->turn < b->turn ? -1 : a->turn > b->turn;
}

/* All that are still good. */
static void
put_entries(struct filecache *c, bool complete)
{
	struct filecache_entry **v = xcalloc(c->n + 1, sizeof *v);
	size_t n = 0;

	make_table(c);
	for (size_t i = 0; i <= c->mask; i++) {
		struct filecache_entry *e = c->slot[i];

		/* An entry of the old cache is still good under the new one's time only if it was before. */
		if (!e || !e->t0 || (complete && !(e->pass == c->pass && e->there)))
			continue;
		if (e->t0 == c->new_.t0 || statcache_believed(&c->info, &e->sig, c->by_ctime))
			v[n++] = e;
	}
	qsort(v, n, sizeof *v, by_turn);
	for (size_t i = 0; i < n; i++)
		statcache_put(&c->new_, v[i]->name, v[i]->len, &v[i]->sig, &v[i]->id, 0);
	free(v);
}

int
filecache_close(struct filecache *c, bool complete, struct err *err)
{
	static const struct oid none;
	int rc = 0;

	if (c->changed && c->new_.fd >= 0) {
		statcache_put_dir(&c->new_, "", 0, NULL, 0, NULL, 0);
		put_entries(c, complete);
		rc = statcache_commit(&c->new_, &none, 0, 0, err);
	}
	statcache_abandon(&c->new_);
	statcache_release(&c->old);
	complaints_release(&c->bad);
	arena_release(&(struct arena){ c->added });
	free(c->loaded);
	free(c->slot);
	free(c->path);
	c->path = NULL;
	c->slot = NULL;
	c->loaded = NULL;
	c->added = NULL;
	return rc;
}
