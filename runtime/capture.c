/* capture.c: locks of ours are descriptors that children keep, and a tool may leave a daemon behind (git's file
 * monitor): so nothing but the three standard ones goes over the exec. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"

enum { NO_PROGRAM = 127 };

_Noreturn static void
become(const char *const argv[], int out)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(NO_PROGRAM - 1);
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	execvp(argv[0], (char *const *)argv);
	_exit(errno == ENOENT || errno == EACCES ? NO_PROGRAM : NO_PROGRAM - 1);
}

static void
take(int fd, struct buf *ret, size_t max)
{
	char piece[16384];
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)) {
		size_t room = max > ret->n ? max - ret->n : 0;

		if (n > 0)
			buf_add(ret, piece, (size_t)n < room ? (size_t)n : room);
	}
}

int
capture(const char *const argv[], struct buf *ret, size_t max, struct err *err)
{
	int pipe_fd[2], status;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_set(err, errno, "cannot start '%s':", argv[0]);
	pid = fork();
	if (pid == 0)
		become(argv, pipe_fd[1]);
	close(pipe_fd[1]);
	if (pid < 0) {
		err_set(err, errno, "cannot start '%s':", argv[0]);
		close(pipe_fd[0]);
		return -1;
	}
	take(pipe_fd[0], ret, max);
	close(pipe_fd[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "cannot wait for '%s':", argv[0]);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status) == NO_PROGRAM ? -2 : WEXITSTATUS(status);
}
