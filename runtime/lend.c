/* lend.c: a runner that waits for a retry holds no slot.
 *
 * It must not write its token into the pool by itself: killed before it has taken one back, it would leave a token too
 * many, and no note that it makes beside can be exact, since it may be killed between the two.  So its stage lends for it:
 *
 *   runner                                   stage
 *   makes a pair of sockets, sends one       puts a token into the pool, answers 'l'
 *   …waits for its retry…                    …waits for the sub-make and its borrowers…
 *   'w': wants it back                       takes one out of the pool when there is one, answers 'g'
 *   dies, at any time, of anything           sees the socket's end: takes one out of the pool as soon as there is one
 *
 * make returns the token of a runner that died itself, so after both the pool has what it had.  A stage does not end
 * before it has what it is owed.  Only SIGKILL of the stage can leave a token too many, until make ends; a runner whose
 * stage is gone takes its token back itself if it knows that it was lent. */
#include "lend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/mem.h"
#include "exec.h"

static const char VARIABLE[] = "DASSIE_LEND";
static const uint64_t ORPHAN_WAIT = 1000000000;

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

static void
say(int fd, char what)
{
	/* Whom it does not reach is dead: that is seen by the end of its socket. */
	(void)!send(fd, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
accept_one(struct lender *l, int fd)
{
	if (!jobserver_put(&l->pool)) {
		close(fd);
		return;
	}
	say(fd, 'l');
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = (struct borrower){ fd, false };
}

/* What it says; at its end what it has lent is owed. */
static void
hear(struct lender *l, struct borrower *b)
{
	char what;
	ssize_t n = recv(b->fd, &what, 1, MSG_DONTWAIT);

	if (n == 1 && what == 'w') {
		b->wants = true;
	} else if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
		shut(&b->fd);
		l->owed++;
	}
}

static bool
wanted(const struct lender *l)
{
	bool any = l->owed > 0;

	for (size_t i = 0; i < l->n && !any; i++)
		any = l->v[i].wants;
	return any;
}

/* Debts first: they are what makes the pool too full. */
static void
take_back(struct lender *l)
{
	size_t kept = 0;

	while (l->owed && jobserver_take(&l->pool))
		l->owed--;
	for (size_t i = 0; i < l->n; i++) {
		struct borrower *b = &l->v[i];

		if (b->fd >= 0 && b->wants && !l->owed && jobserver_take(&l->pool)) {
			say(b->fd, 'g');
			shut(&b->fd);
		}
		if (b->fd >= 0)
			l->v[kept++] = *b;
	}
	l->n = kept;
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
		/* One that has outlived its make takes its token back itself. */
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

int
lend_token(void)
{
	const char *number = getenv(VARIABLE);
	int pair[2];
	bool sent;

	if (!number || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	sent = send_end((int)strtol(number, NULL, 10), pair[1]);
	close(pair[1]);
	if (sent)
		return pair[0];
	close(pair[0]);
	return -1;
}

/* Our stage is gone. */
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

int
lend_back(int lent)
{
	bool known = false;
	char what = 'w';
	int rc = 0;

	say(lent, what);
	for (;;) {
		rc = exec_wait(lent, UINT64_MAX);
		if (rc >= 0)
			break;
		if (recv(lent, &what, 1, MSG_DONTWAIT) != 1) {
			rc = known ? take_alone() : 0;
			break;
		}
		rc = 0;
		if (what == 'g')
			break;
		known = true;
	}
	close(lent);
	return rc;
}
