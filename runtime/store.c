/* store.c: the object store: .dassie/objects/ab/cd…, named by the SHA-256 of the content, mode 0444.
 *
 * A file comes in by one rename that refuses to replace (a finished object stays the inode that it is: others hold
 * links to it), or by a copy under a temporary name, "objects/PID-N.tmp", that is hashed while it is written.
 * An object of the wrong size is damage, and replaced.  An executable file is the same object as a plain one of
 * its bytes: the kind is the manifest's, never the object's mode. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"

enum { CHUNK = 128 * 1024, TMP_MAX_PATH = 64 };

struct tmpf { int fd; char path[TMP_MAX_PATH]; };

#define TMPF_INIT { -1, "" }

static int
tmpf_open(struct tmpf *t, struct err *err)
{
	static unsigned count;

	snprintf(t->path, sizeof t->path, DIR_OBJECTS "/%ld-%u.tmp", (long)getpid(),
	    __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
	unlink(t->path);
	t->fd = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (t->fd < 0 && errno == ENOENT && fs_mkdirs(DIR_OBJECTS, err) == 0)
		t->fd = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	return t->fd < 0 ? err_set(err, errno, "open '%s':", t->path) : 0;
}

static void
tmpf_release(struct tmpf *t)
{
	if (t->fd >= 0)
		close(t->fd);
	if (t->path[0])
		unlink(t->path);
	*t = (struct tmpf)TMPF_INIT;
}

/* renameat2 (not every C library has it) knows a rename that does not replace; where the file system does not, link and unlink are
 * the same. */
static int
rename_new(const char *from, const char *to)
{
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (link(from, to) < 0)
		return -1;
	unlink(from);
	return 0;
}

/* Give a finished file its name; it is gone from `from` on success. */
static int
place(const char *from, const struct oid *id, uint64_t size, struct err *err)
{
	char to[LAYOUT_MAX];

	layout_object(to, id);
	if (rename_new(from, to) == 0)
		return 0;
	if (errno == ENOENT && fs_mkdirs_for(to, err) == 0 && rename_new(from, to) == 0)
		return 0;
	if (errno == EEXIST && store_has(id, size))
		return unlink(from) == 0 ? 0 : err_set(err, errno, "unlink '%s':", from);
	if (errno == EEXIST && rename(from, to) == 0)
		return 0;
	return err_set(err, errno, "rename to '%s':", to);
}

/* Closed before it gets its name: a write may fail as late as in close. */
static int
tmpf_place(struct tmpf *t, const struct oid *id, uint64_t size, struct err *err)
{
	int fd = t->fd;

	t->fd = -1;
	if (fchmod(fd, 0444) < 0) {
		err_set(err, errno, "chmod:");
		close(fd);
		return -1;
	}
	if (close(fd) < 0)
		return err_set(err, errno, "close:");
	if (place(t->path, id, size, err) < 0)
		return -1;
	t->path[0] = '\0';
	return 0;
}

static int
pump_hashed(int in, int out, struct sha256 *h, uint64_t *size, struct err *err)
{
	static char chunk[CHUNK];

	for (;;) {
		ssize_t n = read(in, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "read:");
		if (n == 0)
			return 0;
		if (fs_write_all(out, chunk, (size_t)n, err) < 0)
			return -1;
		sha256_update(h, chunk, (size_t)n);
		*size += (uint64_t)n;
	}
}

/* A reflink is hashed as what it became; bytes are hashed on their way. */
static int
copy_hashed(int in, int out, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	struct sha256 h;
	uint64_t size = 0;

	if (ioctl(out, FICLONE, in) == 0)
		return sha256_fd(out, ret_id, ret_size, err);
	sha256_init(&h);
	if (pump_hashed(in, out, &h, &size, err) < 0)
		return -1;
	sha256_final(&h, ret_id);
	*ret_size = size;
	return 0;
}

static int
copy_in(int in, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	struct tmpf tmp = TMPF_INIT;
	struct oid id;
	uint64_t size = 0;
	int rc = -1;

	if (tmpf_open(&tmp, err) < 0)
		goto out;
	if (copy_hashed(in, tmp.fd, &id, &size, err) < 0)
		goto out;
	if (tmpf_place(&tmp, &id, size, err) < 0)
		goto out;
	*ret_id = id;
	*ret_size = size;
	rc = 0;
out:
	tmpf_release(&tmp);
	return rc;
}

/* A file of others' (other links, another owner) cannot become ours by renaming it. */
static int
take_open(int fd, const char *path, char *ret_kind, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	struct oid id;
	uint64_t size;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "stat:");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "not a regular file");
	*ret_kind = st.st_mode & S_IXUSR ? 'x' : 'f';
	if (st.st_nlink > 1 || (st.st_uid != geteuid() && fchown(fd, geteuid(), getegid()) < 0) || fchmod(fd, 0444) < 0) {
		if (copy_in(fd, ret_id, ret_size, err) < 0)
			return -1;
		return unlink(path) == 0 ? 0 : err_set(err, errno, "unlink:");
	}
	if (sha256_fd(fd, &id, &size, err) < 0 || place(path, &id, size, err) < 0)
		return -1;
	*ret_id = id;
	*ret_size = size;
	return 0;
}

int
store_take(const char *path, char *ret_kind, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0 && errno == EACCES && chmod(path, 0600) == 0)
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno, "cannot store '%s': open:", path);
	rc = take_open(fd, path, ret_kind, ret_id, ret_size, err);
	close(fd);
	return rc < 0 ? err_wrap(err, "cannot store '%s'", path) : 0;
}

int
store_copy(const char *path, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, errno, "cannot store a copy of '%s': open:", path);
	rc = copy_in(fd, ret_id, ret_size, err);
	close(fd);
	return rc < 0 ? err_wrap(err, "cannot store a copy of '%s'", path) : 0;
}

bool
store_has(const struct oid *id, uint64_t size)
{
	char path[LAYOUT_MAX];
	struct stat st;

	return lstat(layout_object(path, id), &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

int
store_verify(const struct oid *id, uint64_t size, struct err *err)
{
	char path[LAYOUT_MAX];
	uint64_t have_size = 0;
	struct oid have;
	int fd, rc;

	fd = open(layout_object(path, id), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot open '%s':", path);
	rc = sha256_fd(fd, &have, &have_size, err);
	close(fd);
	if (rc < 0)
		return err_wrap(err, "cannot verify '%s'", path);
	return oid_eq(&have, id) && have_size == size ? 1 : -2;
}

void
store_begin(struct store_in *in)
{
	*in = (struct store_in){ .fd = -1 };
	sha256_init(&in->sha);
}

/* The file, as the others make it. */
static int
begin_file(struct store_in *in, struct err *err)
{
	struct tmpf tmp = TMPF_INIT;

	if (in->fd >= 0)
		return 0;
	if (tmpf_open(&tmp, err) < 0)
		return -1;
	in->fd = tmp.fd;
	memcpy(in->tmp, tmp.path, sizeof in->tmp);
	return 0;
}

int
store_add(struct store_in *in, const void *p, size_t n, struct err *err)
{
	if (begin_file(in, err) < 0 || fs_write_all(in->fd, p, n, err) < 0)
		return -1;
	sha256_update(&in->sha, p, n);
	in->size += n;
	return 0;
}

void
store_hash(const struct store_in *in, struct oid *ret_id)
{
	struct sha256 sha = in->sha;

	sha256_final(&sha, ret_id);
}

int
store_end(struct store_in *in, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	struct tmpf tmp = TMPF_INIT;
	int rc;

	if (begin_file(in, err) < 0)
		return -1;
	tmp.fd = in->fd;
	memcpy(tmp.path, in->tmp, sizeof tmp.path);
	sha256_final(&in->sha, ret_id);
	*ret_size = in->size;
	rc = tmpf_place(&tmp, ret_id, in->size, err);
	tmpf_release(&tmp);
	store_begin(in);
	return rc;
}

void
store_drop(struct store_in *in)
{
	struct tmpf tmp = { .fd = in->fd };

	memcpy(tmp.path, in->tmp, sizeof tmp.path);
	tmpf_release(&tmp);
	store_begin(in);
}

static int
append_object(int out, const struct oid *part, struct sha256 *h, uint64_t *size, struct err *err)
{
	char path[LAYOUT_MAX];
	int fd = open(layout_object(path, part), O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", path);
	rc = pump_hashed(fd, out, h, size, err);
	close(fd);
	return rc;
}

int
store_concat(const struct oid *part, size_t n, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	struct tmpf tmp = TMPF_INIT;
	struct sha256 h;
	struct oid id;
	uint64_t size = 0;
	int rc = -1;

	sha256_init(&h);
	if (tmpf_open(&tmp, err) < 0)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (append_object(tmp.fd, &part[i], &h, &size, err) < 0)
			goto out;
	sha256_final(&h, &id);
	if (tmpf_place(&tmp, &id, size, err) < 0)
		goto out;
	*ret_id = id;
	*ret_size = size;
	rc = 0;
out:
	tmpf_release(&tmp);
	return rc < 0 ? err_wrap(err, "cannot put %zu objects together", n) : 0;
}
