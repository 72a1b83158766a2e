/* spool.c: fs_replace() for files too large to be held: a temporary name beside the file, then rename.  One buffer that
 * stays in the CPU's cache is cheaper than the pages of a large one, which the kernel has to find and clear first. */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "err.h"
#include "fs.h"
#include "mem.h"
#include "rec.h"

enum { MUCH = 256 * 1024 };

int
spool_open(struct spool *s, const char *path, struct err *err)
{
	struct buf tmp = BUF_INIT;

	*s = (struct spool)SPOOL_INIT;
	buf_fmt(&tmp, "%s.%ld.tmp", path, (long)getpid());
	s->tmp = buf_detach(&tmp);
	sha256_init(&s->sha);
	unlink(s->tmp);
	s->fd = open(s->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (s->fd >= 0)
		return 0;
	err_set(err, errno, "cannot write '%s': open:", path);
	spool_release(s);
	return -1;
}

static int
put(struct spool *s, const void *p, size_t n, struct err *err)
{
	if (fs_write_all(s->fd, p, n, err) < 0)
		return err_wrap(err, "cannot write '%s'", s->tmp);
	sha256_update(&s->sha, p, n);
	s->flushed += n;
	return 0;
}

static int
flush(struct spool *s, struct err *err)
{
	if (s->b.n && put(s, s->b.s, s->b.n, err) < 0)
		return -1;
	buf_reset(&s->b);
	return 0;
}

int
spool_step(struct spool *s, struct err *err)
{
	return s->b.n < MUCH ? 0 : flush(s, err);
}

int
spool_copy(struct spool *s, const void *p, size_t n, struct err *err)
{
	if (n >= MUCH)
		return flush(s, err) < 0 ? -1 : put(s, p, n, err);
	if (n)
		buf_add(&s->b, p, n);
	return spool_step(s, err);
}

int
spool_hash(struct spool *s, struct oid *ret_id, struct err *err)
{
	struct sha256 sha;

	if (flush(s, err) < 0)
		return -1;
	sha = s->sha;
	sha256_final(&sha, ret_id);
	return 0;
}

int
spool_seal(struct spool *s, struct err *err)
{
	struct oid id;

	if (spool_hash(s, &id, err) < 0)
		return -1;
	rec_put_seal(&s->b, &id);
	return 0;
}

int
spool_commit(struct spool *s, const char *path, struct err *err)
{
	int fd = s->fd, rc = 0;

	if (flush(s, err) < 0)
		return -1;
	s->fd = -1;
	if (close(fd) < 0 || rename(s->tmp, path) < 0) {
		rc = err_set(err, errno, "cannot write '%s':", path);
		unlink(s->tmp);
	}
	spool_release(s);
	return rc;
}

void
spool_release(struct spool *s)
{
	if (s->fd >= 0) {
		close(s->fd);
		unlink(s->tmp);
	}
	buf_release(&s->b);
	free(s->tmp);
	*s = (struct spool)SPOOL_INIT;
}

uint64_t
spool_at(const struct spool *s)
{
	return s->flushed + s->b.n;
}
