/* fire.c: `dassie cron fire`: what is due is decided, in one transaction for all schedules; then what is to run is run, a process a pipeline,
 * so that none waits for another.  Nothing in memory is needed for the next fire: a kill anywhere leaves rows that it goes on from.
 *
 * Where a schedule has times between two minutes, it stays until the minute is over. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cronnext.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/lock.h"
#include "../base/talk.h"
#include "croncmd.h"
#include "decide.h"
#include "heard.h"
#include "ledger.h"
#include "respec.h"
#include "scheds.h"
#include "show.h"
#include "state.h"
#include "tickrun.h"

static const char usage[] =
    "usage: dassie cron fire [--decide] [--now TIME]\n\n"
    "Runs what is due now, and ends. The entry that 'dassie cron install' makes calls it, in the project's folder, every\n"
    "minute. Called twice at once, or killed and called again, it runs nothing twice.\n\n"
    "    --decide      only decide what is to run; the next one runs it\n"
    "    --now TIME    as if it were this time (2026-11-22T07:00:00Z)\n";

struct fire {
	struct scheds scheds;
	int64_t now, step;
	bool pretend;                   /* --now */
	uint64_t at_once;               /* of clocks: ns, for the record */
	struct ledger_schedule *known; size_t n_known;
	struct arena a;
	bool decide_only;
	struct { pid_t pid; const char *pipeline; } *worker;
	size_t n_worker, cap_worker;
	bool failed, broken;
};

/* Under which pipelines' runs are under way was looked at once: what this fire itself decides is no overlap. */
struct busy { const char *pipeline; bool is; };

static int64_t
looked_upto(const struct fire *f, const struct sched *s, bool *ret_first)
{
	int64_t fresh = f->now - DECIDE_GRACE;

	*ret_first = false;
	for (size_t i = 0; i < f->n_known; i++) {
		if (strcmp(f->known[i].name, s->name))
			continue;
		if (!strcmp(f->known[i].print, s->print))
			return f->known[i].upto;
		*ret_first = *f->known[i].print == '\0';
		/* It says something else now: from when it does. */
		if (!*ret_first)
			return s->since > fresh && s->since <= f->now ? s->since : fresh;
	}
	*ret_first = true;
	if (s->start != INT64_MIN)
		return s->start - 1;
	return s->since > fresh && s->since <= f->now ? s->since : fresh;
}

static int
put_row(struct fire *f, struct ledger *l, const struct sched *s, const struct decided *d, struct err *err)
{
	struct ledger_tick t = { .schedule = s->name, .at = d->at, .decision = d->decision, .cause = "cron", .decided = f->at_once,
		.many = d->many, .state = "", .run = "" };

	if (!strcmp(d->decision, "ran"))
		t.state = "waiting";
	return ledger_decide(l, &t, err);
}

static int
decide_one(struct fire *f, struct ledger *l, const struct sched *s, bool busy, struct err *err)
{
	struct decisions d = DECISIONS_INIT;
	bool first;
	int64_t upto = looked_upto(f, s, &first);
	int rc;

	decide(&d, s, upto, f->now, f->step);
	rc = ledger_put_schedule(l, &(struct ledger_schedule){ s->name, s->print, d.upto }, err);
	for (size_t i = 0; rc >= 0 && i < d.n; i++) {
		/* Before a schedule was known nobody missed its times. */
		if (first && !strcmp(d.v[i].decision, "missed"))
			continue;
		if (busy && s->overlap == OVERLAP_SKIP && !strcmp(d.v[i].decision, "ran"))
			d.v[i].decision = "overlap";
		rc = put_row(f, l, s, &d.v[i], err);
	}
	decisions_release(&d);
	return rc < 0 ? -1 : 0;
}

/* Is anything of it due, or its place in the ledger to be moved? */
static bool
is_due(const struct fire *f, const struct sched *s)
{
	struct cron_instant t;
	struct cron_walk w;
	bool first;
	int64_t upto = looked_upto(f, s, &first);

	for (size_t i = 0; i < f->n_known; i++)
		if (!strcmp(f->known[i].name, s->name) && !strcmp(f->known[i].print, s->print) && upto <= f->now + DECIDE_CORRECTION) {
			sched_walk(&w, s, upto);
			return cron_walk_next(&w, &t) && t.at <= f->now - s->delay;
		}
	return true;
}

/* The runs that this fire's ticks find under way are ended first where the policy is to cancel. */
static int
cancel_busy(const struct fire *f, const struct sched *s, bool busy, struct err *err)
{
	if (!busy || s->overlap != OVERLAP_CANCEL)
		return 0;
	return tickrun_cancel(&f->scheds, s->pipeline, err);
}

static bool
runs_now(const struct fire *f, const struct sched *s)
{
	struct cron_instant t;
	struct cron_walk w;
	bool first, due = false;

	sched_walk(&w, s, looked_upto(f, s, &first));
	while (!due && cron_walk_next(&w, &t) && t.at <= f->now - s->delay)
		due = t.how != CRON_DROPPED;
	return due && !s->paused;
}

static int
decide_all(struct fire *f, struct err *err)
{
	const struct scheds *s = &f->scheds;
	bool *due = xcalloc(s->n + 1, sizeof *due), *busy = xcalloc(s->n + 1, sizeof *busy), any = false;
	struct ledger *l = NULL;
	int rc = ledger_schedules(&f->a, &f->known, &f->n_known, err);

	for (size_t i = 0; rc == 0 && i < s->n; i++) {
		any |= due[i] = is_due(f, &s->v[i]);
		if (due[i] && runs_now(f, &s->v[i])) {
			busy[i] = tickrun_under_way(s->v[i].pipeline);
			rc = cancel_busy(f, &s->v[i], busy[i], err);
		}
	}
	if (rc == 0 && any && (rc = ledger_begin(&l, err)) == 0) {
		for (size_t i = 0; rc == 0 && i < s->n; i++)
			if (due[i])
				rc = decide_one(f, l, &s->v[i], busy[i], err);
		if (rc == 0)
			rc = ledger_commit(l, err);
		else
			ledger_abort(l);
	}
	free(due);
	free(busy);
	return rc;
}

/* In a process of its own: the ticks of one pipeline.  It waits for the lock only where it cancelled who holds it. */
static int
work(const struct fire *f, const char *pipeline, bool wait)
{
	struct tickrun r = { .scheds = &f->scheds, .pipeline = pipeline, .command = "dassie cron fire" };
	struct err err = ERR_INIT;
	int rc = tickrun(&r, wait, &err);

	if (rc < 0)
		return talk_err(&err);
	return r.failed ? EXIT_FAILED : EXIT_DONE;
}

static void
reap(struct fire *f, bool wait)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_worker; i++) {
		int status = 0;
		pid_t got;

		while ((got = waitpid(f->worker[i].pid, &status, wait ? 0 : WNOHANG)) < 0 && errno == EINTR)
			;
		if (got == 0) {
			f->worker[n++] = f->worker[i];
			continue;
		}
		f->failed |= WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED;
		f->broken |= WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WORLD;
	}
	f->n_worker = n;
}

static bool
has_worker(const struct fire *f, const char *pipeline)
{
	for (size_t i = 0; i < f->n_worker; i++)
		if (!strcmp(f->worker[i].pipeline, pipeline))
			return true;
	return false;
}

static int
start_worker(struct fire *f, const char *name, bool wait, struct err *err)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_set(err, errno, "cannot start another process:");
	if (pid == 0)
		_exit(work(f, strcmp(name, "*") ? name : NULL, wait));
	GROW(f->worker, f->n_worker, f->cap_worker);
	f->worker[f->n_worker].pid = pid;
	f->worker[f->n_worker++].pipeline = name;
	return 0;
}

/* Workers at once: what has to wait is taken by the first that ends, or by the next fire. */
static size_t
most_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 4 ? (size_t)n : 4;
}

static int
start_workers(struct fire *f, struct err *err)
{
	struct ledger_tick *v;
	size_t n;
	int rc = ledger_open_ticks(&f->a, NULL, &v, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct sched *s = scheds_find(&f->scheds, v[i].schedule);
		char *name = arena_dup(&f->a, v[i].schedule, strcspn(v[i].schedule, "/"));

		if (has_worker(f, name))
			continue;
		while (f->n_worker >= most_workers()) {
			reap(f, false);
			if (f->n_worker >= most_workers())
				nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
		}
		rc = start_worker(f, name, s && s->overlap == OVERLAP_CANCEL, err);
	}
	return rc;
}

/* The next time before the minute is over for which nobody else comes; 0: none. */
static int64_t
next_between(const struct fire *f, int64_t until)
{
	int64_t best = 0;

	for (size_t i = 0; i < f->scheds.n; i++) {
		const struct sched *s = &f->scheds.v[i];
		struct cron_instant t;
		struct cron_walk w;
		int64_t at;

		sched_walk(&w, s, f->now - s->delay);
		if (!cron_walk_next(&w, &t))
			continue;
		at = t.at + s->delay;
		if (at < until && (best == 0 || at < best))
			best = at;
	}
	return best;
}

static int
fire(struct fire *f, struct err *err)
{
	int64_t until;
	int rc;

	if (!f->pretend) {
		f->at_once = time_now_ns();
		f->now = (int64_t)(f->at_once / 1000000000);
		f->step = heard_step();
	}
	until = f->now - f->now % 60 + 60;
	for (;;) {
		int64_t next;

		rc = decide_all(f, err);
		if (rc == 0 && !f->decide_only)
			rc = start_workers(f, err);
		reap(f, false);
		if (rc < 0 || f->pretend || f->decide_only || (next = next_between(f, until)) == 0)
			return rc;
		while ((f->at_once = time_now_ns()) < (uint64_t)next * 1000000000)
			nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		f->now = (int64_t)(f->at_once / 1000000000);
		f->step = 0;
	}
}

/* What is due is what the spec says now.  With a spec that is wrong the schedules of before hold. */
static int
read_schedules(struct fire *f, struct err *err)
{
	if (respec() != EXIT_DONE) {
		talk("the spec cannot be compiled: until it can, the schedules are those of before");
		f->broken = true;
	}
	return scheds_read(&f->scheds, err);
}

int
cron_fire(int argc, char **argv)
{
	static const struct option options[] = { { "decide", no_argument, NULL, 'd' }, { "now", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct fire f = { .scheds = SCHEDS_INIT };
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return show_usage(usage, c == 'h');
		f.decide_only |= c == 'd';
		if (c == 'n') {
			if (!cron_time(optarg, &f.now)) {
				talk("'%s' is no time: write 2026-11-22T07:00:00Z", optarg);
				return EXIT_USAGE;
			}
			f.pretend = true;
			f.at_once = (uint64_t)f.now * 1000000000;
		}
	}
	if (optind < argc)
		return show_usage(usage, false);
	if (state_find(NULL, &err) < 0 || state_make(&err) < 0 || (rc = read_schedules(&f, &err)) < 0)
		return talk_err(&err);
	if (rc == 0) {
		talk("nothing is compiled here: 'dassie compile' does");
		return EXIT_WORLD;
	}
	rc = fire(&f, &err);
	reap(&f, true);
	f.broken |= f.scheds.bad > 0;
	free(f.worker);
	scheds_release(&f.scheds);
	arena_release(&f.a);
	if (rc < 0)
		return talk_err(&err);
	return f.broken ? EXIT_WORLD : f.failed ? EXIT_FAILED : EXIT_DONE;
}
