/* child.c: make signals its direct children only, so a stage must hand a signal down to the sub-make, or that
 * would go on alone.  It is also the one that lends its runners' tokens while they wait (lend.c). */
#include "child.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "lend.h"

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
enum { N_PASSED = sizeof passed / sizeof *passed, CAUGHT_MS = 2000 };

static _Noreturn void
become(const char *const argv[], int errfd, const sigset_t *mask, pid_t parent)
{
	/* Who is killed passes nothing on.  A sub-make whose stage is gone could wait for ever for a token: the make above takes
	 * all of them as it ends, and then waits for whoever may still write one. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	if (errfd >= 0 && dup2(errfd, STDERR_FILENO) < 0)
		_exit(127);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Until it has ended; meanwhile tokens are lent. */
static void
attend(pid_t pid, int fd, uint64_t limit, bool *ret_late, struct lender *l)
{
	uint64_t end = limit ? time_now_ns() + limit : 0;
	struct pollfd *v = NULL;

	for (;;) {
		uint64_t now = end ? time_now_ns() : 0, ms = end > now ? (end - now) / 1000000 + 1 : 0;
		size_t n = 1 + lender_room(l);
		int rc, patience;

		if (end && now >= end) {
			*ret_late = true;
			kill(pid, SIGTERM);
			end = 0;
		}
		v = xrealloc(v, n * sizeof *v);
		v[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
		lender_fill(l, v + 1);
		patience = lender_patience(l);
		if (end && (patience < 0 || ms < (uint64_t)patience))
			patience = ms > INT_MAX ? INT_MAX : (int)ms;
		rc = poll(v, n, patience);
		if (rc > 0 && v[0].revents)
			break;
		if (rc > 0 || (rc == 0 && n > 1))
			lender_serve(l, v + 1);
	}
	free(v);
}

static int
wait_for(pid_t pid, uint64_t limit, bool *ret_late, struct lender *l, struct err *err)
{
	int status, fd = l ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd >= 0) {
		attend(pid, fd, limit, ret_late, l);
		close(fd);
	}
	/* After a signal the others end, too: nobody may be left who puts a token back. */
	if (l)
		lender_close(l, caught ? CAUGHT_MS : -1);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "waitpid:");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
child_run(const char *const argv[], int errfd, struct err *err)
{
	bool late;

	return child_run_for(argv, errfd, 0, &late, NULL, err);
}

int
child_run_for(const char *const argv[], int errfd, uint64_t limit, bool *ret_late, struct lender *l, struct err *err)
{
	struct sigaction act = { .sa_handler = pass_on }, old[N_PASSED];
	sigset_t block, mask;
	pid_t parent = getpid(), pid;
	int rc;

	sigemptyset(&block);
	for (int i = 0; i < N_PASSED; i++)
		sigaddset(&block, passed[i]);
	sigprocmask(SIG_BLOCK, &block, &mask);
	pid = fork();
	if (pid == 0)
		become(argv, errfd, &mask, parent);
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
	rc = wait_for(pid, limit, ret_late, l, err);
	child_pid = 0;
	for (int i = 0; i < N_PASSED; i++)
		sigaction(passed[i], &old[i], NULL);
	if (caught)
		raise(caught);
	if (rc == 127)
		return err_set(err, 0, "cannot start '%s': is %s?", argv[0], strchr(argv[0], '/') ? "dassie installed whole" : "it installed");
	return rc;
}
