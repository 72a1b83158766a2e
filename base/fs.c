/* fs.c: whole files in, whole files out.  A file appears under its name complete or not at all: bytes go to
 * "NAME.PID-N.tmp" beside it, then rename.  Durability is the committer's one syncfs, not an fsync here. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "mem.h"

/* Until the end of file, or until as many bytes are there as the file was said to have: no read more just to see the end. */
static int
read_all(int fd, struct buf *b, size_t expect)
{
	size_t first = b->n;
	ssize_t n;

	buf_reserve(b, expect ? expect : 4096);
	for (;;) {
		n = read(fd, b->s + b->n, b->cap - b->n - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		b->n += (size_t)n;
		if (expect && b->n - first == expect)
			break;
		buf_reserve(b, 4096);
	}
	b->s[b->n] = '\0';
	return n < 0 ? -1 : 0;
}

int
fs_read(const char *path, struct buf *ret_b, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 1;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(err, errno, "cannot open '%s':", path);
	if (fstat(fd, &st) < 0 || read_all(fd, ret_b, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0) < 0)
		rc = err_set(err, errno, "cannot read '%s':", path);
	close(fd);
	return rc;
}

ssize_t
fs_read_tail(const char *path, char *ret, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, ret, max, st.st_size > (off_t)max ? st.st_size - (off_t)max : 0);
	if (fd >= 0)
		close(fd);
	return n;
}

int
fs_write_all(int fd, const void *p, size_t n, struct err *err)
{
	const char *s = p;

	while (n) {
		ssize_t k = write(fd, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_set(err, errno, "write:");
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

int
fs_create(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), rc;

	if (fd < 0)
		return errno == EEXIST ? 0 : err_set(err, errno, "cannot write '%s':", path);
	rc = fs_write_all(fd, p, n, err);
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "close:");
	if (rc < 0) {
		unlink(path);
		err_wrap(err, "cannot write '%s'", path);
	}
	return rc < 0 ? -1 : 1;
}

/* The rest of fs_replace once the temporary is open; closes fd. */
static int
fill_and_rename(int fd, const char *tmp, const char *path, const void *p, size_t n, uint64_t ns, uint64_t *ret_ns,
                struct err *err)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { (time_t)(ns / 1000000000), (long)(ns % 1000000000) } };
	struct stat st;
	int rc = fs_write_all(fd, p, n, err);

	if (rc == 0 && ns && futimens(fd, t) < 0)
		rc = err_set(err, errno, "futimens:");
	if (rc == 0 && ret_ns) {
		if (fstat(fd, &st) < 0)
			rc = err_set(err, errno, "fstat:");
		else
			*ret_ns = fs_mtime_ns(&st);
	}
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "close:");
	if (rc == 0 && rename(tmp, path) < 0)
		rc = err_set(err, errno, "rename:");
	if (rc < 0)
		unlink(tmp);
	return rc;
}

static int
replace(const char *path, const void *p, size_t n, mode_t mode, uint64_t ns, uint64_t *ret_ns, struct err *err)
{
	static unsigned count;
	struct buf tmp = BUF_INIT;
	int fd, rc;

	buf_fmt(&tmp, "%s.%ld-%u.tmp", path, (long)getpid(), __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
	fd = open(tmp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	/* What a killed process of the same number left. */
	if (fd < 0 && errno == EEXIST && unlink(tmp.s) == 0)
		fd = open(tmp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		rc = err_set(err, errno, "open:");
	else
		rc = fill_and_rename(fd, tmp.s, path, p, n, ns, ret_ns, err);
	buf_release(&tmp);
	return rc < 0 ? err_wrap(err, "cannot write '%s'", path) : 0;
}

int
fs_replace(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	return replace(path, p, n, mode, 0, NULL, err);
}

int
fs_replace_if_new(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
	struct buf old = BUF_INIT;
	int rc = fs_read(path, &old, err);

	if (rc == 1 && old.n == n && (n == 0 || memcmp(old.s, p, n) == 0))
		rc = 0;
	else if (rc >= 0)
		rc = fs_replace(path, p, n, mode, err) < 0 ? -1 : 1;
	buf_release(&old);
	return rc;
}

int
fs_replace_stamped(const char *path, const void *p, size_t n, uint64_t ns, uint64_t *ret_ns, struct err *err)
{
	return replace(path, p, n, 0644, ns, ret_ns, err);
}

int
fs_mkdirs(const char *path, struct err *err)
{
	char *s, *slash;
	int rc = 0;

	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_set(err, errno, "cannot make directory '%s':", path);
	s = xstrdup(path);
	for (slash = strchr(s + 1, '/'); rc == 0; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(s, 0777) < 0 && errno != EEXIST)
			rc = err_set(err, errno, "cannot make directory '%s':", s);
		if (!slash)
			break;
		*slash = '/';
	}
	free(s);
	return rc;
}

int
fs_mkdirs_for(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int rc;

	if (!slash || slash == path)
		return 0;
	dir = xmemdup(path, (size_t)(slash - path));
	rc = fs_mkdirs(dir, err);
	free(dir);
	return rc;
}

static int remove_at(int dirfd, const char *name, struct err *err);

static int
empty_dir(int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	DIR *d;
	int rc = 0;

	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, 0700, 0) == 0)
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "open '%s':", name);
	if (!(d = fdopendir(fd))) {
		close(fd);
		return err_set(err, errno, "open '%s':", name);
	}
	while (rc == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = remove_at(fd, e->d_name, err);
	closedir(d);
	return rc;
}

/* A command may have left directories that forbid their own emptying: the mode is lifted once. */
static int
remove_at(int dirfd, const char *name, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EACCES && dirfd != AT_FDCWD && fchmod(dirfd, 0700) == 0 && unlinkat(dirfd, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY)
		return err_set(err, errno, "remove '%s':", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (empty_dir(dirfd, name, err) < 0)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, errno, "remove '%s':", name);
	return 0;
}

int
fs_remove_tree(const char *path, struct err *err)
{
	return remove_at(AT_FDCWD, path, err) < 0 ? err_wrap(err, "cannot remove '%s'", path) : 0;
}

static int
copy_bytes(int in, int out, struct err *err)
{
	char chunk[65536];
	ssize_t n;

	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	for (;;) {
		n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			break;
	}
	/* Not between these file systems: the rest by hand (the offsets stand where it stopped). */
	while ((n = read(in, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "read:");
		if (fs_write_all(out, chunk, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

int
fs_copy(const char *src, const char *dst, mode_t mode, struct err *err)
{
	int in = open(src, O_RDONLY | O_CLOEXEC), out, rc;

	if (in < 0)
		return err_set(err, errno, "cannot open '%s':", src);
	out = open(dst, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (out < 0) {
		rc = err_set(err, errno, "cannot write '%s':", dst);
		close(in);
		return rc;
	}
	rc = copy_bytes(in, out, err);
	if (rc == 0 && fchmod(out, mode) < 0)
		rc = err_set(err, errno, "chmod:");
	close(in);
	if (close(out) < 0 && rc == 0)
		rc = err_set(err, errno, "close:");
	if (rc < 0) {
		unlink(dst);
		err_wrap(err, "cannot copy '%s' to '%s'", src, dst);
	}
	return rc;
}

uint64_t
fs_mtime_ns(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
}

uint64_t
fs_ctime_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
}

void
fs_join(struct buf *b, const char *dir, const char *name)
{
	if (dir[0] && strcmp(dir, ".")) {
		buf_str(b, dir);
		if (name[0] && dir[strlen(dir) - 1] != '/')
			buf_byte(b, '/');
	}
	buf_str(b, name);
}

const char *
fs_boot_id(void)
{
	static char id[64];
	int fd;
	ssize_t n;

	if (id[0])
		return id;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, id, sizeof id - 1);
	if (fd >= 0)
		close(fd);
	while (n > 0 && (id[n - 1] == '\n' || id[n - 1] == ' '))
		n--;
	if (n <= 0)
		return "unknown";
	id[n] = '\0';
	return id;
}
