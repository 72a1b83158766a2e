/* view.c: the view is exactly what was hashed: each file of it, in real directories.
 *
 * Making and removing directories is the dearest thing that a small datum does (ext4: 0.15 ms a pair), so a view
 * whose files are gone is renamed for the next datum, if it is seen to hold just the directories it should.  What the
 * command could not write to need not be looked at for that. */
#include "view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/key.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "exec.h"
#include "pfs.h"
#include "shown.h"
#include "viewfile.h"

enum { KEPT_MAX = 12, COUNT_MAX = 64 };

static void remove_below(const char *dir, const char *but);
static int forget_memory(struct view *v, struct err *err);

void
view_init(struct view *v, const struct plan_head *h, const char *project)
{
	*v = (struct view)VIEW_INIT;
	v->head = h;
	v->project = xstrdup(project);
	v->manifest = xcalloc(h->n_input, sizeof v->manifest[0]);
}

void
view_release(struct view *v)
{
	struct err err = ERR_INIT;

	v->made |= v->idle;
	view_remove(v, &err);
	for (size_t i = 0; v->manifest && i < v->head->n_input; i++)
		if (v->manifest[i].loaded)
			manifest_release(&v->manifest[i].m);
	free(v->manifest);
	free(v->project);
	free(v->dir_abs);
	free(v->tmp_abs);
	free(v->shown);
	free(v->by_ino);
	free(v->made_dir);
	buf_release(&v->text);
	buf_release(&v->kept);
	buf_release(&v->path);
	buf_release(&v->last_dir);
	*v = (struct view)VIEW_INIT;
}

const char *
view_path(const struct view *v, const struct shown *s)
{
	return v->text.s + s->at;
}

const char *
view_repo(const struct view *v, const struct shown *s)
{
	return v->head->input[s->input].repo;
}

const char *
view_repo_path(const struct view *v, const struct shown *s)
{
	return view_path(v, s) + s->name;
}

/* Is it one of those that the last datum's view left? */
static bool
use_kept(struct view *v, const char *rel)
{
	for (char *k = v->kept.s, *end = k + v->kept.n; k < end; k += strlen(k + 1) + 2)
		if (strcmp(k + 1, rel) == 0) {
			*k = 1;
			return true;
		}
	return false;
}

static int
make_dir(struct view *v, const char *path, size_t n, struct err *err)
{
	size_t at = v->text.n;

	buf_add(&v->text, path, n);
	buf_byte(&v->text, '\0');
	if ((v->kept.n > 0 && use_kept(v, v->text.s + at + strlen(v->root) + 1)) || mkdirat(v->base, v->text.s + at, 0777) == 0) {
		GROW(v->made_dir, v->n_made_dir, v->cap_made_dir);
		v->made_dir[v->n_made_dir++] = at;
		return 0;
	}
	v->text.n = at;
	return errno == EEXIST ? 0 : err_set(err, errno, "cannot make directory '%.*s':", (int)n, path);
}

/* The directories of path below its first `from` bytes.  Paths come sorted: what the last one made is known. */
static int
make_dirs_for(struct view *v, const char *path, size_t from, struct err *err)
{
	const char *end = strrchr(path, '/');
	size_t n = (size_t)(end - path), same = 0;

	while (same < n && same < v->last_dir.n && path[same] == v->last_dir.s[same])
		same++;
	for (size_t i = from; i <= n; i++) {
		bool known = i <= same && (v->last_dir.n == i || v->last_dir.s[i] == '/');

		if (path[i] == '/' && !known && make_dir(v, path, i, err) < 0)
			return -1;
	}
	buf_reset(&v->last_dir);
	buf_add(&v->last_dir, path, n);
	return 0;
}

static void
add_path(const struct view *v, const char *name, const char *path, struct buf *b)
{
	buf_str(b, v->root);
	buf_byte(b, '/');
	buf_str(b, name);
	buf_byte(b, '/');
	buf_str(b, path);
}

static int
show(struct view *v, const struct plan_match *m, const struct entry *e, struct fault *fault, struct err *err)
{
	const struct plan_input *in = &v->head->input[m->input];
	size_t root_len = strlen(v->root) + 1;
	struct shown *s;
	bool new = false;
	int rc;

	buf_reset(&v->path);
	add_path(v, in->name, e->path, &v->path);
	if (make_dirs_for(v, v->path.s, root_len, err) < 0)
		return -1;
	GROW(v->shown, v->n_shown, v->cap_shown);
	s = &v->shown[v->n_shown];
	*s = (struct shown){ .at = v->text.n, .name = root_len + strlen(in->name) + 1, .input = m->input, .kind = e->kind,
		.id = e->id, .size = e->size };
	add_path(v, in->name, e->path, &v->text);
	buf_byte(&v->text, '\0');
	rc = viewfile_put(v, s, m->empty, &new, fault, err);
	if (new)
		v->n_shown++;
	if (new && !m->empty)
		v->bytes += e->size;
	return rc;
}

/* Inputs of one commit share its manifest. */
static const struct manifest *
manifest_of(struct view *v, unsigned input, struct err *err)
{
	const struct plan_input *in = v->head->input;

	for (size_t i = 0; i < v->head->n_input; i++)
		if (v->manifest[i].loaded && oid_eq(&in[i].commit, &in[input].commit))
			return &v->manifest[i].m;
	if (manifest_load(&v->manifest[input].m, &in[input].commit, err) < 0)
		return NULL;
	v->manifest[input].loaded = true;
	return &v->manifest[input].m;
}

static int
show_directory(struct view *v, const struct plan_match *m, struct fault *fault, struct err *err)
{
	const struct plan_input *in = &v->head->input[m->input];
	const struct manifest *all = manifest_of(v, m->input, err);
	size_t lo = 0, hi = 0;
	struct oid have;
	int rc = 0;

	if (!all)
		return -1;
	manifest_below(all, m->path, &lo, &hi);
	key_dir_hash(all, lo, hi, &have);
	if (!oid_eq(&have, &m->id))
		return err_set(err, 0, "the plan does not fit the commit of '%s:/%s': run make again", in->repo, m->path);
	buf_reset(&v->path);
	add_path(v, in->name, m->path, &v->path);
	buf_str(&v->path, m->path[0] ? "/" : "");
	if (make_dirs_for(v, v->path.s, strlen(v->root) + 1, err) < 0)
		return -1;
	for (size_t i = lo; rc == 0 && i < hi; i++)
		rc = show(v, m, &all->v[i], fault, err);
	return rc;
}

static int
show_match(struct view *v, const struct plan_match *m, struct fault *fault, struct err *err)
{
	struct entry e = { m->path, m->size, m->id, m->kind };

	return m->kind == 'd' ? show_directory(v, m, fault, err) : show(v, m, &e, fault, err);
}

/* Begin from nothing.  What a killed attempt left: processes that may still write there, then the folders. */
static int
clear_stale(struct view *v, const struct oid *key, const char *old, const char *old_tmp, struct err *err)
{
	struct buf project = BUF_INIT, datum = BUF_INIT;
	char hex[OID_HEX + 1];

	oid_hex(key, hex);
	buf_fmt(&datum, "PACH_DATUM_ID=%s", hex);
	buf_fmt(&project, "DASSIE_PROJECT=%s", v->project);
	exec_kill_orphans(datum.s, project.s);
	buf_release(&datum);
	buf_release(&project);
	v->idle = false;
	if (forget_memory(v, err) < 0)
		return -1;
	if (old[0] && (fs_remove_tree(old, err) < 0 || fs_remove_tree(old_tmp, err) < 0))
		return -1;
	if (fs_remove_tree(v->dir, err) < 0 || fs_remove_tree(v->tmp, err) < 0)
		return -1;
	return fs_mkdirs(DIR_WORK, err);
}

/* Both folders, out of the last datum's (old, old_tmp) if it left them. errno says what failed. */
static int
make_folders(struct view *v, const char *old, const char *old_tmp)
{
	char out[LAYOUT_MAX + 8];

	if (v->idle) {
		if (rename(old, v->dir) < 0)
			return -1;
		v->idle = false;
		return rename(old_tmp, v->tmp);
	}
	snprintf(out, sizeof out, "%s/out", v->dir);
	return mkdir(v->dir, 0777) < 0 || mkdir(v->tmp, 0777) < 0 ? -1 : mkdir(out, 0777);
}

static void
begin(struct view *v, const struct oid *key, bool on_disk)
{
	struct buf b = BUF_INIT;

	if (v->folder)
		snprintf(v->dir, sizeof v->dir, "%s", v->folder);
	else
		layout_work(v->dir, key);
	snprintf(v->tmp, sizeof v->tmp, "%s.tmp", v->dir);
	free(v->dir_abs);
	free(v->tmp_abs);
	buf_fmt(&b, "%s/%s", v->project, v->dir);
	v->dir_abs = buf_detach(&b);
	if (v->pfs && v->pfs->tmp_at)
		buf_str(&b, v->pfs->tmp_at);
	else
		buf_fmt(&b, "%s/%s", v->project, v->tmp);
	v->tmp_abs = buf_detach(&b);
	buf_reset(&v->text);
	buf_reset(&v->last_dir);
	v->n_shown = v->n_made_dir = v->n_by_ino = v->n_bound = 0;
	v->bytes = v->copied = 0;
	v->too_much = false;
	v->on_disk = on_disk || !v->pfs;
	v->base = v->on_disk ? AT_FDCWD : v->pfs->fd;
	snprintf(v->root, sizeof v->root, "%s", v->on_disk ? v->dir : PFS_MEMORY);
}

/* What the last view had and this one has not. */
static int
drop_unused(struct view *v, struct err *err)
{
	size_t at[KEPT_MAX], n = 0;

	for (size_t i = 0; i < v->kept.n; i += strlen(v->kept.s + i + 1) + 2)
		if (!v->kept.s[i])
			at[n++] = i + 1;
	while (n > 0) {
		buf_reset(&v->path);
		fs_join(&v->path, v->root, v->kept.s + at[--n]);
		if (unlinkat(v->base, v->path.s, AT_REMOVEDIR) < 0)
			return err_set(err, errno, "cannot remove '%s':", v->path.s);
	}
	buf_reset(&v->kept);
	return 0;
}

static int
make(struct view *v, const struct plan_datum *d, bool on_disk, struct fault *fault, struct err *err)
{
	char old[LAYOUT_MAX], old_tmp[LAYOUT_MAX + 8], out[LAYOUT_MAX + 8];
	int rc;

	if (v->pfs && pfs_ready(v->pfs, err) < 0)
		return -1;
	memcpy(old, v->dir, sizeof old);
	memcpy(old_tmp, v->tmp, sizeof old_tmp);
	begin(v, &d->key, on_disk);
	rc = make_folders(v, old, old_tmp);
	if (rc < 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOENT)) {
		if (clear_stale(v, &d->key, old, old_tmp, err) < 0)
			return -1;
		rc = make_folders(v, old, old_tmp);
	}
	v->made = true;
	if (rc < 0)
		return err_set(err, errno, "cannot make '%s':", v->dir);
	if (v->pfs && pfs_open(v->pfs, on_disk ? v->dir : NULL, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < d->n_match; i++)
		rc = show_match(v, &d->match[i], fault, err);
	if (rc || drop_unused(v, err) < 0)
		return rc ? rc : -1;
	snprintf(out, sizeof out, "%s/out", v->dir);
	return v->pfs ? pfs_seal(v->pfs, out, v->tmp, err) : 0;
}

int
view_make(struct view *v, const struct plan_datum *d, struct fault *fault, struct err *err)
{
	int rc = make(v, d, false, fault, err);

	if (rc < 0 && v->too_much && !v->on_disk) {
		*err = (struct err)ERR_INIT;
		rc = view_remove(v, err) < 0 ? -1 : make(v, d, true, fault, err);
	}
	return rc;
}

const char *
view_root(const struct view *v)
{
	return v->pfs || v->in_image ? PFS_DIR : v->dir_abs;
}

int
view_check(struct view *v, struct fault *fault, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < v->n_shown; i++)
		rc = shown_recheck(v, &v->shown[i], fault, err);
	return rc;
}

/* The number of entries of a directory, as far as COUNT_MAX; -1 if it is none, or the command changed its mode. */
static int
count_entries(const char *path)
{
	_Alignas(struct dirent64) char entries[2048];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), count = -2;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0755)
		while ((n = getdents64(fd, (void *)entries, sizeof entries)) > 0 && count < COUNT_MAX)
			for (ssize_t i = 0; i < n; i += ((struct dirent64 *)(void *)(entries + i))->d_reclen)
				count++;
	close(fd);
	return count < 0 ? -1 : count;
}

/* How many of the directories made lie directly in this one. */
static int
count_made_in(const struct view *v, const char *dir)
{
	size_t len = strlen(dir);
	int count = 0;

	for (size_t i = 0; i < v->n_made_dir; i++) {
		const char *made = v->text.s + v->made_dir[i];

		count += strncmp(made, dir, len) == 0 && made[len] == '/' && !strchr(made + len + 1, '/');
	}
	return count;
}

static void
remove_below(const char *dir, const char *but)
{
	DIR *d = opendir(dir);
	struct buf path = BUF_INIT;
	struct dirent *e;
	struct err err;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, but) == 0)
			continue;
		buf_reset(&path);
		fs_join(&path, dir, e->d_name);
		fs_remove_tree(path.s, &err);
	}
	if (d)
		closedir(d);
	buf_release(&path);
}

/* Nothing of the last view is in pfs's memory any more. */
static int
forget_memory(struct view *v, struct err *err)
{
	char memory[48];

	buf_reset(&v->kept);
	if (!v->pfs)
		return 0;
	snprintf(memory, sizeof memory, "/proc/self/fd/%d/" PFS_MEMORY, v->pfs->fd);
	if (pfs_close(v->pfs, err) < 0)
		return -1;
	remove_below(memory, "out");
	return 0;
}

/* An empty directory of the usual mode, if need be emptied: it stays the same one, since it may be mounted at /pfs/out. */
static bool
renew(const char *path)
{
	if (count_entries(path) == 0)
		return true;
	if (count_entries(path) > 0)
		remove_below(path, ".");
	return count_entries(path) == 0;
}

/* Are dir and tmp, now that the files shown are unlinked, just the directories made?  A private /pfs must be. */
static bool
is_bare(struct view *v)
{
	char out[LAYOUT_MAX + 8];

	snprintf(out, sizeof out, "%s/out", v->dir);
	if (!renew(out) || !renew(v->tmp) || count_entries(v->dir) != (v->pfs ? 1 : count_made_in(v, v->dir) + 1))
		return false;
	for (size_t i = 0; !v->pfs && i < v->n_made_dir; i++) {
		const char *made = v->text.s + v->made_dir[i];

		if (count_entries(made) != count_made_in(v, made))
			return false;
	}
	return true;
}

static bool
is_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
view_has_out(const struct view *v)
{
	char out[LAYOUT_MAX + 8];
	struct stat a, b;

	snprintf(out, sizeof out, "%s/out", v->dir);
	if (!is_dir(v->dir) || !is_dir(out))
		return false;
	return !v->pfs || (stat(out, &a) == 0 && stat(PFS_DIR "/out", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* Through the directories that were made only: where the command put a link in place of one, it may lead to the sources. */
static bool
unlink_shown(struct view *v)
{
	bool ok = v->pfs || is_dir(v->dir);

	for (size_t i = 0; ok && !v->pfs && i < v->n_made_dir; i++)
		ok = is_dir(v->text.s + v->made_dir[i]);
	if (!ok)
		return false;
	for (size_t i = 0; i < v->n_shown; i++)
		ok &= unlinkat(v->base, view_path(v, &v->shown[i]), 0) == 0;
	v->n_shown = 0;
	return ok;
}

int
view_end(struct view *v, struct err *err)
{
	size_t root_len = strlen(v->root) + 1;

	if (!v->made)
		return 0;
	if (v->kept.n > 0 || v->n_made_dir > KEPT_MAX || (v->pfs && v->on_disk))
		return view_remove(v, err);
	if (v->pfs && v->pfs->files && pfs_close(v->pfs, err) < 0)
		return -1;
	if (!unlink_shown(v) || !is_bare(v))
		return view_remove(v, err);
	for (size_t i = 0; i < v->n_made_dir; i++) {
		const char *made = v->text.s + v->made_dir[i] + root_len;

		buf_byte(&v->kept, '\0');
		buf_add(&v->kept, made, strlen(made) + 1);
	}
	v->made = false;
	v->idle = true;
	return 0;
}

/* The usual case: nothing there but what was made here. */
static bool
remove_known(struct view *v)
{
	char out[LAYOUT_MAX + 8];
	bool ok = unlink_shown(v);

	for (size_t i = v->n_made_dir; ok && i > 0; i--)
		ok &= unlinkat(v->base, v->text.s + v->made_dir[i - 1], AT_REMOVEDIR) == 0;
	snprintf(out, sizeof out, "%s/out", v->dir);
	return ok && rmdir(out) == 0 && rmdir(v->dir) == 0 && rmdir(v->tmp) == 0;
}

int
view_remove(struct view *v, struct err *err)
{
	if (!v->made)
		return 0;
	v->made = v->idle = false;
	if (v->pfs && pfs_close(v->pfs, err) < 0)
		return -1;
	if (v->kept.n == 0 && remove_known(v))
		return 0;
	if (forget_memory(v, err) < 0)
		return -1;
	return fs_remove_tree(v->dir, err) < 0 || fs_remove_tree(v->tmp, err) < 0 ? -1 : 0;
}

static int
by_inode(const void *a, const void *b)
{
	const struct shown *x = *(const struct shown *const *)a, *y = *(const struct shown *const *)b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return x->dev < y->dev ? -1 : x->dev > y->dev;
}

/* By what stat says of them; of our own new files that was not asked yet. */
static void
sort_by_inode(struct view *v)
{
	for (; v->n_by_ino < v->n_shown; v->n_by_ino++) {
		struct shown *s = &v->shown[v->n_by_ino];
		struct stat st;

		if ((s->as == SHOWN_COPY || s->as == SHOWN_EMPTY) && fstatat(v->base, view_path(v, s), &st, AT_SYMLINK_NOFOLLOW) == 0) {
			s->dev = st.st_dev;
			s->ino = st.st_ino;
		}
		GROW(v->by_ino, v->n_by_ino, v->cap_by_ino);
		v->by_ino[v->n_by_ino] = s;
	}
	qsort(v->by_ino, v->n_by_ino, sizeof v->by_ino[0], by_inode);
}

const struct shown *
view_find(struct view *v, const struct stat *st)
{
	const struct shown key = { .ino = st->st_ino, .dev = st->st_dev }, *want = &key, **found;

	if (v->n_shown == 0)
		return NULL;
	if (v->n_by_ino == 0)
		sort_by_inode(v);
	found = bsearch(&want, v->by_ino, v->n_by_ino, sizeof v->by_ino[0], by_inode);
	return found ? *found : NULL;
}
