/* measure.c: run a command and say what it cost, with everything it started and waited for:
 *
 *	measure FILE COMMAND...
 *
 * writes "USER-us SYS-us WALL-us MAXRSS-kB" to FILE; MAXRSS is that of the biggest one of the processes.
 * The exit status is the command's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long
micro(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

static long long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int
fail(const char *what)
{
	fprintf(stderr, "measure: cannot %s: %s\n", what, strerror(errno));
	return 3;
}

int
main(int argc, char **argv)
{
	struct rusage use;
	long long start;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fputs("usage: measure FILE COMMAND...\n", stderr);
		return 2;
	}
	start = now();
	pid = fork();
	if (pid < 0)
		return fail("fork");
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &use) < 0)
		if (errno != EINTR)
			return fail("wait");
	f = fopen(argv[1], "w");
	if (!f)
		return fail("open the file for the figures");
	fprintf(f, "%lld %lld %lld %ld\n", micro(use.ru_utime), micro(use.ru_stime), now() - start, use.ru_maxrss);
	if (fclose(f) != 0)
		return fail("write the figures");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
