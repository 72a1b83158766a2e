/* scheds.h: every schedule of the project, as the compiled spec has them: cron inputs, schedules of pipelines, that of the whole. */
#ifndef RUNTIME_SCHEDS_H
#define RUNTIME_SCHEDS_H

#include "../base/conf.h"
#include "../base/cron.h"
#include "../base/mem.h"
#include "../base/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct sched {
	const char *name;           /* as in the ledger: "P/INPUT", "P", "*" */
	const char *pipeline;       /* NULL: all */
	const char *input, *repo;   /* of a cron input, else NULL */
	bool overwrite, paused;
	const char *spec, *tz, *missed_text, *overlap_text;
	struct cron_expr expr;
	const struct zone *zone;
	int64_t start;              /* INT64_MIN: none is given */
	uint64_t missed;            /* as cron_missed() */
	enum cron_overlap overlap;
	int64_t delay;              /* seconds that its jitter makes of it, here */
	const char *print;          /* another one when its instants are others */
	int64_t since;              /* when its pipeline was compiled as it is */
};

struct scheds {
	struct arena a;
	struct index x;
	struct sched *v; size_t n, cap;     /* by name */
	struct zone **zone; size_t n_zone, cap_zone;
	size_t bad;                         /* that cannot be honoured; they were told */
};

#define SCHEDS_INIT { .a = ARENA_INIT, .x = INDEX_INIT }

/* 1 read; 0 nothing is compiled here; -1. */
int scheds_read(struct scheds *s, struct err *err);
void scheds_release(struct scheds *s);

const struct sched *scheds_find(const struct scheds *s, const char *name);
/* A walk over its instants after `after`, not before its start. */
struct cron_walk;
void sched_walk(struct cron_walk *w, const struct sched *s, int64_t after);

#endif
