/* lend.c: a runner that waits, for a retry, a place in a pool, or more tokens, holds no slot.
 *
 * It must not write its token into the pool by itself: killed before it has taken one back, it would leave a token too
 * many, and no note that it makes beside can be exact, since it may be killed between the two.  So its stage lends for it:
 *
 *   runner                                   stage
 *   makes a pair of sockets, sends one       puts the runner's token into the pool, answers 'l'
 *   …waits…                                  …waits for the sub-make and its borrowers…
 *   'w' N: wants to hold N tokens            takes them out of the pool as they come, answers 'g'
 *   'l': lends all again                     puts them into the pool, answers 'l'
 *   ends, at any time, of anything           sees the socket's end: puts back what is too many, or takes out what is owed
 *
 * make returns the token of a runner that died itself, so after all that the pool has what it had.  A stage does not end
 * before it has what it is owed.  Only SIGKILL of the stage can leave a token too many, until make ends; a runner whose
 * stage is gone takes its token back itself if it knows that it was lent.
 *
 * Two who collect several tokens at once could each hold what the other lacks.  So one at a time does, of all stages of a
 * make: it holds a flock on the very pipe of the pool, opened anew, so that makes beside it have another lock and none is
 * left behind.  Who waits for the lock holds nothing, who has it gets all tokens sooner or later, for those who have
 * some run, and lend all they have before they wait. */
#include "lend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/mem.h"
#include "exec.h"

static const char VARIABLE[] = "DASSIE_LEND";
static const uint64_t ORPHAN_WAIT = 1000000000;
enum { LOCK_MS = 20 };

/* What runner and stage say to each other. */
struct word { int what; unsigned n; };

static void
shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
lender_open(struct lender *l, const char *makeflags)
{
	int pair[2] = { -1, -1 };
	char number[16];

	if (!jobserver_open(&l->pool, makeflags))
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || (l->theirs = fcntl(pair[1], F_DUPFD, 20)) < 0) {
		shut(&pair[0]);
		shut(&pair[1]);
		jobserver_close(&l->pool);
		return;
	}
	close(pair[1]);
	l->ours = pair[0];
	snprintf(number, sizeof number, "%d", l->theirs);
	setenv(VARIABLE, number, 1);
}

/* A descriptor that a runner sent us, -1: no more. */
static int
receive(int from)
{
	union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
	char byte;
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(from, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fd))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

/* false: whom it does not reach is dead, which is seen by the end of its socket, too. */
static bool
say(int fd, char what, unsigned n)
{
	struct word w = { what, n };

	return send(fd, &w, sizeof w, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof w;
}

static void
put(struct lender *l, unsigned n)
{
	while (n-- > 0)
		jobserver_put(&l->pool);
}

static void
accept_one(struct lender *l, int fd)
{
	if (!jobserver_put(&l->pool)) {
		close(fd);
		return;
	}
	say(fd, 'l', 0);
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = (struct borrower){ fd, 0, 0 };
}

/* Its end: make gives back one token for it. */
static void
settle(struct lender *l, struct borrower *b)
{
	shut(&b->fd);
	if (b->held == 0)
		l->owed++;
	else
		put(l, b->held - 1);
	b->held = b->wants = 0;
}

static void
hear(struct lender *l, struct borrower *b)
{
	struct word w;
	ssize_t n = recv(b->fd, &w, sizeof w, MSG_DONTWAIT);

	if (n == (ssize_t)sizeof w && w.what == 'w') {
		b->wants = w.n ? w.n : 1;
	} else if (n == (ssize_t)sizeof w && w.what == 'l') {
		put(l, b->held);
		b->held = b->wants = 0;
		say(b->fd, 'l', 0);
	} else if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
		settle(l, b);
	}
}

/* Of those who want several the one whose turn it is: who has some already, or the first.  NULL: there is none. */
static const struct borrower *
collector(const struct lender *l)
{
	const struct borrower *first = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct borrower *b = &l->v[i];

		if (b->fd < 0 || b->wants < 2)
			continue;
		if (b->held > 0)
			return b;
		if (!first)
			first = b;
	}
	return first;
}

/* May it take tokens now?  One that wants several only in its turn, and under the lock. */
static bool
may_take(const struct lender *l, const struct borrower *b)
{
	if (b->fd < 0 || b->wants <= b->held)
		return false;
	return b->wants == 1 || (l->collects && b == collector(l));
}

static bool
wanted(const struct lender *l)
{
	bool any = l->owed > 0;

	for (size_t i = 0; i < l->n && !any; i++)
		any = may_take(l, &l->v[i]);
	return any;
}

static void
lock_collecting(struct lender *l)
{
	bool any = collector(l);

	if (any == l->collects)
		return;
	if (any)
		l->collects = flock(l->pool.r, LOCK_EX | LOCK_NB) == 0;
	else if (flock(l->pool.r, LOCK_UN) == 0)
		l->collects = false;
}

/* true: it has all that it wanted. */
static bool
take_for(struct lender *l, struct borrower *b)
{
	while (b->held < b->wants && jobserver_take(&l->pool))
		b->held++;
	if (b->held < b->wants)
		return false;
	say(b->fd, 'g', b->held);
	b->wants = 0;
	return true;
}

/* Debts first: they are what makes the pool too full. */
static void
take_back(struct lender *l)
{
	size_t kept = 0;
	bool served = false;

	while (l->owed && jobserver_take(&l->pool))
		l->owed--;
	lock_collecting(l);
	for (size_t i = 0; i < l->n; i++) {
		struct borrower *b = &l->v[i];

		if (l->owed || (served && b->wants > 1) || !may_take(l, b))
			continue;
		served |= take_for(l, b) && b->held > 1;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].fd >= 0)
			l->v[kept++] = l->v[i];
	l->n = kept;
	/* Nobody of ours has a part now; the next one may be another stage's. */
	if (served && flock(l->pool.r, LOCK_UN) == 0)
		l->collects = false;
	else
		lock_collecting(l);
}

int
lender_patience(const struct lender *l)
{
	return collector(l) && !l->collects ? LOCK_MS : -1;
}

size_t
lender_room(const struct lender *l)
{
	return l->ours < 0 ? 0 : 2 + l->n;
}

void
lender_fill(const struct lender *l, struct pollfd *v)
{
	if (l->ours < 0)
		return;
	v[0] = (struct pollfd){ .fd = l->ours, .events = POLLIN };
	v[1] = (struct pollfd){ .fd = wanted(l) ? l->pool.r : -1, .events = POLLIN };
	for (size_t i = 0; i < l->n; i++)
		v[2 + i] = (struct pollfd){ .fd = l->v[i].fd, .events = POLLIN };
}

void
lender_serve(struct lender *l, const struct pollfd *v)
{
	int fd;

	if (l->ours < 0)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (v[2 + i].revents)
			hear(l, &l->v[i]);
	while (v[0].revents && (fd = receive(l->ours)) >= 0)
		accept_one(l, fd);
	take_back(l);
}

void
lender_close(struct lender *l, int ms)
{
	uint64_t end = time_now_ns() + (uint64_t)(ms < 0 ? 0 : ms) * 1000000;
	int fd;

	if (l->ours >= 0)
		unsetenv(VARIABLE);
	/* Nothing was lent to those who still stand in the queue. */
	while (l->ours >= 0 && (fd = receive(l->ours)) >= 0)
		close(fd);
	for (size_t i = 0; i < l->n; i++) {
		while (l->v[i].fd >= 0) {
			struct pollfd p = { .fd = l->v[i].fd, .events = POLLIN };

			if (poll(&p, 1, 0) <= 0)
				break;
			hear(l, &l->v[i]);
		}
		/* One that has outlived its make takes its token back itself, or puts back what it has too many. */
		shut(&l->v[i].fd);
	}
	while (l->owed && (ms < 0 || time_now_ns() < end)) {
		struct pollfd p = { .fd = l->pool.r, .events = POLLIN };

		if (jobserver_take(&l->pool))
			l->owed--;
		else
			poll(&p, 1, 100);
	}
	shut(&l->ours);
	shut(&l->theirs);
	jobserver_close(&l->pool);
	free(l->v);
	*l = (struct lender)LENDER_INIT;
}

static bool
send_end(int to, int fd)
{
	union { char room[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { { 0 } };
	char byte = 'l';
	struct iovec io = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(to, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static void
forget_line(struct lend *l)
{
	close(l->line);
	l->line = -1;
}

/* A line to our stage; by its arrival our token is lent. */
static void
call(struct lend *l)
{
	const char *number = getenv(VARIABLE);
	int pair[2];

	if (!number || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	if (send_end((int)strtol(number, NULL, 10), pair[1])) {
		l->line = pair[0];
		l->held = 0;
		l->known = false;
	} else {
		close(pair[0]);
	}
	close(pair[1]);
}

/* Our stage is gone, and with it who would have put back what we hold too much. */
static void
put_alone(struct lend *l)
{
	struct jobserver pool;

	if (l->held > 1 && jobserver_open(&pool, getenv("MAKEFLAGS"))) {
		for (; l->held > 1; l->held--)
			jobserver_put(&pool);
		jobserver_close(&pool);
	}
	l->held = 1;
}

static int
take_alone(void)
{
	struct jobserver pool;
	uint64_t end = exec_clock() + ORPHAN_WAIT;
	int rc = -1;

	if (!jobserver_open(&pool, getenv("MAKEFLAGS")))
		return 0;
	while (rc < 0 && !jobserver_take(&pool))
		rc = exec_wait(pool.r, end);
	jobserver_close(&pool);
	return rc > 0 ? rc : 0;
}

void
lend_all(struct lend *l)
{
	if (l->held == 0)
		return;
	if (l->line < 0) {
		call(l);
	} else if (say(l->line, 'l', 0)) {
		l->held = 0;
		l->known = false;
	} else {
		forget_line(l);
		put_alone(l);
	}
}

/* What the stage says: 0 go on listening, 1 we hold what we wanted, -1 it is gone. */
static int
listen_once(struct lend *l)
{
	struct word w;

	if (recv(l->line, &w, sizeof w, MSG_DONTWAIT) != (ssize_t)sizeof w)
		return -1;
	if (w.what == 'l')
		l->known = true;
	if (w.what != 'g')
		return 0;
	l->held = w.n;
	return 1;
}

int
lend_hold(struct lend *l, unsigned n)
{
	int rc, said = 0;

	if (l->held == n || (l->held > 0 && n <= 1))
		return 0;
	lend_all(l);
	if (l->line < 0)
		return 0;
	say(l->line, 'w', n);
	while (said == 0) {
		rc = exec_wait(l->line, UINT64_MAX);
		if (rc >= 0)
			return rc;
		said = listen_once(l);
	}
	if (said > 0)
		return 0;
	forget_line(l);
	rc = l->known ? take_alone() : 0;
	l->held = 1;
	return rc;
}

void
lend_end(struct lend *l)
{
	if (l->line >= 0 && l->held > 1 && !say(l->line, 'x', 0))
		put_alone(l);
	if (l->line >= 0)
		forget_line(l);
	l->held = 1;
}
