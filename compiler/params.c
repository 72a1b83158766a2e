/* params.c: params have a type, so that a slip in -D is told before anything runs, and a default, or they must be given.
 *
 *   params:
 *     days: 7                                             an int, since its default is one
 *     mode: {type: enum, values: [fast, exact], default: fast}
 *
 * A value is text: what was written goes into the strings as it is, when it is of the type.  Defaults may have ${…} of
 * params before them. */
#include "params.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "fields.h"
#include "scope.h"
#include "spec.h"
#include "suggest.h"
#include "value.h"
#include "yaml.h"

/* A param as it is written. */
struct form { const struct ynode *type, *dflt, *values, *min, *max; };

bool
params_define(struct specset *s, const char *arg)
{
	size_t n = scope_name_len(arg);
	const char *name;

	if (!n || arg[n] != '=')
		return false;
	name = arena_dup(s->a, arg, n);
	for (size_t i = 0; i < s->n_define; i++)
		if (!strcmp(s->define[i].name, name)) {
			s->define[i].value = arg + n + 1;
			return true;
		}
	GROW(s->define, s->n_define, s->cap_define);
	s->define[s->n_define++] = (struct define){ .name = name, .value = arg + n + 1 };
	return true;
}

static struct define *
defined(struct specset *s, const char *name)
{
	for (size_t i = 0; i < s->n_define; i++)
		if (!strcmp(s->define[i].name, name))
			return &s->define[i];
	return NULL;
}

static bool
in_values(const struct ynode *values, const char *v)
{
	for (const struct ynode *k = values ? values->kids : NULL; k; k = k->next)
		if (!strcmp(k->text, v))
			return true;
	return false;
}

/* Where is a value of this type wrong?  NULL: nowhere. */
static const char *
wrong(struct specset *s, const char *type, const struct form *f, const char *v)
{
	struct buf b = BUF_INIT;
	const char *text = NULL;
	int64_t n;
	bool bare;

	if (!strcmp(type, "int") && !value_int(v, &n))
		return "a whole number";
	if (!strcmp(type, "float") && !value_number(v))
		return "a number";
	if (!strcmp(type, "size") && !value_size(v, &n))
		return "a size such as 512M or 10Gi";
	if (!strcmp(type, "duration") && !value_duration(v, &n, &bare))
		return "a duration such as 30s, 10m or 1h30m";
	if (!strcmp(type, "path") && (!*v || v[strcspn(v, "\n")]))
		return "a path";
	if (!strcmp(type, "enum") && !in_values(f->values, v)) {
		for (const struct ynode *k = f->values->kids; k; k = k->next)
			buf_fmt(&b, "%s'%s'", k == f->values->kids ? "" : k->next ? ", " : " or ", k->text);
		text = arena_str(s->a, b.s);
		buf_release(&b);
	}
	return text;
}

/* min and max are of the param's own type: in one unit. */
static double
measure(const char *type, const char *v)
{
	int64_t n = 0;
	bool bare;

	if (!strcmp(type, "size"))
		value_size(v, &n);
	else if (!strcmp(type, "duration"))
		value_duration(v, &n, &bare);
	else
		return strtod(v, NULL);
	return (double)n;
}

static bool
check_value(struct specset *s, const char *name, const char *type, const struct form *f, const char *v, struct span at, const char *how)
{
	const char *want = wrong(s, type, f, v);

	if (want)
		return diag_error(s->d, at, "%sparam '%s' is %s, not '%s'", how, name, want, v);
	if (f->min && measure(type, v) < measure(type, f->min->text))
		return diag_error(s->d, at, "%sparam '%s' is at least %s, not '%s'", how, name, f->min->text, v);
	if (f->max && measure(type, v) > measure(type, f->max->text))
		return diag_error(s->d, at, "%sparam '%s' is at most %s, not '%s'", how, name, f->max->text, v);
	return true;
}

static const char *
guess_type(const struct ynode *v)
{
	int64_t n;

	if (v->plain && value_int(v->text, &n))
		return "int";
	return v->plain && value_number(v->text) ? "float" : "string";
}

static bool
check_type(struct specset *s, const struct ynode *type)
{
	static const char *const word[] = { "int", "float", "string", "size", "duration", "path", "enum" };
	enum { N = sizeof word / sizeof *word };

	for (size_t i = 0; i < N; i++)
		if (!strcmp(type->text, word[i]))
			return true;
	return diag_error(s->d, type->at, "a param's type is int, float, string, size, duration, path or enum, not '%s'%s", type->text,
	    did_you_mean(s->a, type->text, word, N));
}

static bool
is_text(struct specset *s, const struct ynode *n, const char *what)
{
	return n->kind == Y_SCALAR || diag_error(s->d, n->at, "'%s' is text, this is %s", what, ynode_kind_name(n));
}

static bool
check_values(struct specset *s, const struct ynode *values)
{
	bool ok = true;

	if (values->kind != Y_SEQ || !values->kids)
		return diag_error(s->d, values->at, "'values' is a list of what the param may be, this is %s", values->kids ? ynode_kind_name(values) : "nothing");
	for (const struct ynode *k = values->kids; k; k = k->next)
		ok &= is_text(s, k, "values");
	return ok;
}

static bool
read_field(struct specset *s, struct form *f, const struct ynode *k)
{
	static const char *const name[] = { "type", "default", "values", "min", "max", "description" };
	const struct ynode **to[] = { &f->type, &f->dflt, &f->values, &f->min, &f->max, NULL };
	enum { N = sizeof name / sizeof *name };

	for (size_t i = 0; i < N; i++) {
		if (strcmp(k->text, name[i]))
			continue;
		if (to[i] && *to[i])
			return diag_error(s->d, k->at, "'%s' is given twice", name[i]);
		if (to[i] && !ynode_is_null(k->val))
			*to[i] = k->val;
		return i == 2 ? check_values(s, k->val) : is_text(s, k->val, name[i]);
	}
	return diag_error(s->d, k->at, "unknown field '%s' of a param%s", k->text, did_you_mean(s->a, k->text, name, N));
}

static bool
read_form(struct specset *s, struct form *f, const struct ynode *key, const char **type)
{
	bool ok = true;

	*f = (struct form){ 0 };
	*type = "string";
	if (key->val->kind != Y_MAP) {
		if (!is_text(s, key->val, key->text))
			return false;
		if (ynode_is_null(key->val))
			return true;
		f->dflt = key->val;
		*type = guess_type(key->val);
		return true;
	}
	for (const struct ynode *k = key->val->kids; k; k = k->next)
		ok &= read_field(s, f, k);
	if (f->type)
		*type = f->type->text;
	else if (f->values)
		*type = "enum";
	else if (f->dflt)
		*type = guess_type(f->dflt);
	if (ok && f->type)
		ok = check_type(s, f->type);
	if (ok && !strcmp(*type, "enum") && !f->values)
		ok = diag_error(s->d, key->at, "param '%s' is an enum without 'values'; write values: [ONE, OTHER]", key->text);
	for (const struct ynode **bound = &f->min; ok && bound <= &f->max; bound++)
		if (*bound && wrong(s, *type, f, (*bound)->text))
			ok = diag_error(s->d, (*bound)->at, "param '%s' is %s, not '%s'", key->text, wrong(s, *type, f, (*bound)->text), (*bound)->text);
	return ok;
}

static bool
check_name(struct specset *s, const struct ynode *key)
{
	const struct binding *b = scope_find(s->scope, key->text, key->n);

	if (scope_name_len(key->text) != key->n || !key->n)
		return diag_error(s->d, key->at, "'%s' cannot be a param's name: letters, digits and '_', the first no digit", key->text);
	if (!strcmp(key->text, "out") || !strcmp(key->text, "PFS"))
		return diag_error(s->d, key->at, "a param cannot be called '%s': commands have a variable of that name", key->text);
	if (!b)
		return true;
	diag_error(s->d, key->at, "param '%s' is given twice", key->text);
	diag_note(s->d, b->at, "first here");
	return false;
}

static bool
declare(struct specset *s, const struct ynode *key)
{
	struct scope *sc = s->scope;
	struct binding b = { .name = key->text, .at = key->at };
	const char *type;
	struct define *d;
	struct form f;
	bool ok = check_name(s, key) && read_form(s, &f, key, &type);

	if (!ok)
		return false;
	d = defined(s, key->text);
	if (d) {
		d->used = true;
		b.value = d->value;
		b.how = arena_fmt(s->a, "by -D %s=%.100s", d->name, d->value);
		ok = check_value(s, key->text, type, &f, b.value, key->at, arena_fmt(s->a, "-D %s=%.100s: ", d->name, d->value));
		/* That is told; what uses it is not wrong. */
		if (!ok && f.dflt)
			b.value = f.dflt->text;
	} else if (f.dflt) {
		b.value = scope_expand(s, f.dflt, false, &ok)->text;
		ok = ok && check_value(s, key->text, type, &f, b.value, f.dflt->at, "");
	} else {
		ok = diag_error(s->d, key->at, "param '%s' has no value: give it one with -D %s=VALUE, or a default", key->text, key->text);
	}
	if (!b.value)
		b.value = "";
	GROW(sc->v, sc->n, sc->cap);
	sc->v[sc->n++] = b;
	GROW(s->param, s->n_param, s->cap_param);
	s->param[s->n_param++] = b.name;
	return ok;
}

bool
params_maybe(const char *text, size_t n)
{
	return memmem(text, n, "params", 6);
}

bool
params_declare(struct specset *s, const struct ynode *map)
{
	bool ok = true;

	if (ynode_is_null(map))
		return true;
	if (map->kind != Y_MAP)
		return diag_error(s->d, map->at, "'params' is a map by name, this is %s; write NAME: VALUE", ynode_kind_name(map));
	for (const struct ynode *k = map->kids; k; k = k->next)
		ok &= declare(s, k);
	return ok;
}

bool
params_check_names(struct specset *s, const struct input *in)
{
	const struct objs *members[] = { &in->cross, &in->union_, &in->join, &in->group };
	const struct str *name = in->cron ? &in->cron->name : in->pfs && in->pfs->name.s ? &in->pfs->name : in->pfs ? &in->pfs->repo : NULL;
	const struct binding *b = name && name->s ? scope_find(s->scope, name->s, strlen(name->s)) : NULL;
	bool ok = true;

	if (b) {
		ok = diag_error(s->d, name->at, "the input '%s' has the name of a param, so ${%s} in its command would not be its path; give one another name",
		    name->s, name->s);
		diag_note(s->d, b->at, "the param");
	}
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		for (size_t k = 0; k < members[i]->n; k++)
			ok &= params_check_names(s, (const struct input *)members[i]->v + k);
	return ok;
}

bool
params_check_defines(struct specset *s)
{
	bool ok = true;

	for (size_t i = 0; i < s->n_define; i++) {
		const struct define *d = &s->define[i];

		if (!d->used)
			ok = diag_error(s->d, (struct span){ 0, 0 }, "-D %s=%s: the specs have no param '%s'%s", d->name, d->value, d->name,
			    did_you_mean(s->a, d->name, s->param, s->n_param));
	}
	return ok;
}
