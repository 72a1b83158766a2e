/* view.c: the view is exactly what was hashed: one link a file, real directories.
 *
 * Making and removing directories is the dearest thing that a small datum does (ext4: 0.15 ms a pair), so a view
 * whose files are gone is renamed for the next datum, if it is seen to hold just the directories it should. */
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
#include "shown.h"

enum { KEPT_MAX = 12, COUNT_MAX = 64 };

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

static const char *
shown_path(const struct view *v, const struct shown *s)
{
	return v->text.s + s->at;
}

static bool
is_source(const struct plan_input *in)
{
	return strcmp(in->dir, "-") != 0;
}

static int
make_empty(const char *path, struct shown *s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0)
		shown_remember(s, &st);
	return close(fd);
}

/* The object's absolute path, for where it cannot be linked. */
static int
link_object(struct view *v, const char *object, const char *path)
{
	struct buf b = BUF_INIT;
	int rc;

	if (link(object, path) == 0)
		return 0;
	if (errno != EMLINK && errno != EXDEV && errno != EPERM && errno != ENOTSUP)
		return -1;
	buf_str(&b, v->project);
	buf_byte(&b, '/');
	buf_str(&b, object);
	rc = symlink(b.s, path);
	buf_release(&b);
	return rc;
}

/* 1 it is there, 0 it was there already (another match of this datum has it), -1 error. */
static int
place(struct view *v, struct shown *s, struct err *err)
{
	const char *path = shown_path(v, s), *file = shown_behind(v, s);
	struct stat st;
	int rc = -1;

	switch (s->as) {
	case SHOWN_SOURCE:
		rc = symlink(file, path);
		break;
	case SHOWN_OBJECT:
		rc = link_object(v, file, path);
		break;
	case SHOWN_COPY:
		if (lstat(path, &st) == 0)
			return 0;
		return fs_copy(file, path, 0555, err) < 0 ? -1 : 1;
	case SHOWN_EMPTY:
		rc = make_empty(path, s);
		break;
	}
	if (rc == 0)
		return 1;
	return errno == EEXIST ? 0 : err_set(err, errno, "cannot show '%s':", path);
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
	if ((v->kept.n > 0 && use_kept(v, v->text.s + at + strlen(v->dir) + 1)) || mkdir(v->text.s + at, 0777) == 0) {
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

static enum shown_as
shown_as(const struct plan_input *in, char kind, bool empty)
{
	if (empty)
		return SHOWN_EMPTY;
	if (is_source(in))
		return SHOWN_SOURCE;
	return kind == 'x' ? SHOWN_COPY : SHOWN_OBJECT;
}

static void
add_path(const struct view *v, const char *name, const char *path, struct buf *b)
{
	buf_str(b, v->dir);
	buf_byte(b, '/');
	buf_str(b, name);
	buf_byte(b, '/');
	buf_str(b, path);
}

static int
show(struct view *v, const struct plan_match *m, const struct entry *e, struct fault *fault, struct err *err)
{
	const struct plan_input *in = &v->head->input[m->input];
	size_t dir_len = strlen(v->dir) + 1;
	struct shown *s;
	int rc = 0;

	GROW(v->shown, v->n_shown, v->cap_shown);
	s = &v->shown[v->n_shown];
	*s = (struct shown){ .at = v->text.n, .name = dir_len + strlen(in->name) + 1, .input = m->input,
		.as = shown_as(in, e->kind, m->empty), .kind = e->kind, .id = e->id, .size = e->size };
	add_path(v, in->name, e->path, &v->text);
	buf_byte(&v->text, '\0');
	rc = shown_check(v, s, fault, err);
	if (rc)
		return rc;
	buf_reset(&v->path);
	add_path(v, in->name, e->path, &v->path);
	if (make_dirs_for(v, v->path.s, dir_len, err) < 0)
		return -1;
	rc = place(v, s, err);
	if (rc == 1) {
		v->n_shown++;
		v->bytes += m->empty ? 0 : e->size;
	}
	return rc < 0 ? -1 : 0;
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
	if (make_dirs_for(v, v->path.s, strlen(v->dir) + 1, err) < 0)
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
	buf_reset(&v->kept);
	v->idle = false;
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
begin(struct view *v, const struct oid *key)
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
	buf_fmt(&b, "%s/%s", v->project, v->tmp);
	v->tmp_abs = buf_detach(&b);
	buf_reset(&v->text);
	buf_reset(&v->last_dir);
	v->n_shown = v->n_made_dir = v->n_by_ino = 0;
	v->bytes = 0;
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
		fs_join(&v->path, v->dir, v->kept.s + at[--n]);
		if (rmdir(v->path.s) < 0)
			return err_set(err, errno, "cannot remove '%s':", v->path.s);
	}
	buf_reset(&v->kept);
	return 0;
}

int
view_make(struct view *v, const struct plan_datum *d, struct fault *fault, struct err *err)
{
	char old[LAYOUT_MAX], old_tmp[LAYOUT_MAX + 8];
	int rc;

	memcpy(old, v->dir, sizeof old);
	memcpy(old_tmp, v->tmp, sizeof old_tmp);
	begin(v, &d->key);
	rc = make_folders(v, old, old_tmp);
	if (rc < 0 && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOENT)) {
		if (clear_stale(v, &d->key, old, old_tmp, err) < 0)
			return -1;
		rc = make_folders(v, old, old_tmp);
	}
	v->made = true;
	if (rc < 0)
		return err_set(err, errno, "cannot make '%s':", v->dir);
	for (size_t i = 0; rc == 0 && i < d->n_match; i++)
		rc = show_match(v, &d->match[i], fault, err);
	return rc == 0 ? drop_unused(v, err) : rc;
}

const char *
view_root(const struct view *v)
{
	return v->shown_at ? v->shown_at : v->dir_abs;
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
		while ((n = getdents64(fd, entries, sizeof entries)) > 0 && count < COUNT_MAX)
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

/* An empty directory of the usual mode, if need be a new one. */
static bool
renew(const char *path)
{
	struct err err;

	return count_entries(path) == 0 || (fs_remove_tree(path, &err) == 0 && mkdir(path, 0777) == 0);
}

/* Are dir and tmp, now that the files shown are unlinked, just the directories made? */
static bool
is_bare(struct view *v)
{
	char out[LAYOUT_MAX + 8];

	snprintf(out, sizeof out, "%s/out", v->dir);
	if (!renew(out) || !renew(v->tmp) || count_entries(v->dir) != count_made_in(v, v->dir) + 1)
		return false;
	for (size_t i = 0; i < v->n_made_dir; i++) {
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

	snprintf(out, sizeof out, "%s/out", v->dir);
	return is_dir(v->dir) && is_dir(out);
}

/* Through the directories that were made only: where the command put a link in place of one, it may lead to the sources. */
static bool
unlink_shown(struct view *v)
{
	bool ok = is_dir(v->dir);

	for (size_t i = 0; ok && i < v->n_made_dir; i++)
		ok = is_dir(v->text.s + v->made_dir[i]);
	if (!ok)
		return false;
	for (size_t i = 0; i < v->n_shown; i++)
		ok &= unlink(shown_path(v, &v->shown[i])) == 0;
	v->n_shown = 0;
	return ok;
}

int
view_end(struct view *v, struct err *err)
{
	size_t dir_len = strlen(v->dir) + 1;

	if (!v->made)
		return 0;
	if (v->kept.n > 0 || v->n_made_dir > KEPT_MAX || !unlink_shown(v) || !is_bare(v))
		return view_remove(v, err);
	for (size_t i = 0; i < v->n_made_dir; i++) {
		const char *made = v->text.s + v->made_dir[i] + dir_len;

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
		ok &= rmdir(v->text.s + v->made_dir[i - 1]) == 0;
	snprintf(out, sizeof out, "%s/out", v->dir);
	return ok && rmdir(out) == 0 && rmdir(v->dir) == 0 && rmdir(v->tmp) == 0;
}

int
view_remove(struct view *v, struct err *err)
{
	if (!v->made)
		return 0;
	v->made = v->idle = false;
	buf_reset(&v->kept);
	if (remove_known(v))
		return 0;
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

const struct shown *
view_find(struct view *v, const struct stat *st)
{
	const struct shown key = { .ino = st->st_ino, .dev = st->st_dev }, *want = &key, **found;

	if (v->n_shown == 0)
		return NULL;
	if (v->n_by_ino == 0) {
		for (; v->n_by_ino < v->n_shown; v->n_by_ino++) {
			GROW(v->by_ino, v->n_by_ino, v->cap_by_ino);
			v->by_ino[v->n_by_ino] = &v->shown[v->n_by_ino];
		}
		qsort(v->by_ino, v->n_by_ino, sizeof v->by_ino[0], by_inode);
	}
	found = bsearch(&want, v->by_ino, v->n_by_ino, sizeof v->by_ino[0], by_inode);
	return found ? *found : NULL;
}
