/* jobset.c: the index knows jobs that ended; P.open, the plan and P.job, which are files, know the rest. */
#include "jobset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "result.h"
#include "roster.h"
#include "show.h"

/* Somebody holds the pipeline's lock: its stage, or what a killed stage left running. */
static bool
is_held(const char *pipeline)
{
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	int fd;

	if (access(layout_lock(path, pipeline), F_OK) < 0)
		return false;
	fd = lock_try(pipeline, true, false, &ignored);
	if (fd >= 0)
		close(fd);
	return fd == -2;
}

static char *
plan_path(char ret[LAYOUT_MAX], const char *pipeline, const char *job, const char *suffix)
{
	char name[LAYOUT_MAX / 2];

	snprintf(name, sizeof name, "%.64s%s", job, suffix);
	return layout_plan(ret, pipeline, name);
}

/* How far a job under way has come. */
static void
count_progress(struct arena *a, struct q_job *j)
{
	struct err ignored = ERR_INIT;
	struct plan_head head = PLAN_HEAD_INIT;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct recfile f = RECFILE_INIT;
	struct rec r;
	uint64_t missing = 0;
	char path[LAYOUT_MAX], fail[LAYOUT_MAX + 8];

	(void)a;
	if (recfile_open(&f, plan_path(path, j->pipeline, j->id, ".set"), "set", 2, &ignored) == 1) {
		for (int i = 0; i < 2 && recfile_next(&f, &r); i++)
			if (rec_is(&r, "total", 2))
				rec_get_u64(&r, 1, &j->total);
			else if (rec_is(&r, "missing", 2))
				rec_get_u64(&r, 1, &missing);
		recfile_release(&f);
	}
	j->skipped = j->total - (missing < j->total ? missing : j->total);
	if (recfile_open(&f, plan_path(path, j->pipeline, j->id, ""), "plan", 1, &ignored) != 1)
		return;
	if (plan_head_read(&head, &f, &ignored) >= 0)
		while (plan_datum_read(&d, &f, &ignored) == 1) {
			j->processed += result_exists(&d.key);
			snprintf(fail, sizeof fail, "%s.fail", layout_datum(path, &d.key));
			j->failed += access(fail, F_OK) == 0;
		}
	plan_datum_release(&d);
	plan_head_release(&head);
	recfile_release(&f);
}

static int
open_one(struct arena *a, const char *pipeline, struct q_job *ret, struct err *err)
{
	struct open_job o = OPEN_JOB_INIT;
	int rc = open_job_read(&o, pipeline, err);

	if (rc == 1) {
		bool held = is_held(pipeline);

		*ret = (struct q_job){ .id = arena_str(a, o.job), .run = arena_str(a, o.run), .pipeline = arena_str(a, pipeline),
		    .state = held ? "running" : "killed", .reason = held ? "" : "it was ended before it had finished; make goes on with it",
		    .started = o.started, .has_spec = true, .spec = o.spec, .has_step = true, .step = o.step };
		count_progress(a, ret);
	}
	open_job_release(&o);
	return rc;
}

/* The jobs that left a P.open, of one pipeline or all. */
static int
open_all(struct arena *a, const char *pipeline, struct q_job **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0, len;
	struct dirent *e;
	int rc = 0;

	*ret = NULL;
	*ret_n = 0;
	DIR *d = opendir(DIR_PLAN);
	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", DIR_PLAN);
	while (rc >= 0 && (e = readdir(d))) {
		len = strlen(e->d_name);
		if (len <= 5 || strcmp(e->d_name + len - 5, ".open") != 0)
			continue;
		char *name = arena_dup(a, e->d_name, len - 5);
		if (!layout_name_ok(name) || (pipeline && strcmp(name, pipeline) != 0))
			continue;
		GROW(*ret, *ret_n, cap);
		rc = open_one(a, name, &(*ret)[*ret_n], err);
		*ret_n += rc == 1;
	}
	closedir(d);
	return rc < 0 ? -1 : 0;
}

static int
newer_first(const void *pa, const void *pb)
{
	const struct q_job *a = pa, *b = pb;

	return a->started < b->started ? 1 : a->started > b->started ? -1 : strcmp(b->id, a->id);
}

int
jobset_jobs(struct query *q, struct arena *a, const char *pipeline, const char *prefix, unsigned limit,
            struct q_job **ret, size_t *ret_n, struct err *err)
{
	struct q_job *done, *open = NULL, *all;
	size_t n_done, n_open, n = 0;

	if (query_jobs(q, a, pipeline, prefix, limit, &done, &n_done, err) < 0)
		return -1;
	if (open_all(a, pipeline, &open, &n_open, err) < 0) {
		free(open);
		return -1;
	}
	all = arena_alloc(a, (n_done + n_open + 1) * sizeof *all);
	for (size_t i = 0; i < n_open; i++)
		if (strncmp(open[i].id, prefix, strlen(prefix)) == 0)
			all[n++] = open[i];
	for (size_t i = 0; i < n_done; i++) {
		bool again = false;

		/* A stage that was killed between its transaction and its end: the index knows more. */
		for (size_t k = 0; k < n_open && !again; k++)
			if (strcmp(open[k].id, done[i].id) == 0)
				for (size_t m = 0; m < n && !again; m++)
					if (strcmp(all[m].id, done[i].id) == 0) {
						if (strcmp(done[i].state, "success") == 0)
							all[m] = done[i];
						again = true;
					}
		if (!again)
			all[n++] = done[i];
	}
	free(open);
	qsort(all, n, sizeof *all, newer_first);
	*ret = all;
	*ret_n = limit && n > limit ? limit : n;
	return 0;
}

int
jobset_find(struct query *q, struct arena *a, const char *pipeline, const char *prefix, struct q_job *ret,
            struct err *err)
{
	struct q_job *v;
	size_t n;

	if (!prefix)
		prefix = "";
	if (jobset_jobs(q, a, pipeline, prefix, prefix[0] ? 3 : 1, &v, &n, err) < 0)
		return -1;
	if (n == 0 && !prefix[0])
		return 0;
	if (n == 0)
		return err_set(err, SHOW_USAGE, "there is no job '%s'%s%s%s; 'dassie jobs' lists them", prefix, pipeline ? " of '" : "",
		    pipeline ? pipeline : "", pipeline ? "'" : "");
	if (n > 1 && prefix[0] && strcmp(v[0].id, prefix) != 0)
		return err_set(err, SHOW_USAGE, "'%s' is the beginning of several jobs: give more digits ('dassie jobs' lists them)", prefix);
	*ret = v[0];
	return 1;
}

static void
set_add(struct arena *a, struct jobset *s, size_t *cap, const struct oid *key, const char *label)
{
	if (s->n == *cap) {
		size_t n = *cap ? *cap * 2 : 64;
		struct jobset_datum *v = arena_alloc(a, n * sizeof *v);

		if (s->n > 0)
			memcpy(v, s->v, s->n * sizeof *v);
		s->v = v;
		*cap = n;
	}
	s->v[s->n++] = (struct jobset_datum){ *key, label ? arena_str(a, label) : NULL };
}

static void
add_piece(struct arena *a, struct jobset *s, size_t *cap, const struct roster *r, const struct roster_piece *p)
{
	for (size_t i = p->from; i < p->from + p->n; i++) {
		struct oid key;

		if (!p->same) {
			set_add(a, s, cap, &r->fresh[i].key, r->fresh[i].label);
			continue;
		}
		jobfile_key(&r->last, i, &key);
		set_add(a, s, cap, &key, NULL);
		s->v[s->n - 1].label = jobfile_label(&r->last, i, a);
	}
}

/* While a job is under way, and after it failed, its list of datums lies beside the plan. */
static int
from_set(struct arena *a, const struct q_job *job, struct jobset *ret, struct err *err)
{
	struct roster r = ROSTER_INIT;
	size_t cap = 0;
	int rc = roster_last(&r, job->pipeline, err);

	if (rc >= 0)
		rc = roster_read(&r, job->pipeline, job->id, err);
	for (size_t i = 0; rc == 1 && i < r.n_piece; i++)
		add_piece(a, ret, &cap, &r, &r.piece[i]);
	ret->whole = rc == 1;
	roster_release(&r);
	return rc;
}

static int
from_jobfile(struct arena *a, const struct q_job *job, struct jobset *ret, struct err *err)
{
	struct roster r = ROSTER_INIT;
	size_t cap = 0;
	int rc = roster_last(&r, job->pipeline, err);

	if (rc == 1 && strcmp(r.last.job, job->id) == 0) {
		add_piece(a, ret, &cap, &r, &(struct roster_piece){ true, 0, r.last.n_datum });
		ret->whole = true;
	} else if (rc == 1) {
		rc = 0;
	}
	roster_release(&r);
	return rc;
}

/* The plan holds what was missing: everything but the skipped ones. */
static int
from_plan(struct arena *a, const struct q_job *job, struct jobset *ret, struct err *err)
{
	struct plan_head head = PLAN_HEAD_INIT;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct recfile f = RECFILE_INIT;
	size_t cap = 0;
	char path[LAYOUT_MAX];
	int rc = recfile_open(&f, plan_path(path, job->pipeline, job->id, ""), "plan", 1, err);

	if (rc != 1)
		return rc;
	rc = plan_head_read(&head, &f, err);
	while (rc >= 0 && (rc = plan_datum_read(&d, &f, err)) == 1)
		set_add(a, ret, &cap, &d.key, d.label);
	plan_datum_release(&d);
	plan_head_release(&head);
	recfile_release(&f);
	ret->whole = ret->n == job->total;
	return rc < 0 ? -1 : 1;
}

int
jobset_load(struct query *q, struct arena *a, const struct q_job *job, struct jobset *ret, struct err *err)
{
	struct oid *key;
	size_t n, cap = 0;
	int rc;

	*ret = (struct jobset){ .n = 0 };
	if ((rc = from_set(a, job, ret, err)) != 0 || (rc = from_jobfile(a, job, ret, err)) != 0 ||
	    (rc = from_plan(a, job, ret, err)) != 0)
		return rc < 0 ? -1 : 0;
	if (query_ran(q, a, job->row, &key, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		set_add(a, ret, &cap, &key[i], NULL);
	ret->whole = n == job->total;
	return 0;
}

int
jobset_result(struct query *q, struct arena *a, const struct oid *key, const char *job, struct result *ret,
              struct err *err)
{
	struct result indexed = RESULT_INIT;
	struct err why = ERR_INIT;
	int rc;

	for (int failed = 0; failed < 2; failed++) {
		rc = result_read(ret, key, failed, &why);
		if (rc == 1 && (!job || strcmp(ret->job, job) == 0))
			return 1;
		if (rc == 1) {
			/* Another job executed it; this one may have, too, and then the index knows. */
			rc = query_result(q, a, key, job, &indexed, NULL, err);
			if (rc < 0)
				return -1;
			if (rc == 0)
				return 1;
			result_release(ret);
			*ret = indexed;
			return 1;
		}
		result_release(ret);
		*ret = (struct result)RESULT_INIT;
	}
	rc = job ? query_result(q, a, key, job, ret, NULL, err) : 0;
	return rc == 0 ? query_result(q, a, key, NULL, ret, NULL, err) : rc;
}

static void
keys_in_files(struct arena *a, const char *hex, struct oid **v, size_t *n)
{
	char dir[LAYOUT_MAX], name[OID_HEX + 1];
	struct oid *all;
	struct dirent *e;
	DIR *d;

	if (strlen(hex) < 2)
		return;
	snprintf(dir, sizeof dir, "%s/%.2s", DIR_DATUMS, hex);
	if (!(d = opendir(dir)))
		return;
	while ((e = readdir(d)) && *n < 64) {
		struct oid key;
		bool known = false;

		/* abcd… and abcd….fail */
		snprintf(name, sizeof name, "%.2s%.62s", hex, e->d_name);
		if (!oid_parse(name, &key) || strncmp(name, hex, strlen(hex)) != 0)
			continue;
		for (size_t i = 0; i < *n && !known; i++)
			known = oid_eq(&(*v)[i], &key);
		if (known)
			continue;
		all = arena_alloc(a, (*n + 1) * sizeof *all);
		if (*n > 0)
			memcpy(all, *v, *n * sizeof *all);
		all[(*n)++] = key;
		*v = all;
	}
	closedir(d);
}

int
jobset_keys(struct query *q, struct arena *a, const char *hex, struct oid **ret, size_t *ret_n, struct err *err)
{
	if (query_keys(q, a, hex, ret, ret_n, err) < 0)
		return -1;
	keys_in_files(a, hex, ret, ret_n);
	return 0;
}
