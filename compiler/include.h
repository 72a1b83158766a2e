/* include.h: spec files that name others: `include: FILE`, relative to the file that says so. */
#ifndef COMPILER_INCLUDE_H
#define COMPILER_INCLUDE_H

#include <stdbool.h>
#include <stddef.h>

struct modules;
struct specfiles;
struct specset;
struct text;

/* Could this text include something?  A quick look. */
bool include_maybe(const struct text *t);

struct modules *modules_new(struct specset *s, struct specfiles *files);
void modules_free(struct modules *m);

/* Parse file i of the set, and all that it includes, which are added to the set.  False: errors were recorded. */
bool modules_add(struct modules *m, size_t i, const struct text *t);

enum module_state { MODULE_NONE, MODULE_ROOT, MODULE_INCLUDED };

/* What is known of file i. */
enum module_state modules_state(const struct modules *m, size_t i);

/* Declare the params of file i and of all that it includes, and load those that no other has loaded before. */
bool modules_load(struct modules *m, size_t i);

#endif
