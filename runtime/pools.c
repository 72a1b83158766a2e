/* pools.c: pools are taken from in the order of their names, and of each all that is needed before the next: so whoever
 * has some and waits for more waits only for those who need nothing that it has.  While it waits it keeps the pool's
 * turn, or one that needs four places would for ever be overtaken by those who need one. */
#include "pools.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/limits.h"
#include "../base/mem.h"

/* The lock on this file, -2 if another has it, -1. */
static int
try_lock(const char *pool, const char *suffix, struct err *err)
{
	char path[LAYOUT_MAX];
	int fd = open(layout_pool(path, pool, suffix), O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 && errno == ENOENT && fs_mkdirs_for(path, err) == 0)
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (errno != EWOULDBLOCK && errno != EINTR) {
		err_set(err, errno, "cannot lock '%s':", path);
		close(fd);
		return -1;
	}
	close(fd);
	return -2;
}

/* Of the pool at hand. */
static int
take_places(struct pools *p, const struct limits_pool *pool, struct err *err)
{
	char number[16];

	for (unsigned i = 0; i < pool->size && p->got < pool->takes; i++) {
		int fd;

		snprintf(number, sizeof number, "%u", i);
		fd = try_lock(pool->name, number, err);
		if (fd == -1)
			return -1;
		if (fd < 0)
			continue;
		GROW(p->fd, p->n, p->cap);
		p->fd[p->n++] = fd;
		p->got++;
	}
	return p->got == pool->takes;
}

int
pools_step(struct pools *p, const struct limits *l, struct err *err)
{
	while (p->at < l->n_pool) {
		const struct limits_pool *pool = &l->pool[p->at];
		int rc;

		if (p->turn < 0)
			p->turn = try_lock(pool->name, "turn", err);
		if (p->turn < 0)
			return p->turn == -1 ? -1 : 0;
		rc = take_places(p, pool, err);
		if (rc != 1)
			return rc;
		close(p->turn);
		p->turn = -1;
		p->got = 0;
		p->at++;
	}
	return 1;
}

void
pools_leave(struct pools *p)
{
	for (size_t i = 0; i < p->n; i++)
		close(p->fd[i]);
	if (p->turn >= 0)
		close(p->turn);
	p->turn = -1;
	p->n = p->at = 0;
	p->got = 0;
}

void
pools_release(struct pools *p)
{
	pools_leave(p);
	free(p->fd);
	*p = (struct pools)POOLS_INIT;
}
