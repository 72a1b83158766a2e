/* load.c: nodes into the model, by the tables of fields.c.
 *
 * One routine a kind of value; an object is a table and its loader is load_table, whatever it is.  A wrong value
 * is told and its siblings are still read, so that all errors of a file come in one go. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "document.h"
#include "fields.h"
#include "params.h"
#include "scope.h"
#include "shorthand.h"
#include "spec.h"
#include "stamp.h"
#include "suggest.h"
#include "template.h"
#include "value.h"
#include "yaml.h"

static bool
load_str(struct specset *s, const struct ynode *n, const char *name, struct str *ret)
{
	if (n->kind != Y_SCALAR)
		return diag_error(s->d, n->at, "'%s' is text, this is %s", name, ynode_kind_name(n));
	if (strlen(n->text) != n->n)
		return diag_error(s->d, n->at, "'%s' holds a NUL byte", name);
	ret->s = n->text;
	ret->at = ynode_part(s->d, n, 0, n->n);
	return true;
}

static bool
load_num(struct specset *s, const struct ynode *n, const struct field *f, struct num *ret)
{
	struct str t;
	bool bare = false, flag = false;

	if (!load_str(s, n, f->name, &t))
		return false;
	ret->at = t.at;
	if (f->kind == FK_INT && !value_int(t.s, &ret->v))
		return diag_error(s->d, t.at, "'%s' is a whole number, not '%s'", f->name, t.s);
	if (f->kind == FK_BOOL && !value_bool(t.s, &flag))
		return diag_error(s->d, t.at, "'%s' is true or false, not '%s'", f->name, t.s);
	if (f->kind == FK_BOOL)
		ret->v = flag;
	if (f->kind == FK_SIZE && !*t.s)
		return true;        /* as dumps of Pachyderm say that there is none */
	if (f->kind == FK_SIZE && !value_size(t.s, &ret->v))
		return diag_error(s->d, t.at, "'%s' is a size such as 512M or 10Gi, not '%s'", f->name, t.s);
	if (f->kind == FK_DURATION && !value_duration(t.s, &ret->v, &bare))
		return diag_error(s->d, t.at, "'%s' is a duration such as 30s, 10m or 1h30m, not '%s'", f->name, t.s);
	if (bare && ret->v)
		diag_warn(s->d, t.at, "'%s' taken as seconds; write '%ss'", t.s, t.s);
	ret->set = true;
	return true;
}

static bool
load_number(struct specset *s, const struct ynode *n, const struct field *f, struct str *ret)
{
	char *end;
	double milli;

	if (!load_str(s, n, f->name, ret))
		return false;
	milli = strtod(ret->s, &end);
	if (end > ret->s && !strcmp(end, "m"))
		return diag_error(s->d, ret->at, "'%s' is a number, not thousandths as Kubernetes has them; write %g", f->name, milli / 1000);
	return value_number(ret->s) || diag_error(s->d, ret->at, "'%s' is a number, not '%s'", f->name, ret->s);
}

static size_t
count(const struct ynode *n)
{
	size_t c = 0;

	for (const struct ynode *k = n->kids; k; k = k->next)
		c++;
	return c;
}

static bool
want_list(struct specset *s, const struct ynode *n, const char *name)
{
	if (n->kind == Y_SEQ)
		return true;
	if (n->kind == Y_SCALAR && strstr(name, "stdin") && strchr(n->text, '\n'))
		return diag_error(s->d, n->at, "'%s' is a list of lines, this is one text; put '- ' before each line, or write 'run: |' for a script for sh", name);
	if (n->kind == Y_SCALAR && !strcmp(name, "cmd"))
		return diag_error(s->d, n->at, "'cmd' is a list of words, this is text; write [a, b] for 'a b', or 'run: …' for a shell's line");
	if (n->kind == Y_SCALAR && strlen(n->text) < 40 && !strchr(n->text, '\n'))
		return diag_error(s->d, n->at, "'%s' is a list, this is text; write %s: [\"%s\"]", name, name, n->text);
	return diag_error(s->d, n->at, "'%s' is a list, this is %s", name, ynode_kind_name(n));
}

static bool
load_strs(struct specset *s, const struct ynode *n, const char *name, bool one, struct strs *ret)
{
	bool ok = true;

	ret->at = n->at;
	if (one && n->kind == Y_SCALAR) {
		ret->v = arena_alloc(s->a, sizeof *ret->v);
		return (ret->n = ret->set = load_str(s, n, name, ret->v));
	}
	if (!want_list(s, n, name))
		return false;
	ret->v = arena_alloc(s->a, (count(n) + 1) * sizeof *ret->v);
	for (const struct ynode *k = n->kids; k; k = k->next)
		if (load_str(s, k, name, &ret->v[ret->n]))      /* what is no text is not in the list */
			ret->n++;
		else
			ok = false;
	ret->set = true;
	return ok;
}

static bool
load_ints(struct specset *s, const struct ynode *n, const struct field *f, struct nums *ret)
{
	struct field one = *f;
	bool ok = true;

	one.kind = FK_INT;
	if (n->kind == Y_SCALAR)
		return diag_error(s->d, n->at, "'%s' is a list, this is text; write %s: [%.40s]", f->name, f->name, n->text);
	if (!want_list(s, n, f->name))
		return false;
	ret->v = arena_alloc(s->a, (count(n) + 1) * sizeof *ret->v);
	for (const struct ynode *k = n->kids; k; k = k->next)
		ok &= load_num(s, k, &one, &ret->v[ret->n++]);
	ret->at = n->at;
	ret->set = true;
	return ok;
}

/* The text with what stands for "%s" in it. */
static const char *
replace(struct specset *s, const char *text, const char *with)
{
	const char *at = strstr(text, "%s");

	return arena_fmt(s->a, "%.*s%s%s", (int)(at - text), text, with, at + 2);
}

static bool
want_map(struct specset *s, const struct ynode *n, const char *name)
{
	static const struct { const char *name, *write; } hint[] = {
		{ "pipeline", "pipeline: {name: %s}" }, { "parallelism_spec", "parallelism_spec: {constant: %s}" }, { "env", "env: {NAME: VALUE}" },
		{ "datum_set_spec", "datum_set_spec: {number: %s}" }, { "chunk_spec", "chunk_spec: {number: %s}" }, { "pfs", "pfs: {repo: REPO, glob: \"/*\"}" },
	};
	const char *write = NULL;

	if (n->kind == Y_MAP)
		return true;
	for (size_t i = 0; i < sizeof hint / sizeof *hint; i++)
		if (!strcmp(hint[i].name, name))
			write = hint[i].write;
	if (write && n->kind == Y_SCALAR && strstr(write, "%s"))
		write = strlen(n->text) < 60 ? replace(s, write, n->text) : NULL;
	else if (write && strstr(write, "%s"))
		write = NULL;
	return diag_error(s->d, n->at, "'%s' is a map, this is %s%s%s", name, ynode_kind_name(n), write ? "; write " : "", write ? write : "");
}

static int
by_key(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;
	int c = strcmp(a->key.s, b->key.s);

	return c ? c : a->key.at.off < b->key.at.off ? -1 : a->key.at.off > b->key.at.off;
}

/* What is given twice is an error; in a document as Pachyderm has them a warning, and the last counts, as for Pachyderm. */
static bool
given_twice(struct specset *s, const char *name, struct span at, struct span first)
{
	if (s->lenient)
		diag_warn(s->d, at, "'%s' is given twice; this one, the last, counts", name);
	else
		diag_error(s->d, at, "'%s' is given twice", name);
	diag_note(s->d, first, "first here");
	return s->lenient;
}

/* A map of free names.  Sorted by name: the order in the file means nothing. */
static bool
load_pairs(struct specset *s, const struct ynode *n, const char *name, struct pairs *ret)
{
	size_t kept = 0;
	bool ok = true;

	if (!want_map(s, n, name))
		return false;
	ret->v = arena_alloc(s->a, (count(n) + 1) * sizeof *ret->v);
	for (const struct ynode *k = n->kids; k; k = k->next) {
		struct pair *p = &ret->v[ret->n];

		if (ynode_is_null(k->val))
			continue;
		if (load_str(s, k, name, &p->key) && load_str(s, k->val, k->text, &p->val))
			ret->n++;
		else
			ok = false;
	}
	qsort(ret->v, ret->n, sizeof *ret->v, by_key);
	for (size_t i = 0; i < ret->n; i++) {
		if (kept && !strcmp(ret->v[i].key.s, ret->v[kept - 1].key.s)) {
			const char *what = arena_fmt(s->a, "%s.%s", name, ret->v[i].key.s);

			ok &= given_twice(s, what, ret->v[i].key.at, ret->v[kept - 1].key.at);
			kept--;
		}
		ret->v[kept++] = ret->v[i];
	}
	ret->n = kept;
	ret->at = n->at;
	ret->set = true;
	return ok;
}

static bool load_table(struct specset *s, const struct ynode *map, const struct table *t, void *dst);

static bool
load_obj(struct specset *s, const struct ynode *n, const struct field *f, void *dst)
{
	void *obj;

	if (n->kind == Y_SCALAR && f->sub == &gpu_table) {
		/* As it was written up to 1.7: how many. */
		const struct field *number = field_find(&gpu_table, "number");

		obj = arena_alloc(s->a, sizeof(struct gpu));
		memcpy(dst, &obj, sizeof obj);
		return load_num(s, n, number, (struct num *)(void *)((char *)obj + number->off));
	}
	if (f->sub == &schedule_table && n->kind != Y_SEQ) {
		struct schedule *h = arena_alloc(s->a, sizeof *h);

		memcpy(dst, &h, sizeof h);
		h->at = n->at;
		return n->kind == Y_SCALAR ? load_str(s, n, f->name, &h->spec) : load_table(s, n, f->sub, h);
	}
	if (!want_map(s, n, f->name))
		return false;
	obj = arena_alloc(s->a, f->sub->size);
	memcpy(dst, &obj, sizeof obj);
	return load_table(s, n, f->sub, obj);
}

static bool
load_objs(struct specset *s, const struct ynode *n, const struct field *f, struct objs *ret)
{
	bool ok = true;
	size_t size = f->sub->size;

	ret->at = n->at;
	ret->set = true;
	if (f->one && n->kind == Y_MAP) {
		ret->v = arena_alloc(s->a, size);
		ret->n = 1;
		return load_table(s, n, f->sub, ret->v);
	}
	if (n->kind != Y_SEQ)
		return diag_error(s->d, n->at, "'%s' is a list, this is %s%s", f->name, ynode_kind_name(n),
		    n->kind == Y_MAP ? "; put '- ' before each of its members" : "");
	ret->v = arena_alloc(s->a, (count(n) + 1) * size);
	for (const struct ynode *k = n->kids; k; k = k->next, ret->n++) {
		if (k->kind != Y_MAP)
			ok = diag_error(s->d, k->at, "'%s' is a list of maps, this is %s", f->name, ynode_kind_name(k));
		else
			ok &= load_table(s, k, f->sub, (char *)ret->v + ret->n * size);
	}
	return ok;
}

/* Names, globs, places: where "{{x}}" can only be of a template that nobody expanded, and "${X}" too if there are no params. */
static bool
check_template(struct specset *s, const struct field *f, struct str *t)
{
	static const char *const name[] = { "name", "repo", "branch", "output_branch", "glob", "URL", "url", "image", "spec", "working_dir" };
	const char *at, *word, *at_text;
	size_t len;
	bool looks = false;

	if (!strpbrk(t->s, "{<"))
		return true;
	for (size_t i = 0; !looks && i < sizeof name / sizeof *name; i++)
		looks = !strcmp(f->name, name[i]);
	if (!looks || !(at = template_in(t->s, strcmp(f->name, "image") != 0, &len, &word)))
		return true;
	at_text = t->s;
	t->s = NULL;                /* what else is wrong with it is no news */
	return diag_error(s->d, t->at.len == strlen(at_text) ? (struct span){ t->at.off + (uint32_t)(at - at_text), (uint32_t)len } : t->at,
	    "'%.*s' is of a template that was not expanded; compile what your templates make, or declare '%s' under 'params' and write ${%s}", (int)len, at,
	    arena_str(s->a, word), word);
}

static bool
load_value(struct specset *s, const struct ynode *n, const struct field *f, void *dst)
{
	switch (f->kind) {
	case FK_STR:
		return load_str(s, n, f->name, dst) && check_template(s, f, dst);
	case FK_NUMBER:
		return load_number(s, n, f, dst);
	case FK_INT:
	case FK_BOOL:
	case FK_DURATION:
	case FK_SIZE:
		return load_num(s, n, f, dst);
	case FK_STRS:
		return load_strs(s, n, f->name, f->one, dst);
	case FK_INTS:
		return load_ints(s, n, f, dst);
	case FK_PAIRS:
		return load_pairs(s, n, f->name, dst);
	case FK_OBJ:
		return load_obj(s, n, f, dst);
	case FK_OBJS:
		return load_objs(s, n, f, dst);
	case FK_RAW:
		((struct raw *)dst)->node = ynode_copy(s->a, n);
		return true;
	}
	BUG("field kind");
}

/* false, 0, "" say nothing: dumps of Pachyderm are full of them. */
static bool
says_something(const struct field *f, const struct ynode *n)
{
	bool b;

	if (n->kind != Y_SCALAR)
		return n->kids != 0 || (f->status == FS_REFUSED && n->kind == Y_MAP);       /* `spout: {}` is a spout */
	if (f->usual && !strcmp(n->text, f->usual))
		return false;
	return *n->text && strcmp(n->text, "0") != 0 && (!value_bool(n->text, &b) || b);
}

static const char *
field_path(struct specset *s, const struct table *t, const struct field *f)
{
	return *t->path ? arena_fmt(s->a, "%s.%s", t->path, f->name) : f->name;
}

/* A field that nothing comes of here: remembered for the notice, an error if it is refused or all must count. */
static bool
note_status(struct specset *s, const struct table *t, const struct field *f, const struct ynode *key)
{
	if (f->status == FS_HONOURED || f->quiet || !says_something(f, key->val))
		return true;
	if (s->runtime && t == &transform_table && !strcmp(f->name, "image"))
		return true;
	if (f->status == FS_REFUSED)
		return diag_error(s->d, key->at, "'%s' is not supported: %s", field_path(s, t, f), f->why);
	if (s->strict)
		return diag_error(s->d, key->at, "'%s' has no effect here: %s", field_path(s, t, f), f->why);
	for (size_t i = 0; i < s->n_noted; i++)
		if (s->noted[i] == f)
			return true;
	GROW(s->noted, s->n_noted, s->cap_noted);
	s->noted[s->n_noted++] = f;
	return true;
}

/* Where else a field of this name would be right, the nearest first: "transform", "input.pfs". */
static const char *
belongs_into(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->field[i].sub && t->field[i].sub != t && t->field[i].status != FS_REFUSED && field_find(t->field[i].sub, name))
			return t->field[i].sub->path;
	for (size_t i = 0; i < t->n; i++) {
		const char *deep = t->field[i].sub && t->field[i].sub != t && t->field[i].status != FS_REFUSED ?
		    belongs_into(t->field[i].sub, name) : 0;

		if (deep)
			return deep;
	}
	return 0;
}

/* Fields of falconeri, which reads Pachyderm's specs its own way. */
static const char *
foreign_field(const char *name)
{
	if (!strcmp(name, "URI"))
		return "where a repo lies is said once, beside the pipelines: repos: {NAME: s3://BUCKET/PREFIX}; an egress goes to a 'URL'";
	if (!strcmp(name, "service_account") || !strcmp(name, "image_pull_policy") || !strcmp(name, "worker_failure_policy"))
		return "for Kubernetes; leave it out";
	return NULL;
}

static bool
unknown_field(struct specset *s, const struct table *t, const struct ynode *key)
{
	const char *name[128], *into = belongs_into(t, key->text), *foreign = foreign_field(key->text);
	size_t n = 0;

	if (foreign)
		return diag_error(s->d, key->at, "unknown field '%s': %s", key->text, foreign);
	if (into)
		return diag_error(s->d, key->at, "unknown field '%s' here; it belongs into '%s'", key->text, into);
	if (t != &pipeline_table && t != &set_table && field_find(&pipeline_table, key->text))
		return diag_error(s->d, key->at, "unknown field '%s' here; it belongs to the pipeline, further left", key->text);
	for (size_t i = 0; i < t->n && n < 128; i++)
		name[n++] = t->field[i].name;
	if (t == &pipeline_table)
		for (size_t i = 0; i < shorthand_count && n < 128; i++)
			name[n++] = shorthand_table[i].name;
	return diag_error(s->d, key->at, "unknown field '%s'%s", key->text, did_you_mean(s->a, key->text, name, n));
}

static size_t
kind_size(enum field_kind kind)
{
	switch (kind) {
	case FK_STR:
	case FK_NUMBER:
		return sizeof(struct str);
	case FK_STRS:
		return sizeof(struct strs);
	case FK_INTS:
		return sizeof(struct nums);
	case FK_PAIRS:
		return sizeof(struct pairs);
	case FK_OBJ:
		return sizeof(void *);
	case FK_OBJS:
		return sizeof(struct objs);
	case FK_RAW:
		return sizeof(struct raw);
	default:
		return sizeof(struct num);
	}
}

/* The field under the name that the user wrote: what is wrong with `tries` is not told of `datum_tries`. */
static const struct field *
as_written(struct specset *s, const struct ynode *key, const struct field *f, struct field *room)
{
	const struct diag_file *file = key->lowered ? diag_file_of(s->d, key->at.off) : NULL;

	if (!file || key->at.off - file->base + key->at.len > file->n)
		return f;
	*room = *f;
	room->name = arena_dup(s->a, file->text + (key->at.off - file->base), key->at.len);
	return room;
}

/* `join: []` beside another kind says nothing: dumps of Pachyderm have them all. */
static void
drop_empty(struct input *in)
{
	struct objs *const kind[] = { &in->cross, &in->union_, &in->join, &in->group };
	bool other = in->pfs || in->cron || in->git;

	for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
		other |= kind[i]->n > 0;
	for (size_t i = 0; other && i < sizeof kind / sizeof *kind; i++)
		kind[i]->set = kind[i]->n > 0;
}

static bool
load_table(struct specset *s, const struct ynode *map, const struct table *t, void *dst)
{
	const struct ynode *seen[FIELDS_MAX] = { 0 };
	uint32_t told = 0;          /* a `run` given twice is two fields given twice, and one error */
	struct field room;
	bool ok = true;

	if (t == &input_table)
		((struct input *)dst)->at = map->at;
	for (const struct ynode *k = map->kids; k; k = k->next) {
		const struct field *f = field_find(t, k->text);

		if (!f) {
			ok &= t == &pipeline_table && !strcmp(k->text, "$schema") ? true : unknown_field(s, t, k);
			continue;
		}
		if (seen[f - t->field]) {
			if (k->at.off != told)
				ok &= given_twice(s, k->lowered ? as_written(s, k, f, &room)->name : field_path(s, t, f), k->at, seen[f - t->field]->at);
			told = k->at.off;
			if (!s->lenient)
				continue;
			memset((char *)dst + f->off, 0, kind_size(f->kind));
		}
		seen[f - t->field] = k;
		if (ynode_is_null(k->val))
			continue;
		ok &= note_status(s, t, f, k);
		ok &= load_value(s, k->val, as_written(s, k, f, &room), (char *)dst + f->off);
	}
	if (t == &input_table)
		drop_empty(dst);
	return ok;
}

static bool
has_shorthand(const struct ynode *map)
{
	for (const struct ynode *k = map->kids; k; k = k->next)
		if (shorthand_find(k->text))
			return true;
	return false;
}

static bool
take_pipeline(struct specset *s, const struct ynode *map, const struct ynode *name, bool broken)
{
	const struct ynode *lowered;
	struct pipeline *p;
	bool ok = !broken;

	if (map->kind != Y_MAP)
		return diag_error(s->d, map->at, "pipeline '%s' is a map, this is %s", name ? name->text : "", ynode_kind_name(map));
	s->lenient = !name && !has_shorthand(map);
	lowered = lower_pipeline(s, map, name, &ok);
	GROW(s->pipeline, s->n_pipeline, s->cap_pipeline);
	p = &s->pipeline[s->n_pipeline++];
	memset(p, 0, sizeof *p);
	p->at = name ? name->at : map->at;
	p->made = s->made;
	p->pachyderm = s->lenient;
	p->scope = s->scope;
	ok &= load_table(s, lowered, &pipeline_table, p);
	if (s->scope && p->input)
		ok &= params_check_names(s, p->input);
	s->lenient = false;
	p->broken = !ok;
	return ok;
}

static bool
load_repo(struct specset *s, const struct ynode *key)
{
	struct repo_form *form = arena_alloc(s->a, sizeof *form);
	struct source *src;

	memset(form, 0, sizeof *form);
	if (key->val->kind == Y_MAP) {
		if (!load_table(s, key->val, &repo_table, form))
			return false;
		if (!form->source.n || !*form->source.v[0].s)
			return diag_error(s->d, key->at, "repo '%s' has no 'source'; write the folder that it is", key->text);
	} else if (ynode_is_null(key->val)) {
		return diag_error(s->d, key->at, "repo '%s' says no folder; write %s: FOLDER", key->text, key->text);
	} else if (!load_strs(s, key->val, key->text, true, &form->source)) {
		return false;
	}
	if (!form->source.n)
		return diag_error(s->d, key->at, "repo '%s' is an empty list; write its URLs", key->text);
	GROW(s->source, s->n_source, s->cap_source);
	src = &s->source[s->n_source++];
	*src = (struct source){ .name = key->text, .dir = form->source.v[0].s, .at = key->at, .keep = form->keep.v, .declared = true,
	    .form = form };
	return true;
}

static const struct ynode *
expanded(struct specset *s, const struct ynode *key, bool *ok)
{
	return s->scope ? scope_expand_pair(s, key, false, ok) : key;
}

/* Of several documents each may name pools. */
static bool
load_pools(struct specset *s, const struct ynode *map)
{
	struct pairs more = { 0 };
	struct pair *v;

	if (!load_pairs(s, map, "pools", &more))
		return false;
	v = arena_alloc(s->a, (s->pools.n + more.n + 1) * sizeof *v);
	for (size_t i = 0; i < s->pools.n; i++)
		v[i] = s->pools.v[i];
	for (size_t i = 0; i < more.n; i++)
		v[s->pools.n + i] = more.v[i];
	s->pools.v = v;
	s->pools.n += more.n;
	return true;
}

/* The map that holds `repos:` and `pipelines:`. */
static bool
load_set(struct specset *s, const struct ynode *map)
{
	bool ok = true;

	for (const struct ynode *k = map->kids; k; k = k->next) {
		const struct field *f = field_find(&set_table, k->text);
		bool holder = f && (!strcmp(f->name, "repos") || !strcmp(f->name, "pipelines"));

		s->has_repos |= holder;
		/* Params are declared, and files included, before anything is loaded. */
		if (!strcmp(k->text, "$schema") || (f && (ynode_is_null(k->val) || (!holder && f->kind == FK_RAW))))
			continue;
		if (!f && field_find(&pipeline_table, k->text))
			ok = diag_error(s->d, k->at, "'%s' is of a pipeline; write it under the pipeline's name in 'pipelines', or in a document of its own "
			    "after '---'", k->text);
		else if (!f)
			ok = unknown_field(s, &set_table, k);
		else if (f->sub == &notify_table)
			ok &= load_value(s, lower_notify(s, expanded(s, k, &ok)->val), f, (char *)s + f->off);
		else if (f->kind == FK_OBJ && s->schedule)
			ok &= given_twice(s, f->name, k->at, s->schedule->at);
		else if (f->kind == FK_OBJ)
			ok &= note_status(s, &set_table, f, k) && load_value(s, expanded(s, k, &ok)->val, f, (char *)s + f->off);
		else if (k->val->kind != Y_MAP)
			ok = diag_error(s->d, k->val->at, "'%s' is a map by name, this is %s", k->text, ynode_kind_name(k->val));
		else if (f->kind == FK_PAIRS)
			ok &= load_pools(s, expanded(s, k, &ok)->val);
		else
			for (const struct ynode *e = k->val->kids; e; e = e->next)
				ok &= !strcmp(f->name, "repos") ? load_repo(s, expanded(s, e, &ok)) : stamp_pipelines(s, e->val, e, take_pipeline);
	}
	return ok;
}

static bool
load_doc(struct specset *s, const struct ynode *doc, bool in_list)
{
	bool ok = true;

	if (ynode_is_null(doc))
		return true;
	if (doc->kind == Y_SEQ && !in_list) {
		for (const struct ynode *k = doc->kids; k; k = k->next)
			ok &= load_doc(s, k, true);
		return ok;
	}
	if (doc->kind != Y_MAP)
		return diag_error(s->d, doc->at, "a spec is a map (or a list of maps), this is %s", ynode_kind_name(doc));
	switch (document_kind(doc)) {
	case DOC_SET:
		return load_set(s, doc);
	case DOC_PIPELINE:
		return stamp_pipelines(s, doc, 0, take_pipeline);
	case DOC_KUBERNETES:
		return document_kubernetes(s, doc);
	case DOC_INSPECTED:
		return diag_error(s->d, doc->at, "this is what 'pachctl inspect pipeline --raw' prints; a spec is what 'pachctl list pipeline --spec' prints");
	default:
		return diag_error(s->d, doc->at, "this is no pipeline spec: it has neither 'pipeline', 'transform' and 'input' nor 'repos' and 'pipelines'");
	}
}

bool
load_params(struct specset *s, const struct ynode *docs)
{
	bool ok = true;

	for (const struct ynode *n = docs; n; n = n->next) {
		const struct ynode *params = ynode_get(n, "params");

		if (!params)
			continue;
		scope_begin(s);
		ok &= params_declare(s, params);
	}
	return ok;
}

bool
load_docs(struct specset *s, const struct ynode *docs)
{
	bool ok = true;

	for (const struct ynode *n = docs; n; n = n->next)
		ok &= load_doc(s, n, false);
	return ok;
}
