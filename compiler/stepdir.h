/* stepdir.h: .dassie/steps, where a compile puts the steps and the settings of pipelines. */
#ifndef COMPILER_STEPDIR_H
#define COMPILER_STEPDIR_H

#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct specset;

struct stepdir {
	struct arena arena;
	const char **name; size_t n, cap;   /* what was in it when it was opened, sorted */
	bool changed;               /* something was written */
};

#define STEPDIR_INIT { .arena = ARENA_INIT }

/* Make the folder if it is not there, and list it. */
int stepdir_open(struct stepdir *d, struct err *err);
/* A script, at a path that says its content. */
int stepdir_step(struct stepdir *d, const char *path, const struct buf *b, struct err *err);
/* The settings of a pipeline. */
int stepdir_conf(struct stepdir *d, const char *pipeline, const struct buf *b, struct err *err);
/* Remove the settings of pipelines that are no more.  Old scripts stay: what ran once is on record under their names. */
int stepdir_tidy(struct stepdir *d, const struct specset *s, struct err *err);
void stepdir_close(struct stepdir *d);

#endif
