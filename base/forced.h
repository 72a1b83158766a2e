/* forced.h: pipelines that were told to run all again (`dassie run --force`): .dassie/forced, sealed, with rec.h's syntax:
 *
 *   dassie-forced 1
 *   pipeline NAME SALT           the newest order; SALT is part of its datums' keys from then on
 *
 * What was forced stays what it is: the next make believes the new results, not those of before the order. */
#ifndef BASE_FORCED_H
#define BASE_FORCED_H

#include "mem.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;

struct forced_one { const char *pipeline, *salt; };

struct forced {
	struct arena arena;
	struct forced_one *v; size_t n, cap;
};

#define FORCED_INIT { .arena = ARENA_INIT }

int forced_read(struct forced *f, struct err *err);         /* 0 also if there is none; -1 */
void forced_release(struct forced *f);

/* What decides the pipeline's output, with the order in it; unchanged where none was given. */
void forced_mix(const struct forced *f, const char *pipeline, struct oid *decides);
/* The same for a pipeline's settings: salt and decides. */
int forced_conf(struct conf *c, struct err *err);

/* Give the order.  The names are those of the spec. */
int forced_add(const char *const *pipeline, size_t n, struct err *err);

#endif
