/* gcmark.c: what is kept, from its roots to the contents.
 *
 *   jobs      the newest of each pipeline, the young ones, those that P.job, P.open and P.failed name
 *   commits   what refs and marks (so out/) and killed pushes name, what the inputs of P.done, P.open and P.failed are, what those jobs
 *             made and read, what the history has young
 *   results   every key in P.job and in the sets of P.open and P.failed; young ones; those that a kept job executed
 *   objects   the files of those commits, the outputs of those results, the tree of P.job
 *   steps     what the index and kept plans name
 *
 * A kept result's job may be long past: the manifests (not the contents) of what it read are kept, so that `why` can go
 * on from a directory to its files. Without a database nobody knows the past jobs: then commits are kept by their age. */
#include "gc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/jobfile.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/plan.h"
#include "../base/ref.h"
#include "fanout.h"
#include "query.h"
#include "result.h"

static void
add(struct gc_ids *s, const struct oid *id)
{
	if (s->n && oid_eq(&s->v[s->n - 1], id))
		return;
	GROW(s->v, s->n, s->cap);
	s->v[s->n++] = *id;
}

static void
add_name(struct gc *g, struct gc_names *s, const char *name)
{
	GROW(s->v, s->n, s->cap);
	s->v[s->n++] = arena_str(&g->a, name);
}

static int
by_id(const void *a, const void *b)
{
	return oid_cmp(a, b);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_key(const void *a, const void *b)
{
	return oid_cmp(&((const struct gc_result *)a)->key, &((const struct gc_result *)b)->key);
}

static void
sort(struct gc_ids *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_id);
}

static void
sort_names(struct gc_names *s)
{
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_name);
}

bool
gc_has(const struct gc_ids *s, const struct oid *id)
{
	return s->n && bsearch(id, s->v, s->n, sizeof *s->v, by_id);
}

bool
gc_has_name(const struct gc_names *s, const char *name)
{
	return s->n && bsearch(&name, s->v, s->n, sizeof *s->v, by_name);
}

const struct gc_result *
gc_result_of(const struct gc *g, const struct oid *key)
{
	struct gc_result want = { .key = *key };

	return g->n_result ? bsearch(&want, g->result, g->n_result, sizeof want, by_key) : NULL;
}

/* Calls fn for each file of a folder that is not hidden and no leftover; tail gets its name's end after the last '.', "" if none. */
typedef int name_fn(struct gc *g, const char *name, const char *tail, struct err *err);

static int
each_name(struct gc *g, const char *dir, name_fn *fn, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while (rc == 0 && (e = readdir(d))) {
		char *name = e->d_name, *dot = strrchr(name, '.');

		if (name[0] == '.' || strlen(name) > LAYOUT_MAX / 2 || (dot && strcmp(dot, ".tmp") == 0))
			continue;
		rc = fn(g, name, dot ? dot + 1 : "", err);
	}
	closedir(d);
	return rc;
}

static int
mark_ref(struct gc *g, const char *name, const char *tail, struct err *err)
{
	struct ref r = REF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	if (strcmp(tail, "spec") == 0 || (rc = ref_read(layout_ref(path, name), &r, err)) == 0)
		return 0;
	if (rc == 1 && strcmp(tail, "done") != 0 && strcmp(tail, "egress") != 0)
		add(&g->commit, &r.id);
	for (size_t i = 0; rc == 1 && i < r.n_input; i++)
		add(&g->commit, &r.input[i].id);
	ref_release(&r);
	return rc < 0 ? -1 : 0;
}

/* A mark that cannot be read is none: the next publishing looks at every file. */
static int
mark_shown(struct gc *g, const char *name, const char *tail, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	struct oid id;
	char path[LAYOUT_MAX];

	(void)tail;
	(void)err;
	if (recfile_open(&f, layout_mark(path, name), "mark", 1, &ignored) == 1)
		while (recfile_next(&f, &r))
			if (rec_is(&r, "id", 2) && rec_get_oid(&r, 1, &id))
				add(&g->commit, &id);
	recfile_release(&f);
	return 0;
}

/* A push that was killed is gone on with by the commit that it was of. */
static int
mark_push(struct gc *g, const char *name, const char *tail, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	struct oid id;
	char path[LAYOUT_MAX];

	(void)err;
	if (strcmp(tail, "open"))
		return 0;
	snprintf(path, sizeof path, "%s/%.120s", DIR_EGRESS, name);
	if (recfile_open(&f, path, "egress-open", 1, &ignored) == 1 && recfile_next(&f, &r) && recfile_next(&f, &r) &&
	    rec_is(&r, "commit", 2) && rec_get_oid(&r, 1, &id))
		add(&g->commit, &id);
	recfile_release(&f);
	return 0;
}

/* The plan of a job that is kept: its datums, its step. What is not there is no loss. */
static void
mark_plan(struct gc *g, const char *pipeline, const char *job)
{
	struct recfile f = RECFILE_INIT;
	struct plan_head h = PLAN_HEAD_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	struct oid key;
	char path[LAYOUT_MAX], tail[LAYOUT_MAX / 2];

	snprintf(tail, sizeof tail, "%.100s.set", job);
	if (recfile_open(&f, layout_plan(path, pipeline, tail), "set", 2, &ignored) == 1)
		while (recfile_next(&f, &r))
			if (rec_is(&r, "datum", 2) && rec_get_oid(&r, 1, &key))
				add(&g->key, &key);
	recfile_release(&f);
	tail[strlen(tail) - 4] = '\0';
	add_name(g, &g->plan, layout_plan(path, pipeline, tail) + sizeof DIR_PLAN);
	if (recfile_open(&f, path, "plan", 1, &ignored) == 1 && plan_head_read(&h, &f, &ignored) >= 0 && h.script)
		add_name(g, &g->script, h.script);
	plan_head_release(&h);
	recfile_release(&f);
}

/* What several datums wrote under one path; all else that they wrote is in the commit. */
static void
mark_parts(struct gc *g, const struct jobfile *j)
{
	struct job_writers w;

	job_writers_begin(&w, j);
	while (job_writers_next(&w) == 1)
		for (size_t i = 0; i < w.n; i++)
			if (w.part[i].kind)
				add(&g->object, &w.part[i].id);
	job_writers_release(&w);
}

static int
mark_job(struct gc *g, const char *pipeline, struct err *err)
{
	struct jobfile j = JOBFILE_INIT;
	struct oid key;
	int rc = jobfile_read(&j, pipeline, err);

	if (rc == 1) {
		add_name(g, &g->job, j.job);
		add(&g->commit, &j.commit);
		for (size_t i = 0; i < j.n_datum; i++) {
			jobfile_key(&j, i, &key);
			add(&g->key, &key);
		}
		mark_parts(g, &j);
		mark_plan(g, pipeline, j.job);
	}
	jobfile_release(&j);
	return rc < 0 ? -1 : 0;
}

/* One that cannot be read is of no use to a stage either. */
static int
mark_open(struct gc *g, const char *pipeline, const char *suffix)
{
	struct open_job o = OPEN_JOB_INIT;
	struct err damaged = ERR_INIT;

	if (open_job_read_as(&o, pipeline, suffix, &damaged) == 1) {
		add_name(g, &g->job, o.job);
		for (size_t i = 0; i < o.n_input; i++)
			add(&g->commit, &o.input[i].commit);
		mark_plan(g, pipeline, o.job);
	}
	open_job_release(&o);
	return 0;
}

static int
mark_plan_file(struct gc *g, const char *name, const char *tail, struct err *err)
{
	char pipeline[NAME_MAX_REPO + 1];
	size_t n = strlen(name) - strlen(tail);

	if (!tail[0] || n - 1 > NAME_MAX_REPO)
		return 0;
	snprintf(pipeline, sizeof pipeline, "%.*s", (int)(n - 1), name);
	if (!layout_name_ok(pipeline))
		return 0;
	if (strcmp(tail, "job") == 0)
		return mark_job(g, pipeline, err);
	return strcmp(tail, "open") == 0 || strcmp(tail, "failed") == 0 ? mark_open(g, pipeline, tail) : 0;
}

static int
mark_inputs(struct gc *g, struct query *q, const struct q_job *j, struct gc_ids *to, struct err *err)
{
	struct q_input *in;
	size_t n;

	if (query_job_inputs(q, &g->a, j->row, &in, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		add(to, &in[i].commit);
	return 0;
}

struct newest { const char *pipeline; uint64_t n; };

/* How many of the pipeline's jobs came before this one, newest first. */
static uint64_t
rank(struct newest **v, size_t *n, size_t *cap, const char *pipeline)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*v)[i].pipeline, pipeline) == 0)
			return (*v)[i].n++;
	GROW(*v, *n, *cap);
	(*v)[(*n)++] = (struct newest){ pipeline, 1 };
	return 0;
}

static int
mark_jobs(struct gc *g, struct query *q, const struct q_job *v, size_t n, struct err *err)
{
	struct newest *newest = NULL;
	size_t n_newest = 0, cap = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (rank(&newest, &n_newest, &cap, v[i].pipeline) >= g->keep_jobs && v[i].started < g->since)
			continue;
		add_name(g, &g->job, v[i].id);
		if (v[i].has_commit)
			add(&g->commit, &v[i].commit);
		rc = mark_inputs(g, q, &v[i], &g->commit, err);
	}
	free(newest);
	return rc;
}

/* Sources' commits that no job has read yet, too. */
static int
mark_young_commits(struct gc *g, struct query *q, struct err *err)
{
	for (size_t i = 0; i < g->x.n_source + g->x.n_pipeline; i++) {
		const char *repo = i < g->x.n_source ? g->x.source[i].name : g->x.pipeline[i - g->x.n_source].name;
		struct q_commit *c;
		size_t n;

		if (query_commits(q, &g->a, repo, &c, &n, err) < 0)
			return -1;
		for (size_t k = 0; k < n && c[k].time >= g->since; k++)
			add(&g->commit, &c[k].id);
	}
	return 0;
}

static int
mark_result(void *ctx, const char *path, const struct oid *key, const char *suffix, struct err *err)
{
	struct gc *g = ctx;
	bool failed = strcmp(suffix, ".fail") == 0;
	struct result r = RESULT_INIT;
	struct err damaged = ERR_INIT;
	struct stat st;
	const char *job = "";
	int rc;

	if (suffix[0] && !failed)
		return 0;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot look at '%s':", path);
	rc = result_read(&r, key, failed, &damaged);
	if (rc == 1) {
		if (!gc_has(&g->key, key) && fs_mtime_ns(&st) < g->since && !gc_has_name(&g->job, r.job))
			goto out;
		job = arena_str(&g->a, r.job);
		for (size_t i = 0; i < r.n_output; i++)
			add(&g->object, &r.output[i].id);
	}
	/* A damaged one is left for fsck to tell of. */
	GROW(g->result, g->n_result, g->cap_result);
	g->result[g->n_result++] = (struct gc_result){ *key, failed, job };
out:
	result_release(&r);
	return 0;
}

/* The files of the commits kept so far. One whose manifest is gone or damaged is fsck's to tell of. */
static void
mark_files(struct gc *g)
{
	struct err gone = ERR_INIT;

	for (size_t i = 0; i < g->commit.n; i++) {
		struct manifest m = MANIFEST_INIT;

		if (i > 0 && oid_eq(&g->commit.v[i], &g->commit.v[i - 1]))
			continue;
		if (manifest_load(&m, &g->commit.v[i], &gone) == 0)
			for (size_t k = 0; k < m.n; k++)
				add(&g->object, &m.v[k].id);
		manifest_release(&m);
	}
}

/* What the jobs of kept results read: its manifests. */
static int
mark_lineage(struct gc *g, struct query *q, const struct q_job *v, size_t n, struct err *err)
{
	struct gc_names by = { 0 };
	int rc = 0;

	for (size_t i = 0; i < g->n_result; i++) {
		GROW(by.v, by.n, by.cap);
		by.v[by.n++] = g->result[i].job;
	}
	sort_names(&by);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (gc_has_name(&by, v[i].id))
			rc = mark_inputs(g, q, &v[i], &g->commit, err);
	free(by.v);
	return rc;
}

static int
mark_young_manifest(struct gc *g, const char *name, const char *tail, struct err *err)
{
	struct oid id;
	struct stat st;
	char path[LAYOUT_MAX];

	(void)tail;
	if (!oid_parse(name, &id))
		return 0;
	if (stat(layout_commit(path, &id), &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot look at '%s':", path);
	if (fs_mtime_ns(&st) >= g->since)
		add(&g->commit, &id);
	return 0;
}

static void
mark_steps(struct gc *g)
{
	for (size_t i = 0; i < g->x.n_pipeline; i++)
		add_name(g, &g->script, g->x.pipeline[i].script);
}

static int
mark_all(struct gc *g, struct query *q, struct err *err)
{
	struct q_job *v = NULL;
	size_t n = 0;

	if (each_name(g, DIR_REFS, mark_ref, err) < 0 || each_name(g, DIR_MARKS, mark_shown, err) < 0 ||
	    each_name(g, DIR_EGRESS, mark_push, err) < 0 ||
	    each_name(g, DIR_PLAN, mark_plan_file, err) < 0 || query_jobs(q, &g->a, NULL, "", 0, &v, &n, err) < 0 ||
	    mark_jobs(g, q, v, n, err) < 0 || mark_young_commits(g, q, err) < 0)
		return -1;
	mark_steps(g);
	sort_names(&g->job);
	sort_names(&g->script);
	sort_names(&g->plan);
	sort(&g->key);
	if (fanout_each(DIR_DATUMS, mark_result, g, err) < 0 ||
	    (!g->history && each_name(g, DIR_COMMITS, mark_young_manifest, err) < 0))
		return -1;
	if (g->n_result)
		qsort(g->result, g->n_result, sizeof *g->result, by_key);
	sort(&g->commit);
	mark_files(g);
	if (mark_lineage(g, q, v, n, err) < 0)
		return -1;
	sort(&g->commit);
	sort(&g->object);
	return 0;
}

int
gc_mark(struct gc *g, struct err *err)
{
	struct query *q = NULL;
	int rc = index_read(&g->x, err) < 0 ? -1 : query_open(&q, err);

	if (rc >= 0) {
		g->history = rc == 1;
		rc = mark_all(g, q, err);
	}
	query_close(q);
	return rc;
}
