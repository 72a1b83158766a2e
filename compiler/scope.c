/* scope.c: ${name} in strings.
 *
 * Only what is written just so is looked at: $name, ${name%.csv} and ${name:-x} are the shell's everywhere.  Expansion is
 * textual and of values, not of structure: it cannot make a list of a string.  What a few bytes can become is bounded. */
#include "scope.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "fields.h"
#include "spec.h"
#include "suggest.h"
#include "yaml.h"

enum { NAMES_MAX = 200 };

size_t
scope_name_len(const char *s)
{
	if (*s >= '0' && *s <= '9')
		return 0;
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

const struct binding *
scope_find(const struct scope *sc, const char *name, size_t n)
{
	for (; sc; sc = sc->outer)
		for (size_t i = 0; i < sc->n; i++)
			if (!strncmp(sc->v[i].name, name, n) && !sc->v[i].name[n])
				return &sc->v[i];
	return NULL;
}

static bool
unknown(struct specset *s, const struct ynode *n, const char *name, size_t len)
{
	const char *try[NAMES_MAX], *word = arena_dup(s->a, name, len);
	size_t k = 0, from = (size_t)(name - n->text) - 2;

	for (const struct scope *sc = s->scope; sc; sc = sc->outer)
		for (size_t i = 0; i < sc->n && k < NAMES_MAX; i++)
			try[k++] = sc->v[i].name;
	return diag_error(s->d, ynode_part(s->d, n, from, len + 3), "unknown param '%s'%s; to have '${%s}' itself, write '$${%s}'", word,
	    did_you_mean(s->a, word, try, k), word, word);
}

/* What begins at the dollar p: how many bytes of it are taken, 0 if it is nothing of ours. */
static size_t
reference(struct specset *s, const struct ynode *n, const char *p, bool theirs, struct buf *to, bool *ok)
{
	bool escaped = p[1] == '$';
	const char *name = p + 2 + escaped;
	const struct binding *b;
	size_t len;

	if (name[-1] != '{' || !(len = scope_name_len(name)) || name[len] != '}')
		return 0;
	b = scope_find(s->scope, name, len);
	if (!b && theirs)
		return 0;
	if (escaped) {
		buf_add(to, p + 1, len + 3);
		return len + 4;
	}
	if (!b) {
		*ok = unknown(s, n, name, len);
		return 0;
	}
	buf_str(to, b->value);
	if (!b->var)
		diag_origin(s->d, n->at, b->at, arena_fmt(s->a, "'${%s}' is '%.100s' here%s%s", b->name, b->value, b->how ? ", " : "", b->how ? b->how : ""));
	return len + 3;
}

static bool
expand_text(struct specset *s, struct ynode *n, bool theirs)
{
	const char *p = n->text, *end = p + n->n, *from = p;
	struct buf to = BUF_INIT;
	bool ok = true, changed = false;

	while (to.n < EXPAND_TEXT && (p = memchr(p, '$', (size_t)(end - p)))) {
		size_t taken;

		buf_add(&to, from, (size_t)(p - from));
		taken = reference(s, n, p, theirs, &to, &ok);
		changed |= taken > 0;
		from = p;
		p += taken ? taken : 1;
		if (taken)
			from = p;
	}
	if (changed) {
		buf_add(&to, from, (size_t)(end - from));
		s->expanded += to.n;
		if (to.n > EXPAND_TEXT || s->expanded > EXPAND_ALL)
			ok = diag_error(s->d, n->at, "this becomes too much text: at most %d MB a string, %d MB in all", EXPAND_TEXT >> 20, EXPAND_ALL >> 20);
		else
			n->text = arena_dup(s->a, to.n ? to.s : "", to.n);
		n->n = (uint32_t)strlen(n->text);
	}
	buf_release(&to);
	if (!ok) {
		/* As if it were not given: what is wrong is told. */
		n->text = "";
		n->n = 0;
		n->plain = true;
	}
	return ok;
}

/* Fields whose text a shell, a template or a person may read: ${x} may be theirs. */
static bool
is_theirs(const char *field)
{
	static const char *const name[] = {
		"run", "cmd", "stdin", "err_cmd", "err_stdin", "env", "description", "metadata", "join_on", "group_by", "pod_spec", "pod_patch",
	};

	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		if (field_name_is(name[i], field))
			return true;
	return false;
}

struct ynode *
scope_expand_pair(struct specset *s, const struct ynode *key, bool theirs, bool *ok)
{
	struct ynode *c = scope_expand(s, key, theirs, ok);

	if (key->val)
		c->val = scope_expand(s, key->val, theirs || is_theirs(key->text), ok);
	return c;
}

struct ynode *
scope_expand(struct specset *s, const struct ynode *n, bool theirs, bool *ok)
{
	struct ynode *c = arena_alloc(s->nodes, sizeof *c), **end = &c->kids;

	*c = *n;
	c->next = c->kids = NULL;
	if (c->kind == Y_SCALAR)
		*ok &= expand_text(s, c, theirs);
	for (const struct ynode *k = n->kids; k; k = k->next, end = &(*end)->next)
		*end = scope_expand_pair(s, k, theirs, ok);
	return c;
}

void
scope_begin(struct specset *s)
{
	if (!s->scope)
		s->scope = arena_alloc(s->a, sizeof *s->scope);
}

void
scope_end(struct specset *s)
{
	struct binding *v;

	if (!s->scope)
		return;
	v = arena_alloc(s->a, (s->scope->n + 1) * sizeof *v);
	if (s->scope->n)
		memcpy(v, s->scope->v, s->scope->n * sizeof *v);
	free(s->scope->v);
	s->scope->v = v;
	s->scope = NULL;
}
