/* pfs.c: where the host has no /pfs, the new root is a small tmpfs with every entry of the old root bound into it, and
 * an empty pfs; pivot_root rather than chroot, because a process that is chrooted may not make user namespaces, which
 * the user's command may want.  Whether all this works depends on the kernel, its settings and a container around us, and a
 * half-made namespace cannot be left: so a child tries it first.
 *
 * What lies one over the other at /pfs:
 *   a tmpfs, writable for us by its descriptor: making an inode on it costs a quarter of what ext4 takes for one, and
 *     a tenth to a hundredth of it after many were deleted there
 *   a bind mount of its folder, read-only, which hides it: what the command sees.  Of a datum with very many files the folder
 *     is one on the disk
 *   files of sources and the store bound into that, and out/
 * As long as no files are bound, all that stays from datum to datum.  Else one detach takes it down: an unmount costs as
 * much as twenty mounts (it waits for every processor), and that of a tree as much as of one. */
#include "pfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/layout.h"

/* A mount point that is there anyway. While it is being filled it is unbindable: the folder that the project is in
 * would else be carried over with the new root inside. */
static const char SCAFFOLD[] = DIR_WORK;
static bool own_root;       /* / is such a scaffold */

static int
put(const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (n < 0)
		err_set(err, errno, "cannot write '%s':", path);
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* One id on each side: whom files belong to stays what it is. */
static int
map_ids(uid_t uid, gid_t gid, struct err *err)
{
	char uids[48], gids[48];

	snprintf(uids, sizeof uids, "%lu %lu 1\n", (unsigned long)uid, (unsigned long)uid);
	snprintf(gids, sizeof gids, "%lu %lu 1\n", (unsigned long)gid, (unsigned long)gid);
	return put("/proc/self/setgroups", "deny", err) < 0 || put("/proc/self/uid_map", uids, err) < 0 ||
	    put("/proc/self/gid_map", gids, err) < 0 ? -1 : 0;
}

/* Root needs no user namespace, and keeps all its rights without one. */
static int
unshare_all(struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0 && unshare(CLONE_NEWNS) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return err_set(err, errno, "unshare:");
	return map_ids(uid, gid, err);
}

static int
bind(const char *from, const char *to, struct err *err)
{
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_set(err, errno, "cannot mount '%s':", from);
	return 0;
}

/* One entry of the old root under the new one; what cannot be shown (a dangling link, a socket) is left out. */
static int
carry_over(const char *name, struct err *err)
{
	char from[NAME_MAX + 2], to[sizeof SCAFFOLD + NAME_MAX + 2], link[PATH_MAX];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(from, sizeof from, "/%s", name);
	snprintf(to, sizeof to, "%s/%s", SCAFFOLD, name);
	if (lstat(from, &st) < 0)
		return 0;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(from, link, sizeof link - 1);
		if (n < 0)
			return 0;
		link[n] = '\0';
		return symlink(link, to) < 0 ? err_set(err, errno, "symlink '%s':", to) : 0;
	}
	if (S_ISDIR(st.st_mode))
		return mkdir(to, 0755) < 0 ? err_set(err, errno, "mkdir '%s':", to) : bind(from, to, err);
	if (!S_ISREG(st.st_mode))
		return 0;
	fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, errno, "open '%s':", to);
	close(fd);
	return bind(from, to, err);
}

static int
fill_root(struct err *err)
{
	DIR *d = opendir("/");
	struct dirent *e;
	int rc = 0;

	if (!d)
		return err_set(err, errno, "cannot read '/':");
	while (rc == 0 && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, "pfs"))
			rc = carry_over(e->d_name, err);
	closedir(d);
	return rc;
}

static int
new_root(struct err *err)
{
	char pfs[sizeof SCAFFOLD + sizeof PFS_DIR];

	snprintf(pfs, sizeof pfs, "%s%s", SCAFFOLD, PFS_DIR);
	if (mount("tmpfs", SCAFFOLD, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m") < 0)
		return err_set(err, errno, "cannot mount a tmpfs:");
	if (mount(NULL, SCAFFOLD, NULL, MS_UNBINDABLE, NULL) < 0)
		return err_set(err, errno, "cannot make the new root unbindable:");
	if (fill_root(err) < 0)
		return -1;
	if (mkdir(pfs, 0755) < 0)
		return err_set(err, errno, "mkdir '%s':", pfs);
	if (mount(NULL, SCAFFOLD, NULL, MS_PRIVATE, NULL) < 0 ||
	    mount(NULL, SCAFFOLD, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return err_set(err, errno, "cannot make the new root read-only:");
	if (chdir(SCAFFOLD) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return err_set(err, errno, "cannot change the root:");
	own_root = true;
	return 0;
}

/* The kernel's struct mount_attr (Linux 5.12), which older headers have not. */
struct attributes { uint64_t set, clear, propagation, userns; };

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

enum { ATTR_RDONLY = 1, ALL_BELOW = 0x8000 };

static int
set_attributes(const char *path, bool below, bool read_only)
{
	struct attributes a = { .set = read_only ? ATTR_RDONLY : 0, .clear = read_only ? 0 : ATTR_RDONLY };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, below ? ALL_BELOW : 0, &a, sizeof a);
}

/* The old way: one mount at a time.  What it may not (nosuid, …) it has to be told again, or an ordinary user is refused. */
static int
remount_read_only(const char *path)
{
	static const struct { unsigned long has, flag; } keep[] = {
		{ ST_NOSUID, MS_NOSUID }, { ST_NODEV, MS_NODEV }, { ST_NOEXEC, MS_NOEXEC }, { ST_NOATIME, MS_NOATIME },
		{ ST_NODIRATIME, MS_NODIRATIME }, { ST_RELATIME, MS_RELATIME },
	};
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;
	struct statvfs fs;

	if (statvfs(path, &fs) < 0)
		return -1;
	for (size_t i = 0; i < sizeof keep / sizeof keep[0]; i++)
		if (fs.f_flag & keep[i].has)
			flags |= keep[i].flag;
	return mount(NULL, path, NULL, flags, NULL);
}

/* Old kernels have no call that makes a whole tree read-only, and some containers forbid it. */
static bool
can_set_attributes(void)
{
	struct attributes none = { 0 };

	return syscall(SYS_mount_setattr, AT_FDCWD, PFS_DIR, 0, &none, sizeof none) == 0;
}

bool
pfs_covers(const char *path)
{
	size_t n = strlen(PFS_DIR);

	return strncmp(path, PFS_DIR, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

int
pfs_root_folder(const char *project, const char *name, struct err *err)
{
	static const unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV;
	char path[NAME_MAX + 2];

	snprintf(path, sizeof path, "/%s", name);
	if (!own_root && (chdir(project) < 0 || new_root(err) < 0))
		return -1;
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return err_set(err, errno, "cannot make the new root writable:");
	if (mkdir(path, 0755) < 0)
		return err_set(err, errno, "cannot make '%s':", path);
	if (mount(NULL, "/", NULL, flags | MS_RDONLY, NULL) < 0)
		return err_set(err, errno, "cannot make the new root read-only:");
	return chdir(project) < 0 ? err_set(err, errno, "cannot go to '%s':", project) : 0;
}

int
pfs_enter(const char *project, struct err *err)
{
	struct stat st;

	if (pfs_covers(project))
		return err_set(err, 0, "the project itself lies in '%s'", PFS_DIR);
	if (unshare_all(err) < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(err, errno, "cannot make the mounts private:");
	if ((stat(PFS_DIR, &st) < 0 || !S_ISDIR(st.st_mode)) && new_root(err) < 0)
		return -1;
	if (chdir(project) < 0)
		return err_set(err, errno, "cannot go to '%s':", project);
	return 0;
}

int
pfs_ready(struct pfs *p, struct err *err)
{
	if (p->fd >= 0)
		return 0;
	if (mount("tmpfs", PFS_DIR, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=256m") < 0)
		return err_set(err, errno, "cannot mount a tmpfs at '%s':", PFS_DIR);
	p->fd = open(PFS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0 || mkdirat(p->fd, PFS_MEMORY, 0755) < 0 || mkdirat(p->fd, PFS_MEMORY "/out", 0755) < 0)
		return err_set(err, errno, "cannot make a folder in '%s':", PFS_DIR);
	p->by_tree = can_set_attributes();
	return 0;
}

int
pfs_open(struct pfs *p, const char *folder, struct err *err)
{
	char memory[48];

	if (p->shown)
		return 0;
	snprintf(memory, sizeof memory, "/proc/self/fd/%d/%s", p->fd, PFS_MEMORY);
	if (mount(folder ? folder : memory, PFS_DIR, NULL, MS_BIND, NULL) < 0)
		return err_set(err, errno, "cannot show '%s' as '%s':", folder ? folder : memory, PFS_DIR);
	p->shown = true;
	if ((p->by_tree ? set_attributes(PFS_DIR, false, true) : remount_read_only(PFS_DIR)) < 0)
		return err_set(err, errno, "cannot make '%s' read-only:", PFS_DIR);
	return 0;
}

int
pfs_bind(struct pfs *p, const char *file, const char *at)
{
	int num;

	if (mount(file, at, NULL, MS_BIND, NULL) < 0)
		return -1;
	p->files = true;
	if (p->by_tree || remount_read_only(at) == 0)
		return 0;
	num = errno;
	umount2(at, MNT_DETACH);
	errno = num;
	return -1;
}

int
pfs_read_only(const char *path, bool below)
{
	return set_attributes(path, below, true);
}

/* Show dir at this place; nothing if it is there. */
static int
show_at(const char *dir, const char *at, bool *shown, struct err *err)
{
	struct stat a, b;

	if (stat(dir, &a) < 0 || stat(at, &b) < 0)
		return err_set(err, errno, "cannot look at '%s':", dir);
	if (*shown && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return 0;
	if (*shown && umount2(at, MNT_DETACH) < 0)
		return err_set(err, errno, "cannot unmount '%s':", at);
	*shown = false;
	if (mount(dir, at, NULL, MS_BIND, NULL) < 0)
		return err_set(err, errno, "cannot show '%s' as '%s':", dir, at);
	*shown = true;
	return 0;
}

int
pfs_seal(struct pfs *p, const char *out, const char *tmp, struct err *err)
{
	static const char at[] = PFS_DIR "/out";

	if (p->files && p->by_tree && set_attributes(PFS_DIR, true, true) < 0)
		return err_set(err, errno, "cannot make '%s' read-only:", PFS_DIR);
	if (p->files && p->by_tree && p->out && set_attributes(at, false, false) < 0)
		return err_set(err, errno, "cannot make '%s' writable:", at);
	if (show_at(out, at, &p->out, err) < 0)
		return -1;
	return p->tmp_at ? show_at(tmp, p->tmp_at, &p->tmp, err) : 0;
}

int
pfs_close(struct pfs *p, struct err *err)
{
	if (!p->shown)
		return 0;
	if (umount2(PFS_DIR, MNT_DETACH) < 0)
		return err_set(err, errno, "cannot unmount '%s':", PFS_DIR);
	p->shown = p->files = p->out = false;
	return 0;
}

void
pfs_release(struct pfs *p)
{
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct pfs)PFS_INIT;
}

bool
pfs_possible(const char *project)
{
	struct pfs p = PFS_INIT;
	struct err err = ERR_INIT;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(pfs_enter(project, &err) < 0 || pfs_ready(&p, &err) < 0 || pfs_open(&p, NULL, &err) < 0 || pfs_seal(&p, DIR_WORK, DIR_WORK, &err) < 0);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
