/* summary.c: a person reads the last screen, so the order is: one line on the whole, a line for each pipeline that is not as it
 * should be, then the failed datums. */
#include "summary.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/talk.h"
#include "outcome.h"
#include "report.h"
#include "show.h"
#include "visible.h"

enum { LINES = 40, SHOWN = 3, SHOWN_ALL = 10 };

static void
add_part(struct buf *b, size_t *n, uint64_t count, const char *one, const char *many)
{
	if (!count)
		return;
	buf_str(b, (*n)++ ? ", " : "");
	show_count(b, count, one, many);
}

static void
add_datums(struct buf *b, const struct q_job *j)
{
	size_t n = 0;

	add_part(b, &n, j->processed, "ran", "ran");
	add_part(b, &n, j->skipped, "skipped", "skipped");
	add_part(b, &n, j->recovered, "recovered", "recovered");
	add_part(b, &n, j->failed, "failed", "failed");
}

static void
add_whole(struct buf *b, const struct outcomes *o)
{
	const size_t *c = o->count;
	struct q_job all = { .processed = 0 };
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		all.processed += o->v[i].has_job ? o->v[i].job.processed : 0;
		all.skipped += o->v[i].has_job ? o->v[i].job.skipped : 0;
		all.recovered += o->v[i].has_job ? o->v[i].job.recovered : 0;
		all.failed += o->v[i].has_job ? o->v[i].job.failed : 0;
	}
	buf_str(b, "dassie: ");
	if (o->interrupted)
		buf_str(b, "interrupted: ");
	add_part(b, &n, c[OUTCOME_DONE], "pipeline done", "pipelines done");
	add_part(b, &n, c[OUTCOME_FAILED] + c[OUTCOME_BROKEN], "failed", "failed");
	add_part(b, &n, c[OUTCOME_UNSENT], "not pushed", "not pushed");
	add_part(b, &n, c[OUTCOME_LEFT], "interrupted", "interrupted");
	add_part(b, &n, c[OUTCOME_BLOCKED], "blocked", "blocked");
	add_part(b, &n, c[OUTCOME_NOT_REACHED], "not reached", "not reached");
	add_part(b, &n, c[OUTCOME_CURRENT], "up to date", "up to date");
	buf_str(b, n ? " (" : "nothing was begun (");
	show_span(b, o->ended > o->started ? o->ended - o->started : 0);
	buf_byte(b, ')');
	if (all.processed + all.skipped + all.recovered + all.failed) {
		buf_str(b, "; datums: ");
		add_datums(b, &all);
	}
	buf_byte(b, '\n');
}

static void
add_pipeline(struct table *t, const struct outcome *one)
{
	buf_str(&t->cell, one->pipeline);
	show_cell(t);
	if (one->state == OUTCOME_BLOCKED)
		buf_fmt(&t->cell, "blocked by %s", one->blocked_by);
	else
		buf_str(&t->cell, outcome_word(one->state));
	show_cell(t);
	if (one->has_job) {
		add_datums(&t->cell, &one->job);
		buf_str(&t->cell, one->job.processed + one->job.skipped + one->job.recovered + one->job.failed ? ", " : "");
		show_span(&t->cell, one->job.finished > one->job.started ? one->job.finished - one->job.started : 0);
		if (one->job.reason[0] && one->state == OUTCOME_FAILED) {
			buf_str(&t->cell, ": ");
			visible_str(&t->cell, one->job.reason);
		}
	}
	if (one->state == OUTCOME_NOT_REACHED)
		buf_str(&t->cell, "make stops at a failure; with -k what does not depend on it goes on");
	if (one->state == OUTCOME_UNSENT)
		buf_fmt(&t->cell, "%s'dassie egress %s' tries again", one->has_job ? "; " : "", one->pipeline);
	if (one->state == OUTCOME_LEFT)
		buf_str(&t->cell, "what has its result is kept");
	show_cell(t);
	show_row(t);
}

/* Those that are not as they should be; beside them, while they are few, what was done. */
static void
add_pipelines(struct buf *b, const struct outcomes *o)
{
	struct table t = TABLE_INIT;
	size_t bad = o->n - o->count[OUTCOME_CURRENT] - o->count[OUTCOME_DONE], n = 0;

	for (size_t i = 0; i < o->n; i++) {
		bool good = o->v[i].state == OUTCOME_DONE;

		if (o->v[i].state == OUTCOME_CURRENT || (good && bad + o->count[OUTCOME_DONE] > LINES) || n == LINES)
			continue;
		add_pipeline(&t, &o->v[i]);
		n++;
	}
	if (n)
		show_table(b, &t, "  ");
	if (bad > n)
		buf_fmt(b, "  and %zu more: dassie status\n", bad - n);
	table_release(&t);
}

static void
tell_failures(const struct outcomes *o)
{
	size_t shown = 0;

	for (size_t i = 0; i < o->n; i++) {
		const struct outcome *one = &o->v[i];
		size_t n = 0;

		for (; n < one->n_failed && n < SHOWN && shown < SHOWN_ALL; n++, shown++)
			report_datum(&one->failed[n]);
		if (one->n_failed > n)
			talk("%s: %s%zu %sfailed: dassie datums %s", one->pipeline, n ? "and " : "", one->n_failed - n, n ? "more " : "datums ",
			    one->pipeline);
	}
}

void
summary_tell(const struct outcomes *o, bool quiet)
{
	struct buf b = BUF_INIT;
	bool well = o->status == EXIT_DONE && !o->interrupted;

	if (quiet && well)
		return;
	if (well && o->n && o->count[OUTCOME_CURRENT] == o->n) {
		buf_str(&b, "dassie: everything is up to date (");
		show_span(&b, o->ended > o->started ? o->ended - o->started : 0);
		buf_str(&b, ")\n");
	} else {
		add_whole(&b, o);
		if (!well)
			add_pipelines(&b, o);
	}
	talk_raw(b.s, b.n);
	buf_release(&b);
	if (o->interrupted)
		talk("what is finished is kept: 'dassie run' goes on from there");
	tell_failures(o);
}
