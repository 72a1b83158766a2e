/* turn.c: first the places, then the tokens: who waits for places holds no token, and who waits for tokens holds none
 * either, only places, whose other holders do not wait for it.  So nobody waits in a circle. */
#include "turn.h"

#include "../base/err.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "exec.h"

static const uint64_t WORTH_LENDING = 5000000, LOOK_AGAIN = 20000000, WORTH_A_WORD = 5000000000;

static void
tell(const struct turn *t, const struct plan_head *h)
{
	const struct limits_pool *pool = &h->limits.pool[t->pools.at];

	talk("%s: waiting for %u of the %u places of pool '%s'", h->pipeline, pool->takes, pool->size, pool->name);
}

static int
take_pools(struct turn *t, const struct plan_head *h, struct err *err)
{
	uint64_t word = exec_clock() + WORTH_A_WORD;
	int rc, sig = 0;

	while ((rc = pools_step(&t->pools, &h->limits, err)) == 0) {
		uint64_t now = exec_clock();

		if (word && now >= word) {
			tell(t, h);
			word = 0;
		}
		lend_all(&t->lend);
		if ((sig = exec_wait(-1, now + LOOK_AGAIN)))
			return sig;
	}
	return rc < 0 ? -1 : 0;
}

int
turn_take(struct turn *t, const struct plan_head *h, struct err *err)
{
	int rc = 0;

	if (t->ours)
		return 0;
	if (h->limits.n_pool)
		rc = take_pools(t, h, err);
	if (rc == 0)
		rc = lend_hold(&t->lend, h->limits.cpu > 1 ? h->limits.cpu : 1);
	t->ours = rc == 0;
	return rc;
}

int
turn_wait(struct turn *t, uint64_t until)
{
	if (exec_clock() + WORTH_LENDING < until) {
		pools_leave(&t->pools);
		lend_all(&t->lend);
		t->ours = false;
	}
	return exec_wait(-1, until);
}

void
turn_end(struct turn *t)
{
	pools_release(&t->pools);
	lend_end(&t->lend);
	t->ours = false;
}
