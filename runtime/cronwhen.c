/* cronwhen.c: one row of the ledger and the first instant of each schedule. */
#include "cronwhen.h"

#include "../base/cronnext.h"
#include "../base/err.h"
#include "../base/json.h"
#include "ledger.h"
#include "scheds.h"

static const char *
time_of(struct arena *a, int64_t at)
{
	char text[32];

	cron_time_text(text, at);
	return arena_str(a, text);
}

static void
find_next(struct cronwhen *ret, const struct scheds *s, struct arena *a)
{
	int64_t now = (int64_t)(time_now_ns() / 1000000000), best = INT64_MAX;

	for (size_t i = 0; i < s->n; i++) {
		struct cron_instant t;
		struct cron_walk w;

		sched_walk(&w, &s->v[i], now);
		do
			if (!cron_walk_next(&w, &t))
				t.at = INT64_MAX;
		while (t.at != INT64_MAX && t.how == CRON_DROPPED);
		if (t.at < best) {
			best = t.at;
			ret->next = arena_str(a, s->v[i].name);
		}
	}
	if (ret->next)
		ret->next_at = time_of(a, best);
}

int
cronwhen(struct cronwhen *ret, struct arena *a, struct err *err)
{
	struct scheds s = SCHEDS_INIT;
	struct ledger_tick *v;
	size_t n;
	int rc = ledger_history(a, NULL, 1, &v, &n, err);

	*ret = (struct cronwhen){ 0 };
	if (rc == 0 && n) {
		ret->last = v[0].schedule;
		ret->last_at = time_of(a, v[0].at);
		ret->decision = v[0].decision;
		ret->state = v[0].state;
	}
	if (rc == 0 && (rc = scheds_read(&s, err)) == 1)
		find_next(ret, &s, a);
	scheds_release(&s);
	return rc < 0 ? -1 : 0;
}
