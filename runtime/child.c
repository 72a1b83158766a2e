/* child.c: make signals its direct children only, so a stage must hand a signal down to the sub-make, or that
 * would go on alone. */
#include "child.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"

static volatile sig_atomic_t child_pid, caught;

static void
pass_on(int sig)
{
	int keep = errno;

	caught = sig;
	if (child_pid > 0)
		kill((pid_t)child_pid, sig);
	errno = keep;
}

static const int passed[] = { SIGINT, SIGTERM, SIGHUP };
enum { N_PASSED = sizeof passed / sizeof *passed };

static _Noreturn void
become(const char *const argv[], int errfd, const sigset_t *mask)
{
	if (errfd >= 0 && dup2(errfd, STDERR_FILENO) < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Until it has ended or this long is over: true if it has not ended. */
static bool
outlives(pid_t pid, uint64_t limit)
{
	uint64_t now = time_now_ns(), end = now + limit;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc = 1;

	if (fd < 0)
		return false;
	for (; now < end; now = time_now_ns()) {
		uint64_t ms = (end - now) / 1000000 + 1;

		rc = poll(&p, 1, ms > INT_MAX ? INT_MAX : (int)ms);
		if (rc > 0 || (rc < 0 && errno != EINTR))
			break;
	}
	close(fd);
	return rc <= 0;
}

static int
wait_for(pid_t pid, uint64_t limit, bool *ret_late, struct err *err)
{
	int status;

	if (limit && outlives(pid, limit)) {
		*ret_late = true;
		kill(pid, SIGTERM);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "waitpid:");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
child_run(const char *const argv[], int errfd, struct err *err)
{
	bool late;

	return child_run_for(argv, errfd, 0, &late, err);
}

int
child_run_for(const char *const argv[], int errfd, uint64_t limit, bool *ret_late, struct err *err)
{
	struct sigaction act = { .sa_handler = pass_on }, old[N_PASSED];
	sigset_t block, mask;
	pid_t pid;
	int rc;

	sigemptyset(&block);
	for (int i = 0; i < N_PASSED; i++)
		sigaddset(&block, passed[i]);
	sigprocmask(SIG_BLOCK, &block, &mask);
	pid = fork();
	if (pid == 0)
		become(argv, errfd, &mask);
	if (pid < 0) {
		err_set(err, errno, "cannot start '%s':", argv[0]);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		return -1;
	}
	*ret_late = false;
	child_pid = pid;
	for (int i = 0; i < N_PASSED; i++)
		sigaction(passed[i], &act, &old[i]);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	rc = wait_for(pid, limit, ret_late, err);
	child_pid = 0;
	for (int i = 0; i < N_PASSED; i++)
		sigaction(passed[i], &old[i], NULL);
	if (caught)
		raise(caught);
	if (rc == 127)
		return err_set(err, 0, "cannot start '%s': is dassie installed whole?", argv[0]);
	return rc;
}
