/* child.c: make signals its direct children only, so a stage must hand a signal down to the sub-make, or that
 * would go on alone. */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/err.h"

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

static int
wait_for(pid_t pid, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "waitpid:");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
child_run(const char *const argv[], int errfd, struct err *err)
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
	child_pid = pid;
	for (int i = 0; i < N_PASSED; i++)
		sigaction(passed[i], &act, &old[i]);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	rc = wait_for(pid, err);
	child_pid = 0;
	for (int i = 0; i < N_PASSED; i++)
		sigaction(passed[i], &old[i], NULL);
	if (caught)
		raise(caught);
	if (rc == 127)
		return err_set(err, 0, "cannot start '%s': is dassie installed whole?", argv[0]);
	return rc;
}
