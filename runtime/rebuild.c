/* rebuild.c: the journal has jobs, versions and commits; results and failures, which are files, have the datums. Of a
 * project without its journal the newest job of each pipeline is known, by P.job, and what its datums were.
 *
 * Results go in job by job as they did then, because "the one before" is asked for by the order of rows. Inside a job
 * the order of its datums is not known, but that of their names, which it is for most inputs. */
#include "rebuild.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/jobfile.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/ref.h"
#include "fanout.h"
#include "journal.h"
#include "provenance.h"
#include "result.h"
#include "show.h"

struct found { struct oid key; bool failed; size_t job; uint64_t ended; const char *label; };

struct rebuild {
	struct arena a;
	struct index x;
	struct prov *p;
	struct journal j;
	struct journal_job **by_id; size_t n_by_id;
	struct found *result; size_t n_result, cap_result;
	uint64_t damaged, orphans, guessed;
};

static int
by_order(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;
	int labels = strcmp(a->label, b->label);

	if (a->job != b->job)
		return a->job < b->job ? -1 : 1;
	if (a->job != SIZE_MAX && labels != 0)
		return labels;
	return a->ended < b->ended ? -1 : a->ended > b->ended ? 1 : oid_cmp(&a->key, &b->key);
}

static int
by_job(const void *a, const void *b)
{
	return strcmp((*(struct journal_job *const *)a)->id, (*(struct journal_job *const *)b)->id);
}

static const struct journal_job *
find_job(const struct rebuild *r, const char *job)
{
	struct journal_job want = { .id = (char *)job }, *key = &want, **found;

	found = r->n_by_id ? bsearch(&key, r->by_id, r->n_by_id, sizeof *r->by_id, by_job) : NULL;
	return found ? *found : NULL;
}

static void
sort_jobs(struct rebuild *r)
{
	r->by_id = arena_alloc(&r->a, (r->j.n_job + 1) * sizeof *r->by_id);
	r->n_by_id = r->j.n_job;
	for (size_t i = 0; i < r->j.n_job; i++)
		r->by_id[i] = &r->j.job[i];
	if (r->n_by_id)
		qsort(r->by_id, r->n_by_id, sizeof *r->by_id, by_job);
}

static int
note_result(void *ctx, const char *path, const struct oid *key, const char *suffix, struct err *err)
{
	struct rebuild *r = ctx;
	struct result res = RESULT_INIT;
	struct err damaged = ERR_INIT;
	const struct journal_job *job;
	bool failed = strcmp(suffix, ".fail") == 0;

	(void)path;
	(void)err;
	if (suffix[0] && !failed)
		return 0;
	if (result_read(&res, key, failed, &damaged) == 1) {
		job = find_job(r, res.job);
		GROW(r->result, r->n_result, r->cap_result);
		r->result[r->n_result++] = (struct found){ *key, failed, job ? (size_t)(job - r->j.job) : SIZE_MAX,
			res.n_attempt ? res.attempt[res.n_attempt - 1].ended : 0, arena_str(&r->a, res.label) };
	} else {
		r->damaged++;
	}
	result_release(&res);
	return 0;
}

/* The version that is current, if it is the one that is asked for. */
static int
put_current_version(struct rebuild *r, const char *pipeline, const struct oid *spec, struct oid *ret_step, struct err *err)
{
	struct conf c = CONF_INIT;
	struct ref ref = REF_INIT;
	struct buf script = BUF_INIT;
	struct err gone = ERR_INIT;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_spec(path, pipeline), &ref, err);

	*ret_step = ref.step;
	if (rc == 1 && oid_eq(&ref.id, spec) && conf_read(&c, pipeline, &gone) == 0 && fs_read(c.script, &script, &gone) == 1)
		rc = prov_put_version(r->p, &c, spec, &ref.step, script.s, err);
	buf_release(&script);
	conf_release(&c);
	ref_release(&ref);
	return rc < 0 ? -1 : 0;
}

static uint64_t
stamp_of(const char *pipeline)
{
	struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	uint64_t stamp = ref_read(layout_ref(path, pipeline), &ref, &ignored) == 1 ? ref.stamp : 0;

	ref_release(&ref);
	return stamp;
}

/* The newest job that the journal does not have. When it began is not known: when its output came to be, is. */
static int
put_newest(struct rebuild *r, const char *pipeline, struct err *err)
{
	struct jobfile j = JOBFILE_INIT;
	struct journal *known = &r->j;
	int rc = jobfile_read(&j, pipeline, err);

	if (rc == 1 && !find_job(r, j.job)) {
		struct prov_job job = { .id = j.job, .run = "", .pipeline = pipeline, .state = "success", .reason = "",
			.finished = stamp_of(pipeline), .total = j.n_datum, .has_commit = true, .commit = j.commit, .spec = j.spec };

		job.started = job.finished;
		rc = put_current_version(r, pipeline, &j.spec, &job.step, err);
		if (rc == 0)
			rc = prov_put_job(r->p, &job, err);
		if (rc == 0)
			rc = prov_put_commit(r->p, pipeline, &j.commit, job.finished, j.job, 0, 0, err);
		GROW(known->job, known->n_job, known->cap_job);
		known->job[known->n_job++] = (struct journal_job){ xstrdup(j.job), j.spec };
		r->guessed++;
	}
	jobfile_release(&j);
	return rc < 0 ? -1 : 0;
}

static int
put_result(struct rebuild *r, const struct found *f, struct err *err)
{
	struct result res = RESULT_INIT;
	struct oid none = { { 0 } };
	const struct journal_job *job;
	int rc = result_read(&res, &f->key, f->failed, err);

	if (rc == 1) {
		job = find_job(r, res.job);
		r->orphans += job == NULL;
		rc = prov_put_result(r->p, &res, job ? &job->spec : &none, err);
	}
	result_release(&res);
	return rc < 0 ? -1 : 0;
}

static int
put_all(struct rebuild *r, struct err *err)
{
	if (journal_replay(&r->j, r->p, err) < 0 || index_read(&r->x, err) < 0)
		return -1;
	sort_jobs(r);
	for (size_t i = 0; i < r->x.n_pipeline; i++)
		if (put_newest(r, r->x.pipeline[i].name, err) < 0)
			return -1;
	sort_jobs(r);
	if (fanout_each(DIR_DATUMS, note_result, r, err) < 0)
		return -1;
	if (r->n_result)
		qsort(r->result, r->n_result, sizeof *r->result, by_order);
	for (size_t i = 0; i < r->n_result; i++)
		if (put_result(r, &r->result[i], err) < 0)
			return -1;
	return 0;
}

static void
tell(const struct rebuild *r, struct buf *b)
{
	buf_str(b, "made the database again: ");
	show_count(b, r->j.entries, "entry of the journal", "entries of the journal");
	buf_str(b, ", ");
	show_count(b, r->n_result, "result", "results");
	buf_str(b, "\nnot known any more: attempts of datums that failed before they succeeded, and datums whose results gc removed\n");
	if (r->guessed) {
		show_count(b, r->guessed, "job is", "jobs are");
		buf_str(b, " not in the journal: what they ran from, their code and their beginning are not known\n");
	}
	if (r->orphans) {
		show_count(b, r->orphans, "result belongs", "results belong");
		buf_str(b, " to jobs that no file tells of: what they ran is not known, their inputs and outputs are\n");
	}
	if (r->j.torn) {
		show_count(b, r->j.torn, "entry of the journal is", "entries of the journal are");
		buf_str(b, " torn or damaged\n");
	}
	if (r->damaged) {
		show_count(b, r->damaged, "result is", "results are");
		buf_str(b, " damaged: 'dassie fsck --repair' takes them away\n");
	}
}

int
rebuild(struct buf *ret_told, struct err *err)
{
	struct rebuild r = { .x = INDEX_INIT, .j = JOURNAL_INIT };
	int rc = prov_rebuild(&r.p, err);

	if (rc == 0 && (rc = put_all(&r, err)) < 0)
		prov_abort(r.p);
	else if (rc == 0)
		rc = prov_commit(r.p, err);
	if (rc == 0)
		tell(&r, ret_told);
	journal_release(&r.j);
	index_release(&r.x);
	free(r.result);
	arena_release(&r.a);
	return rc;
}
