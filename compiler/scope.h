/* scope.h: names that stand for text in a spec, and `${name}` in its strings. */
#ifndef COMPILER_SCOPE_H
#define COMPILER_SCOPE_H

#include "diag.h"

#include <stdbool.h>
#include <stddef.h>

struct specset;
struct ynode;

struct binding {
	const char *name, *value;
	struct span at;             /* where it is declared */
	const char *how;            /* "by -D days=3"; NULL: by its declaration */
	bool var;                   /* of a foreach or matrix */
};

/* The params of a spec, or, inside of those, the variables of a foreach or matrix. */
struct scope {
	const struct scope *outer;
	struct binding *v;
	size_t n, cap;
};

enum {
	EXPAND_TEXT = 4 << 20,      /* bytes that one string may become */
	EXPAND_ALL = 256 << 20,     /* bytes of all strings that were expanded */
};

/* Letters, digits and '_', the first no digit: its length, 0 if s does not begin with such a name. */
size_t scope_name_len(const char *s);

const struct binding *scope_find(const struct scope *sc, const char *name, size_t n);

/* A copy of a node in s->nodes with every ${name} replaced by what s->scope has; places stay.  `$${name}` is `${name}`.
 * Where shells or others may mean their own by it (commands, env, descriptions, keys of joins; `theirs`: all of this
 * node is such text), an unknown name stays as it is; elsewhere it is an error.  *ok becomes false then. */
struct ynode *scope_expand(struct specset *s, const struct ynode *n, bool theirs, bool *ok);
/* The same for a key of a map and its value. */
struct ynode *scope_expand_pair(struct specset *s, const struct ynode *key, bool theirs, bool *ok);

/* Where params are declared from now on, unless there is one already; and no further. */
void scope_begin(struct specset *s);
void scope_end(struct specset *s);

#endif
