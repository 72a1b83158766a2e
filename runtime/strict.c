/* strict.c: everything is made read-only in one call; what stays writable was cloned before and is put back over itself.  Over
 * the project comes a tmpfs with nothing but its code in it.  We ourselves go on below that, in the project's own mount, by
 * relative paths: so one namespace does for both, and a datum costs nothing more. */
#include "strict.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/plan.h"
#include "pfs.h"

#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif

/* linux/mount.h cannot be included beside sys/mount.h everywhere. */
enum { TREE_CLONE = 1, TREE_RECURSIVE = 0x8000, MOVE_FROM_EMPTY = 4, TEXT_MAX = 128 * 1024 - 1 };

/* /dev and /proc are written to by everything, /sys holds the cgroups of our memory limits. */
static const char *const writable[] = { "/dev", "/proc", "/sys", "/tmp" };

bool
strict_wanted(const struct plan_head *h)
{
	return h->sandbox && strcmp(h->sandbox, "strict") == 0;
}

int
strict_refuse(const char *pipeline, struct err *err)
{
	return err_set(err, 0, "%s: 'sandbox: strict' needs namespaces of its own, and the kernel gives users none here ('dassie doctor' says "
	    "more): allow them, run as root, or take 'sandbox' out", pipeline);
}

/* A copy of the mounts at path, and below; -1. */
static int
clone_tree(const char *path)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, path, TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
}

static int
put_tree(int fd, const char *path)
{
	return (int)syscall(SYS_move_mount, fd, "", AT_FDCWD, path, MOVE_FROM_EMPTY);
}

static int
freeze(const char *project, struct err *err)
{
	enum { N = sizeof writable / sizeof writable[0] };
	int fd[N], own = clone_tree("."), rc = 0;

	if (own < 0)
		return err_set(err, errno, errno == ENOSYS || errno == EPERM ? "'sandbox: strict' needs Linux 5.12 or newer, and a container that allows "
		    "mounts: open_tree:" : "cannot clone the project's mount:");
	for (size_t i = 0; i < N; i++)
		fd[i] = clone_tree(writable[i]);
	if (pfs_read_only("/", true) < 0)
		rc = err_set(err, errno, errno == ENOSYS ? "'sandbox: strict' needs Linux 5.12 or newer: mount_setattr:" : "cannot make '/' read-only:");
	for (size_t i = 0; i < N; i++) {
		if (rc == 0 && fd[i] >= 0 && put_tree(fd[i], writable[i]) < 0)
			rc = err_set(err, errno, "cannot put '%s' back:", writable[i]);
		if (fd[i] >= 0)
			close(fd[i]);
	}
	if (rc == 0 && put_tree(own, project) < 0)
		rc = err_set(err, errno, "cannot put '%s' back:", project);
	close(own);
	if (rc == 0 && chdir(project) < 0)
		rc = err_set(err, errno, "cannot go to '%s':", project);
	return rc;
}

/* Does it stay in the project? */
static bool
inside(const char *path)
{
	return path[0] && path[0] != '/' && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 && !strstr(path, "/../");
}

/* A file of the project, at its own path in what hides the project. */
static int
let_see(const char *project, const char *path, struct err *err)
{
	struct buf to = BUF_INIT;
	int fd, rc;

	if (!inside(path))
		return 0;
	buf_fmt(&to, "%s/%s", project, path);
	rc = fs_mkdirs_for(to.s, err);
	fd = rc < 0 ? -1 : open(to.s, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (rc == 0 && fd < 0)
		rc = err_set(err, errno, "cannot show '%s':", path);
	if (fd >= 0)
		close(fd);
	if (rc == 0 && mount(path, to.s, NULL, MS_BIND, NULL) < 0)
		rc = errno == ENOENT ? 0 : err_set(err, errno, "cannot show '%s':", path);
	buf_release(&to);
	return rc;
}

/* The shell reads the text of a long step from its file. */
static int
let_see_step(const char *project, const char *path, struct err *err)
{
	struct stat st;

	return path && stat(path, &st) == 0 && st.st_size >= TEXT_MAX ? let_see(project, path, err) : 0;
}

static int
let_see_folder(const char *project, const char *path, struct err *err)
{
	struct buf to = BUF_INIT;
	size_t n = strlen(project);
	int rc;

	if (path[0] == '/' && (strncmp(path, project, n) != 0 || path[n] != '/'))
		return 0;
	buf_fmt(&to, "%s/%s", project, path[0] == '/' ? path + n + 1 : path);
	rc = fs_mkdirs(to.s, err);
	buf_release(&to);
	return rc;
}

int
strict_enter(const struct plan_head *h, const char *project, struct err *err)
{
	int rc;

	if (pfs_root_folder(project, &STRICT_TMP[1], err) < 0 || freeze(project, err) < 0)
		return -1;
	if (mount("tmpfs", project, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m") < 0)
		return err_set(err, errno, "cannot hide '%s':", project);
	rc = h->working_dir ? let_see_folder(project, h->working_dir, err) : 0;
	for (size_t i = 0; rc == 0 && i < h->n_code; i++)
		rc = let_see(project, h->code[i].path, err);
	if (rc < 0 || let_see_step(project, h->script, err) < 0 || let_see_step(project, h->err_script, err) < 0)
		return -1;
	return pfs_read_only(project, true) < 0 ? err_set(err, errno, "cannot make '%s' read-only:", project) : 0;
}
