/* tickrun.c: whoever holds the pipeline's tick lock takes what waits in the ledger, oldest first, until nothing is left.  A tick that comes
 * meanwhile is only written there.  A row that says "running" while nobody holds the lock is of a run that was killed: it is run again,
 * which costs only what has no result yet.
 *
 * Ticks of an input that keeps them all go into one run together; of one that overwrites, one a run, because each has to be seen. */
#include "tickrun.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cron.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/talk.h"
#include "ledger.h"
#include "makerun.h"
#include "scheds.h"
#include "ticks.h"

enum { LOCK_NAME = 80 };

/* The lock that a run of a pipeline's ticks holds. */
static char *
lock_name(char ret[LOCK_NAME], const char *pipeline)
{
	if (pipeline)
		snprintf(ret, LOCK_NAME, ".tick-%s", pipeline);
	else
		snprintf(ret, LOCK_NAME, ".ticks");
	return ret;
}

static bool
held(const char *name)
{
	struct err ignored = ERR_INIT;
	int fd = lock_try(name, false, false, &ignored);

	if (fd >= 0)
		close(fd);
	return fd == -2;
}

bool
tickrun_under_way(const char *pipeline)
{
	char name[LOCK_NAME];

	return held(lock_name(name, pipeline)) || (pipeline && held(pipeline));
}

/* Rows of this pipeline (or of the whole spec) that wait or were left running. */
static int
waiting(const struct tickrun *r, struct arena *a, struct ledger_tick **ret, size_t *ret_n, struct err *err)
{
	return ledger_open_ticks(a, r->pipeline ? r->pipeline : "*", ret, ret_n, err);
}

static int
move_all(const struct ledger_tick *v, size_t n, const char *state, const char *run, uint64_t began, uint64_t ended, struct err *err)
{
	struct ledger *l;

	if (n == 0)
		return 0;
	if (ledger_begin(&l, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct ledger_tick t = v[i];

		t.state = state;
		t.run = run ? run : v[i].run;
		t.began = began;
		t.ended = ended;
		if (ledger_move(l, &t, v[i].state, err) < 0) {
			ledger_abort(l);
			return -1;
		}
	}
	return ledger_commit(l, err);
}

/* How many of them, from the front, can be seen in one run. */
static size_t
batch(const struct tickrun *r, const struct ledger_tick *v, size_t n)
{
	size_t i = 0;

	for (; i < n && (!r->most || i < r->most); i++) {
		const struct sched *s = scheds_find(r->scheds, v[i].schedule);

		if (s && s->overwrite)
			for (size_t k = 0; k < i; k++)
				if (!strcmp(v[k].schedule, v[i].schedule))
					return i;
	}
	return i;
}

static int
put_files(const struct tickrun *r, const struct ledger_tick *v, size_t n, struct err *err)
{
	int64_t *at = xcalloc(n, sizeof *at);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct sched *s = scheds_find(r->scheds, v[i].schedule);
		size_t m = 0;
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first &= strcmp(v[k].schedule, v[i].schedule) != 0;
		if (!first || !s || !s->repo)
			continue;
		for (size_t k = i; k < n; k++)
			if (!strcmp(v[k].schedule, v[i].schedule))
				at[m++] = v[k].at;
		rc = ticks_put(s->repo, at, m, s->overwrite, err);
	}
	free(at);
	return rc;
}

/* A pipeline, and all that reads it at whatever distance, and their egress. */
static size_t
goals(const struct tickrun *r, bool downstream, struct arena *a, const char ***ret)
{
	const struct index *x = &r->scheds->x;
	bool *in = xcalloc(x->n_pipeline + 1, sizeof *in), more = true;
	size_t n = 0;

	*ret = arena_alloc(a, (2 * x->n_pipeline + 1) * sizeof **ret);
	for (size_t i = 0; i < x->n_pipeline; i++)
		in[i] = strcmp(x->pipeline[i].name, r->pipeline) == 0;
	while (more && downstream) {
		more = false;
		for (size_t i = 0; i < x->n_pipeline; i++)
			for (size_t k = 0; !in[i] && k < x->pipeline[i].n_reads; k++) {
				const struct index_pipeline *p = index_find(x, x->pipeline[i].reads[k]);

				more |= in[i] = p && in[p - x->pipeline];
			}
	}
	for (size_t i = 0; i < x->n_pipeline; i++)
		if (in[i]) {
			char path[LAYOUT_MAX], name[EGRESS_NAME_MAX];

			(*ret)[n++] = arena_str(a, layout_ref(path, x->pipeline[i].name));
			if (x->pipeline[i].has_egress)
				(*ret)[n++] = arena_str(a, layout_ref(path, layout_egress_name(name, x->pipeline[i].name)));
		}
	free(in);
	return n;
}

static void
tell(const struct tickrun *r, const struct ledger_tick *v, size_t n, int rc)
{
	char from[32], to[32];

	cron_time_text(from, v[0].at);
	cron_time_text(to, v[n - 1].at);
	if (n == 1)
		talk("%s: tick %s %s", r->pipeline ? r->pipeline : "all", from, rc == 0 ? "ran" : "failed");
	else
		talk("%s: %zu ticks, %s to %s, %s", r->pipeline ? r->pipeline : "all", n, from, to, rc == 0 ? "ran" : "failed");
}

static int
run_batch(struct tickrun *r, struct ledger_tick *v, size_t n, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char **goal = NULL;
	char run[17];
	uint64_t began = time_now_ns();
	size_t n_goal = 0;
	bool input = false;
	int rc;

	for (size_t i = 0; i < n; i++) {
		const struct sched *s = scheds_find(r->scheds, v[i].schedule);

		input |= s && s->repo;
	}
	makerun_environment(r->command, run);
	rc = move_all(v, n, "running", run, began, 0, err);
	for (size_t i = 0; i < n; i++)
		v[i].state = "running";
	if (rc == 0)
		rc = put_files(r, v, n, err);
	if (rc == 0 && r->pipeline)
		n_goal = goals(r, input, &a, &goal);
	if (rc == 0 && (!r->pipeline || n_goal))
		rc = makerun(r->jobs, goal, n_goal, err);
	arena_release(&a);
	if (rc < 0)
		return -1;
	tell(r, v, n, rc);
	r->ran += n;
	r->failed += rc ? n : 0;
	return move_all(v, n, rc == 0 ? "success" : "failure", run, began, time_now_ns(), err);
}

static void
turn_round(struct ledger_tick *v, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct ledger_tick t = v[i];

		v[i] = v[n - 1 - i];
		v[n - 1 - i] = t;
	}
}

/* Those whose schedule is in the spec no more. */
static int
drop_gone(const struct tickrun *r, struct ledger_tick *v, size_t *n, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		if (scheds_find(r->scheds, v[i].schedule) || !strcmp(v[i].cause, "hand"))
			v[kept++] = v[i];
		else if (move_all(&v[i], 1, "cancelled", NULL, v[i].began, time_now_ns(), err) < 0)
			return -1;
	}
	*n = kept;
	return 0;
}

/* Under the lock.  1 something ran, 0 nothing waits, -1. */
static int
run_some(struct tickrun *r, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct ledger_tick *v;
	size_t n;
	int rc = waiting(r, &a, &v, &n, err);

	if (rc == 0)
		rc = drop_gone(r, v, &n, err);
	if (rc == 0 && n) {
		if (r->newest_first)
			turn_round(v, n);
		rc = run_batch(r, v, batch(r, v, n), err) < 0 ? -1 : 1;
	}
	arena_release(&a);
	return rc;
}

/* A row that comes after the last look and before the lock is free would have nobody: so there is one more look behind it. */
int
tickrun(struct tickrun *r, bool wait, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct ledger_tick *v;
	char name[LOCK_NAME];
	size_t n = 1;
	int rc = 0;

	lock_name(name, r->pipeline);
	while (rc == 0 && n) {
		int lock = wait ? lock_take(name, false, false, err) : lock_try(name, false, false, err);

		if (lock == -2)
			break;
		if (lock < 0)
			return -1;
		while ((rc = run_some(r, err)) == 1)
			;
		close(lock);
		if (rc == 0)
			rc = waiting(r, &a, &v, &n, err);
	}
	arena_release(&a);
	return rc;
}

/* A tick that was cancelled must not come back with the next one. */
static int
drop_files(const struct scheds *s, const struct ledger_tick *v, size_t n, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct sched *of = scheds_find(s, v[i].schedule);

		if (of && of->repo)
			rc = ticks_drop(of->repo, v[i].at, err);
	}
	return rc;
}

int
tickrun_cancel(const struct scheds *s, const char *pipeline, struct err *err)
{
	struct tickrun r = { .pipeline = pipeline };
	struct arena a = ARENA_INIT;
	struct ledger_tick *v;
	char name[LOCK_NAME];
	size_t n;
	long pid;
	int rc = waiting(&r, &a, &v, &n, err);

	if (rc == 0)
		rc = move_all(v, n, "cancelled", NULL, n ? v[0].began : 0, time_now_ns(), err);
	pid = rc == 0 ? lock_holder(lock_name(name, pipeline)) : 0;
	if (pid > 0 && kill((pid_t)pid, SIGTERM) < 0 && errno != ESRCH)
		rc = err_set(err, errno, "cannot end the run of '%s' (pid %ld):", pipeline ? pipeline : "all", pid);
	if (rc == 0)
		rc = drop_files(s, v, n, err);
	arena_release(&a);
	return rc;
}
