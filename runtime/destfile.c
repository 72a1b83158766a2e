/* destfile.c: file://: a folder.  A file is written whole beside the others under one temporary name, hashed while it is copied,
 * and renamed into its place, so that nobody ever sees half of one. */
#include "dest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "place.h"

enum { PIECE = 256 * 1024 };

struct folder {
	struct dest d;
	char *tmp;                          /* "FOLDER/.dassie-PIPELINE.tmp" */
	struct buf path, made;              /* made: the directory that was made last */
	char *piece;
	uint64_t moved;
	int fd;                             /* the folder, once it is there */
};

static void
to_path(struct folder *f, const char *key)
{
	buf_reset(&f->path);
	buf_fmt(&f->path, "%s/%s", f->d.place->folder, key);
}

/* The deepest directory above path that is there, resolved; what is not there yet is appended as it is. */
static bool
resolve(const char *path, char ret[PATH_MAX])
{
	char head[PATH_MAX], *slash;
	size_t n;

	snprintf(head, sizeof head, "%s", path);
	for (n = strlen(head); !realpath(head, ret); *slash = '\0') {
		slash = strrchr(head, '/');
		if (!slash || slash == head)
			return false;
	}
	n = strlen(head);
	return strlen(ret) + strlen(path + n) < PATH_MAX && (memcpy(ret + strlen(ret), path + n, strlen(path + n) + 1), true);
}

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* What dassie writes itself is no place for copies. */
static int
check_place(struct folder *f, struct err *err)
{
	static const char *const ours[] = { DIR_STATE, DIR_OUT };
	char there[PATH_MAX], own[PATH_MAX];

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (resolve(f->d.place->folder, there) && realpath(ours[i], own) && is_below(there, own))
			return err_set(err, 0, "'%s' is in the project's own '%s', which dassie writes itself: name another folder", f->d.place->url,
			    ours[i]);
	return 0;
}

static int
open_folder(struct folder *f, struct err *err)
{
	if (f->fd >= 0)
		return 0;
	if (fs_mkdirs(f->d.place->folder, err) < 0)
		return -1;
	f->fd = open(f->d.place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return err_set(err, errno, "cannot open '%s':", f->d.place->folder);
	if (unlink(f->tmp) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", f->tmp);
	return 0;
}

static int
folder_check(struct dest *d, void (*say)(void *ctx, const char *line), void *ctx, struct err *err)
{
	struct folder *f = (struct folder *)d;
	struct buf line = BUF_INIT;
	int fd;

	if (check_place(f, err) < 0 || open_folder(f, err) < 0)
		return -1;
	fd = open(f->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "cannot write into '%s':", d->place->folder);
	close(fd);
	unlink(f->tmp);
	buf_fmt(&line, "put          ok, into '%s'", d->place->folder);
	say(ctx, line.s);
	buf_release(&line);
	return 0;
}

static int
copy(struct folder *f, int from, int to, const struct dest_put *put, struct err *err)
{
	struct sha256 h;
	struct oid id;
	ssize_t n;

	sha256_init(&h);
	while ((n = read(from, f->piece, PIECE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "cannot read '%s':", put->file);
		sha256_update(&h, f->piece, (size_t)n);
		if (fs_write_all(to, f->piece, (size_t)n, err) < 0)
			return err_wrap(err, "cannot write '%s'", f->path.s);
		f->moved += (uint64_t)n;
	}
	sha256_final(&h, &id);
	if (!oid_eq(&id, put->sha256))
		return err_set(err, 0, "the content of '%s' is damaged: 'dassie fsck --repair' drops what hangs on it, make computes it again", put->key);
	return 0;
}

static int
copy_to(struct folder *f, const char *tmp, const struct dest_put *put, struct err *err)
{
	int from = open(put->file, O_RDONLY | O_CLOEXEC), to, rc;

	if (from < 0 && errno == ENOENT)
		return err_set(err, 0, "the content of '%s' is gone: 'dassie fsck --repair' drops what hangs on it, make computes it again", put->key);
	if (from < 0)
		return err_set(err, errno, "cannot open '%s':", put->file);
	unlink(tmp);
	to = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, put->exec ? 0777 : 0666);
	if (to < 0) {
		err_set(err, errno, "cannot write '%s':", tmp);
		close(from);
		return -1;
	}
	rc = copy(f, from, to, put, err);
	close(from);
	if (close(to) < 0 && rc == 0)
		rc = err_set(err, errno, "cannot write '%s':", f->path.s);
	return rc;
}

/* The folders above the file at hand.  1: a file is in the way. */
static int
make_room(struct folder *f, struct err *err)
{
	char *slash = strrchr(f->path.s, '/');
	size_t n = (size_t)(slash - f->path.s);
	int rc = 0;

	if (n == f->made.n && memcmp(f->made.s, f->path.s, n) == 0)
		return 0;
	*slash = '\0';
	if (fs_mkdirs(f->path.s, err) < 0)
		rc = err->num == ENOTDIR || err->num == EEXIST ? 1 : -1;
	buf_reset(&f->made);
	if (rc == 0)
		buf_add(&f->made, f->path.s, n);
	*slash = '/';
	return rc;
}

/* 1: something is in the way. */
static int
put_file(struct folder *f, const struct dest_put *put, struct err *err)
{
	struct buf near = BUF_INIT;
	const char *tmp = f->tmp;
	int rc = open_folder(f, err) < 0 ? -1 : make_room(f, err);

	if (rc != 0)
		return rc;
	rc = copy_to(f, tmp, put, err);
	if (rc == 0 && rename(tmp, f->path.s) < 0 && errno == EXDEV) {
		/* A file system is mounted below the folder. */
		buf_fmt(&near, "%s/.dassie-%s.tmp", f->made.s, f->d.place->pipeline);
		unlink(tmp);
		tmp = near.s;
		rc = copy_to(f, tmp, put, err);
		if (rc == 0 && rename(tmp, f->path.s) < 0)
			rc = err_set(err, errno, "cannot write '%s':", f->path.s);
	} else if (rc == 0 && access(tmp, F_OK) == 0) {
		rc = err_set(err, errno, "cannot write '%s':", f->path.s);
	}
	if (rc < 0 && (err->num == EISDIR || err->num == ENOTDIR || err->num == ENOTEMPTY || err->num == EEXIST))
		rc = 1;
	if (rc != 0)
		unlink(tmp);
	buf_release(&near);
	return rc;
}

static void
folder_put(struct dest *d, const struct dest_put *put)
{
	struct folder *f = (struct folder *)d;
	struct dest_result r = { DEST_FINE, "", "" };
	struct err err = ERR_INIT;
	int rc;

	to_path(f, put->key);
	rc = put_file(f, put, &err);
	if (rc < 0) {
		r.failure = err.num == ENOSPC || err.num == EDQUOT || err.num == EROFS || err.num == EACCES || err.num == EIO ? DEST_STOP : DEST_ONE;
		r.text = err.text;
	} else if (rc > 0) {
		r.failure = DEST_ROOM;
		err_set(&err, 0, "cannot write '%s': a folder or a file of that name is in the way, and what left the output stays there; "
		    "'delete: true' removes it", f->path.s);
		r.text = err.text;
	}
	put->done(put->ctx, &r);
}

/* The folders that became empty go with their last file. */
static void
remove_empty(struct folder *f)
{
	size_t top = strlen(f->d.place->folder);

	buf_reset(&f->made);
	for (;;) {
		char *slash = strrchr(f->path.s, '/');

		*slash = '\0';
		if ((size_t)(slash - f->path.s) <= top || rmdir(f->path.s) < 0)
			return;
	}
}

static void
folder_remove(struct dest *d, const char *const *key, size_t n, dest_done *done, void *ctx)
{
	struct folder *f = (struct folder *)d;
	struct dest_result r = { DEST_FINE, "", "" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n && r.failure == DEST_FINE; i++) {
		to_path(f, key[i]);
		if (unlink(f->path.s) == 0) {
			remove_empty(f);
		} else if (errno != ENOENT && errno != ENOTDIR && errno != EISDIR) {
			err_set(&err, errno, "cannot remove '%s':", f->path.s);
			r = (struct dest_result){ DEST_ONE, err.text, "" };
		}
	}
	done(ctx, &r);
}

struct listing {
	struct folder *f;
	const char *prefix;
	bool (*each)(void *ctx, const struct dest_listed *l);
	void *ctx;
	struct err *err;
};

static int
by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a folder; those of folders end in '/', which sorts them as whole paths sort. */
static int
names_of(const char *dir, char ***ret, size_t *ret_n, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t cap = 0;

	*ret = NULL;
	*ret_n = 0;
	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while ((e = readdir(d))) {
		struct buf b = BUF_INIT;
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		buf_fmt(&b, "%s%s", e->d_name, S_ISDIR(st.st_mode) ? "/" : "");
		GROW(*ret, *ret_n, cap);
		(*ret)[(*ret_n)++] = buf_detach(&b);
	}
	closedir(d);
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof **ret, by_bytes);
	return 0;
}

static int
list_file(struct listing *l, const char *path, const char *key)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	struct dest_listed f = { .key = key, .etag = "" };
	struct stat st;
	struct oid id;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	rc = sha256_fd(fd, &id, &f.size, l->err);
	close(fd);
	if (rc < 0)
		return err_wrap(l->err, "cannot read '%s'", path);
	f.sha256 = &id;
	f.exec = st.st_mode & S_IXUSR;
	return l->each(l->ctx, &f) ? 0 : -1;
}

static int
list_folder(struct listing *l, const char *key)
{
	struct buf path = BUF_INIT, sub = BUF_INIT;
	size_t wish = strlen(l->prefix), n;
	char **name;
	int rc;

	buf_fmt(&path, "%s/%s", l->f->d.place->folder, key);
	rc = names_of(path.s, &name, &n, l->err);
	for (size_t i = 0; i < n; i++) {
		size_t have;

		buf_reset(&sub);
		buf_fmt(&sub, "%s%s", key, name[i]);
		have = strlen(sub.s);
		if (rc == 0 && strncmp(sub.s, l->prefix, have < wish ? have : wish) == 0) {
			buf_reset(&path);
			buf_fmt(&path, "%s/%s", l->f->d.place->folder, sub.s);
			rc = sub.s[have - 1] == '/' ? list_folder(l, sub.s) : have >= wish ? list_file(l, path.s, sub.s) : 0;
		}
		free(name[i]);
	}
	free(name);
	buf_release(&path);
	buf_release(&sub);
	return rc;
}

static int
folder_list(struct dest *d, const char *prefix, bool (*each)(void *ctx, const struct dest_listed *l), void *ctx, struct err *err)
{
	struct listing l = { (struct folder *)d, prefix, each, ctx, err };

	return list_folder(&l, "");
}

static void
folder_step(struct dest *d, unsigned ms)
{
	(void)d;
	(void)ms;
}

static uint64_t
folder_moved(struct dest *d)
{
	return ((struct folder *)d)->moved;
}

static int
folder_settle(struct dest *d, struct err *err)
{
	struct folder *f = (struct folder *)d;

	if (f->fd >= 0 && syncfs(f->fd) < 0)
		return err_set(err, errno, "cannot write '%s' to the disk:", d->place->folder);
	return 0;
}

static void
folder_free(struct dest *d)
{
	struct folder *f = (struct folder *)d;

	if (f->fd >= 0)
		close(f->fd);
	free(f->tmp);
	free(f->piece);
	buf_release(&f->path);
	buf_release(&f->made);
	free(f);
}

static const struct dest_ops folder_ops = {
	.check = folder_check, .put = folder_put, .remove = folder_remove, .list = folder_list, .step = folder_step,
	.moved = folder_moved, .settle = folder_settle, .free = folder_free,
};

struct dest *
dest_file(const struct place *p, struct err *err)
{
	struct folder *f = xcalloc(1, sizeof *f);
	struct buf tmp = BUF_INIT;

	buf_fmt(&tmp, "%s/.dassie-%s.tmp", p->folder, p->pipeline);
	f->d = (struct dest){ .ops = &folder_ops, .place = p, .window = 1, .max_size = UINT64_MAX, .max_key = PATH_MAX, .modes = true };
	f->tmp = buf_detach(&tmp);
	f->piece = xmalloc(PIECE);
	f->fd = -1;
	if (check_place(f, err) == 0)
		return &f->d;
	folder_free(&f->d);
	return NULL;
}
