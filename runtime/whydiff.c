/* whydiff.c: why a datum ran: its key is a hash over pipeline, step, salt, inputs and captured values; the last datum of
 * the same name had another one, and the records of both say in which part. The other way round for one that did not
 * run: nothing of that differs from when it did. */
#include "why.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "jobset.h"
#include "show.h"
#include "stale.h"

enum { CHANGED_SHOWN = 6 };

/* A reason: a word for machines, a sentence for people, old and new hash where there are such. */
struct cause { const char *part, *text; const struct oid *old, *now; };
struct causes { struct cause *v; size_t n, cap; struct arena *a; };

static void
cause(struct causes *c, const char *part, const struct oid *old, const struct oid *now, const char *text)
{
	struct cause *v;

	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 8;
		v = arena_alloc(c->a, c->cap * sizeof *v);
		if (c->n > 0)
			memcpy(v, c->v, c->n * sizeof *v);
		c->v = v;
	}
	c->v[c->n++] = (struct cause){ part, text, old, now };
}

static const char *
visible(struct arena *a, const char *before, const char *name, const char *after)
{
	struct buf b = BUF_INIT;
	char *s;

	buf_str(&b, before);
	show_name(&b, name);
	buf_str(&b, after);
	s = arena_dup(a, b.s, b.n);
	buf_release(&b);
	return s;
}

static void
compare_code(struct causes *c, const struct lin_step *was, const struct lin_step *now)
{
	size_t i = 0, k = 0;

	/* Both are sorted by path. */
	while (i < was->n_code || k < now->n_code) {
		int order = i == was->n_code ? 1 : k == now->n_code ? -1 : strcmp(was->code[i].path, now->code[k].path);

		if (order < 0) {
			cause(c, "code", &was->code[i].id, NULL, visible(c->a, "code file ", was->code[i].path, " is no longer part of the step"));
		} else if (order > 0) {
			cause(c, "code", NULL, &now->code[k].id, visible(c->a, "code file ", now->code[k].path, " is new in the step"));
		} else if (!oid_eq(&was->code[i].id, &now->code[k].id)) {
			cause(c, "code", &was->code[i].id, &now->code[k].id, visible(c->a, "code file ", now->code[k].path, " changed"));
		} else if (was->code[i].exec != now->code[k].exec) {
			cause(c, "code", NULL, NULL, visible(c->a, "code file ", now->code[k].path, now->code[k].exec ?
			    " became executable" : " is no longer executable"));
		}
		i += order <= 0;
		k += order >= 0;
	}
}

static void
compare_step(struct causes *c, const struct lin_step *was, const struct lin_step *now)
{
	size_t before = c->n;

	if (!was || !now || !was->job.has_step || !now->job.has_step) {
		cause(c, "unknown", NULL, NULL, "the index does not know the step of both times");
		return;
	}
	if (!oid_eq(&was->job.step, &now->job.step)) {
		if (!was->version.script || !now->version.script || strcmp(was->version.script, now->version.script) != 0)
			cause(c, "command", &was->job.step, &now->job.step, "the command changed");
		compare_code(c, was, now);
		if (c->n == before)
			cause(c, "step", &was->job.step, &now->job.step, "the step changed");
	}
	if (was->version.salt && now->version.salt && strcmp(was->version.salt, now->version.salt) != 0)
		cause(c, "salt", NULL, NULL, "the salt changed: a rerun was asked for");
}

static const struct result_input *
same_input(const struct result *r, const struct result_input *in)
{
	for (size_t i = 0; i < r->n_input; i++)
		if (strcmp(r->input[i].name, in->name) == 0 && strcmp(r->input[i].path, in->path) == 0)
			return &r->input[i];
	return NULL;
}

struct inside { struct causes *c; const char *repo; size_t n; };

static int
changed_inside(void *ctx, const struct entry *old, const struct entry *now)
{
	struct inside *in = ctx;
	const char *path = now ? now->path : old->path;

	if (++in->n <= CHANGED_SHOWN)
		cause(in->c, "file", old ? &old->id : NULL, now ? &now->id : NULL, visible(in->c->a, arena_fmt(in->c->a, "  %s:/", in->repo),
		    path, !old ? " is new" : !now ? " is gone" : " changed"));
	return 0;
}

/* Which files of a directory: the slices of two manifests below it. */
static void
compare_dir(struct causes *c, struct why *w, const struct lin_step *was, const struct lin_step *now,
            const struct result_input *in)
{
	const struct lin_step *step[2] = { was, now };
	struct manifest slice[2] = { MANIFEST_INIT, MANIFEST_INIT };
	struct inside ctx = { c, in->repo, 0 };

	for (int i = 0; i < 2; i++) {
		const struct manifest *m = NULL;
		size_t lo = 0, hi = 0;

		for (size_t k = 0; step[i] && k < step[i]->n_input; k++)
			if (strcmp(step[i]->input[k].repo, in->repo) == 0)
				m = lineage_manifest(&w->l, &step[i]->input[k].commit);
		if (!m)
			return;
		hi = m->n;
		if (in->path[0] && !manifest_below(m, in->path, &lo, &hi))
			hi = lo = 0;
		slice[i].v = m->v + lo;
		slice[i].n = hi - lo;
	}
	manifest_diff(&slice[0], &slice[1], changed_inside, &ctx);
	if (ctx.n > CHANGED_SHOWN)
		cause(c, "file", NULL, NULL, arena_fmt(c->a, "  … and %zu more files", ctx.n - CHANGED_SHOWN));
}

static void
compare_inputs(struct causes *c, struct why *w, const struct lin_datum *was, const struct lin_datum *now)
{
	for (size_t i = 0; i < now->r.n_input; i++) {
		const struct result_input *in = &now->r.input[i], *old = same_input(&was->r, in);
		const char *name = arena_fmt(c->a, "input %s:/", in->name);

		if (!old) {
			cause(c, "input", NULL, &in->id, visible(c->a, name, in->path, " is new"));
		} else if (!oid_eq(&old->id, &in->id)) {
			cause(c, "input", &old->id, &in->id, visible(c->a, name, in->path, " changed"));
			if (in->kind == 'd')
				compare_dir(c, w, was->step, now->step, in);
		} else if (old->kind != in->kind) {
			cause(c, "input", &old->id, &in->id, visible(c->a, name, in->path, in->kind == 'x' ? " became executable" :
			    " is no longer executable"));
		}
	}
	for (size_t i = 0; i < was->r.n_input; i++) {
		const struct result_input *in = &was->r.input[i];

		if (!same_input(&now->r, in))
			cause(c, "input", &in->id, NULL, visible(c->a, arena_fmt(c->a, "input %s:/", in->name), in->path, " is gone"));
	}
}

/* Its last attempt under this very key, if another job failed at it. */
static int
failed_before(struct causes *c, struct why *w, const struct lin_datum *d, struct err *err)
{
	struct result r = RESULT_INIT;
	const char **by;
	size_t n;
	int rc;

	if (query_executions(w->l.q, c->a, &d->key, &by, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(by[i], d->r.job) == 0)
			continue;
		rc = query_result(w->l.q, c->a, &d->key, by[i], &r, NULL, err);
		if (rc == 1 && strcmp(r.state, "failed") == 0)
			cause(c, "failed", NULL, NULL, arena_fmt(c->a, "it had failed in job %.*s%s%s", SHORT_HEX, by[i], r.class[0] ? ": " : "", r.class));
		result_release(&r);
		r = (struct result)RESULT_INIT;
		return rc < 0 ? -1 : 1;
	}
	return 0;
}

static int
find_causes(struct causes *c, struct why *w, struct lin_datum *d, struct lin_datum **ret_was, struct err *err)
{
	struct oid before;
	int rc = failed_before(c, w, d, err);

	*ret_was = NULL;
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = query_before(w->l.q, d->r.pipeline, d->r.label, &d->key, &before, err);
	if (rc == 0)
		cause(c, "new", NULL, NULL, "no datum of these files has run before");
	if (rc != 1)
		return rc;
	if (lineage_datum(&w->l, &before, ret_was, err) < 0)
		return -1;
	if (!(*ret_was)->have) {
		*ret_was = NULL;
		cause(c, "unknown", NULL, NULL, "what the last datum of these files saw is not kept any more");
		return 0;
	}
	compare_step(c, (*ret_was)->step, d->step);
	compare_inputs(c, w, *ret_was, d);
	if (c->n == 0)
		cause(c, "captures", NULL, NULL, "step and files are as they were: the values captured from their names, or how they are shown, differ");
	return 0;
}

static void
print_command_diff(struct why *w, const struct lin_step *was, const struct lin_step *now)
{
	const struct lin_step *step[2] = { was, now };

	for (int i = 0; i < 2; i++) {
		const char *s = why_command(step[i]->version.script);

		while (*s) {
			size_t n = strcspn(s, "\n");
			char *text = arena_dup(&w->l.a, s, n);

			/* Lines that both have tell nothing. */
			const char *other = why_command(step[!i]->version.script), *hit = other;
			while ((hit = strstr(hit, text)) && ((hit != other && hit[-1] != '\n') || (hit[n] && hit[n] != '\n')))
				hit++;
			if (!hit) {
				buf_fmt(w->out, "      %s%c ", show_color(i ? SHOW_GREEN : SHOW_RED), i ? '+' : '-');
				show_name(w->out, text);
				buf_fmt(w->out, "%s\n", show_color(SHOW_PLAIN));
			}
			s += n + (s[n] == '\n');
		}
	}
}

static void
print_causes(struct why *w, const struct causes *c, const struct lin_datum *was, const struct lin_datum *now)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct cause *v = &c->v[i];

		buf_fmt(w->out, "  %s %s", i == 0 ? "because" : "       ", v->text);
		if (v->old || v->now) {
			buf_fmt(w->out, "  %s", show_color(SHOW_DIM));
			if (v->old)
				show_id(w->out, v->old);
			buf_str(w->out, v->old && v->now ? " → " : "");
			if (v->now)
				show_id(w->out, v->now);
			buf_str(w->out, show_color(SHOW_PLAIN));
		}
		buf_byte(w->out, '\n');
		if (strcmp(v->part, "command") == 0 && was && was->step->version.script && now->step->version.script)
			print_command_diff(w, was->step, now->step);
	}
}

static void
print_datum(struct why *w, const struct lin_datum *d, const struct causes *c, const struct lin_datum *was,
            const struct q_job *skipped_by)
{
	const struct attempt *last = d->r.n_attempt > 0 ? &d->r.attempt[d->r.n_attempt - 1] : NULL;
	struct buf *b = w->out;

	buf_fmt(b, "datum %s", show_color(SHOW_BOLD));
	show_id(b, &d->key);
	buf_fmt(b, "%s of %s  ", show_color(SHOW_PLAIN), d->r.pipeline);
	show_name(b, d->r.label);
	buf_fmt(b, "\n  %s in job %.*s", strcmp(d->r.state, "failed") == 0 ? "failed" : "ran", SHORT_HEX, d->r.job);
	if (last) {
		buf_str(b, ", ");
		show_when(b, last->started);
		buf_str(b, " (");
		show_ago(b, last->started);
		buf_fmt(b, "), try %zu, exit %d", d->r.n_attempt, last->exit);
	}
	buf_byte(b, '\n');
	print_causes(w, c, was, d);
	if (was) {
		buf_str(b, "  before  datum ");
		show_id(b, &was->key);
		buf_fmt(b, ", job %.*s\n", SHORT_HEX, was->r.job);
	}
	if (skipped_by)
		buf_fmt(b, "  it did not run in the newest job, %.*s: step and input contents are those of its result\n", SHORT_HEX, skipped_by->id);
}

static void
json_datum(struct why *w, const struct lin_datum *d, const struct causes *c, const struct lin_datum *was,
           const struct q_job *skipped_by)
{
	struct buf *b = w->out;

	json_open(b, NULL, '{');
	json_oid(b, "datum", &d->key);
	json_str(b, "pipeline", d->r.pipeline);
	json_str(b, "label", d->r.label);
	json_str(b, "job", d->r.job);
	json_str(b, "state", d->r.state);
	json_open(b, "because", '[');
	for (size_t i = 0; i < c->n; i++) {
		json_open(b, NULL, '{');
		json_str(b, "part", c->v[i].part);
		json_str(b, "text", c->v[i].text + strspn(c->v[i].text, " "));
		if (c->v[i].old)
			json_oid(b, "old", c->v[i].old);
		if (c->v[i].now)
			json_oid(b, "new", c->v[i].now);
		json_close(b, '}');
	}
	json_close(b, ']');
	if (was)
		json_oid(b, "before", &was->key);
	else
		json_no_value(b, "before");
	json_str(b, "skipped_in", skipped_by ? skipped_by->id : NULL);
	json_close(b, '}');
	buf_byte(b, '\n');
}

/* The newest job, if the datum was of it and did not run in it. */
static int
find_skip(struct why *w, const struct lin_datum *d, struct q_job *ret, struct err *err)
{
	struct jobset set;
	int rc = jobset_find(w->l.q, &w->l.a, d->r.pipeline, NULL, ret, err);

	if (rc != 1 || strcmp(ret->id, d->r.job) == 0 || strcmp(ret->state, "success") != 0)
		return rc < 0 ? -1 : 0;
	if (jobset_load(w->l.q, &w->l.a, ret, &set, err) < 0)
		return -1;
	for (size_t i = 0; i < set.n; i++)
		if (oid_eq(&set.v[i].key, &d->key))
			return 1;
	return 0;
}

int
why_datum(struct why *w, const struct oid *key, struct err *err)
{
	struct causes c = { .a = &w->l.a };
	struct lin_datum *d, *was;
	struct q_job newest;
	int skipped;

	if (lineage_datum(&w->l, key, &d, err) < 0)
		return -1;
	if (!d->have)
		return err_set(err, 0, "nothing is kept of this datum any more");
	if (find_causes(&c, w, d, &was, err) < 0 || (skipped = find_skip(w, d, &newest, err)) < 0)
		return -1;
	(w->json ? json_datum : print_datum)(w, d, &c, was, skipped ? &newest : NULL);
	return 0;
}

int
why_pipeline(struct why *w, const char *pipeline, struct err *err)
{
	struct buf *b = w->out;
	struct stale *v;
	size_t i = 0;

	if (stale_all(w->l.q, &w->l.a, &w->l.x, &v, err) < 0)
		return -1;
	while (i < w->l.x.n_pipeline && strcmp(w->l.x.pipeline[i].name, pipeline) != 0)
		i++;
	if (i == w->l.x.n_pipeline)
		return err_set(err, SHOW_USAGE, "there is no pipeline '%s'; 'dassie status' lists them", pipeline);
	if (w->json) {
		json_open(b, NULL, '{');
		json_str(b, "pipeline", pipeline);
		json_str(b, "state", stale_word(v[i].state));
		json_open(b, "reasons", '[');
		for (size_t k = 0; k < v[i].n_reason; k++)
			json_str(b, NULL, v[i].reason[k]);
		json_close(b, ']');
		json_str(b, "job", v[i].has_job ? v[i].job.id : NULL);
		json_close(b, '}');
		buf_byte(b, '\n');
		return 0;
	}
	buf_fmt(b, "%s%s%s %s\n", show_color(SHOW_BOLD), pipeline, show_color(SHOW_PLAIN), stale_sentence(v[i].state));
	for (size_t k = 0; k < v[i].n_reason; k++)
		buf_fmt(b, "  %s %s\n", k == 0 ? "because" : "       ", v[i].reason[k]);
	if (v[i].state == STALE_NO)
		buf_str(b, "  its spec, code and inputs are those that its output was made from: make would not run it\n");
	if (v[i].has_job) {
		buf_fmt(b, "  last job %.*s: %s, ", SHORT_HEX, v[i].job.id, v[i].job.state);
		show_ago(b, v[i].job.started);
		buf_fmt(b, ", %llu ran, %llu skipped, %llu failed\n", (unsigned long long)v[i].job.processed,
		    (unsigned long long)v[i].job.skipped, (unsigned long long)v[i].job.failed);
	}
	buf_str(b, "  (as of the last scan; make looks again)\n");
	return 0;
}
