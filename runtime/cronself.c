/* cronself.c: paths are told as the kernel has them, so that one project is one, by whatever links it was reached. */
#include "cronself.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"

int
cronself_project(struct buf *b, struct err *err)
{
	char *real = realpath(".", NULL);

	if (!real)
		return err_set(err, errno, "cannot tell the project's path:");
	buf_str(b, real);
	free(real);
	return 0;
}

static bool
in_path(const struct stat *self, struct buf *b)
{
	const char *path = getenv("PATH");
	struct stat st;

	for (const char *s = path; s; s = strchr(s, ':'), s = s ? s + 1 : NULL) {
		int n = (int)strcspn(s, ":");

		if (*s != '/')
			continue;
		buf_reset(b);
		buf_fmt(b, "%.*s/dassie", n, s);
		if (stat(b->s, &st) == 0 && st.st_dev == self->st_dev && st.st_ino == self->st_ino)
			return true;
	}
	buf_reset(b);
	return false;
}

int
cronself_program(struct buf *b, struct err *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	struct stat st;

	if (n < 0 || stat("/proc/self/exe", &st) < 0)
		return err_set(err, errno, "cannot tell where this dassie is:");
	if (in_path(&st, b))
		return 0;
	self[n] = '\0';
	if (access(self, X_OK) < 0)
		return err_set(err, errno, "this dassie is no longer in '%s', so cron could not call it:", self);
	buf_str(b, self);
	return 0;
}
