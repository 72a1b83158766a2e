/* tickcmd.c: `dassie tick`: a tick by hand. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/talk.h"
#include "ledger.h"
#include "scheds.h"
#include "show.h"
#include "state.h"
#include "tickrun.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie tick [--at TIME] [-jN] PIPELINE\n\n"
    "Makes every cron input of the pipeline tick now, whatever its schedule says (@never, too), and runs make for the pipeline and what\n"
    "reads it. Of a pipeline that has only a schedule: runs make for it now. While its ticks run already, it waits for them.\n\n"
    "    --at TIME    as the tick of this time (2026-11-22T07:00:00Z); one that ran with success is not run again\n"
    "    -jN          datums at once (default: the number of cores)\n";

struct tick { const char *pipeline, *jobs; int64_t at; };

/* A pipeline's inputs tick; without one, its schedule. */
static bool
ticks(const struct scheds *s, const struct sched *v, const char *pipeline)
{
	bool input = false;

	for (size_t i = 0; i < s->n; i++)
		input |= s->v[i].repo && s->v[i].pipeline && !strcmp(s->v[i].pipeline, pipeline);
	return v->pipeline && !strcmp(v->pipeline, pipeline) && (v->repo != NULL) == input;
}

/* 1 all is right, else the status. */
static int
check(const struct scheds *s, const char *pipeline)
{
	if (!index_find(&s->x, pipeline)) {
		talk("there is no pipeline '%s'; 'dassie cron next' lists what has a schedule", pipeline);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (!ticks(s, &s->v[i], pipeline))
			continue;
		if (!s->v[i].paused)
			return EXIT_DONE;
		talk("pipeline '%s' is paused: 'dassie resume %s' first", pipeline, pipeline);
		return EXIT_FAILED;
	}
	talk("pipeline '%s' has no cron input and no schedule, so nothing can tick; 'dassie run %s' runs it", pipeline, pipeline);
	return EXIT_USAGE;
}

static int
want(const struct scheds *s, const struct tick *k, struct err *err)
{
	uint64_t now = time_now_ns();
	struct ledger *l;
	int rc = ledger_begin(&l, err);
	char at[32];

	if (rc < 0)
		return -1;
	cron_time_text(at, k->at);
	for (size_t i = 0; rc >= 0 && i < s->n; i++) {
		struct ledger_tick t = { .schedule = s->v[i].name, .at = k->at, .cause = "hand", .decided = now };

		if (!ticks(s, &s->v[i], k->pipeline))
			continue;
		rc = ledger_want(l, &t, err);
		if (rc == 0)
			talk("%s: the tick of %s has run, or is running", s->v[i].name, at);
	}
	if (rc < 0) {
		ledger_abort(l);
		return -1;
	}
	return ledger_commit(l, err);
}

/* Another process may have run it: the ledger knows how it ended. */
static int
outcome(const struct scheds *s, const struct tick *k, struct err *err)
{
	struct arena a = ARENA_INIT;
	int status = EXIT_DONE;

	for (size_t i = 0; i < s->n; i++) {
		struct ledger_tick *v;
		size_t n;

		if (!ticks(s, &s->v[i], k->pipeline))
			continue;
		if (ledger_between(&a, s->v[i].name, k->at, k->at, &v, &n, err) < 0) {
			arena_release(&a);
			return -1;
		}
		if (n != 1 || strcmp(v[0].state, "success"))
			status = EXIT_FAILED;
	}
	arena_release(&a);
	return status;
}

static int
run(const struct tick *k)
{
	struct scheds s = SCHEDS_INIT;
	struct tickrun r = { .scheds = &s, .pipeline = k->pipeline, .command = "dassie tick", .jobs = k->jobs };
	struct err err = ERR_INIT;
	int rc, status;

	if (state_find(NULL, &err) < 0 || state_make(&err) < 0 || (rc = scheds_read(&s, &err)) < 0)
		return talk_err(&err);
	if (rc == 0)
		talk("nothing is compiled here: 'dassie compile' does");
	status = rc == 0 ? EXIT_WORLD : check(&s, k->pipeline);
	if (status == EXIT_DONE) {
		rc = want(&s, k, &err);
		if (rc == 0)
			rc = tickrun(&r, true, &err);
		status = rc == 0 ? outcome(&s, k, &err) : -1;
	}
	scheds_release(&s);
	return status < 0 ? talk_err(&err) : status;
}

int
verb_tick(int argc, char **argv)
{
	static const struct option options[] = { { "at", required_argument, NULL, 'a' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct tick k = { .at = (int64_t)(time_now_ns() / 1000000000) };
	int c;

	while ((c = getopt_long(argc, argv, "j:h", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return show_usage(usage, c == 'h');
		if (c == 'j')
			k.jobs = optarg;
		if (c == 'a' && !cron_time(optarg, &k.at)) {
			talk("'%s' is no time: write 2026-11-22T07:00:00Z", optarg);
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc)
		return show_usage(usage, false);
	k.pipeline = argv[optind];
	return run(&k);
}
