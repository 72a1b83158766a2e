/* mountpoint.c: the nearest folder above that exists gets a small tmpfs over it, with each of its entries bound into it, as
 * pfs.c does it with the root; in such a one, a mkdir is enough. */
#include "mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "pfs.h"

enum { SCAFFOLDS = 64 };

/* The file systems of those that are ours. */
static dev_t ours[SCAFFOLDS];
static size_t n_ours;

static bool
is_ours(const struct stat *st)
{
	for (size_t i = 0; i < n_ours; i++)
		if (ours[i] == st->st_dev)
			return true;
	return false;
}

/* An entry of the folder that is open as `old`, at the same name below `folder`.  What cannot be bound is left out. */
static int
carry_over(int old, const char *folder, const char *name, struct err *err)
{
	char from[64 + NAME_MAX], to[PATH_MAX + NAME_MAX + 2], link[PATH_MAX];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(from, sizeof from, "/proc/self/fd/%d/%.255s", old, name);
	snprintf(to, sizeof to, "%s/%.255s", folder, name);
	if (fstatat(old, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(old, name, link, sizeof link - 1);
		if (n < 0)
			return 0;
		link[n] = '\0';
		return symlink(link, to) < 0 ? err_set(err, errno, "symlink '%s':", to) : 0;
	}
	if (S_ISDIR(st.st_mode) ? mkdir(to, 0755) < 0 : (fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) < 0 || close(fd) < 0)
		return err_set(err, errno, "cannot make '%s':", to);
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_set(err, errno, "cannot mount '%s':", to);
	return 0;
}

/* A tmpfs over the folder, and in it what was there. */
static int
lay_over(const char *folder, struct err *err)
{
	int old = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = old < 0 ? NULL : fdopendir(dup(old));
	struct stat st = { 0 };
	char options[64];
	struct dirent *e;

	if (!d || fstat(old, &st) < 0) {
		rc = err_set(err, errno, "cannot read '%s':", folder);
	} else {
		snprintf(options, sizeof options, "mode=%o,size=64m", (unsigned)(st.st_mode & 07777));
		if (n_ours == SCAFFOLDS)
			rc = err_set(err, 0, "too many folders to mount in");
		else if (mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
			rc = err_set(err, errno, "cannot mount a tmpfs on '%s':", folder);
	}
	/* It is the user's own where we may say so. */
	if (rc == 0 && geteuid() == 0 && chown(folder, st.st_uid, st.st_gid) < 0)
		rc = err_set(err, errno, "chown '%s':", folder);
	while (rc == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = carry_over(old, folder, e->d_name, err);
	if (rc == 0 && stat(folder, &st) == 0)
		ours[n_ours++] = st.st_dev;
	if (d)
		closedir(d);
	if (old >= 0)
		close(old);
	return rc;
}

/* folder exists, without links in its path; name does not. */
static int
make_in(const char *project, const char *folder, const char *name, struct err *err)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct stat st;

	if (strcmp(folder, "/") == 0)
		return pfs_root_folder(project, name, err);
	if (stat(folder, &st) < 0)
		return err_set(err, errno, "cannot look at '%s':", folder);
	if (!is_ours(&st) && lay_over(folder, err) < 0)
		return -1;
	snprintf(path, sizeof path, "%s/%.255s", folder, name);
	return mkdir(path, 0755) < 0 ? err_set(err, errno, "cannot make '%s':", path) : 0;
}

int
mountpoint_make(const char *project, const char *path, struct err *err)
{
	char upto[PATH_MAX], real[PATH_MAX];
	size_t n = strlen(path);
	struct stat st;

	if (n >= sizeof upto)
		return err_set(err, ENAMETOOLONG, "'%s':", path);
	/* One part of the path after the other. */
	for (size_t at = 0; at < n; ) {
		size_t before = at, end = at + 1 + strcspn(path + at + 1, "/");

		memcpy(upto, path, end);
		upto[end] = '\0';
		at = end;
		if (end == before + 1)
			continue;
		if (stat(upto, &st) == 0) {
			if (!S_ISDIR(st.st_mode))
				return err_set(err, ENOTDIR, "'%s':", upto);
			continue;
		}
		if (errno != ENOENT)
			return err_set(err, errno, "cannot look at '%s':", upto);
		upto[before] = '\0';
		if (!realpath(before ? upto : "/", real))
			return err_set(err, errno, "cannot look at '%s':", upto);
		upto[before] = '/';
		if (make_in(project, real, upto + before + 1, err) < 0)
			return -1;
	}
	return chdir(project) < 0 ? err_set(err, errno, "cannot go to '%s':", project) : 0;
}
