/* tool.c: three files in memory instead of three pipes: nothing can wait for anything. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"

enum { NO_PROGRAM = 127, SAID_MAX = 400 };

_Noreturn static void
become(const char *const argv[], const int fd[3])
{
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			_exit(NO_PROGRAM - 1);
	if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		for (int i = 3; i < 1024; i++)
			fcntl(i, F_SETFD, FD_CLOEXEC);
	setenv("LC_ALL", "C", 1);
	execvp(argv[0], (char *const *)argv);
	_exit(errno == ENOENT || errno == EACCES ? NO_PROGRAM : NO_PROGRAM - 1);
}

static int
take(int fd, struct buf *b, struct err *err)
{
	char piece[16384];
	ssize_t n;
	off_t at = 0;

	while ((n = pread(fd, piece, sizeof piece, at)) > 0) {
		buf_add(b, piece, (size_t)n);
		at += n;
	}
	return n < 0 ? err_set(err, errno, "pread:") : 0;
}

static int
start_and_wait(const char *const argv[], const int fd[3], struct err *err)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become(argv, fd);
	if (pid < 0)
		return err_set(err, errno, "fork:");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "waitpid:");
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status) == NO_PROGRAM ? -2 : WEXITSTATUS(status);
}

int
tool_run(const char *const argv[], const char *in, size_t n, struct buf *ret_out, struct buf *ret_said, struct err *err)
{
	int fd[3] = { -1, -1, -1 }, rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++)
		if ((fd[i] = memfd_create("dassie", MFD_CLOEXEC)) < 0)
			rc = err_set(err, errno, "memfd_create:");
	if (rc == 0 && in && (fs_write_all(fd[0], in, n, err) < 0 || lseek(fd[0], 0, SEEK_SET) < 0))
		rc = -1;
	if (rc == 0)
		rc = start_and_wait(argv, fd, err);
	if (rc >= 0 && (take(fd[1], ret_out, err) < 0 || take(fd[2], ret_said, err) < 0))
		rc = -1;
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return rc == -1 ? err_wrap(err, "cannot run '%s'", argv[0]) : rc;
}

void
tool_said(struct buf *b, const struct buf *said)
{
	size_t n = said->n, at = b->n;

	while (n && (said->s[n - 1] == '\n' || said->s[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n && b->n - at < SAID_MAX; i++)
		if (said->s[i] == '\n')
			buf_str(b, "; ");
		else
			buf_byte(b, (unsigned char)said->s[i] < ' ' ? '?' : said->s[i]);
}
