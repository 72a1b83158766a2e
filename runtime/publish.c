/* publish.c: out/REPO is written by the difference of two manifests, so a changed file among 100,000 costs one copy.
 * The mark says "not clean" while that goes on; whoever finds it so compares file by file instead. */
#include "publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "../base/sha256.h"
#include "store.h"
#include "tree.h"

struct target {
	const char *repo;
	struct buf path;            /* "out/REPO/…" of the entry at hand */
	struct buf made;            /* the directory that was made last: the next file is mostly in it too */
	struct err *err;
};

static const char *
out_path(struct target *t, const char *path)
{
	buf_reset(&t->path);
	buf_fmt(&t->path, "%s/%s%s%s", DIR_OUT, t->repo, path[0] ? "/" : "", path);
	return t->path.s;
}

/* The mark: 1 read, 0 there is none that can be used. */
static int
mark_read(const char *repo, struct oid *ret_id, bool *ret_clean, struct err *err)
{
	char path[LAYOUT_MAX];
	struct recfile f;
	struct rec r;
	bool have = false;

	*ret_clean = false;
	if (recfile_open(&f, layout_mark(path, repo), "mark", 1, err) != 1)
		return 0;
	while (recfile_next(&f, &r)) {
		if (rec_is(&r, "id", 2))
			have = rec_get_oid(&r, 1, ret_id);
		else if (rec_is(&r, "clean", 2))
			*ret_clean = r.f[1][0] == '1';
	}
	recfile_release(&f);
	return have;
}

static int
mark_write(const char *repo, const struct oid *id, bool clean, struct err *err)
{
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	rec_head(&b, "mark", 1);
	rec_word(&b, "id");
	rec_oid(&b, id);
	rec_end(&b);
	rec_word(&b, "clean");
	rec_u64(&b, clean);
	rec_end(&b);
	rc = fs_replace(layout_mark(path, repo), b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

/* Remove the file, then the directories that it leaves empty, up to out/REPO. */
static int
take_away(struct target *t, const char *path)
{
	size_t top = strlen(DIR_OUT) + 1 + strlen(t->repo);
	const char *p = out_path(t, path);

	if (unlink(p) < 0 && errno != ENOENT && errno != ENOTDIR && errno != EISDIR)
		return err_set(t->err, errno, "cannot remove '%s':", p);
	buf_reset(&t->made);
	for (;;) {
		char *slash = strrchr(t->path.s, '/');

		*slash = '\0';
		t->path.n = (size_t)(slash - t->path.s);
		if (t->path.n <= top || rmdir(t->path.s) < 0)
			return 0;
	}
}

/* Directories for the file; what a person left there under such a name makes way. */
static int
make_room(struct target *t)
{
	char *slash = strrchr(t->path.s, '/');
	size_t n = (size_t)(slash - t->path.s);
	struct stat st;

	if (n == t->made.n && memcmp(t->made.s, t->path.s, n) == 0)
		return 0;
	for (char *s = strchr(t->path.s + strlen(DIR_OUT) + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(t->path.s, 0777) < 0 && (errno != EEXIST || (stat(t->path.s, &st) == 0 && !S_ISDIR(st.st_mode)))) {
			if (errno != EEXIST || unlink(t->path.s) < 0 || mkdir(t->path.s, 0777) < 0)
				return err_set(t->err, errno, "cannot make directory '%s':", t->path.s);
		}
		*s = '/';
	}
	buf_reset(&t->made);
	buf_add(&t->made, t->path.s, n);
	return 0;
}

static int
put(struct target *t, const struct entry *e)
{
	char object[LAYOUT_MAX];
	struct buf tmp = BUF_INIT;
	int rc;

	out_path(t, e->path);
	if (!store_has(&e->id, e->size))
		return err_set(t->err, 0, "the content of '%s' is gone or damaged: 'dassie fsck --repair' drops what hangs on it, "
		    "make computes it again", t->path.s);
	if (make_room(t) < 0)
		return -1;
	buf_add(&tmp, t->made.s, t->made.n);
	buf_fmt(&tmp, "/.dassie-%ld.tmp", (long)getpid());
	unlink(tmp.s);
	rc = fs_copy(layout_object(object, &e->id), tmp.s, e->kind == 'x' ? 0755 : 0644, t->err);
	if (rc == 0 && rename(tmp.s, t->path.s) < 0) {
		if ((errno != EISDIR && errno != ENOTEMPTY && errno != EEXIST) || fs_remove_tree(t->path.s, t->err) < 0 ||
		    rename(tmp.s, t->path.s) < 0)
			rc = err_set(t->err, errno, "cannot write '%s':", t->path.s);
	}
	if (rc < 0)
		unlink(tmp.s);
	buf_release(&tmp);
	return rc;
}

static int
remove_gone(void *ctx, const struct entry *old, const struct entry *new_)
{
	return new_ ? 0 : take_away(ctx, old->path);
}

static int
put_changed(void *ctx, const struct entry *old, const struct entry *new_)
{
	(void)old;
	return new_ ? put(ctx, new_) : 0;
}

/* What lies in out/REPO, as a manifest of its real contents; entries are in `paths`' arena. */
static int
look(struct manifest *m, size_t *cap, struct arena *a, const char *dir, const char *rel, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while (rc == 0 && (e = readdir(d))) {
		char *path, *sub;
		struct stat st;
		int fd;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = arena_fmt(a, "%s/%s", dir, e->d_name);
		sub = arena_fmt(a, "%s%s%s", rel, rel[0] ? "/" : "", e->d_name);
		if (lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			rc = look(m, cap, a, path, sub, err);
			continue;
		}
		GROW(m->v, m->n, *cap);
		m->v[m->n] = (struct entry){ .path = sub, .kind = st.st_mode & S_IXUSR ? 'x' : 'f' };
		if (!S_ISREG(st.st_mode) || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
			m->v[m->n++].kind = '?';
			continue;
		}
		rc = sha256_fd(fd, &m->v[m->n].id, &m->v[m->n].size, err);
		m->n++;
		close(fd);
	}
	closedir(d);
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int
from_what_lies_there(struct manifest *old, struct arena *a, const char *repo, struct err *err)
{
	char *dir = arena_fmt(a, "%s/%s", DIR_OUT, repo);
	size_t cap = 0;
	struct stat st;

	if (lstat(dir, &st) == 0 && !S_ISDIR(st.st_mode) && unlink(dir) < 0)
		return err_set(err, errno, "cannot remove '%s':", dir);
	if (look(old, &cap, a, dir, "", err) < 0)
		return -1;
	if (old->n)
		qsort(old->v, old->n, sizeof *old->v, by_path);
	return 0;
}

static int
sync_out(struct target *t)
{
	const char *dir = out_path(t, "");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(t->err, errno, "cannot open '%s':", dir);
	rc = syncfs(fd) < 0 ? err_set(t->err, errno, "cannot write '%s' to the disk:", dir) : 0;
	close(fd);
	return rc;
}

/* With the mark "not clean" meanwhile; what goes makes room for what comes. */
static int
apply(struct target *t, const struct oid *commit, const struct manifest *old, const struct manifest *new_)
{
	if (mark_write(t->repo, commit, false, t->err) < 0 || fs_mkdirs(out_path(t, ""), t->err) < 0 ||
	    manifest_diff(old, new_, remove_gone, t) < 0 || manifest_diff(old, new_, put_changed, t) < 0)
		return -1;
	/* The mark is believed after a power cut, too. */
	if (sync_out(t) < 0)
		return -1;
	return mark_write(t->repo, commit, true, t->err);
}

/* shown: what lies there, NULL if that has to be found out. */
static int
compare_and_apply(struct target *t, const struct oid *commit, const struct oid *shown)
{
	struct manifest old = MANIFEST_INIT, new_ = MANIFEST_INIT;
	struct arena a = ARENA_INIT;
	int rc = -1;

	if ((shown && manifest_load(&old, shown, t->err) == 0) || from_what_lies_there(&old, &a, t->repo, t->err) == 0)
		if (manifest_load(&new_, commit, t->err) == 0)
			rc = apply(t, commit, &old, &new_);
	manifest_release(&old);
	manifest_release(&new_);
	arena_release(&a);
	return rc;
}

int
publish(const char *repo, const struct oid *commit, const struct tree_diff *known, struct err *err)
{
	struct target t = { .repo = repo, .path = BUF_INIT, .made = BUF_INIT, .err = err };
	struct oid shown;
	struct stat st;
	bool clean;
	int rc;

	clean = mark_read(repo, &shown, &clean, err) && clean && stat(out_path(&t, ""), &st) == 0 && S_ISDIR(st.st_mode);
	if (clean && oid_eq(&shown, commit))
		rc = 0;
	else if (clean && known && oid_eq(&shown, &known->from))
		rc = apply(&t, commit, &known->old, &known->new_);
	else
		rc = compare_and_apply(&t, commit, clean ? &shown : NULL);
	buf_release(&t.path);
	buf_release(&t.made);
	return rc < 0 ? err_wrap(err, "cannot bring '%s/%s' up to date", DIR_OUT, repo) : 0;
}

bool
publish_is_current(const char *repo, const struct oid *commit)
{
	struct err err = ERR_INIT;
	struct oid shown;
	struct stat st;
	char dir[LAYOUT_MAX];
	bool clean;

	snprintf(dir, sizeof dir, "%s/%s", DIR_OUT, repo);
	return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && mark_read(repo, &shown, &clean, &err) && clean &&
	    oid_eq(&shown, commit);
}
