/* A pool of tokens after runners that lent theirs have ended, and after they were killed at any moment.
 * "test_lend make N KILL" is the make of a stage: it starts N runners, and kills those that KILL divides. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../base/err.h"
#include "../../runtime/child.h"
#include "../../runtime/exec.h"
#include "../../runtime/jobserver.h"
#include "../../runtime/lend.h"
#include "tap.h"

enum { TOKENS = 3, MS = 1000000 };

static int pool[2];

static int
tokens(void)
{
	int n = -1;

	return ioctl(pool[0], FIONREAD, &n) < 0 ? -1 : n;
}

/* Lends twice, each time for a moment, and wants one to three tokens then. */
static _Noreturn void
runner(unsigned i)
{
	struct lend lend = LEND_INIT;

	for (int round = 0; round < 2; round++) {
		lend_all(&lend);
		if (lend.line < 0)
			_exit(1);
		exec_wait(-1, exec_clock() + (1 + i % 5) * MS / 2);
		if (lend_hold(&lend, i % TOKENS + 1) || lend.held != i % TOKENS + 1)
			_exit(2);
		exec_wait(-1, exec_clock() + i % 3 * MS / 4);
	}
	lend_end(&lend);
	_exit(0);
}

/* As make does it: a runner is started with a token, and when it has ended its token goes back. */
static _Noreturn void
start(unsigned i, unsigned killed)
{
	int status = 0;
	char token;
	pid_t pid;

	while (read(pool[0], &token, 1) != 1)
		;
	if ((pid = fork()) == 0)
		runner(i);
	if (killed && i % killed == 0) {
		usleep(i * 131 % 700);
		kill(pid, SIGKILL);
	}
	waitpid(pid, &status, 0);
	_exit(write(pool[1], &token, 1) != 1 || (WIFEXITED(status) && WEXITSTATUS(status)));
}

static int
make(unsigned n, unsigned killed)
{
	pid_t pid[64];
	int bad = 0;

	if (sscanf(getenv("MAKEFLAGS"), " -j4 --jobserver-auth=%d,%d", &pool[0], &pool[1]) != 2)
		return 1;
	for (unsigned i = 0; i < n; i++)
		if ((pid[i] = fork()) == 0)
			start(i, killed);
	for (unsigned i = 0; i < n; i++) {
		int status = 0;

		waitpid(pid[i], &status, 0);
		bad |= WIFEXITED(status) && WEXITSTATUS(status);
	}
	return bad;
}

static void
test_job(const char *self, const char *n, const char *killed)
{
	struct lender l = LENDER_INIT;
	struct err err = ERR_INIT;
	bool late;
	int rc;

	lender_open(&l, getenv("MAKEFLAGS"));
	ok(l.ours >= 0, "the pool is found");
	rc = child_run_for((const char *const[]){ self, "make", n, killed, NULL }, -1, 0, &late, &l, &err);
	ok(rc == 0, "%s runners, killed: %s", n, killed);
	ok(tokens() == TOKENS, "%d tokens are there (%d)", TOKENS, tokens());
}

static void
test_pool(void)
{
	struct jobserver j;
	char flags[128];

	ok(!jobserver_open(&j, NULL) && !jobserver_open(&j, "") && !jobserver_open(&j, "k -j2"), "no pool");
	ok(!jobserver_open(&j, " -j2 --jobserver-auth=198,199"), "a pool that was not passed on");
	ok(!jobserver_open(&j, " -- A=1 --jobserver-auth=3,4"), "a variable is none");
	snprintf(flags, sizeof flags, "k -j4 --jobserver-fds=198,199 --jobserver-auth=%d,%d -- A=b", pool[0], pool[1]);
	ok(jobserver_open(&j, flags), "the last one counts");
	ok(jobserver_take(&j) && jobserver_take(&j) && jobserver_take(&j) && !jobserver_take(&j), "it does not wait for a token");
	ok(!(fcntl(pool[0], F_GETFL) & O_NONBLOCK) && !(fcntl(pool[1], F_GETFL) & O_NONBLOCK), "the shared pipe's flags stay");
	ok(jobserver_put(&j) && jobserver_put(&j) && jobserver_put(&j) && tokens() == TOKENS, "and all back");
	jobserver_close(&j);
}

static void
test_fifo(void)
{
	char dir[] = "/tmp/dassie-lend.XXXXXX", flags[128], path[64];
	struct jobserver j;

	if (!mkdtemp(dir))
		exit(2);
	snprintf(path, sizeof path, "%s/fifo", dir);
	snprintf(flags, sizeof flags, " -j2 --jobserver-auth=fifo:%s", path);
	ok(!jobserver_open(&j, flags), "a fifo that is not there");
	if (mkfifo(path, 0600) < 0)
		exit(2);
	ok(jobserver_open(&j, flags), "a fifo");
	ok(!jobserver_take(&j) && jobserver_put(&j) && jobserver_take(&j), "a token through it");
	jobserver_close(&j);
	unlink(path);
	rmdir(dir);
}

int
main(int argc, char **argv)
{
	char flags[64];

	if (argc == 4 && strcmp(argv[1], "make") == 0)
		return make((unsigned)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
	if (pipe(pool) < 0 || write(pool[1], "+++", TOKENS) != TOKENS)
		return 2;
	test_pool();
	test_fifo();
	snprintf(flags, sizeof flags, " -j4 --jobserver-auth=%d,%d", pool[0], pool[1]);
	setenv("MAKEFLAGS", flags, 1);
	test_job(argv[0], "1", "0");
	test_job(argv[0], "40", "0");
	test_job(argv[0], "40", "1");
	for (int i = 0; i < 5; i++)
		test_job(argv[0], "40", (const char *const[]){ "2", "3", "4", "5", "7" }[i]);
	return done();
}
