/* jobs.c: `jobs` and `datums`: what ran, newest first, and how each part of it fared. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/talk.h"
#include "failure.h"
#include "jobset.h"
#include "known.h"
#include "pushed.h"
#include "query.h"
#include "result.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

enum { JOBS_SHOWN = 20 };

static const char jobs_usage[] =
    "usage: dassie jobs [-n N] [--json] [PIPELINE]\n\n"
    "What ran, newest first: a job is one pass over a pipeline.\n\n"
    "    -n, --limit N   at most N jobs, 0 for all (20; with --json all)\n"
    "        --json      one object a line\n";

static const char datums_usage[] =
    "usage: dassie datums [--failed] [--json] PIPELINE[@JOB]\n"
    "       dassie datums -f SPEC [--json] [PIPELINE]…\n\n"
    "The datums of the newest job, or of JOB (the first digits of its id will do): failed ones first, then those that\n"
    "ran, then those that were skipped because their result was there.  With -f: which datums the pipelines of a spec\n"
    "would have, of the newest commits, without running anything.\n\n"
    "        --failed    only failed ones\n"
    "    -n, --limit N   at most N datums, 0 for all (0)\n"
    "        --json      one object a line\n";

struct job_pushes { struct pushed *v; size_t n; };

static void
pushes_json(struct buf *b, const struct job_pushes *p)
{
	json_open(b, "egress", '[');
	for (size_t i = 0; i < p->n; i++) {
		const struct pushed *o = &p->v[i];

		json_open(b, NULL, '{');
		json_str(b, "url", o->url);
		json_str(b, "state", o->failed ? "failed" : "done");
		json_time(b, "finished", o->finished);
		json_i64(b, "put", (int64_t)o->put);
		json_i64(b, "put_bytes", (int64_t)o->put_bytes);
		json_i64(b, "left", (int64_t)o->left);
		json_str(b, "reason", *o->reason ? o->reason : NULL);
		json_close(b, '}');
	}
	json_close(b, ']');
}

static void
job_json(struct buf *b, const struct q_job *j, const struct job_pushes *p)
{
	json_open(b, NULL, '{');
	json_str(b, "job", j->id);
	json_str(b, "run", j->run);
	json_str(b, "pipeline", j->pipeline);
	json_str(b, "state", j->state);
	json_str(b, "reason", j->reason);
	json_time(b, "started", j->started);
	json_time(b, "finished", j->finished);
	json_i64(b, "total", (int64_t)j->total);
	json_i64(b, "processed", (int64_t)j->processed);
	json_i64(b, "skipped", (int64_t)j->skipped);
	json_i64(b, "failed", (int64_t)j->failed);
	json_i64(b, "recovered", (int64_t)j->recovered);
	if (j->has_commit)
		json_oid(b, "commit", &j->commit);
	else
		json_no_value(b, "commit");
	if (j->has_spec)
		json_oid(b, "spec", &j->spec);
	json_open(b, "code", '{');
	json_str(b, "git", j->head);
	json_str(b, "branch", j->branch && j->branch[0] ? j->branch : NULL);
	json_bool(b, "dirty", j->dirty);
	json_close(b, '}');
	pushes_json(b, p);
	json_close(b, '}');
	buf_byte(b, '\n');
}

static void
state_cell(struct table *t, const char *state)
{
	enum show_color c = strcmp(state, "success") == 0 ? SHOW_GREEN : strcmp(state, "running") == 0 ||
	    strcmp(state, "recovered") == 0 ? SHOW_YELLOW : strcmp(state, "skipped") == 0 ? SHOW_DIM : SHOW_RED;

	buf_fmt(&t->cell, "%s%s%s", show_color(c), state, show_color(SHOW_PLAIN));
	show_cell(t);
}

static void
head_row(struct table *t, const char *const *name)
{
	for (; *name; name++) {
		buf_fmt(&t->cell, "%s%s%s", show_color(SHOW_BOLD), *name, show_color(SHOW_PLAIN));
		show_cell(t);
	}
	show_row(t);
}

static void
job_row(struct table *t, const struct q_job *j)
{
	buf_fmt(&t->cell, "%.*s", SHORT_HEX, j->id);
	show_cell(t);
	buf_str(&t->cell, j->pipeline);
	show_cell(t);
	state_cell(t, j->state);
	show_ago(&t->cell, j->started);
	show_cell(t);
	if (j->finished)
		show_span(&t->cell, j->finished > j->started ? j->finished - j->started : 0);
	else
		buf_byte(&t->cell, '-');
	show_cell(t);
	for (size_t i = 0; i < 3; i++) {
		buf_u64(&t->cell, i == 0 ? j->processed : i == 1 ? j->skipped : j->failed);
		show_cell(t);
	}
	show_when(&t->cell, j->started);
	show_cell(t);
	show_row(t);
}

static void
failed_pushes(struct buf *b, const struct q_job *j, const struct job_pushes *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->v[i].failed)
			continue;
		buf_fmt(b, "%.*s %s: egress failed: to ", SHORT_HEX, j->id, j->pipeline);
		show_name(b, p->v[i].url);
		buf_fmt(b, ", %llu put, %llu left: 'dassie egress %s' goes on with them\n", (unsigned long long)p->v[i].put,
		    (unsigned long long)p->v[i].left, j->pipeline);
	}
}

static void
jobs_text(struct buf *b, const struct q_job *v, const struct job_pushes *p, size_t n, bool cut)
{
	static const char *const head[] = { "job", "pipeline", "state", "started", "took", "ran", "skipped", "failed", "at", NULL };
	struct table t = TABLE_INIT;

	t.right[4] = t.right[5] = t.right[6] = t.right[7] = true;
	head_row(&t, head);
	for (size_t i = 0; i < n; i++)
		job_row(&t, &v[i]);
	show_table(b, &t, "");
	table_release(&t);
	for (size_t i = 0; i < n; i++)
		if (v[i].reason[0]) {
			buf_fmt(b, "%.*s %s: ", SHORT_HEX, v[i].id, v[i].pipeline);
			show_name(b, v[i].reason);
			buf_byte(b, '\n');
		}
	for (size_t i = 0; i < n; i++)
		failed_pushes(b, &v[i], &p[i]);
	if (cut)
		buf_str(b, "… older ones: dassie jobs -n 0\n");
}

static int
jobs(const char *pipeline, int64_t limit, bool json, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct query *q = NULL;
	struct q_job *v = NULL;
	size_t n = 0;
	unsigned most = limit < 0 ? (json ? 0 : JOBS_SHOWN) : (unsigned)limit;
	int rc = query_open(&q, err);

	if (rc >= 0)
		rc = jobset_jobs(q, &a, pipeline, "", most ? most + 1 : 0, &v, &n, err);
	bool cut = most && n > most;
	if (cut)
		n = most;
	struct job_pushes *p = arena_alloc(&a, (n + 1) * sizeof *p);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (v[i].has_commit)
			rc = query_pushes(q, &a, v[i].pipeline, &v[i].commit, &p[i].v, &p[i].n, err);
	query_close(q);
	for (size_t i = 0; rc == 0 && json && i < n; i++)
		job_json(&b, &v[i], &p[i]);
	if (rc == 0 && n == 0 && pipeline)
		rc = known_pipeline(pipeline, err);
	if (rc == 0 && n == 0)
		talk("nothing has run yet%s%s: run make", pipeline ? " of " : "", pipeline ? pipeline : "");
	else if (rc == 0 && !json)
		jobs_text(&b, v, p, n, cut && limit < 0);
	arena_release(&a);
	return rc < 0 ? (buf_release(&b), -1) : show_out(&b, EXIT_DONE);
}

/* A number of things; false if it is none. */
static bool
parse_limit(const char *s, int64_t *ret)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (s[0] < '0' || s[0] > '9' || *end || v > 1000000000)
		return false;
	*ret = (int64_t)v;
	return true;
}

int
verb_jobs(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "limit", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct err err = ERR_INIT;
	int64_t limit = -1;
	bool json = false;
	int c, rc;

	while ((c = getopt_long(argc, argv, "n:h", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c != 'n' || !parse_limit(optarg, &limit))
			return show_usage(jobs_usage, c == 'h');
	}
	if (argc - optind > 1)
		return show_usage(jobs_usage, false);
	rc = state_find(NULL, &err);
	if (rc == 0)
		rc = jobs(argv[optind], limit, json, &err);
	return rc < 0 ? show_err(&err) : rc;
}

/* What became of a datum in a job. */
struct datum_line { struct result r; const char *label, *state; struct oid key; int rank; size_t at; };

static void
judge(struct datum_line *d, const struct q_job *job, bool have)
{
	if (!have) {
		d->state = strcmp(job->state, "running") == 0 ? "waiting" : "missing";
		d->rank = 1;
	} else if (strcmp(d->r.job, job->id) != 0) {
		bool failed = strcmp(d->r.state, "success") != 0;

		/* A failure that an earlier job left says nothing of this one, which has not come to the datum. */
		d->state = failed ? strcmp(job->state, "running") == 0 ? "waiting" : "missing" : "skipped";
		d->rank = failed ? 1 : 3;
	} else if (strcmp(d->r.state, "failed") == 0) {
		d->state = "failed";
		d->rank = 0;
	} else {
		d->state = strcmp(d->r.state, "recovered") == 0 ? "recovered" : "success";
		d->rank = 2;
	}
}

static int
by_rank(const void *pa, const void *pb)
{
	const struct datum_line *a = pa, *b = pb;

	return a->rank != b->rank ? a->rank - b->rank : a->at < b->at ? -1 : 1;
}

static void
datum_json(struct buf *b, const struct datum_line *d, const struct q_job *job)
{
	const struct result *r = &d->r;
	const struct attempt *last = r->n_attempt > 0 ? &r->attempt[r->n_attempt - 1] : NULL;

	json_open(b, NULL, '{');
	json_oid(b, "datum", &d->key);
	json_str(b, "state", d->state);
	json_str(b, "label", d->label);
	json_str(b, "pipeline", job->pipeline);
	json_str(b, "job", job->id);
	json_i64(b, "tries", (int64_t)r->n_attempt);
	json_open(b, "inputs", '[');
	for (size_t i = 0; i < r->n_input; i++) {
		json_open(b, NULL, '{');
		json_str(b, "name", r->input[i].name);
		json_str(b, "repo", r->input[i].repo);
		json_str(b, "path", r->input[i].path);
		json_oid(b, "hash", &r->input[i].id);
		json_str(b, "kind", (char[]){ r->input[i].kind, '\0' });
		json_close(b, '}');
	}
	json_close(b, ']');
	json_open(b, "outputs", '[');
	for (size_t i = 0; i < r->n_output; i++) {
		json_open(b, NULL, '{');
		json_str(b, "path", r->output[i].path);
		json_oid(b, "hash", &r->output[i].id);
		json_i64(b, "size", (int64_t)r->output[i].size);
		json_close(b, '}');
	}
	json_close(b, ']');
	if (last) {
		json_i64(b, "exit", last->exit);
		json_i64(b, "signal", last->signal);
		json_time(b, "started", r->attempt[0].started);
		json_time(b, "finished", last->ended);
		json_str(b, "class", r->class);
		json_str(b, "executed_by", r->job);
		json_str(b, "host", r->host);
		json_i64(b, "user_us", (int64_t)last->utime_us);
		json_i64(b, "system_us", (int64_t)last->stime_us);
		json_i64(b, "maxrss_kb", (int64_t)last->maxrss_kb);
	} else {
		json_no_value(b, "exit");
		json_no_value(b, "started");
		json_no_value(b, "finished");
	}
	json_close(b, '}');
	buf_byte(b, '\n');
}

static void
datum_row(struct table *t, const struct datum_line *d)
{
	const struct result *r = &d->r;
	const struct attempt *last = r->n_attempt > 0 ? &r->attempt[r->n_attempt - 1] : NULL;
	bool failed = d->rank == 0 || strcmp(d->state, "recovered") == 0;

	show_id(&t->cell, &d->key);
	show_cell(t);
	state_cell(t, d->state);
	buf_u64(&t->cell, r->n_attempt);
	show_cell(t);
	if (!last)
		buf_byte(&t->cell, '-');
	else if (last->signal)
		buf_str(&t->cell, failure_signal_name(last->signal));
	else
		buf_fmt(&t->cell, "%d", last->exit);
	show_cell(t);
	if (last)
		show_span(&t->cell, last->ended > r->attempt[0].started ? last->ended - r->attempt[0].started : 0);
	else
		buf_byte(&t->cell, '-');
	show_cell(t);
	buf_u64(&t->cell, r->n_output);
	show_cell(t);
	show_name(&t->cell, d->label);
	if (failed && r->class[0]) {
		buf_str(&t->cell, "  ");
		show_name(&t->cell, r->class);
	}
	show_cell(t);
	show_row(t);
}

static void
datums_text(struct buf *b, const struct datum_line *v, size_t n, const struct q_job *job, const struct jobset *set)
{
	static const char *const head[] = { "datum", "state", "tries", "exit", "took", "files", "inputs", NULL };
	struct table t = TABLE_INIT;

	buf_fmt(b, "job %.*s of %s: %s, ", SHORT_HEX, job->id, job->pipeline, job->state);
	show_ago(b, job->started);
	buf_str(b, " (");
	show_when(b, job->started);
	buf_fmt(b, "); %llu of %llu ran, %llu skipped, %llu failed\n", (unsigned long long)job->processed,
	    (unsigned long long)job->total, (unsigned long long)job->skipped, (unsigned long long)job->failed);
	if (n > 0) {
		t.right[2] = t.right[4] = t.right[5] = true;
		head_row(&t, head);
		for (size_t i = 0; i < n; i++)
			datum_row(&t, &v[i]);
		show_table(b, &t, "");
		table_release(&t);
	}
	if (!set->whole && job->skipped > 0)
		buf_fmt(b, "and %llu datums were skipped; which ones is kept for the newest successful job only\n",
		    (unsigned long long)job->skipped);
	if (job->failed > 0)
		buf_fmt(b, "their logs: dassie logs --failed %s\n", job->pipeline);
}

struct datums_how { bool json, failed; int64_t limit; };

static int
load_lines(struct query *q, struct arena *a, const struct q_job *job, const struct jobset *set, struct datum_line *v,
           struct err *err)
{
	for (size_t i = 0; i < set->n; i++) {
		int rc = jobset_result(q, a, &set->v[i].key, job->id, &v[i].r, err);

		if (rc < 0)
			return -1;
		v[i].key = set->v[i].key;
		v[i].at = i;
		v[i].label = set->v[i].label ? set->v[i].label : rc == 1 ? v[i].r.label : "";
		judge(&v[i], job, rc == 1);
		/* What an earlier job left is not how this one fared. */
		if (v[i].rank == 1) {
			result_release(&v[i].r);
			v[i].r = (struct result)RESULT_INIT;
		}
	}
	qsort(v, set->n, sizeof *v, by_rank);
	return 0;
}

static int
datums(const char *pipeline, const char *prefix, const struct datums_how *how, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct query *q = NULL;
	struct datum_line *v = NULL;
	struct jobset set = { .n = 0 };
	struct q_job job;
	size_t n = 0;
	char path[LAYOUT_MAX];
	int rc = query_open(&q, err);

	if (rc >= 0)
		rc = jobset_find(q, &a, pipeline, prefix, &job, err);
	if (rc == 1 && (rc = jobset_load(q, &a, &job, &set, err)) == 0) {
		v = xcalloc(set.n + 1, sizeof *v);
		rc = load_lines(q, &a, &job, &set, v, err) < 0 ? -1 : 1;
	}
	query_close(q);
	if (rc == 0 && access(layout_conf(path, pipeline), F_OK) == 0)
		talk("nothing of '%s' has run yet: run make", pipeline);
	else if (rc == 0)
		rc = err_set(err, SHOW_USAGE, "there is no pipeline '%s'; 'dassie status' lists them", pipeline);
	for (n = 0; rc == 1 && n < set.n; n++)
		if ((how->failed && v[n].rank != 0) || (how->limit > 0 && n >= (size_t)how->limit))
			break;
	for (size_t i = 0; how->json && i < n; i++)
		datum_json(&b, &v[i], &job);
	if (rc == 1 && !how->json)
		datums_text(&b, v, n, &job, &set);
	for (size_t i = 0; i < set.n; i++)
		result_release(&v[i].r);
	free(v);
	arena_release(&a);
	return rc < 0 ? (buf_release(&b), -1) : show_out(&b, EXIT_DONE);
}

/* PIPELINE[@JOB], split in place. */
static const char *
split_job(char *arg)
{
	char *at = strchr(arg, '@');

	if (!at)
		return "";
	*at = '\0';
	return at + 1;
}

int
verb_datums(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "failed", no_argument, NULL, 'f' },
		{ "limit", required_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct datums_how how = { .limit = 0 };
	struct err err = ERR_INIT;
	const char *job;
	int c, rc;

	while ((c = getopt_long(argc, argv, "n:h", options, NULL)) != -1) {
		if (c == 'j')
			how.json = true;
		else if (c == 'f')
			how.failed = true;
		else if (c != 'n' || !parse_limit(optarg, &how.limit))
			return show_usage(datums_usage, c == 'h');
	}
	if (argc - optind != 1)
		return show_usage(datums_usage, false);
	job = split_job(argv[optind]);
	if (!layout_name_ok(argv[optind])) {
		talk("'%s' is no name of a pipeline", argv[optind]);
		return EXIT_USAGE;
	}
	rc = state_find(NULL, &err);
	if (rc == 0)
		rc = datums(argv[optind], job, &how, &err);
	return rc < 0 ? show_err(&err) : rc;
}
