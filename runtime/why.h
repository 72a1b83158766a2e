/* why.h: the answers of `dassie why`: the lineage of a file, and why a datum or a pipeline ran or did not. */
#ifndef RUNTIME_WHY_H
#define RUNTIME_WHY_H

#include "lineage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct why {
	struct lineage l;
	bool json, all, full;        /* all: no list is folded; full: no command is shortened */
	struct buf *out;
	unsigned nodes;              /* written so far */
};

/* whyprint.c: the tree for a terminal. */
int why_print(struct why *w, struct lin_file *f, struct err *err);
/* The lines of a step that are its own: without what every step begins with. */
const char *why_command(const char *script);

/* whyjson.c: design.md's recursive object; no newline. */
int why_json(struct why *w, struct lin_file *f, struct err *err);

/* whydiff.c */
int why_datum(struct why *w, const struct oid *key, struct err *err);
int why_pipeline(struct why *w, const char *pipeline, struct err *err);

#endif
