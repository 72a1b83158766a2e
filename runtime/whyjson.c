/* whyjson.c: the lineage as one object: a file, the datum that wrote it, and in "inputs" what that saw, each again such
 * an object, down to the sources. A subtree that comes again is written again, until the whole is large: from then on it
 * is only named, with "repeated": true. */
#include "why.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/json.h"
#include "fetched.h"
#include "readers.h"

enum { LARGE = 20000 };

static int put_file(struct why *w, struct lin_file *f, const struct result_input *as, const char *name, struct err *err);

static void
put_code(struct buf *b, struct lin_step *s)
{
	json_open(b, "code", '{');
	json_str(b, "git", s && s->known ? s->job.head : NULL);
	json_str(b, "branch", s && s->known && s->job.branch && s->job.branch[0] ? s->job.branch : NULL);
	json_bool(b, "dirty", s && s->known && s->job.dirty);
	/* It may be long, and is the same for all that the job executed. */
	if (s && s->known && s->diff[0] && !s->shown) {
		json_str(b, "diff", s->diff);
		s->shown = true;
	}
	json_open(b, "files", '[');
	for (size_t i = 0; s && i < s->n_code; i++) {
		json_open(b, NULL, '{');
		json_str(b, "path", s->code[i].path);
		json_oid(b, "hash", &s->code[i].id);
		json_bool(b, "exec", s->code[i].exec);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

static void
put_execution(struct buf *b, const struct lin_datum *d)
{
	const struct result *r = &d->r;
	struct lin_step *s = d->step;

	json_str(b, "job", d->have ? r->job : NULL);
	json_str(b, "run", d->have ? r->run : NULL);
	json_str(b, "pipeline", d->have ? r->pipeline : NULL);
	json_str(b, "label", d->have ? r->label : NULL);
	if (s && s->known && s->job.has_step)
		json_oid(b, "step", &s->job.step);
	else
		json_no_value(b, "step");
	json_str(b, "command", s ? s->version.script : NULL);
	put_code(b, s);
	if (!d->have || r->n_attempt == 0)
		return;
	const struct attempt *last = &r->attempt[r->n_attempt - 1];
	json_i64(b, "tries", (int64_t)r->n_attempt);
	json_time(b, "started", r->attempt[0].started);
	json_time(b, "finished", last->ended);
	json_i64(b, "exit", last->exit);
	json_str(b, "host", r->host);
	json_str(b, "program", r->command);
}

static int
put_inputs(struct why *w, struct lin_datum *d, struct err *err)
{
	for (size_t i = 0; i < d->n_input; i++) {
		struct lin_input *in = &d->input[i];

		if (lineage_files(&w->l, d, in, err) < 0)
			return -1;
		if (in->lost) {
			json_open(w->out, NULL, '{');
			json_str(w->out, "input", in->in->name);
			json_str(w->out, "repo", in->in->repo);
			json_str(w->out, "path", in->in->path);
			json_oid(w->out, "hash", &in->in->id);
			json_str(w->out, "kind", "d");
			json_bool(w->out, "lost", true);
			json_close(w->out, '}');
		}
		for (size_t k = 0; k < in->n_file; k++)
			if (put_file(w, in->file[k], in->in, in->in->name, err) < 0)
				return -1;
	}
	return 0;
}

static int
put_writers(struct why *w, struct lin_file *f, struct err *err)
{
	struct buf *b = w->out;
	bool repeated = w->nodes > LARGE;

	if (lineage_writers(&w->l, f, err) < 0)
		return -1;
	if (f->n_by == 0) {
		json_no_value(b, "datum");
		put_execution(b, &(struct lin_datum){ .have = false });
		return 0;
	}
	json_oid(b, "datum", &f->by[0]->key);
	put_execution(b, f->by[0]);
	if (f->n_by > 1) {
		json_open(b, "datums", '[');
		for (size_t i = 0; i < f->n_by; i++)
			json_oid(b, NULL, &f->by[i]->key);
		json_close(b, ']');
	}
	if (repeated && f->by[0]->shown) {
		json_bool(b, "repeated", true);
		return 0;
	}
	json_open(b, "inputs", '[');
	for (size_t i = 0; i < f->n_by; i++) {
		f->by[i]->shown = true;
		if (put_inputs(w, f->by[i], err) < 0)
			return -1;
	}
	json_close(b, ']');
	return 0;
}

/* Of what was fetched. */
static void
put_fetched(struct why *w, const struct lin_file *f)
{
	struct buf url = BUF_INIT;
	const struct fetched_file *o = lineage_fetched(&w->l, f, &url);

	if (o) {
		json_str(w->out, "url", url.s);
		json_str(w->out, "etag", o->etag);
		json_str(w->out, "version", o->version);
		json_str(w->out, "modified", o->modified);
	}
	buf_release(&url);
}

/* Of the file that was asked for, which datums saw it. */
static int
put_readers(struct why *w, const struct lin_file *f, struct err *err)
{
	struct oid *key;
	size_t n;

	if (readers_find(&w->l, f, &key, &n, err) < 0)
		return -1;
	json_open(w->out, "seen_by", '[');
	for (size_t i = 0; i < n; i++) {
		struct lin_datum *d;

		if (lineage_datum(&w->l, &key[i], &d, err) < 0)
			return -1;
		json_open(w->out, NULL, '{');
		json_str(w->out, "pipeline", d->have ? d->r.pipeline : NULL);
		json_oid(w->out, "datum", &d->key);
		json_close(w->out, '}');
	}
	json_close(w->out, ']');
	return 0;
}

static int
put_file(struct why *w, struct lin_file *f, const struct result_input *as, const char *name, struct err *err)
{
	struct buf *b = w->out;
	int rc = 0;

	w->nodes++;
	json_open(b, NULL, '{');
	json_str(b, "path", f->path);
	json_oid(b, "hash", &f->id);
	json_str(b, "repo", f->repo);
	if (f->has_commit)
		json_oid(b, "commit", &f->commit);
	else
		json_no_value(b, "commit");
	if (name)
		json_str(b, "input", name);
	if (as && as->kind == 'd')
		json_str(b, "match", as->path);
	if (f->size != SIZE_UNKNOWN)
		json_i64(b, "size", (int64_t)f->size);
	json_bool(b, "source", f->dir != NULL);
	if (f->dir) {
		json_str(b, "directory", strcmp(f->dir, "-") ? f->dir : NULL);
		json_bool(b, "tick", strcmp(f->dir, "-") == 0);
		put_fetched(w, f);
		if (!as)
			rc = put_readers(w, f, err);
		json_no_value(b, "datum");
		json_open(b, "inputs", '[');
		json_close(b, ']');
	} else {
		rc = put_writers(w, f, err);
	}
	json_close(b, '}');
	return rc;
}

int
why_json(struct why *w, struct lin_file *f, struct err *err)
{
	return put_file(w, f, NULL, NULL, err);
}
