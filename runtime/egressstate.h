/* egressstate.h: how it stands with a pipeline's pushes, for those who ask: from refs and files, nothing is looked at elsewhere. */
#ifndef RUNTIME_EGRESSSTATE_H
#define RUNTIME_EGRESSSTATE_H

#include "pushed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct err;

struct egress_state {
	const char *url;
	const char *word;           /* "pushed", "stale": there is a newer output, "failed", "never pushed" */
	bool known;
	struct pushed last;         /* if known */
};

/* One for each place; none if the pipeline has no egress (or no settings). */
int egress_states(struct arena *a, const char *pipeline, struct egress_state **ret, size_t *ret_n, struct err *err);

/* "egress to s3://… failed 3 min ago: 2 files (1.2 MB) are left". */
void egress_sentence(struct buf *b, const struct egress_state *s);
/* A member "egress", an array. */
void egress_json(struct buf *b, const struct egress_state *v, size_t n);

#endif
