/* What becomes of the instants that are due: how many of the missed run, what a step of the clock does, what a pause does. */
#include "../../runtime/decide.h"

#include <stdlib.h>

#include "../../base/err.h"
#include "../../runtime/scheds.h"
#include "tap.h"

static struct zone utc, ny;

/* "ran" as R, missed m, paused p, gap g, in order. */
static const char *
letters(const struct decisions *d)
{
	static char text[256];
	size_t n = 0;

	for (size_t i = 0; i < d->n && n < sizeof text - 8; i++) {
		text[n++] = d->v[i].decision[0] == 'r' ? 'R' : d->v[i].decision[0];
		if (d->v[i].many > 1)
			n += (size_t)snprintf(text + n, 8, "%d", (int)d->v[i].many);
	}
	text[n] = '\0';
	return text;
}

struct ask { const char *spec, *missed, *upto, *now; int64_t step; bool paused, ny; int64_t delay; const char *want; };

static void
decided(const struct ask *a)
{
	struct decisions d = DECISIONS_INIT;
	struct cron_fault fault;
	struct sched s = { .name = "p/t", .zone = a->ny ? &ny : &utc, .start = INT64_MIN, .paused = a->paused, .delay = a->delay };
	int64_t upto, now;

	if (!ok(cron_parse(a->spec, &s.expr, &fault) && cron_missed(a->missed, &s.missed) && cron_time(a->upto, &upto) && cron_time(a->now, &now),
	    "%s, missed %s", a->spec, a->missed))
		return;
	decide(&d, &s, upto, now, a->step);
	is_str(letters(&d), a->want, "%s: %s to %s, step %lld", a->missed, a->upto, a->now, (long long)a->step);
	ok(d.upto >= now - a->delay, "all of it was looked at");
	decisions_release(&d);
}

static const struct ask asks[] = {
	/* Nobody was there from 00:00 to 05:30, or until just now. */
	{ "0 * * * *", "last", "2030-01-01T00:00:00Z", "2030-01-01T05:30:00Z", 0, false, false, 0, "mmmmR" },
	{ "0 * * * *", "none", "2030-01-01T00:00:00Z", "2030-01-01T05:30:00Z", 0, false, false, 0, "mmmmm" },
	{ "0 * * * *", "none", "2030-01-01T00:00:00Z", "2030-01-01T05:01:00Z", 0, false, false, 0, "mmmmR" },
	{ "0 * * * *", "all", "2030-01-01T00:00:00Z", "2030-01-01T05:30:00Z", 0, false, false, 0, "RRRRR" },
	{ "0 * * * *", "all(max 2)", "2030-01-01T00:00:00Z", "2030-01-01T05:30:00Z", 0, false, false, 0, "mmmRR" },
	{ "0 * * * *", "all", "2030-01-01T00:00:00Z", "2030-01-01T05:30:00Z", 0, true, false, 0, "ppppp" },
	{ "0 * * * *", "last", "2030-01-01T05:00:00Z", "2030-01-01T05:30:00Z", 0, false, false, 0, "" },
	/* Jitter: the tick is due later, its time stays. */
	{ "0 * * * *", "last", "2030-01-01T04:30:00Z", "2030-01-01T05:09:00Z", 0, false, false, 600, "" },
	{ "0 * * * *", "none", "2030-01-01T04:30:00Z", "2030-01-01T05:10:30Z", 0, false, false, 600, "R" },
	/* The clock was set forward by two hours: fixed times run at once, wildcards follow it. */
	{ "30 1,2 * * *", "last", "2030-01-01T01:00:00Z", "2030-01-01T03:01:00Z", 7200, false, false, 0, "RR" },
	{ "*/30 * * * *", "all", "2030-01-01T01:00:00Z", "2030-01-01T03:01:00Z", 7200, false, false, 0, "gggR" },
	{ "@every 30m", "all", "2030-01-01T01:00:00Z", "2030-01-01T03:01:00Z", 7200, false, false, 0, "gggR" },
	/* By five: a correction, the new time counts at once. */
	{ "30 1,2 * * *", "all", "2030-01-01T01:00:00Z", "2030-01-01T06:00:00Z", 18000, false, false, 0, "gg" },
	{ "0 * * * *", "all", "2030-01-01T01:00:00Z", "2030-01-01T06:00:30Z", 18000, false, false, 0, "ggggR" },
	/* Set back by a year: it goes on from now. */
	{ "0 * * * *", "all", "2031-01-01T00:00:00Z", "2030-01-01T06:00:30Z", 0, false, false, 0, "R" },
	/* Set back by an hour: what was decided is not decided again. */
	{ "0 * * * *", "all", "2030-01-01T07:00:00Z", "2030-01-01T06:10:00Z", 0, false, false, 0, "" },
	/* Summer begins in New York. */
	{ "30 2 * * *", "last", "2030-03-10T00:00:00Z", "2030-03-10T07:00:05Z", 0, false, true, 0, "R" },
	{ "30 */2 * * *", "all", "2030-03-10T06:00:00Z", "2030-03-10T08:30:05Z", 0, false, true, 0, "gR" },
};

static void
many(void)
{
	struct decisions d = DECISIONS_INIT;
	struct sched s = { .name = "p/t", .zone = &utc, .start = INT64_MIN, .missed = 1 };
	struct cron_fault fault;

	cron_parse("@every 1s", &s.expr, &fault);
	decide(&d, &s, 0, 1000000, 0);
	is_u64(d.n, DECIDE_ROWS + 2, "a million seconds: rows");
	is_u64((uint64_t)d.v[0].many, 1000000 - 1 - DECIDE_ROWS, "the first stands for all before");
	is_u64((uint64_t)d.v[0].at, 1, "from the first on");
	is_str(d.v[d.n - 1].decision, "ran", "the newest runs");
	decisions_release(&d);
}

int
main(void)
{
	struct err err = ERR_INIT;

	if (!ok(zone_open(&utc, "", &err) == 1 && zone_open(&ny, "America/New_York", &err) == 1, "zones"))
		return done();
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
		decided(&asks[i]);
	many();
	zone_release(&utc);
	zone_release(&ny);
	return done();
}
