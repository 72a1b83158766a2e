/* outcome.c: the index of jobs says what ended, P.open what did not, the refs what did not have to run; what is left is in the
 * way of something else, and the graph says of what. */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/plan.h"
#include "ends.h"
#include "stale.h"

const char *
outcome_word(enum outcome_state s)
{
	static const char *const word[N_OUTCOME] = { "up to date", "success", "failure", "not pushed", "environment", "interrupted", "blocked", "not reached" };

	return word[s];
}

const struct index_pipeline *
outcome_goal(const struct index *x, const char *goal)
{
	static const char *const suffix[] = { ".egress", ".done", ".spec" };
	size_t prefix = strlen(DIR_REFS "/"), n;
	char name[NAME_MAX_REPO + 1];

	if (strncmp(goal, DIR_REFS "/", prefix) == 0)
		goal += prefix;
	n = strlen(goal);
	for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
		size_t len = strlen(suffix[i]);

		if (n > len && strcmp(goal + n - len, suffix[i]) == 0) {
			n -= len;
			break;
		}
	}
	if (n > NAME_MAX_REPO)
		return NULL;
	memcpy(name, goal, n);
	name[n] = '\0';
	return index_find(x, name);
}

/* Every pipeline that the goals need, of the whole index. */
static void
mark_wanted(const struct index *x, const char *const *goal, size_t n_goal, bool *wanted)
{
	bool again = true;

	for (size_t i = 0; i < x->n_pipeline; i++)
		wanted[i] = n_goal == 0;
	for (size_t i = 0; i < n_goal; i++) {
		const struct index_pipeline *p = outcome_goal(x, goal[i]);

		if (p)
			wanted[p - x->pipeline] = true;
		for (size_t k = 0; strcmp(goal[i], "all") == 0 && k < x->n_pipeline; k++)
			wanted[k] = true;
	}
	while (again) {
		again = false;
		for (size_t i = 0; i < x->n_pipeline; i++)
			for (size_t k = 0; wanted[i] && k < x->pipeline[i].n_reads; k++) {
				const struct index_pipeline *up = index_find(x, x->pipeline[i].reads[k]);

				if (up && !wanted[up - x->pipeline]) {
					wanted[up - x->pipeline] = true;
					again = true;
				}
			}
	}
}

static struct outcome *
find(const struct outcomes *o, const char *pipeline)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->v[i].pipeline, pipeline) == 0)
			return &o->v[i];
	return NULL;
}

/* The newest job that this run began for each. */
static int
take_jobs(struct outcomes *o, struct query *q, struct err *err)
{
	struct q_job *job;
	size_t n;

	if (query_run(q, &o->a, o->run, &job, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct outcome *one = find(o, job[i].pipeline);

		if (!one)
			continue;
		one->has_job = true;
		one->job = job[i];
		one->state = strcmp(job[i].state, "success") == 0 ? OUTCOME_DONE : job[i].failed || job[i].reason[0] ? OUTCOME_FAILED :
		    OUTCOME_LEFT;
		if (one->state == OUTCOME_FAILED && query_failed(q, &o->a, job[i].row, &one->failed, &one->n_failed, err) < 0)
			return -1;
	}
	return 0;
}

static bool
is_left_open(const struct outcomes *o, const char *pipeline)
{
	struct open_job open = OPEN_JOB_INIT;
	struct err ignored = ERR_INIT;
	bool ours = open_job_read(&open, pipeline, &ignored) == 1 && strcmp(open.run, o->run) == 0;

	open_job_release(&open);
	return ours;
}

/* A push comes after the job, which it does not undo. */
static void
take_pushes(struct outcomes *o, int ends)
{
	char name[EGRESS_NAME_MAX];

	for (size_t i = 0; i < o->n; i++)
		if ((o->v[i].state == OUTCOME_DONE || o->v[i].state == OUTCOME_CURRENT) &&
		    ends_of(ends, layout_egress_name(name, o->v[i].pipeline)) != EXIT_DONE)
			o->v[i].state = OUTCOME_UNSENT;
}

/* Those without a job; CURRENT is what they are until more is known. */
static int
judge_rest(struct outcomes *o, struct query *q, const struct index *x, int ends, struct err *err)
{
	struct stale *s;

	if (stale_all(q, &o->a, x, &s, err) < 0)
		return -1;
	for (size_t i = 0; i < o->n; i++) {
		struct outcome *one = &o->v[i];
		const struct index_pipeline *p = index_find(x, one->pipeline);

		if (one->has_job)
			continue;
		if (ends_of(ends, one->pipeline) != EXIT_DONE)
			one->state = OUTCOME_BROKEN;
		else if (is_left_open(o, one->pipeline))
			one->state = OUTCOME_LEFT;
		else if (o->status != EXIT_DONE && s[p - x->pipeline].state != STALE_NO)
			one->state = OUTCOME_NOT_REACHED;
	}
	return 0;
}

static const char *
in_the_way(const struct outcomes *o, const struct index *x, const char *pipeline)
{
	const struct index_pipeline *p = index_find(x, pipeline);

	for (size_t k = 0; k < p->n_reads; k++) {
		const struct outcome *up = find(o, p->reads[k]);

		if (up && up->state == OUTCOME_BLOCKED)
			return up->blocked_by;
		if (up && (up->state == OUTCOME_FAILED || up->state == OUTCOME_BROKEN || up->state == OUTCOME_LEFT))
			return up->pipeline;
	}
	return NULL;
}

static void
pass_on(struct outcomes *o, const struct index *x)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < o->n; i++) {
			struct outcome *one = &o->v[i];

			if (one->has_job || (one->state != OUTCOME_CURRENT && one->state != OUTCOME_NOT_REACHED))
				continue;
			one->blocked_by = in_the_way(o, x, one->pipeline);
			if (one->blocked_by) {
				one->state = OUTCOME_BLOCKED;
				again = true;
			}
		}
	}
}

int
outcomes_collect(struct outcomes *o, struct query *q, const struct index *x, const char *const *goal, size_t n_goal, int ends,
                 struct err *err)
{
	bool *wanted = xcalloc(x->n_pipeline + 1, sizeof *wanted);

	mark_wanted(x, goal, n_goal, wanted);
	o->v = arena_alloc(&o->a, (x->n_pipeline + 1) * sizeof *o->v);
	for (size_t i = 0; i < x->n_pipeline; i++)
		if (wanted[i])
			o->v[o->n++] = (struct outcome){ .pipeline = arena_str(&o->a, x->pipeline[i].name) };
	free(wanted);
	if (take_jobs(o, q, err) < 0 || judge_rest(o, q, x, ends, err) < 0)
		return -1;
	take_pushes(o, ends);
	pass_on(o, x);
	for (size_t i = 0; i < o->n; i++)
		o->count[o->v[i].state]++;
	return 0;
}

void
outcomes_release(struct outcomes *o)
{
	arena_release(&o->a);
	*o = (struct outcomes)OUTCOMES_INIT;
}
