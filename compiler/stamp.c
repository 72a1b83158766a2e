/* stamp.c: a hundred near-equal pipelines as one.
 *
 *   foreach: {site: [north, south]}                          one variable
 *   foreach: [{site: north, limit: 3}, {site: south, …}]     several that belong together
 *   matrix: {site: [north, south], year: [2023, 2024]}       every combination
 *
 * Each pipeline is the map with its variables in the text, loaded as if it had been written so; what is wrong in it is told
 * at the place that stands in the file, with a note which of them it was. */
#include "stamp.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "scope.h"
#include "spec.h"
#include "yaml.h"

enum { STAMPS_MAX = 10000, STAMPED_MAX = 50000, VARS_MAX = 50, VALUES_SHOWN = 40 };

struct stamp {
	struct specset *s;
	const struct ynode *map, *name, *key;   /* key: of foreach or matrix */
	bool full;                  /* that was one too many, which was told */
	stamp_take *take;
	struct scope scope;         /* of the pipeline under way: its variables */
	struct binding room[VARS_MAX + 1];
};

static bool
check_var(struct stamp *st, const struct ynode *var)
{
	struct specset *s = st->s;
	const struct binding *b = scope_find(s->scope, var->text, var->n);

	if (!var->n || scope_name_len(var->text) != var->n)
		return diag_error(s->d, var->at, "'%s' cannot be a variable of '%s': letters, digits and '_', the first no digit", var->text, st->key->text);
	if (!strcmp(var->text, "out") || !strcmp(var->text, "PFS"))
		return diag_error(s->d, var->at, "a variable cannot be called '%s': commands have one of that name", var->text);
	if (!b)
		return true;
	diag_error(s->d, var->at, "'%s' is a param already; call the variable otherwise", var->text);
	diag_note(s->d, b->at, "declared here");
	return false;
}

static bool
check_values(struct stamp *st, const struct ynode *var)
{
	struct specset *s = st->s;
	const struct ynode *list = var->val;

	if (list->kind != Y_SEQ || !list->kids)
		return diag_error(s->d, list->at, "'%s' of '%s' is a list of values, this is %s; write %s: [ONE, OTHER]", var->text, st->key->text,
		    list->kind == Y_SEQ ? "an empty one" : ynode_kind_name(list), var->text);
	for (const struct ynode *v = list->kids; v; v = v->next)
		if (v->kind != Y_SCALAR)
			return diag_error(s->d, v->at, "a value of '%s' is text, this is %s", var->text, ynode_kind_name(v));
	return true;
}

/* Does the name, or what is under 'pipeline', differ from what it was before the variables were in it? */
static bool
same_name(const struct stamp *st, const struct ynode *map, const struct ynode *name)
{
	const struct ynode *was = st->name, *is = name, *id;

	if (!st->name) {
		id = ynode_get(st->map, "pipeline");
		was = id && id->kind == Y_MAP ? ynode_get(id, "name") : NULL;
		id = ynode_get(map, "pipeline");
		is = id && id->kind == Y_MAP ? ynode_get(id, "name") : NULL;
	}
	return was && is && was->kind == Y_SCALAR && !strcmp(was->text, is->text);
}

/* "site=north, year=2024" */
static const char *
values_text(struct stamp *st)
{
	struct buf b = BUF_INIT;
	const char *text;

	for (size_t i = 0; i < st->scope.n && b.n < 200; i++)
		buf_fmt(&b, "%s%s=%.*s%s", i ? ", " : "", st->scope.v[i].name, VALUES_SHOWN, st->scope.v[i].value,
		    strlen(st->scope.v[i].value) > VALUES_SHOWN ? "…" : "");
	text = arena_str(st->s->a, b.n ? b.s : "");
	buf_release(&b);
	return text;
}

/* The map without foreach and matrix, with the variables in its text. */
static struct ynode *
expanded_map(struct specset *s, const struct ynode *map, bool *ok)
{
	struct ynode bare = *map, **end = &bare.kids;

	for (const struct ynode *k = map->kids; k; k = k->next) {
		struct ynode *c;

		if (!strcmp(k->text, "foreach") || !strcmp(k->text, "matrix"))
			continue;
		c = arena_alloc(s->nodes, sizeof *c);
		*c = *k;
		c->next = NULL;
		*end = c;
		end = &c->next;
	}
	*end = NULL;
	return scope_expand(s, &bare, false, ok);
}

static bool
stamp_one(struct stamp *st)
{
	struct specset *s = st->s;
	struct scope *outer = s->scope;
	const char *text = values_text(st);
	const struct ynode *map, *name = NULL;
	bool ok = true;

	s->n_stamped += st->map->weight - st->key->val->weight;
	if (s->n_stamped > YAML_NODES)
		return st->full = true, diag_error(s->d, st->key->at, "'%s' makes more than %d values in all", st->key->text, YAML_NODES);
	if (s->n_pipeline >= STAMPED_MAX)
		return st->full = true, diag_error(s->d, st->key->at, "'%s' makes more than %d pipelines in all", st->key->text, STAMPED_MAX);
	/* What the pipeline keeps of it. */
	s->scope = arena_alloc(s->a, sizeof *s->scope);
	*s->scope = (struct scope){ outer, arena_alloc(s->a, (st->scope.n + 1) * sizeof *st->scope.v), st->scope.n, 0 };
	memcpy(s->scope->v, st->scope.v, st->scope.n * sizeof *st->scope.v);
	s->made = (struct made){ arena_fmt(s->a, "in the pipeline that '%s' makes with %s", st->key->text, text), st->key->at };
	diag_within(s->d, s->made.at, s->made.text);
	map = expanded_map(s, st->map, &ok);
	if (st->name) {
		struct ynode *k = scope_expand(s, st->name, false, &ok);

		k->val = (struct ynode *)map;
		name = k;
	}
	if (same_name(st, map, name))
		ok = diag_error(s->d, st->name ? st->name->at : st->map->at, "every pipeline that '%s' makes needs a name of its own: write ${%s} in it",
		    st->key->text, st->scope.v[0].name);
	else
		ok &= st->take(s, map, name, !ok);
	s->scope = outer;
	s->made = (struct made){ 0 };
	diag_within(s->d, (struct span){ 0, 0 }, NULL);
	return ok;
}

static void
bind(struct stamp *st, const struct ynode *var, const struct ynode *value)
{
	st->scope.v[st->scope.n++] = (struct binding){ .name = var->text, .value = value->text, .at = value->at, .var = true };
}

/* foreach: [{a: 1, b: 2}, …] */
static bool
each_map(struct stamp *st, const struct ynode *list)
{
	struct specset *s = st->s;
	const struct ynode *first = list->kids;
	size_t n = 0;
	bool ok = true;

	for (const struct ynode *item = first; item && !st->full; item = item->next) {
		if (++n > STAMPS_MAX)
			return diag_error(s->d, list->at, "'foreach' makes more than %d pipelines", STAMPS_MAX);
		if (item->kind != Y_MAP || !item->kids || item->weight > VARS_MAX * 2 + 1)
			return diag_error(s->d, item->at, "'foreach' goes through a list with a name, foreach: {NAME: [ONE, OTHER]}, or a list of maps: "
			    "foreach: [{NAME: ONE, …}, …]");
		st->scope.n = 0;
		for (const struct ynode *var = item->kids; var; var = var->next) {
			if (!check_var(st, var))
				return false;
			if (var->val->kind != Y_SCALAR)
				return diag_error(s->d, var->val->at, "a value of '%s' is text, this is %s", var->text, ynode_kind_name(var->val));
			if (!ynode_get(first, var->text))
				return diag_error(s->d, var->at, "the first item of 'foreach' has no '%s': all have the same names", var->text);
			bind(st, var, var->val);
		}
		for (const struct ynode *var = first->kids; var; var = var->next)
			if (!ynode_get(item, var->text))
				return diag_error(s->d, item->at, "this item of 'foreach' has no '%s': all have the same names", var->text);
		ok &= stamp_one(st);
	}
	return ok;
}

/* Every combination of the variables' values; the last variable runs fastest. */
static bool
each_combination(struct stamp *st, const struct ynode *var)
{
	bool ok = true;

	if (!var)
		return stamp_one(st);
	for (const struct ynode *v = var->val->kids; v && !st->full; v = v->next) {
		bind(st, var, v);
		ok &= each_combination(st, var->next);
		st->scope.n--;
	}
	return ok;
}

static bool
combine(struct stamp *st, const struct ynode *vars)
{
	struct specset *s = st->s;
	uint64_t count = 1;
	size_t n = 0;
	bool ok = true;

	for (const struct ynode *var = vars->kids; var; var = var->next, n++) {
		uint64_t values = 0;

		if (n == VARS_MAX)
			return diag_error(s->d, var->at, "more than %d variables", VARS_MAX);
		ok &= check_var(st, var) && check_values(st, var);
		for (const struct ynode *v = ok ? var->val->kids : NULL; v; v = v->next)
			values++;
		for (const struct ynode *before = vars->kids; before != var; before = before->next)
			if (!strcmp(before->text, var->text))
				ok = diag_error(s->d, var->at, "'%s' is given twice", var->text);
		count = values && count > STAMPS_MAX / values ? STAMPS_MAX + 1 : count * values;
	}
	if (!ok)
		return false;
	if (count > STAMPS_MAX)
		return diag_error(s->d, vars->at, "'%s' makes more than %d pipelines", st->key->text, STAMPS_MAX);
	return each_combination(st, vars->kids);
}

static bool
stamp(struct stamp *st)
{
	struct specset *s = st->s;
	const struct ynode *key = st->key, *vars = key->val;
	bool ok = true;

	st->scope = (struct scope){ .outer = s->scope, .v = st->room };
	if (s->scope)
		vars = scope_expand(s, vars, false, &ok);
	if (!ok)
		return false;
	if (!strcmp(key->text, "foreach") && vars->kind == Y_SEQ && vars->kids)
		return each_map(st, vars);
	if (vars->kind != Y_MAP || !vars->kids)
		return diag_error(s->d, vars->at, "'%s' says which values to go through: %s: {NAME: [ONE, OTHER]}", key->text, key->text);
	if (!strcmp(key->text, "foreach") && vars->kids->next)
		return diag_error(s->d, vars->at, "'foreach' goes through one list; 'matrix' combines several, and values that belong together are a list of "
		    "maps: foreach: [{A: 1, B: 2}, …]");
	return combine(st, vars);
}

bool
stamp_pipelines(struct specset *s, const struct ynode *map, const struct ynode *name, stamp_take *take)
{
	struct stamp st = { .s = s, .map = map, .name = name, .take = take };
	bool ok = true;

	for (const struct ynode *k = map->kind == Y_MAP ? map->kids : NULL; k; k = k->next) {
		if (strcmp(k->text, "foreach") && strcmp(k->text, "matrix"))
			continue;
		if (st.key) {
			diag_error(s->d, k->at, "a pipeline has one 'foreach' or one 'matrix'");
			diag_note(s->d, st.key->at, "first here");
			return false;
		}
		st.key = k;
	}
	/* One that is too many is told once. */
	if (st.key)
		return s->n_pipeline < STAMPED_MAX || !s->d->errors ? stamp(&st) : false;
	if (!s->scope)
		return take(s, map, name, false);
	map = scope_expand(s, map, false, &ok);
	if (name) {
		struct ynode *k = scope_expand(s, name, false, &ok);

		k->val = (struct ynode *)map;
		name = k;
	}
	return take(s, map, name, !ok) && ok;
}
