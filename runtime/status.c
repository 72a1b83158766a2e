/* status.c: the whole project on one page. It reads refs, it does not scan: what changed on the disk since the last
 * make is make's to find, and the page says so. */
#include <getopt.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "egressstate.h"
#include "jobset.h"
#include "paused.h"
#include "query.h"
#include "show.h"
#include "stale.h"
#include "state.h"
#include "verbs.h"

enum { LAST_JOBS = 5 };

static const char usage[] =
    "usage: dassie status [--json]\n\n"
    "What is up to date, what is stale and why, as of the last scan (make looks again); sources and last jobs.\n\n"
    "        --json  one object a line: pipelines, then sources\n";

struct page { struct arena a; struct query *q; struct index x; struct stale *v; bool json; struct buf b; };

static enum show_color
color_of(enum stale_state s)
{
	return s == STALE_NO ? SHOW_GREEN : s == STALE_FAILED ? SHOW_RED : SHOW_YELLOW;
}

struct pushes { struct egress_state *v; size_t n; };

static void
pipeline_json(struct buf *b, const struct stale *s, const struct pushes *p)
{
	json_open(b, NULL, '{');
	json_str(b, "pipeline", s->pipeline);
	json_str(b, "state", stale_word(s->state));
	json_open(b, "reasons", '[');
	for (size_t i = 0; i < s->n_reason; i++)
		json_str(b, NULL, s->reason[i]);
	json_close(b, ']');
	json_str(b, "job", s->has_job ? s->job.id : NULL);
	json_str(b, "job_state", s->has_job ? s->job.state : NULL);
	json_time(b, "started", s->has_job ? s->job.started : 0);
	json_time(b, "finished", s->has_job ? s->job.finished : 0);
	json_i64(b, "failed", s->has_job ? (int64_t)s->job.failed : 0);
	json_bool(b, "paused", paused_is(s->pipeline));
	egress_json(b, p->v, p->n);
	json_close(b, '}');
	buf_byte(b, '\n');
}

/* A line a place, below its pipeline. */
static void
push_rows(struct table *t, const struct pushes *p)
{
	for (size_t i = 0; i < p->n; i++) {
		bool good = !strcmp(p->v[i].word, "pushed"), bad = !strcmp(p->v[i].word, "failed");

		show_cell(t);
		buf_fmt(&t->cell, "%s%s%s", show_color(good ? SHOW_GREEN : bad ? SHOW_RED : SHOW_YELLOW), p->v[i].word, show_color(SHOW_PLAIN));
		show_cell(t);
		egress_sentence(&t->cell, &p->v[i]);
		show_cell(t);
		show_row(t);
	}
}

static void
paused_row(struct table *t, const char *pipeline)
{
	if (!paused_is(pipeline))
		return;
	show_cell(t);
	buf_fmt(&t->cell, "%spaused%s", show_color(SHOW_YELLOW), show_color(SHOW_PLAIN));
	show_cell(t);
	paused_text(pipeline, &t->cell);
	show_cell(t);
	show_row(t);
}

static void
pipelines(struct page *p, const struct pushes *pushes)
{
	struct table t = TABLE_INIT;

	for (size_t i = 0; i < p->x.n_pipeline; i++) {
		const struct stale *s = &p->v[i];

		for (size_t k = 0; k == 0 || k < s->n_reason; k++) {
			buf_str(&t.cell, k == 0 ? s->pipeline : "");
			show_cell(&t);
			if (k == 0)
				buf_fmt(&t.cell, "%s%s%s", show_color(color_of(s->state)), stale_word(s->state), show_color(SHOW_PLAIN));
			show_cell(&t);
			if (k < s->n_reason)
				buf_str(&t.cell, s->reason[k]);
			else if (s->has_job && s->state == STALE_NO) {
				show_count(&t.cell, s->job.total, "datum", "datums");
				buf_str(&t.cell, ", ");
				show_ago(&t.cell, s->job.finished);
			}
			show_cell(&t);
			show_row(&t);
		}
		paused_row(&t, s->pipeline);
		push_rows(&t, &pushes[i]);
	}
	if (t.n > 0) {
		buf_fmt(&p->b, "%spipelines%s\n", show_color(SHOW_BOLD), show_color(SHOW_PLAIN));
		show_table(&p->b, &t, "  ");
	}
	table_release(&t);
}

static int
sources(struct page *p, struct err *err)
{
	struct table t = TABLE_INIT;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < p->x.n_source; i++) {
		const struct index_source *s = &p->x.source[i];
		struct manifest m = MANIFEST_INIT;
		struct err gone = ERR_INIT;
		struct ref ref = REF_INIT;
		char path[LAYOUT_MAX];

		rc = ref_read(layout_ref(path, s->name), &ref, err);
		bool have = rc == 1 && manifest_load(&m, &ref.id, &gone) == 0;
		if (p->json) {
			json_open(&p->b, NULL, '{');
			json_str(&p->b, "source", s->name);
			json_str(&p->b, "directory", index_place(s));
			if (rc == 1)
				json_oid(&p->b, "commit", &ref.id);
			if (have)
				json_i64(&p->b, "files", (int64_t)m.n);
			json_time(&p->b, "as_of", ref.asof);
			json_close(&p->b, '}');
			buf_byte(&p->b, '\n');
		} else {
			buf_str(&t.cell, s->name);
			show_cell(&t);
			show_name(&t.cell, s->n_from || strcmp(s->dir, "-") ? index_place(s) : s->name[layout_repo_len(s->name)] ? "branch" : "ticks");
			show_cell(&t);
			if (have)
				show_count(&t.cell, m.n, "file", "files");
			else
				buf_str(&t.cell, s->n_from ? "not fetched yet" : "not scanned yet");
			show_cell(&t);
			if (rc == 1) {
				buf_str(&t.cell, "changed ");
				show_ago(&t.cell, ref.asof);
			}
			show_cell(&t);
			show_row(&t);
		}
		manifest_release(&m);
		ref_release(&ref);
	}
	if (t.n > 0) {
		buf_fmt(&p->b, "%ssources%s\n", show_color(SHOW_BOLD), show_color(SHOW_PLAIN));
		show_table(&p->b, &t, "  ");
	}
	table_release(&t);
	return rc < 0 ? -1 : 0;
}

static int
last_jobs(struct page *p, struct err *err)
{
	struct table t = TABLE_INIT;
	struct q_job *v;
	size_t n;

	if (jobset_jobs(p->q, &p->a, NULL, "", LAST_JOBS, &v, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&t.cell, "%.*s", SHORT_HEX, v[i].id);
		show_cell(&t);
		buf_str(&t.cell, v[i].pipeline);
		show_cell(&t);
		buf_str(&t.cell, v[i].state);
		show_cell(&t);
		show_ago(&t.cell, v[i].started);
		show_cell(&t);
		buf_fmt(&t.cell, "%llu ran, %llu skipped, %llu failed", (unsigned long long)v[i].processed,
		    (unsigned long long)v[i].skipped, (unsigned long long)v[i].failed);
		show_cell(&t);
		show_row(&t);
	}
	if (t.n > 0) {
		buf_fmt(&p->b, "%slast jobs%s\n", show_color(SHOW_BOLD), show_color(SHOW_PLAIN));
		show_table(&p->b, &t, "  ");
	}
	table_release(&t);
	return 0;
}

static int
status(struct page *p, struct err *err)
{
	int rc = query_open(&p->q, err) < 0 ? -1 : index_read(&p->x, err);
	struct pushes *pushes;

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(err, SHOW_USAGE, "nothing is compiled here yet: 'dassie compile', then 'make'");
	if (stale_all(p->q, &p->a, &p->x, &p->v, err) < 0)
		return -1;
	pushes = arena_alloc(&p->a, (p->x.n_pipeline + 1) * sizeof *pushes);
	for (size_t i = 0; i < p->x.n_pipeline; i++)
		if (p->x.pipeline[i].has_egress && egress_states(&p->a, p->x.pipeline[i].name, &pushes[i].v, &pushes[i].n, err) < 0)
			return -1;
	if (p->json) {
		for (size_t i = 0; i < p->x.n_pipeline; i++)
			pipeline_json(&p->b, &p->v[i], &pushes[i]);
		return sources(p, err);
	}
	pipelines(p, pushes);
	if (sources(p, err) < 0 || last_jobs(p, err) < 0)
		return -1;
	uint64_t when = stale_as_of();
	if (when) {
		buf_str(&p->b, "as of the last scan that found a change, ");
		show_ago(&p->b, when);
		buf_str(&p->b, "; make looks again\n");
	} else {
		buf_str(&p->b, "nothing has been scanned yet: run make\n");
	}
	return 0;
}

int
verb_status(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct page p = { .a = ARENA_INIT, .x = INDEX_INIT, .b = BUF_INIT };
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j')
			return show_usage(usage, c == 'h');
		p.json = true;
	}
	if (optind != argc)
		return show_usage(usage, false);
	rc = state_find(NULL, &err);
	if (rc == 0)
		rc = status(&p, &err);
	query_close(p.q);
	index_release(&p.x);
	arena_release(&p.a);
	return rc < 0 ? (buf_release(&p.b), show_err(&err)) : show_out(&p.b, EXIT_DONE);
}
