/* snapshot.c: all refs are read under the clock's lock, which every writer of a ref holds: so the snapshot is a moment
 * that existed, and its newest stamp is older than that of any later move. */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/plan.h"
#include "../base/ref.h"
#include "stepcode.h"

static int
read_spec(struct snapshot *s, struct open_job *o, struct err *err)
{
	char path[LAYOUT_MAX];
	struct ref r;
	int rc = ref_read(layout_spec(path, o->pipeline), &r, err);

	if (rc == 0)
		return err_set(err, 0, "'%s' is not there: run make from the project's folder, its scan makes it", path);
	if (rc < 0)
		return -1;
	o->spec = r.id;
	o->step = r.step;
	s->newest = r.stamp;
	ref_release(&r);
	return 0;
}

static int
read_input(struct snapshot *s, const struct index *x, struct open_job *o, const char *repo, struct err *err)
{
	const struct index_source *source = index_find_source(x, repo);
	struct open_input *in = &o->input[o->n_input];
	char path[LAYOUT_MAX];
	struct ref r;
	int rc = ref_read(layout_ref(path, repo), &r, err);

	if (rc == 0)
		s->waits_for = repo;
	if (rc <= 0)
		return rc;
	in->repo = arena_str(&o->arena, repo);
	in->dir = source ? arena_str(&o->arena, source->dir) : "-";
	in->commit = r.id;
	in->asof = r.asof;
	if (r.stamp > s->newest)
		s->newest = r.stamp;
	o->n_input++;
	ref_release(&r);
	return 0;
}

static bool
is_quiet(const struct index *x, const struct open_job *o, const char *repo)
{
	const struct index_pipeline *p = index_find(x, o->pipeline);

	for (size_t i = 0; p && i < p->n_reads; i++)
		if (strcmp(p->reads[i], repo) == 0)
			return p->quiet[i];
	return false;
}

static bool
planned_from(const struct index *x, const struct ref *done, const struct open_job *o)
{
	if (!oid_eq(&done->id, &o->spec) || done->n_input != o->n_input)
		return false;
	for (size_t i = 0; i < o->n_input; i++)
		if (strcmp(done->input[i].repo, o->input[i].repo) ||
		    (!oid_eq(&done->input[i].id, &o->input[i].commit) && !is_quiet(x, o, o->input[i].repo)))
			return false;
	return true;
}

static int
compare_done(struct snapshot *s, const struct index *x, const struct open_job *o, struct err *err)
{
	char path[LAYOUT_MAX];
	struct ref done, out;
	int rc = ref_read(layout_done(path, o->pipeline), &done, err);
	int have = rc < 0 ? -1 : ref_read(layout_ref(path, o->pipeline), &out, err);

	if (have >= 0) {
		s->current = rc == 1 && have == 1 && planned_from(x, &done, o);
		ref_release(&out);
	}
	if (rc >= 0)
		ref_release(&done);
	return have < 0 ? -1 : 0;
}

/* The code is looked at after the spec ref was read: if it still makes that step, it is what the step was hashed from. */
static int
read_code(const struct index *x, struct open_job *o, struct err *err)
{
	struct step_code *code;
	size_t n;

	if (stepcode_list(x, o->pipeline, &o->step, &o->arena, &code, &n, err) < 0)
		return -1;
	o->code = xcalloc(n, sizeof *o->code);
	for (size_t i = 0; i < n; i++)
		o->code[i] = (struct plan_code){ code[i].path, code[i].exec, code[i].id };
	o->n_code = n;
	return 0;
}

int
snapshot_take(struct snapshot *s, struct conf *c, struct open_job *o, struct err *err)
{
	struct clock clock = CLOCK_INIT;
	struct index x = INDEX_INIT;
	const char **repo;
	size_t n = conf_repos(c, &repo);
	int rc = index_read(&x, err);

	*s = (struct snapshot){ 0 };
	if (rc == 0)
		err_set(err, 0, "'%s' is not there or damaged: 'dassie compile' makes it again", FILE_INDEX);
	if (rc <= 0)
		return -1;
	rc = clock_lock(&clock, err);
	o->input = xcalloc(n, sizeof *o->input);
	if (rc == 0)
		rc = read_spec(s, o, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_input(s, &x, o, repo[i], err);
	if (rc == 0 && !s->waits_for)
		rc = compare_done(s, &x, o, err);
	clock_unlock(&clock);
	if (rc == 0 && !s->waits_for && !s->current)
		rc = read_code(&x, o, err);
	index_release(&x);
	return rc;
}

int
snapshot_code(struct open_job *o, struct err *err)
{
	struct index x = INDEX_INIT;
	int rc = index_read(&x, err);

	if (rc == 0)
		err_set(err, 0, "'%s' is not there or damaged: 'dassie compile' makes it again", FILE_INDEX);
	rc = rc == 1 ? read_code(&x, o, err) : -1;
	index_release(&x);
	return rc;
}

/* Where nothing starts a job the mark goes on telling what was planned from: of inputs that start none that may be older. */
static int
keep_planned(struct ref *done, const char *pipeline, struct err *err)
{
	char path[LAYOUT_MAX];
	struct ref was;
	int rc = ref_read(layout_done(path, pipeline), &was, err);

	if (rc < 0)
		return -1;
	for (size_t i = 0; rc == 1 && was.n_input == done->n_input && i < was.n_input; i++)
		if (strcmp(was.input[i].repo, done->input[i].repo) == 0)
			done->input[i].id = was.input[i].id;
	ref_release(&was);
	return 0;
}

int
snapshot_done(const struct snapshot *s, const struct open_job *o, struct err *err)
{
	struct ref done = { .stamp = s->newest, .id = o->spec }, output = REF_INIT;
	struct clock clock = CLOCK_INIT;
	char path[LAYOUT_MAX];
	int rc = clock_lock(&clock, err);

	if (rc == 0)
		rc = ref_read(layout_ref(path, o->pipeline), &output, err) < 0 ? -1 : 0;
	done.output = output.id;
	ref_release(&output);
	done.input = xcalloc(o->n_input, sizeof *done.input);
	done.n_input = o->n_input;
	for (size_t i = 0; i < o->n_input; i++)
		done.input[i] = (struct ref_input){ xstrdup(o->input[i].repo), o->input[i].commit };
	if (rc == 0 && s->current)
		rc = keep_planned(&done, o->pipeline, err);
	if (rc == 0)
		rc = ref_write(&clock, layout_done(path, o->pipeline), &done, err);
	clock_unlock(&clock);
	ref_release(&done);
	return rc;
}

int
snapshot_move(const char *pipeline, const struct oid *id, struct err *err)
{
	struct clock clock = CLOCK_INIT;
	struct ref old, new_ = { .id = *id };
	char path[LAYOUT_MAX];
	int rc = clock_lock(&clock, err);

	if (rc == 0)
		rc = ref_read(layout_ref(path, pipeline), &old, err);
	if (rc >= 0) {
		bool same = rc == 1 && oid_eq(&old.id, id);

		ref_release(&old);
		rc = same ? 0 : ref_move(&clock, path, &new_, err) < 0 ? -1 : 1;
	}
	clock_unlock(&clock);
	return rc;
}
