/* sourcescan.c: walk, hash what the cache does not answer for, commit.
 *
 * The source's lock is held all the while: whoever looked at the files earlier must not move the ref after one who
 * looked later.  The order of writing is manifest, cache, ref; a kill in between leaves a cache whose commit is not the
 * ref's, and the next scan moves the ref.  The ref's "asof" is the time before the walk began: a runner that meets a
 * file with newer times hashes it again.  It stays as it is while the commit does, an older one being safe.
 *
 * Manifests are in path order and the cache is in the file system's; so each entry of the cache has its rank among
 * the paths, and after one change among 100,000 files nothing is sorted. */
#include "sourcescan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/spool.h"
#include "../base/talk.h"
#include "complaint.h"
#include "sourceref.h"
#include "statcache.h"
#include "store.h"
#include "walk.h"

/* So many directories that the cache could answer for but does not are worth a new cache. */
enum { REREAD_MAX = 100 };

/* A file in path order: the cache's or a fresh one. */
struct place {
	const struct walk_dir *dir;
	const struct statcache_entry *old;
	struct walk_file *file;
};

struct source {
	const struct index_source *src;
	struct statcache cache;
	struct statcache_info info;
	struct walk walk;
	struct statcache_new fresh;
	struct complaints bad;
	char shown[NAME_MAX_REPO + 16];         /* "source 'books'" */
	uint64_t asof;
	struct oid id;                          /* the commit */
	struct place *place; size_t n_place;    /* in path order */
	uint32_t *rank;                         /* by old rank; NULL: as it was */
	bool same;                              /* the commit is the cache's */
};

static void
place_path(struct buf *b, const struct place *p)
{
	buf_reset(b);
	if (p->dir->len) {
		buf_add(b, p->dir->path, p->dir->len);
		buf_byte(b, '/');
	}
	if (p->old)
		buf_add(b, p->old->name, p->old->len);
	else
		buf_str(b, p->file->hash.name);
}

static int
check_root(const struct source *s, const struct index *x)
{
	const char *dir = s->src->dir;
	struct stat st;

	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (errno == EACCES || errno == ELOOP)
		talk("%s: cannot look at '%s': %s", s->shown, dir, strerror(errno));
	else if (stat(dir, &st) == 0)
		talk("%s: '%s' is not a directory: put the file into one, and name that in 'repos'", s->shown, dir);
	else if (x->n_spec == 1)
		talk("%s: there is no directory '%s' (declared in %s): make it or correct 'repos'", s->shown, dir,
		    x->spec[0].path);
	else
		talk("%s: there is no directory '%s': make it or correct 'repos'", s->shown, dir);
	return -1;
}

/* Where the project lies in the source: "" is its root; NULL: not in it, then what dassie makes is not in it either. */
static char *
project_in(const char *dir)
{
	char *root = realpath(dir, NULL), *here = realpath(".", NULL), *in = NULL;
	size_t n = root ? strlen(root) : 0;

	if (root && here && strncmp(here, root, n) == 0) {
		if (n == 1)
			in = xstrdup(here + 1);
		else if (here[n] == '/' || here[n] == '\0')
			in = xstrdup(here + n + (here[n] == '/'));
	}
	free(root);
	free(here);
	return in;
}

/* KEEP: every fresh file's bytes become an object; a file that changes in between is hashed again by the next scan. */
static int
keep_objects(struct source *s, struct err *err)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->walk.n_fresh; i++) {
		const struct hashfile *f = &s->walk.fresh[i]->hash;
		struct oid id;
		uint64_t size;

		if (store_has(&f->id, f->sig.size))
			continue;
		buf_reset(&path);
		shown_path(&path, s->src->dir, f->dir, f->name);
		rc = store_copy(path.s, &id, &size, err);
		if (rc == 0 && !oid_eq(&id, &f->id))
			rc = err_set(err, 0, "'%s' changes while it is read: run make again when whoever writes it is done", path.s);
	}
	buf_release(&path);
	return rc;
}

static int
hash_fresh(struct source *s, struct err *err)
{
	struct hashfile **v = xcalloc(s->walk.n_fresh + 1, sizeof *v);

	for (size_t i = 0; i < s->walk.n_fresh; i++)
		v[i] = &s->walk.fresh[i]->hash;
	hashpool_run(s->walk.rootfd, s->src->dir, "; make it readable, or leave it out by a line in .dassieignore", v,
	    s->walk.n_fresh, &s->bad);
	free(v);
	if (complaints_tell(&s->bad, s->shown))
		return -1;
	return s->src->keep && keep_objects(s, err) < 0 ? talk_err(err), -1 : 0;
}

static char
kind_of(const struct signature *sig)
{
	return sig->mode & S_IXUSR ? 'x' : 'f';
}

/* Every path is as it was, and so are kind and content of each. */
static bool
nothing_new(const struct source *s)
{
	if (!s->cache.head || s->walk.kept + s->walk.n_fresh != s->info.entries)
		return false;
	for (size_t i = 0; i < s->walk.n_fresh; i++) {
		const struct walk_file *f = s->walk.fresh[i];

		if (!f->old || f->old->sig.size != f->hash.sig.size || kind_of(&f->old->sig) != kind_of(&f->hash.sig) ||
		    !oid_eq(&f->old->id, &f->hash.id))
			return false;
	}
	return true;
}

struct named { char *path; struct place at; };

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->path, ((const struct named *)b)->path);
}

/* Put what the cache knew by rank; what it did not know goes to ret_new, sorted. */
static struct place *
place_all(struct source *s, struct named **ret_new, size_t *ret_n)
{
	struct place *v = xcalloc(s->info.entries + 1, sizeof *v);
	struct named *fresh = xcalloc(s->walk.n_fresh + 1, sizeof *fresh);
	struct buf path = BUF_INIT;
	size_t n = 0;

	for (const struct walk_dir *d = s->walk.dirs; d; d = d->next)
		for (const struct walk_batch *b = d->batch; b; b = b->next)
			for (size_t i = 0; i < b->n; i++) {
				const struct walk_item *it = &b->item[i];
				const struct statcache_entry *known = it->old ? it->old : it->file ? it->file->old : NULL;
				struct place p = { d, it->old, it->file };

				if (known && known->rank < s->info.entries) {
					v[known->rank] = p;
				} else if (it->old || it->file) {
					place_path(&path, &p);
					fresh[n++] = (struct named){ xmemdup(path.s, path.n), p };
				}
			}
	buf_release(&path);
	if (n)
		qsort(fresh, n, sizeof *fresh, by_path);
	*ret_new = fresh;
	*ret_n = n;
	return v;
}

/* How many of these places have a smaller path. */
static size_t
smaller(const struct place *v, size_t lo, size_t n, const char *path, struct buf *scratch)
{
	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;

		place_path(scratch, &v[mid]);
		if (strcmp(scratch->s, path) < 0)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

/* All files in path order, old and new merged, and the rank that each old one has now. */
static void
put_in_order(struct source *s)
{
	struct named *fresh;
	size_t n_fresh, n = 0, at = 0, out = 0;
	struct place *known = place_all(s, &fresh, &n_fresh);
	struct buf scratch = BUF_INIT;

	for (size_t i = 0; i < s->info.entries; i++)
		if (known[i].dir)
			known[n++] = known[i];
	if (n == s->info.entries && n_fresh == 0) {
		s->place = known;
		s->n_place = n;
		for (size_t i = 0; i < s->walk.n_fresh; i++)
			s->walk.fresh[i]->rank = s->walk.fresh[i]->old->rank;
		free(fresh);
		return;
	}
	s->place = xcalloc(n + n_fresh + 1, sizeof *s->place);
	s->rank = xcalloc(s->info.entries + 1, sizeof *s->rank);
	for (size_t k = 0; k <= n_fresh; k++) {
		size_t to = k < n_fresh ? smaller(known, at, n, fresh[k].path, &scratch) : n;

		memcpy(s->place + out, known + at, (to - at) * sizeof *known);
		out += to - at;
		at = to;
		if (k < n_fresh) {
			s->place[out++] = fresh[k].at;
			free(fresh[k].path);
		}
	}
	s->n_place = out;
	for (size_t i = 0; i < out; i++) {
		if (s->place[i].old)
			s->rank[s->place[i].old->rank] = (uint32_t)i;
		else
			s->place[i].file->rank = (uint32_t)i;
	}
	buf_release(&scratch);
	free(known);
	free(fresh);
}

static int
store_manifest(struct source *s, struct err *err)
{
	struct spool to = SPOOL_INIT;
	struct buf path = BUF_INIT;
	int rc = manifest_open(&to, err);

	put_in_order(s);
	for (size_t i = 0; rc == 0 && i < s->n_place; i++) {
		const struct place *p = &s->place[i];
		const struct signature *sig = p->old ? &p->old->sig : &p->file->hash.sig;

		place_path(&path, p);
		manifest_line(&to.b, kind_of(sig), sig->size, p->old ? &p->old->id : &p->file->hash.id, path.s);
		rc = spool_step(&to, err);
	}
	if (rc == 0)
		rc = manifest_close(&to, &s->id, err);
	spool_release(&to);
	buf_release(&path);
	return rc;
}

static int
write_cache(struct source *s, struct err *err)
{
	struct statcache_new *w = &s->fresh;

	for (const struct walk_dir *d = s->walk.dirs; d; d = d->next) {
		statcache_put_dir(w, d->path, d->len, &d->sig, d->odd ? 0 : STATCACHE_WHOLE, d->sub, d->n_sub);
		for (const struct walk_batch *b = d->batch; b; b = b->next)
			for (size_t i = 0; i < b->n; i++) {
				const struct statcache_entry *old = b->item[i].old;
				const struct walk_file *f = b->item[i].file;

				if (old)
					statcache_put(w, old->name, old->len, &old->sig, &old->id,
					    s->rank ? s->rank[old->rank] : old->rank);
				else if (f)
					statcache_put(w, f->hash.name, strlen(f->hash.name), &f->hash.sig, &f->hash.id, f->rank);
			}
	}
	return statcache_commit(w, &s->id, s->walk.began, s->src->keep ? STATCACHE_KEPT : 0, err);
}

/* What the walk found becomes a commit and the next cache. */
static int
commit(struct source *s, struct err *err)
{
	char path[LAYOUT_MAX];

	if (statcache_begin(&s->fresh, layout_scan(path, s->src->name), err) < 0)
		return talk_err(err), -1;
	if (hash_fresh(s, err) < 0)
		return -1;
	s->same = nothing_new(s) && manifest_is_there(&s->info.id);
	if (s->same) {
		s->id = s->info.id;
		for (size_t i = 0; i < s->walk.n_fresh; i++)
			s->walk.fresh[i]->rank = s->walk.fresh[i]->old->rank;
	} else if (store_manifest(s, err) < 0) {
		return talk_err(err), -1;
	}
	return write_cache(s, err) < 0 ? talk_err(err), -1 : 0;
}

static int
scan_locked(struct source *s, const struct index *x, struct err *err)
{
	char path[LAYOUT_MAX];

	s->asof = time_now_ns();
	statcache_open(&s->cache, layout_scan(path, s->src->name));
	statcache_about(&s->cache, &s->info);
	s->walk.root = s->src->dir;
	s->walk.cache = &s->cache;
	s->walk.distrust = s->src->keep && !(s->info.flags & STATCACHE_KEPT);
	s->walk.makefile = x->makefile;
	s->walk.bad = &s->bad;
	walk_run(&s->walk);
	if (complaints_tell(&s->bad, s->shown))
		return -1;
	s->id = s->info.id;
	if (!s->cache.head || s->walk.n_fresh || s->walk.kept != s->info.entries || s->walk.reread > REREAD_MAX ||
	    !manifest_is_there(&s->id))
		if (commit(s, err) < 0)
			return -1;
	return sourceref_move(s->src->name, &s->id, s->asof, err) < 0 ? talk_err(err), -1 : 0;
}

int
sourcescan(const struct index *x, const struct index_source *src)
{
	struct source s = { .src = src, .walk = WALK_INIT, .fresh = STATCACHE_NEW_INIT, .bad = COMPLAINTS_INIT };
	struct err err = ERR_INIT;
	char *project;
	int lock, rc;

	snprintf(s.shown, sizeof s.shown, "source '%s'", src->name);
	if (check_root(&s, x) < 0)
		return EXIT_WORLD;
	lock = lock_take(src->name, false, false, &err);
	if (lock < 0)
		return talk_err(&err);
	s.walk.project = project = project_in(src->dir);
	rc = scan_locked(&s, x, &err);
	walk_release(&s.walk);
	statcache_release(&s.cache);
	statcache_abandon(&s.fresh);
	complaints_release(&s.bad);
	free(s.place);
	free(s.rank);
	free(project);
	close(lock);
	return rc < 0 ? EXIT_WORLD : EXIT_DONE;
}
