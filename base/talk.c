/* talk.c: a message is formatted whole and written with one write(2), so that the lines of parallel runners do not mix.
 * Under a sub-make, whose own stderr is put aside, DASSIE_TALK says which descriptor the person reads. */
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"

int
talk_fd(void)
{
	static int fd = -1;
	const char *s;

	if (fd >= 0)
		return fd;
	s = getenv("DASSIE_TALK");
	fd = s ? (int)strtol(s, NULL, 10) : STDERR_FILENO;
	if (fd < STDERR_FILENO || fcntl(fd, F_GETFD) < 0)
		fd = STDERR_FILENO;
	return fd;
}

static bool status_shown;

static void
write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(talk_fd(), p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;   /* nobody is left to be told */
		p += k;
		n -= (size_t)k;
	}
}

void
talk_raw(const char *p, size_t n)
{
	talk_status(NULL, 0);
	write_all(p, n);
}

/* Without wrapping: what is wider than the terminal is cut by it. */
void
talk_status(const char *p, size_t n)
{
	static const char clear[] = "\r\033[K", off[] = "\033[?7l", on[] = "\033[?7h";
	struct buf b = BUF_INIT;

	if (status_shown)
		buf_str(&b, clear);
	if (n) {
		buf_str(&b, off);
		buf_add(&b, p, n);
		buf_str(&b, on);
	}
	status_shown = n > 0;
	if (b.n)
		write_all(b.s, b.n);
	buf_release(&b);
}

void
talk(const char *fmt, ...)
{
	char text[ERR_MAX + 64] = "dassie: ";
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof text - n - 1, fmt, ap);
	va_end(ap);
	n = strlen(text);
	text[n++] = '\n';
	talk_raw(text, n);
}

int
talk_err(const struct err *e)
{
	talk("%s", e->text);
	return EXIT_WORLD;
}

bool
talk_color(int fd)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return (!no || !no[0]) && term && strcmp(term, "dumb") && isatty(fd);
}

int
talk_done(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	talk("cannot write the output: %s", strerror(errno));
	return EXIT_WORLD;
}
