/* jobserver.c: a pool of -jN is a pipe with N - 1 bytes in it (make 4.3: --jobserver-auth=R,W, two inherited numbers; 4.4
 * also fifo:PATH).  Who wants to run one job more takes a byte, and puts it back when that job has ended.
 *
 * The pipe is shared with every make and compiler of the run, and so is its O_NONBLOCK: setting that would break those
 * who count on reads that wait, not setting it would make us hang where another was quicker.  So the pipe is opened
 * anew through /proc, with flags of our own.
 *
 * How a token is lent while a runner waits, and comes back whatever happens, is in lend.c. */
#include "jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe or fifo, or -1: the number may be somebody else's if make did not pass the pipe on. */
static int
open_pipe(const char *path, int flags)
{
	struct stat st;
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool
open_auth(struct jobserver *j, const char *auth, size_t n)
{
	char text[PATH_MAX], r[64], w[64];
	int in, out;

	if (n >= sizeof text)
		return false;
	memcpy(text, auth, n);
	text[n] = '\0';
	if (strncmp(text, "fifo:", 5) == 0) {
		/* The reading end first: a fifo that nobody reads cannot be opened for writing without waiting. */
		j->r = open_pipe(text + 5, O_RDONLY);
		j->w = open_pipe(text + 5, O_WRONLY);
	} else if (sscanf(text, "%d,%d", &in, &out) == 2 && in >= 0 && out >= 0) {
		snprintf(r, sizeof r, "/proc/self/fd/%d", in);
		snprintf(w, sizeof w, "/proc/self/fd/%d", out);
		j->r = open_pipe(r, O_RDONLY);
		j->w = open_pipe(w, O_WRONLY);
	}
	if (j->r >= 0 && j->w >= 0)
		return true;
	jobserver_close(j);
	return false;
}

bool
jobserver_open(struct jobserver *j, const char *makeflags)
{
	static const char *const option[] = { "--jobserver-auth=", "--jobserver-fds=" };
	const char *auth = NULL;
	size_t auth_n = 0;

	*j = (struct jobserver)JOBSERVER_INIT;
	for (const char *s = makeflags ? makeflags : ""; *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");

		if (n == 2 && memcmp(s, "--", 2) == 0)
			break;
		for (size_t i = 0; i < sizeof option / sizeof *option; i++)
			if (strncmp(s, option[i], strlen(option[i])) == 0) {
				auth = s + strlen(option[i]);
				auth_n = n - strlen(option[i]);
			}
		s += n;
	}
	return auth && open_auth(j, auth, auth_n);
}

void
jobserver_close(struct jobserver *j)
{
	if (j->r >= 0)
		close(j->r);
	if (j->w >= 0)
		close(j->w);
	*j = (struct jobserver)JOBSERVER_INIT;
}

bool
jobserver_put(struct jobserver *j)
{
	return j->w >= 0 && write(j->w, "+", 1) == 1;
}

bool
jobserver_take(struct jobserver *j)
{
	char token;

	return j->r >= 0 && read(j->r, &token, 1) == 1;
}
