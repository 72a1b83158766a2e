/* walk.c: one task a directory, and one for every 1,024 files of a large one, on a stack that all threads take from.
 * Whoever reads a directory puts its names beside the cache's entries, which stand in the same order as long as nothing
 * was added; so an unchanged file costs one comparison of names, one stat, one comparison of signatures, and leaves
 * sixteen bytes behind.  On file systems that keep a directory's times when its names do not change, and only on those,
 * the names are not read again either.  That needs the racy rule once more, with the clock as it was before the walk,
 * and directories without ignore rules and symlinks to directories.  Threads are started when there is work for them, not for a source of ten files.
 *
 * Directories are opened by their path from the root, so no descriptor waits for the directories below it, and a tree
 * may be deeper than PATH_MAX. */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/layout.h"
#include "complaint.h"
#include "ignore.h"

enum { BATCH = 1024, NAMES = 64 * 1024, NAME_ROOM = 4096, ALONE = 3000, THREADS_MAX = 16 };

#ifndef ZFS_SUPER_MAGIC
#define ZFS_SUPER_MAGIC 0x2fc12fc1
#endif

#define IGNORE_FILE ".dassieignore"

struct task { struct walk_dir *dir; struct walk_batch *batch; };    /* batch NULL: read the directory */

struct shared {
	struct walk *w;
	struct statcache_info info;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct task *task; size_t n, cap;       /* the stack */
	unsigned busy;                          /* threads that may still add to it */
	struct worker *worker; unsigned n_worker;
	dev_t dev;                              /* where directories are believed, if any */
	bool local;
	bool started;                           /* written by the first worker only, before the others are there */
	struct buf makefile_dir;
	const char *makefile_name;
};

struct worker {
	struct shared *s;
	pthread_t id;
	struct arena *arena;
	uint64_t kept, seen, reread;
	struct walk_file **fresh; size_t n_fresh, cap_fresh;
	struct buf path;                        /* scratch */
	char *names;                            /* directory entries as read */
	struct walk_item *item; size_t n_item;  /* of the batch under way */
};

/* By name, for a directory whose entries do not come in the cache's order any more. */
struct lookup { const struct statcache_entry **slot; size_t mask; };

static const char *
shown(struct worker *k, const char *dir, const char *name)
{
	buf_reset(&k->path);
	shown_path(&k->path, k->s->w->root, dir, name);
	return k->path.s;
}

static int
open_dir(const struct shared *s, const struct walk_dir *d)
{
	return open_deep(s->w->rootfd, d->path);
}

static void
push(struct shared *s, struct walk_dir *dir, struct walk_batch *batch)
{
	pthread_mutex_lock(&s->lock);
	GROW(s->task, s->n, s->cap);
	s->task[s->n++] = (struct task){ dir, batch };
	if (!batch) {
		dir->next = s->w->dirs;
		s->w->dirs = dir;
	}
	if (s->started)
		pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
}

static bool
pop(struct shared *s, struct task *ret, bool was_busy)
{
	bool have;

	pthread_mutex_lock(&s->lock);
	s->busy -= was_busy;
	while (s->n == 0 && s->busy > 0)
		pthread_cond_wait(&s->more, &s->lock);
	have = s->n > 0;
	if (have) {
		*ret = s->task[--s->n];
		s->busy++;
	} else {
		pthread_cond_broadcast(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	return have;
}

static struct walk_dir *
new_dir(struct worker *k, struct walk_dir *parent, const char *name)
{
	struct walk_dir *d = arena_alloc(k->arena, sizeof *d);

	buf_reset(&k->path);
	shown_path(&k->path, "", parent ? parent->path : "", name);
	d->path = arena_dup(k->arena, k->path.s ? k->path.s : "", k->path.n);
	d->len = k->path.n;
	d->parent = parent;
	d->tail = &d->batch;
	return d;
}

static struct walk_file *
new_file(struct worker *k, const struct walk_dir *d, const char *name, const struct statcache_entry *old)
{
	struct walk_file *f = arena_alloc(k->arena, sizeof *f);

	f->hash.dir = d->path;
	f->hash.name = name;
	f->old = old;
	return f;
}

static bool
ignored(struct worker *k, const struct walk_dir *d, const char *name, bool is_dir)
{
	if (!d->ignore)
		return false;
	buf_reset(&k->path);
	shown_path(&k->path, "", d->path, name);
	return ignore_match(d->ignore, k->path.s, is_dir);
}

/* The generated Makefile and what fs_replace leaves of it when it is killed: NAME.PID-N.tmp. */
static bool
is_makefile(const char *name, const char *makefile)
{
	size_t n = strlen(makefile), len = strlen(name);

	if (strncmp(name, makefile, n) != 0)
		return false;
	return len == n || (name[n] == '.' && len > n + 4 && strcmp(name + len - 4, ".tmp") == 0 &&
	    strspn(name + n + 1, "0123456789-") == len - n - 5);
}

static bool
left_out(const struct shared *s, const struct walk_dir *d, const char *name)
{
	const struct walk *w = s->w;

	if (name[0] == '.' && (!name[1] || !strcmp(name, "..") || !strcmp(name, ".git") || !strcmp(name, DIR_STATE) ||
	    !strcmp(name, IGNORE_FILE)))
		return true;
	if (w->pycache && strcmp(name, "__pycache__") == 0)
		return true;
	if (!w->project)
		return false;
	return (strcmp(name, DIR_OUT) == 0 && strcmp(d->path, w->project) == 0) ||
	    (w->makefile && is_makefile(name, s->makefile_name) && strcmp(d->path, s->makefile_dir.s) == 0);
}

static bool
leads_back(const struct shared *s, const struct walk_dir *d, const struct stat *to)
{
	struct stat st;

	for (; d; d = d->parent) {
		int fd = open_dir(s, d);
		bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == to->st_dev && st.st_ino == to->st_ino;

		if (fd >= 0)
			close(fd);
		if (same)
			return true;
	}
	return false;
}

/* A directory that the file system did not announce as one: mostly a symlink to it. */
static void
linked_dir(struct worker *k, struct walk_dir *d, const char *name, const struct stat *st)
{
	if (ignored(k, d, name, true))
		return;
	if (leads_back(k->s, d, st))
		complain(k->s->w->bad, "'%s' is a symlink that leads back to a directory above it: remove it, or leave it out by "
		    "a line in " IGNORE_FILE, shown(k, d->path, name));
	else
		push(k->s, new_dir(k, d, name), NULL);
}

static void
cannot_stat(struct worker *k, const struct walk_dir *d, int fd, const char *name, int why)
{
	struct stat st;

	if (why == ENOENT || why == ENOTDIR || why == ELOOP) {
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return;
		if (S_ISLNK(st.st_mode)) {
			complain(k->s->w->bad, "'%s' is a symlink that leads %s: mend or remove it, or leave it out by a line in "
			    IGNORE_FILE, shown(k, d->path, name), why == ELOOP ? "in a circle" : "nowhere");
			return;
		}
	}
	complain(k->s->w->bad, "cannot look at '%s': %s", shown(k, d->path, name), strerror(why));
}

static const char *
kind_of(mode_t mode)
{
	return S_ISFIFO(mode) ? "FIFO" : S_ISSOCK(mode) ? "socket" : "device";
}

static void
look_at(struct worker *k, struct walk_dir *d, int fd, struct walk_item *it)
{
	const struct statcache_entry *old = it->old;
	const char *name = old ? old->name : it->file->hash.name;
	struct signature sig;
	struct stat st;

	if (fstatat(fd, name, &st, 0) < 0) {
		cannot_stat(k, d, fd, name, errno);
		d->odd = true;
		*it = (struct walk_item){ 0 };
	} else if (!S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			linked_dir(k, d, name, &st);
		else
			complain(k->s->w->bad, "'%s' is a %s, which cannot be data: remove it, or leave it out by a line in "
			    IGNORE_FILE, shown(k, d->path, name), kind_of(st.st_mode));
		d->odd = true;
		*it = (struct walk_item){ 0 };
	} else {
		signature_of(&sig, &st);
		if (old && !k->s->w->distrust && signature_same(&sig, &old->sig) &&
		    statcache_believed(&k->s->info, &sig, false)) {
			k->kept++;
			return;
		}
		if (old)
			*it = (struct walk_item){ NULL, new_file(k, d, name, old) };
		it->file->hash.sig = sig;
		GROW(k->fresh, k->n_fresh, k->cap_fresh);
		k->fresh[k->n_fresh++] = it->file;
	}
}

static void
run_batch(struct worker *k, struct walk_batch *b, int dirfd)
{
	int fd = dirfd >= 0 ? dirfd : open_dir(k->s, b->dir);

	if (fd < 0) {
		complain(k->s->w->bad, "cannot open directory '%s': %s", shown(k, b->dir->path, ""), strerror(errno));
		b->n = 0;
	}
	for (size_t i = 0; i < b->n; i++)
		look_at(k, b->dir, fd, &b->item[i]);
	if (fd != dirfd && fd >= 0)
		close(fd);
}

static void *work(void *arg);

static void
start_threads(struct worker *k)
{
	struct shared *s = k->s;
	unsigned want = cores(), i;

	s->started = true;
	for (i = 1; i < want && i < THREADS_MAX; i++)
		if (pthread_create(&s->worker[i].id, NULL, work, &s->worker[i]) != 0)
			break;
	s->n_worker = i;
}

/* The names collected so far become a batch: for another thread if there are some and this is not the last one. */
static void
end_batch(struct worker *k, struct walk_dir *d, int fd, bool last)
{
	struct walk_batch *b;
	size_t bytes = k->n_item * sizeof *k->item;

	if (k->n_item == 0)
		return;
	b = arena_alloc(k->arena, sizeof *b + bytes);
	b->dir = d;
	b->n = k->n_item;
	memcpy(b->item, k->item, bytes);
	*d->tail = b;
	d->tail = &b->next;
	k->seen += k->n_item;
	k->n_item = 0;
	if (!k->s->started && k->seen > ALONE)
		start_threads(k);
	if (k->s->started && !last)
		push(k->s, d, b);
	else
		run_batch(k, b, fd);
}

static size_t
slot_of(const char *name, size_t len, size_t mask)
{
	uint64_t h = len;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3u;
	return (h ^ h >> 29) & mask;
}

static void
lookup_fill(struct lookup *l, const struct statcache_dir *d)
{
	const struct statcache_entry *e = statcache_first(d);
	size_t n = 4;

	while (n < 2 * (size_t)d->n)
		n *= 2;
	l->slot = xcalloc(n, sizeof *l->slot);
	l->mask = n - 1;
	for (uint32_t i = 0; i < d->n; i++, e = statcache_next(e)) {
		size_t at = slot_of(e->name, e->len, l->mask);

		while (l->slot[at])
			at = (at + 1) & l->mask;
		l->slot[at] = e;
	}
}

/* Where the reader of a directory stands in what the cache knows of it. */
struct cursor {
	const struct statcache_dir *dir;
	const struct statcache_entry *e;        /* the next one expected */
	const char *end;
	struct lookup by_name;
};

static bool
has_name(const struct statcache_entry *e, const char *name, size_t len)
{
	return e->len == len && memcmp(e->name, name, len) == 0;
}

static const struct statcache_entry *
find(struct cursor *c, const char *name)
{
	const struct statcache_entry *e = c->e;
	size_t len = strlen(name);

	if (!c->dir)
		return NULL;
	if ((const char *)e >= c->end || !has_name(e, name, len)) {
		if (!c->by_name.slot)
			lookup_fill(&c->by_name, c->dir);
		for (size_t at = slot_of(name, len, c->by_name.mask);; at = (at + 1) & c->by_name.mask) {
			e = c->by_name.slot[at];
			if (!e)
				return NULL;
			if (has_name(e, name, len))
				break;
		}
	}
	c->e = statcache_next(e);
	return e;
}

static void
take_dir(struct worker *k, struct walk_dir *d, const char *name)
{
	push(k->s, new_dir(k, d, name), NULL);
	k->seen += 8;
}

static void
take_file(struct worker *k, struct walk_dir *d, int fd, const struct statcache_entry *old, struct walk_file *file)
{
	k->item[k->n_item++] = (struct walk_item){ old, file };
	if (k->n_item == BATCH)
		end_batch(k, d, fd, false);
}

static void
take_names(struct worker *k, struct walk_dir *d, int fd, size_t n, struct cursor *c)
{
	for (size_t at = 0; at < n;) {
		const struct dirent64 *e = (const struct dirent64 *)(const void *)(k->names + at);
		const struct statcache_entry *old;

		at += e->d_reclen;
		if (left_out(k->s, d, e->d_name) || ignored(k, d, e->d_name, e->d_type == DT_DIR))
			continue;
		if (e->d_type == DT_DIR) {
			buf_add(&d->subs, e->d_name, strlen(e->d_name) + 1);
			take_dir(k, d, e->d_name);
			continue;
		}
		old = find(c, e->d_name);
		take_file(k, d, fd, old, old ? NULL : new_file(k, d, arena_str(k->arena, e->d_name), NULL));
	}
}

/* The directory is as it was: so are its names. */
static void
take_known(struct worker *k, struct walk_dir *d, int fd, const struct statcache_dir *known)
{
	const struct statcache_entry *e = statcache_first(known);

	d->sub = statcache_subs(known);
	d->n_sub = known->subs;
	for (size_t at = 0; at < d->n_sub; at += strlen(d->sub + at) + 1)
		take_dir(k, d, d->sub + at);
	for (uint32_t i = 0; i < known->n; i++, e = statcache_next(e))
		take_file(k, d, fd, e, NULL);
}

/* May the cache answer for the names in this directory?  Sets d's signature. */
static bool
is_known(struct worker *k, struct walk_dir *d, int fd, const struct statcache_dir *known)
{
	const struct shared *s = k->s;
	struct stat st;

	d->odd = true;
	if (!s->local || d->ignore || s->w->project || fstat(fd, &st) < 0 || st.st_dev != s->dev)
		return false;
	d->odd = false;
	signature_of(&d->sig, &st);
	if (!known || s->w->distrust)
		return false;
	if ((known->flags & STATCACHE_WHOLE) && signature_same(&d->sig, &known->sig) && d->sig.ctime < s->info.walked &&
	    d->sig.mtime < s->info.walked)
		return true;
	k->reread += d->sig.ctime < s->w->began && d->sig.mtime < s->w->began;
	return false;
}

/* As many names as fit.  Sets *ret_all if the directory ended. */
static ssize_t
read_names(struct worker *k, int fd, bool *ret_all)
{
	size_t have = 0;
	ssize_t n = 1;

	while (NAMES - have > NAME_ROOM && (n = getdents64(fd, (void *)(k->names + have), NAMES - have)) > 0)
		have += (size_t)n;
	*ret_all = n == 0;
	return n < 0 ? -1 : (ssize_t)have;
}

static bool
names_have_ignore(const struct worker *k, size_t n)
{
	for (size_t at = 0; at < n;) {
		const struct dirent64 *e = (const struct dirent64 *)(const void *)(k->names + at);

		if (e->d_name[0] == '.' && strcmp(e->d_name, IGNORE_FILE) == 0)
			return true;
		at += e->d_reclen;
	}
	return false;
}

/* Rules of this directory's own file, if it has one.  It decides on names that come before it, so it is read first. */
static bool
load_ignore(struct worker *k, struct walk_dir *d, int dirfd)
{
	int fd = openat(dirfd, IGNORE_FILE, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct buf text = BUF_INIT;
	ssize_t n = 0;
	bool ok = fd >= 0;

	if (fd < 0 && errno == ENOENT)
		return true;
	do {
		buf_reserve(&text, 4096);
		n = ok ? read(fd, text.s + text.n, 4096) : 0;
		if (n > 0)
			text.n += (size_t)n;
		else if (n < 0 && errno != EINTR)
			ok = false;
	} while (ok && n != 0);
	if (!ok)
		complain(k->s->w->bad, "cannot read '%s': %s", shown(k, d->path, IGNORE_FILE), strerror(errno));
	else
		d->ignore = d->own = ignore_parse(text.s, text.n, d->ignore, d->len ? d->len + 1 : 0);
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	return ok;
}

static void
read_all(struct worker *k, struct walk_dir *d, int fd, const struct statcache_dir *known)
{
	struct cursor c = { .dir = known };
	bool all = false;
	ssize_t n = read_names(k, fd, &all);

	if (known) {
		c.e = statcache_first(known);
		c.end = (const char *)c.e + known->bytes;
	}
	if (n >= 0 && (!all || names_have_ignore(k, (size_t)n))) {
		d->odd |= !load_ignore(k, d, fd);
		d->odd |= d->ignore != NULL;
	}
	while (n > 0) {
		take_names(k, d, fd, (size_t)n, &c);
		n = all ? 0 : read_names(k, fd, &all);
	}
	if (n < 0)
		complain(k->s->w->bad, "cannot read directory '%s': %s", shown(k, d->path, ""), strerror(errno));
	d->sub = d->subs.s;
	d->n_sub = d->subs.n;
	free(c.by_name.slot);
}

static void
read_dir(struct worker *k, struct walk_dir *d)
{
	const struct statcache_dir *known = statcache_dir(k->s->w->cache, d->path, d->len);
	int fd = open_dir(k->s, d);

	if (fd < 0) {
		if (errno != ENOENT)
			complain(k->s->w->bad, "cannot open directory '%s': %s%s", shown(k, d->path, ""), strerror(errno),
			    errno == EACCES ? "; make it readable, or leave it out by a line in " IGNORE_FILE : "");
		return;
	}
	d->ignore = d->parent ? d->parent->ignore : NULL;
	if (is_known(k, d, fd, known))
		take_known(k, d, fd, known);
	else
		read_all(k, d, fd, known);
	end_batch(k, d, fd, true);
	close(fd);
}

static void *
work(void *arg)
{
	struct worker *k = arg;
	struct task t;
	bool busy = false;

	k->names = xmalloc(NAMES);
	k->item = xmalloc(BATCH * sizeof *k->item);
	while (pop(k->s, &t, busy)) {
		busy = true;
		if (t.batch)
			run_batch(k, t.batch, -1);
		else
			read_dir(k, t.dir);
	}
	free(k->names);
	free(k->item);
	buf_release(&k->path);
	return NULL;
}

static void
collect(struct walk *w, struct worker *k)
{
	w->kept += k->kept;
	w->reread += k->reread;
	for (size_t i = 0; i < k->n_fresh; i++) {
		GROW(w->fresh, w->n_fresh, w->cap_fresh);
		w->fresh[w->n_fresh++] = k->fresh[i];
	}
	free(k->fresh);
}

/* Not on every file system do a directory's times tell of its names (FAT's root has none; network file systems lag),
 * so this is a list of those where they do. */
static bool
is_local(int fd)
{
	static const unsigned long known[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
		F2FS_SUPER_MAGIC, ZFS_SUPER_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if ((unsigned long)fs.f_type == known[i])
			return true;
	return false;
}

static void
begin(struct shared *s)
{
	struct timespec now;
	struct stat st;

	statcache_about(s->w->cache, &s->info);
	/* The clock that these file systems take their times from; without it no directory is believed. */
	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0)
		s->w->began = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	s->local = is_local(s->w->rootfd) && fstat(s->w->rootfd, &st) == 0;
	if (s->local)
		s->dev = st.st_dev;
}

void
walk_run(struct walk *w)
{
	struct worker worker[THREADS_MAX] = { { 0 } };
	struct shared s = { .w = w, .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER, .worker = worker,
		.n_worker = 1 };
	const char *slash = w->makefile ? strrchr(w->makefile, '/') : NULL;

	w->rootfd = open(w->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->rootfd < 0) {
		complain(w->bad, "cannot open directory '%s': %s", w->root, strerror(errno));
		return;
	}
	begin(&s);
	if (w->project && w->makefile) {
		s.makefile_name = slash ? slash + 1 : w->makefile;
		shown_path(&s.makefile_dir, "", w->project, "");
		buf_add(&s.makefile_dir, w->project[0] && slash ? "/" : "", w->project[0] && slash ? 1 : 0);
		buf_add(&s.makefile_dir, w->makefile, slash ? (size_t)(slash - w->makefile) : 0);
	}
	w->arena = xcalloc(THREADS_MAX, sizeof *w->arena);
	w->n_arena = THREADS_MAX;
	for (size_t i = 0; i < THREADS_MAX; i++) {
		worker[i].s = &s;
		worker[i].arena = &w->arena[i];
	}
	push(&s, new_dir(&worker[0], NULL, ""), NULL);
	work(&worker[0]);
	for (unsigned i = 1; i < s.n_worker; i++)
		pthread_join(worker[i].id, NULL);
	for (unsigned i = 0; i < s.n_worker; i++)
		collect(w, &worker[i]);
	free(s.task);
	buf_release(&s.makefile_dir);
}

void
walk_release(struct walk *w)
{
	for (struct walk_dir *d = w->dirs; d; d = d->next)
		ignore_free(d->own), buf_release(&d->subs);
	for (size_t i = 0; i < w->n_arena; i++)
		arena_release(&w->arena[i]);
	free(w->arena);
	free(w->fresh);
	if (w->rootfd >= 0)
		close(w->rootfd);
	*w = (struct walk)WALK_INIT;
}
