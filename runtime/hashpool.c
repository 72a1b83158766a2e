/* hashpool.c: threads take the next file off one array; a large file keeps one of them busy, the small ones go on
 * beside it.  read(2) into a buffer of each thread's own: for small files that is one call where mmap needs three and a
 * page fault a page, for large ones it is as fast as the hash. */
#include "hashpool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "complaint.h"

enum { CHUNK = 256 * 1024, TRIES = 4, CORES_MAX = 16 };

struct pool {
	int rootfd;
	const char *shown, *hint;
	struct hashfile *const *v;
	size_t n;
	atomic_size_t next;
	struct complaints *bad;
};

unsigned
cores(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > CORES_MAX ? CORES_MAX : (unsigned)n;
}

void
shown_path(struct buf *b, const char *shown, const char *dir, const char *name)
{
	buf_str(b, shown);
	if (dir[0] && b->n && b->s[b->n - 1] != '/')
		buf_byte(b, '/');
	buf_str(b, dir);
	if (name[0] && b->n && b->s[b->n - 1] != '/')
		buf_byte(b, '/');
	buf_str(b, name);
}

/* Down in steps that the kernel takes, each ending at a '/'. */
int
open_deep(int rootfd, const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char part[PATH_MAX];
	size_t n = strlen(path);
	int fd = rootfd, next;

	while (n >= sizeof part) {
		size_t k = sizeof part - 1;

		while (k > 0 && path[k] != '/')
			k--;
		memcpy(part, path, k);
		part[k] = '\0';
		next = openat(fd, part, flags);
		if (fd != rootfd)
			close(fd);
		if (next < 0)
			return -1;
		fd = next;
		path += k + 1;
		n -= k + 1;
	}
	next = openat(fd, n ? path : ".", flags);
	if (fd != rootfd)
		close(fd);
	return next;
}

/* O_NONBLOCK: a FIFO that took the file's place must not stop us. */
static int
open_file(int rootfd, const struct hashfile *f, struct buf *path)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int dirfd, fd, why;

	buf_reset(path);
	shown_path(path, "", f->dir, f->name);
	if (path->n < PATH_MAX)
		return openat(rootfd, path->s, flags);
	if ((dirfd = open_deep(rootfd, f->dir)) < 0)
		return -1;
	fd = openat(dirfd, f->name, flags);
	why = errno;
	close(dirfd);
	errno = why;
	return fd;
}

/* The bytes of fd, which should be `size`.  1 as many, 0 another number, -1 errno. */
static int
hash_bytes(int fd, uint64_t size, void *chunk, struct oid *ret)
{
	uint64_t left = size;
	struct sha256 h;
	ssize_t n;

	sha256_init(&h);
	if (size > CHUNK)
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (;;) {
		n = read(fd, chunk, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if ((uint64_t)n > left)
			return 0;
		sha256_update(&h, chunk, (size_t)n);
		left -= (uint64_t)n;
		/* A short read where the end should be is the end; the stat that follows would show more. */
		if (n == 0 || (n < CHUNK && left == 0))
			break;
	}
	sha256_final(&h, ret);
	return left == 0;
}

/* 1 hashed, 0 it changed meanwhile, -1 complained. */
static int
hash_once(struct pool *p, struct hashfile *f, struct buf *path, void *chunk)
{
	struct signature after;
	struct stat st;
	int fd = open_file(p->rootfd, f, path), rc = -1;
	const char *what = "open";

	if (fd >= 0) {
		what = "read";
		if (fstat(fd, &st) == 0) {
			signature_of(&f->sig, &st);
			rc = S_ISREG(st.st_mode) ? hash_bytes(fd, f->sig.size, chunk, &f->id) : 0;
		}
		if (rc == 1 && fstat(fd, &st) == 0) {
			signature_of(&after, &st);
			rc = signature_same(&f->sig, &after);
		}
	}
	if (rc < 0) {
		int why = errno;

		buf_reset(path);
		shown_path(path, p->shown, f->dir, f->name);
		complain(p->bad, "cannot %s '%s': %s%s", what, path->s, strerror(why), why == EACCES ? p->hint : "");
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static void *
work(void *arg)
{
	struct pool *p = arg;
	struct buf path = BUF_INIT;
	void *chunk;
	size_t i;

	if (posix_memalign(&chunk, 4096, CHUNK) != 0)
		chunk = xmalloc(CHUNK);
	while ((i = atomic_fetch_add(&p->next, 1)) < p->n) {
		int rc = 0;

		for (int tries = 0; rc == 0 && tries < TRIES; tries++)
			rc = hash_once(p, p->v[i], &path, chunk);
		if (rc == 0) {
			buf_reset(&path);
			shown_path(&path, p->shown, p->v[i]->dir, p->v[i]->name);
			complain(p->bad, "'%s' changes while it is read: run make again when whoever writes it is done", path.s);
		}
	}
	buf_release(&path);
	free(chunk);
	return NULL;
}

/* A thread costs as much as a dozen small files. */
static unsigned
threads_for(struct hashfile *const *v, size_t n)
{
	uint64_t cost = 0;
	unsigned max = cores();

	for (size_t i = 0; i < n && cost < (uint64_t)CHUNK * max; i++)
		cost += v[i]->sig.size + CHUNK / 16;
	cost = cost / CHUNK + 1;
	return n < max || cost < max ? (unsigned)(n < cost ? n : cost) : max;
}

void
hashpool_run(int rootfd, const char *shown, const char *hint, struct hashfile *const *v, size_t n, struct complaints *bad)
{
	struct pool p = { .rootfd = rootfd, .shown = shown, .hint = hint, .v = v, .n = n, .bad = bad };
	unsigned want = threads_for(v, n), have = 0;
	pthread_t id[CORES_MAX];

	while (have + 1 < want && pthread_create(&id[have], NULL, work, &p) == 0)
		have++;
	work(&p);
	while (have > 0)
		pthread_join(id[--have], NULL);
}
