/* index.c: .dassie/steps/index: the compiler's table of contents, all that a scan needs to know of the specs. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "conf.h"
#include "err.h"
#include "layout.h"
#include "rec.h"

enum { VERSION = 1 };

static void
write_origin(struct buf *b, const struct index_source *s)
{
	if (s->branch && strcmp(s->branch, "master") != 0) {
		rec_word(b, "branch");
		rec_str(b, s->branch);
		rec_end(b);
	}
	for (size_t i = 0; i < s->n_from; i++) {
		rec_word(b, "from");
		rec_str(b, s->from[i]);
		rec_end(b);
	}
	for (size_t i = 0; i < s->n_with; i++) {
		rec_word(b, "with");
		rec_str(b, s->with[i].key);
		rec_str(b, s->with[i].value);
		rec_end(b);
	}
}

static void
write_trigger(struct buf *b, const struct index_trigger *t)
{
	rec_word(b, "trigger");
	rec_str(b, t->repo);
	rec_str(b, t->branch);
	rec_str(b, t->follows);
	rec_u64(b, t->all);
	rec_str(b, t->rate);
	rec_str(b, t->cron);
	rec_u64(b, t->size);
	rec_u64(b, t->commits);
	rec_end(b);
}

void
index_write(struct buf *b, const struct index *x)
{
	rec_head(b, "index", VERSION);
	rec_word(b, "compiler");
	rec_str(b, x->compiler);
	rec_end(b);
	rec_word(b, "makefile");
	rec_str(b, x->makefile);
	rec_end(b);
	for (size_t i = 0; i < x->n_option; i++) {
		rec_word(b, "option");
		rec_str(b, x->option[i]);
		rec_end(b);
	}
	for (size_t i = 0; i < x->n_asked; i++) {
		rec_word(b, "spec");
		rec_str(b, x->asked[i]);
		rec_end(b);
	}
	for (size_t i = 0; i < x->n_spec; i++) {
		rec_word(b, x->spec[i].included ? "include" : "specfile");
		rec_str(b, x->spec[i].path);
		rec_oid(b, &x->spec[i].id);
		rec_end(b);
	}
	for (size_t i = 0; i < x->n_source; i++) {
		rec_word(b, "source");
		rec_str(b, x->source[i].name);
		rec_str(b, x->source[i].dir);
		rec_u64(b, x->source[i].keep);
		rec_end(b);
		write_origin(b, &x->source[i]);
	}
	conf_write_schedule(b, &x->schedule);
	for (size_t i = 0; i < x->n_trigger; i++)
		write_trigger(b, &x->trigger[i]);
	for (size_t i = 0; i < x->n_pipeline; i++) {
		const struct index_pipeline *p = &x->pipeline[i];

		rec_word(b, "pipeline");
		rec_str(b, p->name);
		rec_str(b, p->script);
		rec_oid(b, &p->script_id);
		rec_oid(b, &p->decides);
		rec_end(b);
		for (size_t k = 0; k < p->n_code; k++) {
			rec_word(b, p->code[k].declared ? "code" : "found");
			rec_str(b, p->code[k].path);
			rec_end(b);
		}
		for (size_t k = 0; k < p->n_reads; k++) {
			rec_word(b, p->quiet[k] ? "quiet" : "reads");
			rec_str(b, p->reads[k]);
			rec_end(b);
		}
		if (p->image) {
			rec_word(b, "image");
			rec_str(b, p->image);
			rec_end(b);
		}
		if (p->has_egress) {
			rec_word(b, "egress");
			rec_oid(b, &p->egress);
			rec_end(b);
		}
	}
	rec_seal(b);
}

/* Lines are counted first, so that every array is allocated once: the lists of a pipeline are slices of two
 * arrays shared by all. */
struct count { size_t option, asked, spec, source, trigger, pipeline, code, reads, from, with; };

/* The arrays that are shared. */
struct shared { struct conf_code *code; const char **reads, **from; bool *quiet; struct conf_set *with; };

static void
count_lines(struct recfile f, struct count *n)
{
	static const char *const word[] = { "option ", "spec ", "specfile ", "include ", "source ", "trigger ", "pipeline ", "code ", "found ", "reads ",
		"quiet ", "from ", "with " };
	size_t *const to[] = { &n->option, &n->asked, &n->spec, &n->spec, &n->source, &n->trigger, &n->pipeline, &n->code, &n->code, &n->reads,
		&n->reads, &n->from, &n->with };
	const char *s = f.text + f.pos, *end = f.text + f.n;

	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));

		for (size_t i = 0; i < sizeof word / sizeof *word; i++)
			if ((size_t)(end - s) > strlen(word[i]) && memcmp(s, word[i], strlen(word[i])) == 0)
				++*to[i];
		s = nl ? nl + 1 : end;
	}
}

static bool
read_pipeline_line(struct index *x, const struct rec *r, const struct shared *v, struct count *n)
{
	struct index_pipeline *p;

	if (rec_is(r, "pipeline", 5)) {
		p = &x->pipeline[x->n_pipeline++];
		p->name = r->f[1];
		p->script = r->f[2];
		p->code = v->code + n->code;
		p->reads = v->reads + n->reads;
		p->quiet = v->quiet + n->reads;
		return rec_get_oid(r, 3, &p->script_id) && rec_get_oid(r, 4, &p->decides);
	}
	if (x->n_pipeline == 0)
		return false;
	p = &x->pipeline[x->n_pipeline - 1];
	if (rec_is(r, "code", 2) || rec_is(r, "found", 2)) {
		p->code[p->n_code++] = (struct conf_code){ r->f[1], r->f[0][0] == 'c' };
		n->code++;
		return true;
	}
	if (rec_is(r, "image", 2)) {
		p->image = r->f[1];
		return true;
	}
	if (rec_is(r, "egress", 2)) {
		p->has_egress = true;
		return rec_get_oid(r, 1, &p->egress);
	}
	if (rec_is(r, "reads", 2) || rec_is(r, "quiet", 2)) {
		p->quiet[p->n_reads] = r->f[0][0] == 'q';
		p->reads[p->n_reads++] = r->f[1];
		n->reads++;
		return true;
	}
	return false;
}

static bool
read_source_line(struct index *x, const struct rec *r, const struct shared *v, struct count *n)
{
	struct index_source *s;

	if (rec_is(r, "source", 4)) {
		x->source[x->n_source++] = (struct index_source){ .name = r->f[1], .dir = r->f[2], .keep = r->f[3][0] == '1',
		    .from = v->from + n->from, .with = v->with + n->with };
		return true;
	}
	if (x->n_source == 0)
		return false;
	s = &x->source[x->n_source - 1];
	if (rec_is(r, "branch", 2)) {
		s->branch = r->f[1];
		return true;
	}
	if (rec_is(r, "from", 2)) {
		s->from[s->n_from++] = r->f[1];
		n->from++;
		return true;
	}
	if (rec_is(r, "with", 3)) {
		s->with[s->n_with++] = (struct conf_set){ r->f[1], r->f[2] };
		n->with++;
		return true;
	}
	return false;
}

static bool
read_line(struct index *x, const struct rec *r, const struct shared *v, struct count *n)
{
	if (rec_is(r, "compiler", 2)) {
		x->compiler = r->f[1];
	} else if (rec_is(r, "makefile", 2)) {
		x->makefile = r->f[1];
	} else if (rec_is(r, "option", 2)) {
		x->option[x->n_option++] = r->f[1];
	} else if (rec_is(r, "spec", 2)) {
		x->asked[x->n_asked++] = r->f[1];
	} else if (rec_is(r, "specfile", 3) || rec_is(r, "include", 3)) {
		x->spec[x->n_spec].path = r->f[1];
		x->spec[x->n_spec].included = r->f[0][0] == 'i';
		return rec_get_oid(r, 2, &x->spec[x->n_spec++].id);
	} else if (rec_is(r, "source", 4) || rec_is(r, "branch", 2) || rec_is(r, "from", 2) || rec_is(r, "with", 3)) {
		return read_source_line(x, r, v, n);
	} else if (rec_is(r, "trigger", 9)) {
		struct index_trigger *t = &x->trigger[x->n_trigger++];

		*t = (struct index_trigger){ r->f[1], r->f[2], r->f[3], r->f[5], r->f[6], r->f[4][0] == '1', 0, 0 };
		return rec_get_u64(r, 7, &t->size) && rec_get_u64(r, 8, &t->commits);
	} else if (!conf_read_schedule(&x->arena, r, &x->schedule)) {
		return read_pipeline_line(x, r, v, n);
	}
	return true;
}

int
index_read(struct index *x, struct err *err)
{
	struct count n = { 0 }, used = { 0 };
	struct shared v;
	struct rec r;
	bool ok = true;
	int rc;

	*x = (struct index)INDEX_INIT;
	rc = recfile_open_sealed(&x->file, FILE_INDEX, "index", VERSION, err);
	if (rc <= 0)
		return err->num ? rc : 0;
	count_lines(x->file, &n);
	x->option = arena_alloc(&x->arena, n.option * sizeof *x->option);
	x->asked = arena_alloc(&x->arena, n.asked * sizeof *x->asked);
	x->spec = arena_alloc(&x->arena, n.spec * sizeof *x->spec);
	x->source = arena_alloc(&x->arena, n.source * sizeof *x->source);
	x->trigger = arena_alloc(&x->arena, n.trigger * sizeof *x->trigger);
	x->pipeline = arena_alloc(&x->arena, n.pipeline * sizeof *x->pipeline);
	v.code = arena_alloc(&x->arena, n.code * sizeof *v.code);
	v.reads = arena_alloc(&x->arena, n.reads * sizeof *v.reads);
	v.quiet = arena_alloc(&x->arena, n.reads * sizeof *v.quiet);
	v.from = arena_alloc(&x->arena, n.from * sizeof *v.from);
	v.with = arena_alloc(&x->arena, n.with * sizeof *v.with);
	while (ok && recfile_next(&x->file, &r))
		ok = read_line(x, &r, &v, &used);
	if (ok && x->compiler && x->makefile)
		return 1;
	index_release(x);
	return 0;
}

void
index_release(struct index *x)
{
	arena_release(&x->arena);
	recfile_release(&x->file);
	*x = (struct index)INDEX_INIT;
}

const struct index_pipeline *
index_find(const struct index *x, const char *pipeline)
{
	for (size_t i = 0; i < x->n_pipeline; i++)
		if (strcmp(x->pipeline[i].name, pipeline) == 0)
			return &x->pipeline[i];
	return NULL;
}

const struct index_source *
index_find_source(const struct index *x, const char *name)
{
	for (size_t i = 0; i < x->n_source; i++)
		if (strcmp(x->source[i].name, name) == 0)
			return &x->source[i];
	return NULL;
}

const char *
index_runtime(const struct index *x)
{
	for (size_t i = 0; i < x->n_option; i++)
		if (strncmp(x->option[i], "--runtime=", 10) == 0)
			return x->option[i] + 10;
	return NULL;
}

const char *
index_place(const struct index_source *s)
{
	return s->n_from ? s->from[0] : s->dir;
}

bool
index_same_words(const char *const *a, size_t n, const char *const *b, size_t m)
{
	bool same = n == m;

	for (size_t i = 0; same && i < n; i++)
		same = strcmp(a[i], b[i]) == 0;
	return same;
}
