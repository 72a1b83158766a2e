/* lock.c: flock belongs to the open file, so children that inherit the descriptor hold the lock too: a stage's
 * runners keep their pipeline locked even when the stage itself is killed.  Whoever gets the lock writes
 * "PID START-ns" into the file; nobody decides anything by it, it only makes the waiting message useful.  Those who
 * share a lock write nothing: /proc/locks names one of them. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "json.h"
#include "layout.h"
#include "talk.h"

static int
open_lock(const char *name, bool inherit, struct err *err)
{
	char path[LAYOUT_MAX];
	int fd = open(layout_lock(path, name), O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_set(err, errno, "cannot open lock '%s':", path);
	if (inherit && fcntl(fd, F_SETFD, 0) < 0) {
		err_set(err, errno, "cannot open lock '%s':", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* Always as many bytes, so that nothing is truncated: ext4 writes a file that was truncated to disk when it is closed. */
static void
note_holder(int fd)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%-10ld %-20llu\n", (long)getpid(), (unsigned long long)time_now_ns());

	/* For messages only: a full disk must not cost us the lock. */
	if (pwrite(fd, text, (size_t)n, 0) < 0)
		return;
}

/* "1: FLOCK  ADVISORY  READ 4711 08:01:131 0 EOF"; those that wait have "->" after the number. */
static bool
parse_holder(char *line, const struct stat *st, long *ret_pid)
{
	char *field[6], *save = NULL, *end;
	size_t n = 0;

	for (char *s = line; n < 6 && (field[n] = strtok_r(s, " \n", &save)); s = NULL)
		n++;
	if (n < 6 || strcmp(field[1], "FLOCK"))
		return false;
	*ret_pid = strtol(field[4], &end, 10);
	if (*end || *ret_pid <= 0 || strtoul(field[5], &end, 16) != major(st->st_dev) || *end != ':' ||
	    strtoul(end + 1, &end, 16) != minor(st->st_dev) || *end != ':')
		return false;
	return strtoull(end + 1, &end, 10) == st->st_ino && *end == '\0';
}

long
lock_holder(const char *name)
{
	FILE *f = fopen("/proc/locks", "re");
	char path[LAYOUT_MAX], line[256];
	struct stat st;
	long pid, found = 0;

	if (f && stat(layout_lock(path, name), &st) == 0)
		while (found == 0 && fgets(line, sizeof line, f))
			if (parse_holder(line, &st, &pid))
				found = pid;
	if (f)
		fclose(f);
	return found;
}

/* The gc lock is shared by whoever makes, and held alone by gc and fsck. */
static void
tell_alone(void)
{
	long pid = lock_holder(LOCK_GC);

	if (pid > 0)
		talk("waiting for a running make (pid %ld) to come to an end", pid);
	else
		talk("waiting for a running make to come to an end");
}

/* "4711 (dassie) T …" */
static bool
is_stopped(long pid)
{
	char path[64], text[512] = "", *state;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	state = read(fd, text, sizeof text - 1) > 0 ? strrchr(text, ')') : NULL;
	close(fd);
	return state && (state[2] == 'T' || state[2] == 't');
}

static void
tell_waiting(int fd, const char *name)
{
	const char *what = strcmp(name, LOCK_GC) == 0 ? "the garbage collector" :
	    strcmp(name, LOCK_DATABASE) == 0 ? "the database" : strcmp(name, LOCK_SPECS) == 0 ? "the specs" : name;
	char text[64] = "", when[32];
	unsigned long long since = 0;
	char *end;
	long pid;

	if (pread(fd, text, sizeof text - 1, 0) <= 0) {
		talk("waiting for '%s', which another dassie holds", what);
		return;
	}
	pid = strtol(text, &end, 10);
	since = strtoull(end, NULL, 10);
	time_rfc3339(when, since);
	if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		talk("waiting for '%s', which pid %ld holds since %s (that process has ended; its children go on)", what, pid, when);
	else if (is_stopped(pid))
		talk("waiting for '%s', which pid %ld holds since %s (that process is stopped: 'kill -CONT %ld' lets it go on)", what, pid, when, pid);
	else
		talk("waiting for '%s', which pid %ld holds since %s", what, pid, when);
}

void
lock_tell(const char *name, bool shared)
{
	char path[LAYOUT_MAX];
	int fd;

	if (!shared && strcmp(name, LOCK_GC) == 0) {
		tell_alone();
		return;
	}
	fd = open(layout_lock(path, name), O_RDONLY | O_CLOEXEC);
	tell_waiting(fd, name);
	if (fd >= 0)
		close(fd);
}

int
lock_try(const char *name, bool shared, bool inherit, struct err *err)
{
	int fd = open_lock(name, inherit, err);

	if (fd < 0)
		return -1;
	if (flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
		int why = errno;

		close(fd);
		return why == EWOULDBLOCK ? -2 : err_set(err, why, "cannot lock '%s':", name);
	}
	if (!shared)
		note_holder(fd);
	return fd;
}

int
lock_take(const char *name, bool shared, bool inherit, struct err *err)
{
	const struct timespec nap = { 0, 20 * 1000 * 1000 };
	int fd = open_lock(name, inherit, err);

	if (fd < 0)
		return -1;
	for (int i = 0; flock(fd, (shared ? LOCK_SH : LOCK_EX) | (i < 50 ? LOCK_NB : 0)) < 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			err_set(err, errno, "cannot lock '%s':", name);
			close(fd);
			return -1;
		}
		if (i < 50)
			nanosleep(&nap, NULL);
		if (i == 49)
			lock_tell(name, shared);
	}
	if (!shared)
		note_holder(fd);
	return fd;
}
