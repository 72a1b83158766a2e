/* cronlog.c: the log is lines "2026-11-22 03:00:01Z [4711] TEXT": several entries may be under way at once, and each line is
 * one write at the end of the file. From LOG_MAX bytes on the file becomes log.1, that log.2, and what was log.2 is gone;
 * so the three never hold much more than three times that, whatever a program prints. */
#include "cronlog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "cronenv.h"

enum { LOG_MAX = 1 << 20, LINE_MAX_LOG = 8192, TAIL_MAX = 6000 };

struct log {
	int fd;
	pid_t pid;
	struct buf line;        /* begun, its end not seen */
	struct buf *tail;
	bool told;
};

static volatile sig_atomic_t child_pid;

static void
pass_on(int sig)
{
	if (child_pid > 0)
		kill((pid_t)child_pid, sig);
}

static int
open_log(struct err *err)
{
	int fd = open(FILE_CRON_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	return fd < 0 ? err_set(err, errno, "cannot open '%s':", FILE_CRON_LOG) : fd;
}

/* Under a lock on the folder: two that find it too long must not both move it. */
static int
rotate(int fd, struct err *err)
{
	int dir = open(DIR_CRON, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fresh;
	struct stat mine, named;

	if (dir < 0 || flock(dir, LOCK_EX) < 0)
		err_set(err, errno, "cannot lock '%s':", DIR_CRON);
	else if (fstat(fd, &mine) == 0 && stat(FILE_CRON_LOG, &named) == 0 && mine.st_ino == named.st_ino) {
		rename(FILE_CRON_LOG ".1", FILE_CRON_LOG ".2");
		rename(FILE_CRON_LOG, FILE_CRON_LOG ".1");
	}
	fresh = open_log(err);
	if (dir >= 0)
		close(dir);
	if (fresh < 0)
		return fd;
	close(fd);
	return fresh;
}

static void
write_line(struct log *l, const char *text, size_t n)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct stat st;
	time_t now = time(NULL);
	struct tm tm;
	char when[32] = "";

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof when, "%Y-%m-%d %H:%M:%SZ", &tm);
	buf_fmt(&b, "%s [%ld] ", when, (long)l->pid);
	buf_add(&b, text, n);
	buf_byte(&b, '\n');
	if (l->fd >= 0 && fstat(l->fd, &st) == 0 && st.st_size >= LOG_MAX)
		l->fd = rotate(l->fd, &err);
	if (l->fd < 0 || fs_write_all(l->fd, b.s, b.n, &err) < 0) {
		if (!l->told && l->fd >= 0)
			buf_fmt(l->tail, "dassie: cannot write '%s': %s\n", FILE_CRON_LOG, err.text);
		l->told = true;
	}
	buf_release(&b);
}

/* Cut from its front, at a line. */
static void
add_tail(struct buf *tail, const char *text, size_t n)
{
	buf_add(tail, text, n);
	buf_byte(tail, '\n');
	if (tail->n > 2 * TAIL_MAX) {
		const char *from = memchr(tail->s + tail->n - TAIL_MAX, '\n', TAIL_MAX);
		size_t left = from ? tail->n - (size_t)(from + 1 - tail->s) : 0;

		if (left)
			memmove(tail->s, from + 1, left);
		tail->n = left;
		tail->s[left] = '\0';
	}
}

static void
take(struct log *l, const char *p, size_t n, bool last)
{
	while (n) {
		const char *nl = memchr(p, '\n', n);
		size_t k = nl ? (size_t)(nl - p) : n;

		buf_add(&l->line, p, k);
		p += k + (nl != NULL);
		n -= k + (nl != NULL);
		if (!nl && l->line.n < LINE_MAX_LOG)
			break;
		write_line(l, l->line.s, l->line.n);
		add_tail(l->tail, l->line.s, l->line.n);
		buf_reset(&l->line);
	}
	if (last && l->line.n) {
		write_line(l, l->line.s, l->line.n);
		add_tail(l->tail, l->line.s, l->line.n);
	}
}

/* Until the program has ended: somebody that it left behind may hold the pipe for ever. */
static void
follow(struct log *l, int fd, int pidfd)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	char piece[16384];
	bool open = true;

	while (open) {
		bool ended = false;
		ssize_t n;

		if (poll(p, pidfd >= 0 ? 2 : 1, -1) < 0 && errno == EINTR)
			continue;
		ended = p[1].revents != 0;
		while ((n = read(fd, piece, sizeof piece)) > 0)
			take(l, piece, (size_t)n, false);
		open = !ended && (n < 0 && (errno == EAGAIN || errno == EINTR));
	}
	take(l, "", 0, true);
}

_Noreturn static void
become(const char *const argv[], int out)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		_exit(126);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static int
end_of(pid_t pid, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "waitpid:");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
cronlog_run(const char *const argv[], struct buf *ret_tail, struct err *err)
{
	static const int passed[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = pass_on };
	struct log l = { .fd = -1, .line = BUF_INIT, .tail = ret_tail };
	int fd[2], pidfd, rc;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_set(err, errno, "cannot start '%s':", argv[0]);
	if ((l.fd = open_log(err)) < 0)
		buf_fmt(ret_tail, "dassie: %s\n", err->text);
	l.pid = fork();
	if (l.pid == 0)
		become(argv, fd[1]);
	close(fd[1]);
	if (l.pid < 0) {
		rc = err_set(err, errno, "cannot start '%s':", argv[0]);
	} else {
		child_pid = l.pid;
		for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
			sigaction(passed[i], &act, NULL);
		fcntl(fd[0], F_SETFL, O_NONBLOCK);
		pidfd = (int)syscall(SYS_pidfd_open, l.pid, 0);
		follow(&l, fd[0], pidfd);
		if (pidfd >= 0)
			close(pidfd);
		rc = end_of(l.pid, err);
		child_pid = 0;
	}
	close(fd[0]);
	if (l.fd >= 0)
		close(l.fd);
	buf_release(&l.line);
	return rc;
}
