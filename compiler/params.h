/* params.h: `params:` of a spec, and what -D says of them. */
#ifndef COMPILER_PARAMS_H
#define COMPILER_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

struct input;
struct specset;
struct ynode;

/* "NAME=VALUE" of -D, into s->define; of one name the last counts.  False: it is none. */
bool params_define(struct specset *s, const char *arg);

/* May a text declare params?  False is certain, but for a key with escapes in its name. */
bool params_maybe(const char *text, size_t n);

/* Declare what a `params:` map has in s->scope.  False: errors were recorded. */
bool params_declare(struct specset *s, const struct ynode *map);

/* A name that is a param's and an input's: ${name} in the command would be the first, $name the second. */
bool params_check_names(struct specset *s, const struct input *in);

/* When all is loaded: -D for params that there are not. */
bool params_check_defines(struct specset *s);

#endif
