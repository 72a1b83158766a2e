/* lockwait.c: two makes at once wait for each other's pipelines, and meanwhile each should do what it can.  The token is put into the
 * pool by ourselves, there is nobody above us who could do it: so a SIGKILL at this moment leaves one too many until make
 * ends, and every other signal waits until it is back. */
#include "lockwait.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "../base/err.h"
#include "../base/lock.h"
#include "jobserver.h"

enum { PAUSE_MS = 20, TELL_MS = 1000, GIVE_UP_MS = 2000 };

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

/* One of our signals, or 0 after a pause. */
static int
pause_for(const sigset_t *set)
{
	const struct timespec t = { 0, PAUSE_MS * 1000000L };
	int sig = sigtimedwait(set, NULL, &t);

	return sig > 0 ? sig : 0;
}

/* sig: one that has come already; then it is not waited for much longer. */
static int
take_back(struct jobserver *pool, const sigset_t *set, int sig)
{
	for (int ms = 0; !jobserver_take(pool) && (!sig || ms < GIVE_UP_MS); ms += PAUSE_MS) {
		struct pollfd p = { .fd = pool->r, .events = POLLIN };
		int more = poll(&p, 1, PAUSE_MS) > 0 ? 0 : pause_for(set);

		sig = sig ? sig : more;
	}
	return sig;
}

static int
wait_for(const char *name, bool shared, struct jobserver *pool, struct err *err)
{
	sigset_t set, old;
	bool lent;
	int fd, sig = 0;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
		sigaddset(&set, ending[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	lent = jobserver_put(pool);
	for (int ms = 0; !sig && (fd = lock_try(name, shared, true, err)) == -2; ms += PAUSE_MS) {
		if (ms == TELL_MS)
			lock_tell(name, shared);
		sig = pause_for(&set);
	}
	if (lent)
		sig = take_back(pool, &set, sig);
	if (sig)
		raise(sig);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return fd;
}

int
lockwait_take(const char *name, bool shared, struct err *err)
{
	int fd = lock_try(name, shared, true, err);
	struct jobserver pool;

	if (fd != -2)
		return fd;
	if (!jobserver_open(&pool, getenv("MAKEFLAGS")))
		return lock_take(name, shared, true, err);
	fd = wait_for(name, shared, &pool, err);
	jobserver_close(&pool);
	return fd;
}
