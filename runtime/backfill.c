/* backfill.c: `dassie backfill`: the ticks of a past range.  All that are to run are put into the ledger at once, so a kill loses nothing: whoever
 * comes next goes on with them.  Behind a repo that shows only its newest tick, what was the newest is shown again at the end. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cronnext.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/talk.h"
#include "ledger.h"
#include "makerun.h"
#include "paused.h"
#include "scheds.h"
#include "show.h"
#include "state.h"
#include "tickrun.h"
#include "ticks.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie backfill PIPELINE --from TIME [--to TIME] [-jN] [--dry-run] [--newest-first]\n\n"
    "Runs the ticks that the pipeline's cron inputs would have had from one time to another, both included, if they did not run with\n"
    "success yet, whatever was decided of them then. Killed and called again it goes on. A TIME is 2026-11-22T07:00:00Z, or by the\n"
    "clocks of the input's time zone 2026-11-22T07:00 or 2026-11-22 (as --to: to the end of that day).\n\n"
    "    --to TIME         now, if it is not given; never later than now\n"
    "    -jN               datums at once (default: the number of cores)\n"
    "    --dry-run         only tell which would run\n"
    "    --newest-first    begin with the newest ones; else with the oldest\n";

enum { TICKS_MAX = 1000000, PART = 64 };

struct backfill {
	const char *pipeline, *from, *to, *jobs;
	bool dry, newest_first;
	uint64_t would, done;
	struct scheds scheds;
};

/* By the clocks of a zone where no offset is given; a day as the end of a range is its last second. */
static bool
moment(const char *s, const struct zone *z, bool end, int64_t *ret)
{
	size_t n = strlen(s);
	char text[32];

	if (cron_time(s, ret))
		return true;
	if (n != 10 && n != 16 && n != 19)
		return false;
	snprintf(text, sizeof text, "%s%sZ", s, n == 10 ? end ? "T23:59:59" : "T00:00:00" : n == 16 ? ":00" : "");
	if (!cron_time(text, ret))
		return false;
	*ret = zone_instant(z, *ret);
	return true;
}

static int
bad_time(const char *s)
{
	talk("'%s' is no time: write 2026-11-22T07:00:00Z, 2026-11-22T07:00 or 2026-11-22", s);
	return EXIT_USAGE;
}

static bool
ran(const struct ledger_tick *v, size_t n, int64_t at)
{
	for (size_t lo = 0; lo < n; ) {
		size_t mid = lo + (n - lo) / 2;

		if (v[mid].at == at)
			return !strcmp(v[mid].state, "success");
		if (v[mid].at < at)
			lo = mid + 1;
		else
			n = mid;
	}
	return false;
}

static void
say(struct buf *b, const struct sched *s, int64_t at, bool has_run)
{
	char text[32];

	cron_time_text(text, at);
	buf_fmt(b, "%s  %s  %s\n", text, s->name, has_run ? "has run" : "would run");
}

static int
one_tick(struct backfill *f, struct ledger *l, const struct sched *s, int64_t at, bool has_run, struct buf *b, struct err *err)
{
	struct ledger_tick t = { .schedule = s->name, .at = at, .cause = "backfill", .decided = time_now_ns() };

	f->done += has_run;
	f->would += !has_run;
	if (f->would > TICKS_MAX)
		return err_set(err, 0, "more than %d ticks: name a shorter range", TICKS_MAX);
	if (f->dry)
		say(b, s, at, has_run);
	return f->dry || has_run ? 0 : ledger_want(l, &t, err);
}

/* An exit status, or -1. */
static int
one_input(struct backfill *f, struct ledger *l, const struct sched *s, struct buf *b, struct err *err)
{
	int64_t now = (int64_t)(time_now_ns() / 1000000000), from, to = now;
	struct arena a = ARENA_INIT;
	struct ledger_tick *known;
	struct cron_instant t;
	struct cron_walk w;
	size_t n;
	int rc;

	if (!moment(f->from, s->zone, false, &from))
		return bad_time(f->from);
	if (f->to && !moment(f->to, s->zone, true, &to))
		return bad_time(f->to);
	if (to > now)
		to = now;
	rc = ledger_between(&a, s->name, from, to, &known, &n, err);
	sched_walk(&w, s, from - 1);
	while (rc >= 0 && cron_walk_next(&w, &t) && t.at <= to)
		if (t.how != CRON_DROPPED)
			rc = one_tick(f, l, s, t.at, ran(known, n, t.at), b, err);
	arena_release(&a);
	return rc < 0 ? -1 : EXIT_DONE;
}

static bool
is_input(const struct backfill *f, const struct sched *s)
{
	return s->repo && s->pipeline && !strcmp(s->pipeline, f->pipeline);
}

static int
all_inputs(struct backfill *f, struct buf *b, struct err *err)
{
	struct ledger *l = NULL;
	int rc = f->dry ? 0 : ledger_begin(&l, err);

	for (size_t i = 0; rc == 0 && i < f->scheds.n; i++)
		if (is_input(f, &f->scheds.v[i]))
			rc = one_input(f, l, &f->scheds.v[i], b, err);
	if (l && rc == 0)
		return ledger_commit(l, err);
	ledger_abort(l);
	return rc;
}

/* The newest tick that ran: 1, 0 none did, -1. */
static int
newest_of(const struct sched *s, int64_t *ret, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct ledger_tick *v;
	size_t n;
	int rc = ledger_between(&a, s->name, INT64_MIN, INT64_MAX, &v, &n, err), found = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!strcmp(v[i].state, "success")) {
			*ret = v[i].at;
			found = 1;
		}
	arena_release(&a);
	return rc < 0 ? -1 : found;
}

/* 1 the repo was shown another tick than its newest, and make has to look, 0, -1. */
static int
restore(const struct sched *s, struct err *err)
{
	struct ticks now = TICKS_INIT;
	int64_t newest;
	int rc = newest_of(s, &newest, err);
	bool other;

	if (rc <= 0)
		return rc;
	if (ticks_read(&now, s->repo, err) < 0)
		return -1;
	other = now.n != 1 || now.at[0] < newest;
	ticks_release(&now);
	if (!other)
		return 0;
	return ticks_put(s->repo, &newest, 1, true, err) < 0 ? -1 : 1;
}

static int
restore_all(const struct backfill *f, struct err *err)
{
	char goal[LAYOUT_MAX], run[17];
	int changed = 0, rc = 0;

	for (size_t i = 0; rc >= 0 && i < f->scheds.n; i++)
		if (is_input(f, &f->scheds.v[i]) && f->scheds.v[i].overwrite) {
			rc = restore(&f->scheds.v[i], err);
			changed |= rc > 0;
		}
	if (rc < 0 || !changed)
		return rc < 0 ? -1 : 0;
	makerun_environment("dassie backfill", run);
	layout_ref(goal, f->pipeline);
	return makerun(f->jobs, (const char *const[]){ goal }, 1, err);
}

static int
check(const struct backfill *f)
{
	bool input = false;

	if (!index_find(&f->scheds.x, f->pipeline)) {
		talk("there is no pipeline '%s'; 'dassie cron next' lists what has a schedule", f->pipeline);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < f->scheds.n; i++)
		input |= is_input(f, &f->scheds.v[i]);
	if (!input) {
		talk("pipeline '%s' has no cron input: there are no ticks to make up for", f->pipeline);
		return EXIT_USAGE;
	}
	if (!f->dry && paused_is(f->pipeline)) {
		talk("pipeline '%s' is paused: 'dassie resume %s' first", f->pipeline, f->pipeline);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int
run(struct backfill *f, struct err *err)
{
	struct tickrun r = { .scheds = &f->scheds, .pipeline = f->pipeline, .command = "dassie backfill", .jobs = f->jobs,
		.newest_first = f->newest_first, .most = f->newest_first ? PART : 0 };
	struct buf b = BUF_INIT;
	int rc = all_inputs(f, &b, err);

	if (rc)
		return buf_release(&b), rc;
	talk("%s: %llu %s run, %llu ran before", f->pipeline, (unsigned long long)f->would,
	    f->dry ? f->would == 1 ? "tick would" : "ticks would" : f->would == 1 ? "tick to" : "ticks to", (unsigned long long)f->done);
	if (f->dry)
		return show_out(&b, EXIT_DONE);
	buf_release(&b);
	if ((rc = tickrun(&r, true, err)) < 0 || (rc = restore_all(f, err)) < 0)
		return -1;
	return r.failed || rc ? EXIT_FAILED : EXIT_DONE;
}

int
verb_backfill(int argc, char **argv)
{
	static const struct option options[] = { { "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' },
		{ "dry-run", no_argument, NULL, 'd' }, { "newest-first", no_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct backfill f = { .scheds = SCHEDS_INIT };
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "j:h", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return show_usage(usage, c == 'h');
		f.dry |= c == 'd';
		f.newest_first |= c == 'n';
		if (c == 'f')
			f.from = optarg;
		else if (c == 't')
			f.to = optarg;
		else if (c == 'j')
			f.jobs = optarg;
	}
	if (optind + 1 != argc || !f.from)
		return show_usage(usage, false);
	f.pipeline = argv[optind];
	if (state_find(NULL, &err) < 0 || state_make(&err) < 0 || (rc = scheds_read(&f.scheds, &err)) < 0)
		return talk_err(&err);
	if (rc == 0)
		talk("nothing is compiled here: 'dassie compile' does");
	rc = rc == 0 ? EXIT_WORLD : check(&f);
	if (rc == EXIT_DONE)
		rc = run(&f, &err);
	scheds_release(&f.scheds);
	return rc < 0 ? talk_err(&err) : rc;
}
