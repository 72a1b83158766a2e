/* exportstate.c: .dassie as a tar archive, whole and at one moment.
 *
 * A copy made while a make runs may have a ref without its commit, or half of a database.  Here the gc lock is held alone, as
 * by gc and fsck, so no scan, stage or runner is at work, and the database's lock, so nobody writes or checkpoints it: the file
 * and its -wal are then one state together.  What is of this machine stays here: stat caches, locks, views, the pools' places, what
 * a crontab's entry needs (it names this folder).  So do marks, which say what lies in out/; and .dassie/boot goes as one of no boot,
 * so that the first scan on the other side looks at everything as after a power cut (wake.h), and at out/ file by file.
 *
 * The order is that of a kill-safe write: the format first, so that another version refuses what it does not know, refs last,
 * so that an archive that was unpacked by half names nothing that is missing.  Packing is tar's business.  It gets the names by
 * its stdin, a line each; all of them are ours, and one that a line cannot hold is refused. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/talk.h"
#include "child.h"
#include "cronenv.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie export-state [FILE]\n\n"
    "Writes the project's state, .dassie, as a tar archive to FILE or to stdout: as it is at one moment, also beside makes\n"
    "(it waits for those that run, and others wait until it is done). Not in it: specs, code and sources, which are yours\n"
    "to copy; out/, which the next make writes again; caches, locks, and the crontab's entry.\n\n"
    "On the other side, in a folder with the same specs and sources and no .dassie:\n\n"
    "    tar -xf FILE && dassie fsck && make\n\n"
    "    dassie export-state | ssh host 'cd project && tar -xf - && dassie fsck'\n\n"
    "An existing FILE is not overwritten. 'dassie gc --run' before it makes it smaller.\n";

/* What belongs to this machine, this folder or this moment. */
static const char *const stays[] = { DIR_MARKS, DIR_SCAN, DIR_WORK, DIR_LOCK, DIR_POOLS, DIR_DEBUG, DIR_CRON, DIR_STATE "/damaged",
	FILE_DB "-shm" };
/* Before and after all others. */
static const char *const first[] = { FILE_FORMAT, DIR_STATE "/.gitignore" };
static const char *const last[] = { DIR_REFS };

enum { N_STAYS = sizeof stays / sizeof *stays, N_FIRST = sizeof first / sizeof *first, N_LAST = sizeof last / sizeof *last };

struct export {
	struct buf names;       /* a line each */
	uint64_t n, bytes;
};

static bool
is_one_of(const char *path, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(path, list[i]) == 0)
			return true;
	return false;
}

static int
no_dots(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !(n > 4 && strcmp(e->d_name + n - 4, ".tmp") == 0);
}

static int add_folder(struct export *x, const char *dir, bool top, struct err *err);

static int
add(struct export *x, const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot look at '%s':", path);
	if (S_ISDIR(st.st_mode))
		return add_folder(x, path, false, err);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (strpbrk(path, "\n\\"))
		return err_set(err, 0, "'%s' is none of dassie's files: move it away", path);
	buf_str(&x->names, path);
	buf_byte(&x->names, '\n');
	x->n++;
	x->bytes += (uint64_t)st.st_size;
	return 0;
}

/* Sorted, so that the same state is the same archive. */
static int
add_folder(struct export *x, const char *dir, bool top, struct err *err)
{
	struct dirent **e;
	struct buf path = BUF_INIT;
	int n = scandir(dir, &e, no_dots, alphasort), rc = 0;

	if (n < 0)
		return err_set(err, errno, "cannot read '%s':", dir);
	for (int i = 0; i < n; i++) {
		buf_reset(&path);
		fs_join(&path, dir, e[i]->d_name);
		free(e[i]);
		if (rc == 0 && !(top && (is_one_of(path.s, stays, N_STAYS) || is_one_of(path.s, first, N_FIRST) ||
		    is_one_of(path.s, last, N_LAST))))
			rc = add(x, path.s, err);
	}
	free(e);
	buf_release(&path);
	return rc;
}

static int
list(struct export *x, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < N_FIRST; i++)
		rc = add(x, first[i], err);
	if (rc == 0)
		rc = add_folder(x, DIR_STATE, true, err);
	for (size_t i = 0; rc == 0 && i < N_LAST; i++)
		rc = add(x, last[i], err);
	return rc;
}

/* tar, from the names to our stdout. */
static int
pack(const struct export *x, struct err *err)
{
	static const char *const tar[] = { "tar", "-c", "-f", "-", "-T", "-", NULL };
	int fd = memfd_create("dassie", MFD_CLOEXEC), status;

	if (fd < 0)
		return err_set(err, errno, "memfd_create:");
	if (fs_write_all(fd, x->names.s, x->names.n, err) < 0 || lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0) {
		close(fd);
		return err->num ? -1 : err_set(err, errno, "the list of names:");
	}
	close(fd);
	status = child_run(tar, -1, err);
	return status > 0 ? err_set(err, 0, "tar ended with status %d", status) : status;
}

/* A file without a name in FILE's folder, so that nothing is left of one that was not finished; where the file system has none
 * (*ret_name is set then), FILE.PID.tmp. */
static int
open_archive(const char *file, struct buf *ret_name, struct err *err)
{
	const char *slash = strrchr(file, '/');
	struct buf dir = BUF_INIT;
	int fd;

	if (access(file, F_OK) == 0)
		return err_set(err, SHOW_USAGE, "'%s' is there already: name another file, or remove it", file);
	if (slash)
		buf_add(&dir, file, (size_t)(slash - file) + 1);
	fd = open(slash ? dir.s : ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	buf_release(&dir);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		buf_fmt(ret_name, "%s.%ld.tmp", file, (long)getpid());
		fd = open(ret_name->s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	return fd < 0 ? err_set(err, errno, "cannot write '%s':", file) : fd;
}

/* It gets its name when all of it is on the disk. */
static int
name_archive(const char *file, const struct buf *name, struct err *err)
{
	char self[64];
	int rc;

	snprintf(self, sizeof self, "/proc/self/fd/%d", STDOUT_FILENO);
	if (fsync(STDOUT_FILENO) < 0)
		return err_set(err, errno, "cannot write '%s':", file);
	rc = name->n ? linkat(AT_FDCWD, name->s, AT_FDCWD, file, 0) : linkat(AT_FDCWD, self, AT_FDCWD, file, AT_SYMLINK_FOLLOW);
	return rc < 0 ? err_set(err, errno, "cannot write '%s':", file) : 0;
}

/* With the locks held.  A kill leaves .dassie/boot as it was packed: the next scan looks once more than it must. */
static int
export_locked(struct export *x, struct err *err)
{
	static const char none[] = "exported\n";
	const uint64_t when = 1000000000;       /* ever the same, so that the archive is */
	uint64_t kept;
	struct buf boot = BUF_INIT;
	int database = lock_take(LOCK_DATABASE, false, false, err), rc = -1;

	if (database >= 0 && fs_read(FILE_BOOT, &boot, err) >= 0 &&
	    fs_replace_stamped(FILE_BOOT, none, sizeof none - 1, when, &kept, err) == 0 && list(x, err) == 0)
		rc = pack(x, err);
	if (boot.n && fs_replace(FILE_BOOT, boot.s, boot.n, 0644, err) < 0)
		rc = -1;
	if (database >= 0)
		close(database);
	buf_release(&boot);
	return rc;
}

static int
export(struct export *x, const char *file, struct err *err)
{
	struct buf name = BUF_INIT;
	int gc, fd, rc = -1;

	if (file) {
		if ((fd = open_archive(file, &name, err)) < 0)
			return -1;
		if (dup2(fd, STDOUT_FILENO) < 0)
			return err_set(err, errno, "dup2:");
		close(fd);
	}
	if ((gc = lock_take(LOCK_GC, false, false, err)) >= 0) {
		rc = export_locked(x, err);
		close(gc);
	}
	if (rc == 0 && file)
		rc = name_archive(file, &name, err);
	if (name.n)
		unlink(name.s);
	buf_release(&name);
	return rc;
}

static void
tell(const struct export *x, const char *file)
{
	struct buf b = BUF_INIT;

	show_files(&b, x->n, x->bytes);
	if (file)
		talk("%s of .dassie are in '%s'; in the project's folder elsewhere: tar -xf it, then 'dassie fsck', then make", b.s, file);
	else
		talk("%s of .dassie went out", b.s);
	buf_release(&b);
}

/* The project may lie above: the file is meant from here. */
static int
find_state(const char *file, struct buf *ret_file, struct err *err)
{
	char *here = getcwd(NULL, 0);

	if (!here)
		return err_set(err, errno, "cannot tell the current directory:");
	if (file)
		fs_join(ret_file, file[0] == '/' ? "" : here, file);
	free(here);
	return state_find(NULL, err) < 0 ? -1 : state_make(err);
}

int
verb_export_state(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct export x = { .names = BUF_INIT };
	struct buf file = BUF_INIT;
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return show_usage(usage, c == 'h');
	if (argc - optind > 1)
		return show_usage(usage, false);
	if (optind == argc && isatty(STDOUT_FILENO)) {
		talk("an archive is not for a terminal: name a file, or pipe it");
		return EXIT_USAGE;
	}
	rc = find_state(argv[optind], &file, &err);
	if (rc == 0)
		rc = export(&x, file.n ? file.s : NULL, &err);
	if (rc == 0)
		tell(&x, argv[optind]);
	buf_release(&x.names);
	buf_release(&file);
	return rc < 0 ? show_err(&err) : EXIT_DONE;
}
