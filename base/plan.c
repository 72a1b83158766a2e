/* plan.c: the files between planner, runner and stage: P.open, the plan and what a datum in it says.
 * plan.h describes all of them. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "key.h"
#include "layout.h"

static void
line_str(struct buf *b, const char *word, const char *value)
{
	rec_word(b, word);
	rec_str(b, value);
	rec_end(b);
}

static void
line_u64(struct buf *b, const char *word, uint64_t value)
{
	rec_word(b, word);
	rec_u64(b, value);
	rec_end(b);
}

static void
line_oid(struct buf *b, const char *word, const struct oid *value)
{
	rec_word(b, word);
	rec_oid(b, value);
	rec_end(b);
}

static char *
keep(struct arena *a, const struct rec *r, size_t i)
{
	return arena_dup(a, r->f[i], r->len[i]);
}

/* Code files stand in both */

static void
code_lines(struct buf *b, const struct plan_code *code, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rec_word(b, "code");
		rec_str(b, code[i].exec ? "x" : "f");
		rec_oid(b, &code[i].id);
		rec_str(b, code[i].path);
		rec_end(b);
	}
}

static bool
code_line(struct arena *a, struct plan_code **code, size_t *n, size_t *cap, const struct rec *r)
{
	struct plan_code *c;

	if (r->n != 4)
		return false;
	GROW(*code, *n, *cap);
	c = &(*code)[(*n)++];
	c->exec = r->f[1][0] == 'x';
	c->path = keep(a, r, 3);
	return rec_get_oid(r, 2, &c->id);
}

/* P.open */

int
open_job_write_as(const struct open_job *o, const char *suffix, struct err *err)
{
	char path[LAYOUT_MAX];
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "open", 1);
	line_str(&b, "pipeline", o->pipeline);
	line_str(&b, "job", o->job);
	line_str(&b, "run", o->run);
	line_u64(&b, "started", o->started);
	line_oid(&b, "spec", &o->spec);
	line_oid(&b, "step", &o->step);
	for (size_t i = 0; i < o->n_input; i++) {
		rec_word(&b, "input");
		rec_str(&b, o->input[i].repo);
		rec_oid(&b, &o->input[i].commit);
		rec_u64(&b, o->input[i].asof);
		rec_str(&b, o->input[i].dir);
		rec_end(&b);
	}
	code_lines(&b, o->code, o->n_code);
	rec_seal(&b);
	rc = fs_replace(layout_plan(path, o->pipeline, suffix), b.s, b.n, 0444, err);
	buf_release(&b);
	return rc;
}

int
open_job_write(const struct open_job *o, struct err *err)
{
	return open_job_write_as(o, "open", err);
}

struct caps { size_t input, code; };

static bool
open_input_line(struct open_job *o, const struct rec *r, size_t *cap)
{
	struct open_input *in;

	if (r->n != 5)
		return false;
	GROW(o->input, o->n_input, *cap);
	in = &o->input[o->n_input++];
	in->repo = keep(&o->arena, r, 1);
	in->dir = keep(&o->arena, r, 4);
	return rec_get_oid(r, 2, &in->commit) && rec_get_u64(r, 3, &in->asof);
}

static bool
open_line(struct open_job *o, const struct rec *r, struct caps *cap)
{
	const char **text = rec_is(r, "pipeline", 2) ? &o->pipeline :
	    rec_is(r, "job", 2) ? &o->job :
	    rec_is(r, "run", 2) ? &o->run : NULL;

	if (text) {
		*text = keep(&o->arena, r, 1);
		return true;
	}
	if (rec_is(r, "started", 2))
		return rec_get_u64(r, 1, &o->started);
	if (rec_is(r, "spec", 2))
		return rec_get_oid(r, 1, &o->spec);
	if (rec_is(r, "step", 2))
		return rec_get_oid(r, 1, &o->step);
	if (rec_is(r, "code", 2))
		return code_line(&o->arena, &o->code, &o->n_code, &cap->code, r);
	return rec_is(r, "input", 2) && open_input_line(o, r, &cap->input);
}

int
open_job_read_as(struct open_job *o, const char *pipeline, const char *suffix, struct err *err)
{
	char path[LAYOUT_MAX];
	struct recfile f;
	struct rec r;
	struct caps cap = { 0, 0 };
	bool good = true;
	int rc;

	*o = (struct open_job)OPEN_JOB_INIT;
	rc = recfile_open_sealed(&f, layout_plan(path, pipeline, suffix), "open", 1, err);
	if (rc <= 0)
		return rc;
	while (good && recfile_next(&f, &r))
		good = open_line(o, &r, &cap);
	recfile_release(&f);
	if (good && o->pipeline && o->job && o->run && strcmp(o->pipeline, pipeline) == 0)
		return 1;
	open_job_release(o);
	return err_set(err, 0, "'%s' is malformed", path);
}

int
open_job_read(struct open_job *o, const char *pipeline, struct err *err)
{
	return open_job_read_as(o, pipeline, "open", err);
}

void
open_job_release(struct open_job *o)
{
	free(o->input);
	free(o->code);
	arena_release(&o->arena);
	*o = (struct open_job)OPEN_JOB_INIT;
}

/* The plan's head */

void
plan_head_write(struct buf *b, const struct plan_head *h)
{
	rec_head(b, "plan", 1);
	line_str(b, "pipeline", h->pipeline);
	line_str(b, "job", h->job);
	line_str(b, "run", h->run);
	line_str(b, "script", h->script);
	line_oid(b, "step", &h->step);
	line_u64(b, "tries", h->tries);
	line_u64(b, "timeout", h->timeout);
	retry_write(b, &h->retry);
	limits_write(b, &h->limits);
	secret_uses_write(b, &h->secrets);
	if (h->err_script)
		line_str(b, "err_script", h->err_script);
	if (h->user)
		line_str(b, "user", h->user);
	if (h->runtime) {
		rec_word(b, "container");
		rec_str(b, h->runtime);
		rec_str(b, h->image);
		rec_end(b);
	}
	if (h->sandbox)
		line_str(b, "sandbox", h->sandbox);
	if (h->sandbox && h->working_dir)
		line_str(b, "working_dir", h->working_dir);
	rec_word(b, "accept");
	for (size_t i = 0; i < h->n_accept; i++)
		rec_i64(b, h->accept[i]);
	rec_end(b);
	line_str(b, "salt", h->salt);
	for (size_t i = 0; i < h->n_input; i++) {
		const struct plan_input *in = &h->input[i];

		rec_word(b, "input");
		rec_str(b, in->name);
		rec_str(b, in->repo);
		rec_oid(b, &in->commit);
		rec_u64(b, in->asof);
		rec_str(b, in->dir);
		rec_end(b);
	}
	code_lines(b, h->code, h->n_code);
	buf_str(b, "begin\n");
}

static bool
head_input(struct plan_head *h, const struct rec *r, size_t *cap)
{
	struct plan_input *in;

	if (r->n != 6)
		return false;
	GROW(h->input, h->n_input, *cap);
	in = &h->input[h->n_input++];
	in->name = keep(&h->arena, r, 1);
	in->repo = keep(&h->arena, r, 2);
	in->dir = keep(&h->arena, r, 5);
	return rec_get_oid(r, 3, &in->commit) && rec_get_u64(r, 4, &in->asof);
}

static bool
head_line(struct plan_head *h, const struct rec *r, struct caps *cap)
{
	const char **text = rec_is(r, "pipeline", 2) ? &h->pipeline :
	    rec_is(r, "job", 2) ? &h->job :
	    rec_is(r, "run", 2) ? &h->run :
	    rec_is(r, "script", 2) ? &h->script :
	    rec_is(r, "err_script", 2) ? &h->err_script :
	    rec_is(r, "user", 2) ? &h->user :
	    rec_is(r, "sandbox", 2) ? &h->sandbox :
	    rec_is(r, "working_dir", 2) ? &h->working_dir :
	    rec_is(r, "salt", 2) ? &h->salt : NULL;
	int taken = retry_read(&h->retry, &h->arena, r);
	uint64_t tries;

	if (!taken)
		taken = limits_read(&h->limits, &h->arena, r);
	if (!taken)
		taken = secret_uses_read(&h->secrets, &h->arena, r);
	if (taken)
		return taken > 0;
	if (text) {
		*text = keep(&h->arena, r, 1);
		return true;
	}
	if (rec_is(r, "step", 2))
		return rec_get_oid(r, 1, &h->step);
	if (rec_is(r, "container", 3)) {
		h->runtime = keep(&h->arena, r, 1);
		h->image = keep(&h->arena, r, 2);
		return true;
	}
	if (rec_is(r, "accept", 1))
		return rec_get_ints(r, 1, 255, &h->accept, &h->n_accept);
	if (rec_is(r, "tries", 2) && rec_get_u64(r, 1, &tries) && tries <= UINT32_MAX) {
		h->tries = (unsigned)tries;
		return true;
	}
	if (rec_is(r, "timeout", 2))
		return rec_get_u64(r, 1, &h->timeout);
	if (rec_is(r, "code", 2))
		return code_line(&h->arena, &h->code, &h->n_code, &cap->code, r);
	return rec_is(r, "input", 2) && head_input(h, r, &cap->input);
}

int
plan_head_read(struct plan_head *h, struct recfile *f, struct err *err)
{
	struct rec r;
	struct caps cap = { 0, 0 };

	*h = (struct plan_head)PLAN_HEAD_INIT;
	while (recfile_next(f, &r)) {
		if (rec_is(&r, "begin", 1) && h->pipeline && h->job && h->run && h->script && h->salt)
			return 0;
		if (!head_line(h, &r, &cap))
			break;
	}
	plan_head_release(h);
	return err_set(err, 0, "the plan's head is malformed");
}

void
plan_head_release(struct plan_head *h)
{
	retry_release(&h->retry);
	limits_release(&h->limits);
	secret_uses_release(&h->secrets);
	free(h->accept);
	free(h->input);
	free(h->code);
	arena_release(&h->arena);
	*h = (struct plan_head)PLAN_HEAD_INIT;
}

/* A datum */

void
plan_datum_write(struct buf *b, const struct plan_datum *d)
{
	rec_word(b, "datum");
	rec_oid(b, &d->key);
	rec_str(b, d->label);
	rec_end(b);
	for (size_t i = 0; i < d->n_match; i++) {
		const struct plan_match *m = &d->match[i];

		rec_word(b, "match");
		rec_u64(b, m->input);
		rec_bytes(b, &m->kind, 1);
		rec_str(b, m->path);
		rec_oid(b, &m->id);
		rec_u64(b, m->kind == 'd' ? 0 : m->size);
		rec_u64(b, m->empty);
		rec_end(b);
	}
	for (size_t i = 0; i < d->n_var; i++) {
		rec_word(b, "var");
		rec_str(b, d->var[i].name);
		rec_str(b, d->var[i].value);
		rec_end(b);
	}
}

static bool
match_line(struct plan_datum *d, const struct rec *r)
{
	struct plan_match *m;
	uint64_t input, empty;

	if (r->n != 7 || r->len[2] != 1 || !strchr("fxd", r->f[2][0]))
		return false;
	GROW(d->match, d->n_match, d->cap_match);
	m = &d->match[d->n_match++];
	m->kind = r->f[2][0];
	m->path = r->f[3];
	if (!rec_get_u64(r, 1, &input) || !rec_get_oid(r, 4, &m->id) || !rec_get_u64(r, 5, &m->size) ||
	    !rec_get_u64(r, 6, &empty) || input > UINT32_MAX || empty > 1)
		return false;
	m->input = (unsigned)input;
	m->empty = empty;
	return true;
}

static bool
var_line(struct plan_datum *d, const struct rec *r)
{
	if (r->n != 3)
		return false;
	GROW(d->var, d->n_var, d->cap_var);
	d->var[d->n_var++] = (struct plan_var){ r->f[1], r->f[2] };
	return true;
}

int
plan_datum_read(struct plan_datum *d, struct recfile *f, struct err *err)
{
	struct rec r;
	bool good;

	d->n_match = d->n_var = 0;
	if (!recfile_next(f, &r))
		return 0;
	good = r.n == 3 && rec_is(&r, "datum", 3) && rec_get_oid(&r, 1, &d->key);
	d->label = good ? r.f[2] : "";
	while (good && f->pos < f->n && f->text[f->pos] != 'd' && recfile_next(f, &r))
		good = rec_is(&r, "match", 2) ? match_line(d, &r) : rec_is(&r, "var", 2) && var_line(d, &r);
	return good ? 1 : err_set(err, 0, "the plan is malformed at byte %zu", r.at);
}

void
plan_datum_release(struct plan_datum *d)
{
	free(d->match);
	free(d->var);
	*d = (struct plan_datum)PLAN_DATUM_INIT;
}

void
plan_datum_key(const struct plan_head *h, const struct plan_datum *d, struct oid *ret)
{
	enum { FEW = 16 };
	struct key_match few[FEW], *m = d->n_match <= FEW ? few : xmalloc(d->n_match * sizeof *m);
	struct key_var few_var[FEW], *v = d->n_var <= FEW ? few_var : xmalloc(d->n_var * sizeof *v);

	for (size_t i = 0; i < d->n_match; i++) {
		const struct plan_match *p = &d->match[i];

		/* A plan that names an input it does not have gets a key that fits nothing. */
		m[i] = (struct key_match){ p->input < h->n_input ? h->input[p->input].name : "", p->path, p->kind, p->empty, p->id };
	}
	for (size_t i = 0; i < d->n_var; i++)
		v[i] = (struct key_var){ d->var[i].name, d->var[i].value };
	key_compute(h->pipeline, &h->step, h->salt, m, d->n_match, v, d->n_var, ret);
	if (m != few)
		free(m);
	if (v != few_var)
		free(v);
}
