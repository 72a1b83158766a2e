/* spool.c: fs_replace() for files too large to be held: a temporary name beside the file, then rename. */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"

enum { MUCH = 1024 * 1024 };

int
spool_open(struct spool *s, const char *path, struct err *err)
{
	struct buf tmp = BUF_INIT;

	*s = (struct spool)SPOOL_INIT;
	buf_fmt(&tmp, "%s.%ld.tmp", path, (long)getpid());
	s->path = xstrdup(path);
	s->tmp = buf_detach(&tmp);
	unlink(s->tmp);
	s->fd = open(s->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (s->fd >= 0)
		return 0;
	err_set(err, errno, "cannot write '%s': open:", path);
	spool_release(s);
	return -1;
}

static int
flush(struct spool *s, struct err *err)
{
	if (fs_write_all(s->fd, s->b.s, s->b.n, err) < 0)
		return err_wrap(err, "cannot write '%s'", s->path);
	s->flushed += s->b.n;
	buf_reset(&s->b);
	return 0;
}

int
spool_step(struct spool *s, struct err *err)
{
	return s->b.n < MUCH ? 0 : flush(s, err);
}

int
spool_commit(struct spool *s, struct err *err)
{
	int fd = s->fd;

	if (flush(s, err) < 0)
		return -1;
	s->fd = -1;
	if (close(fd) < 0 || rename(s->tmp, s->path) < 0) {
		err_set(err, errno, "cannot write '%s':", s->path);
		unlink(s->tmp);
		return -1;
	}
	return 0;
}

void
spool_release(struct spool *s)
{
	if (s->fd >= 0) {
		close(s->fd);
		unlink(s->tmp);
	}
	buf_release(&s->b);
	free(s->path);
	free(s->tmp);
	*s = (struct spool)SPOOL_INIT;
}

uint64_t
spool_at(const struct spool *s)
{
	return s->flushed + s->b.n;
}
