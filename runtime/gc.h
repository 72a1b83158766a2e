/* gc.h: what is kept, and the removal of the rest. Only under the gc lock, exclusively. */
#ifndef RUNTIME_GC_H
#define RUNTIME_GC_H

#include "../base/conf.h"
#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oid;

struct gc_ids { struct oid *v; size_t n, cap; };              /* sorted once all are in */
struct gc_names { const char **v; size_t n, cap; };           /* the same */
struct gc_result { struct oid key; bool failed; const char *job; };

enum gc_kind { GC_RESULTS, GC_COMMITS, GC_OBJECTS, GC_LOGS, GC_PLANS, GC_STEPS, GC_LEFTOVERS, GC_KINDS };

struct gc_count { uint64_t n, bytes; };

struct gc {
	bool run;                       /* false: only count */
	uint64_t keep_jobs, keep_days;
	uint64_t now, since;            /* ns: what is not older than since is young; UINT64_MAX: nothing is */
	struct arena a;
	struct index x;
	bool history;                   /* there is a database */
	struct gc_ids commit, object, key;
	struct gc_ids lost;             /* commits that go */
	struct gc_names job, script, plan;
	struct gc_result *result; size_t n_result, cap_result;   /* kept, sorted by key */
	struct gc_count gone[GC_KINDS], kept[GC_KINDS];
};

/* gcmark.c: fills everything that is kept. -1: nothing may be removed. */
int gc_mark(struct gc *g, struct err *err);
/* gcsweep.c: counts in gone and kept; with run, removes. A kill at any moment leaves a state that is sound. */
int gc_sweep(struct gc *g, struct err *err);

bool gc_has(const struct gc_ids *s, const struct oid *id);
bool gc_has_name(const struct gc_names *s, const char *name);
/* The kept result or failure of this key, NULL if there is none. */
const struct gc_result *gc_result_of(const struct gc *g, const struct oid *key);

#endif
