/* checklimits.h: are the limits of a pipeline possible ones? */
#ifndef COMPILER_CHECKLIMITS_H
#define COMPILER_CHECKLIMITS_H

#include <stdbool.h>

struct limits;
struct pipeline;
struct specset;

/* `pools` of the set.  Errors are recorded. */
bool check_pools(struct specset *s);

/* memory, on_oom, cpu, pools and priority of a pipeline.  Errors are recorded. */
bool check_limits(struct specset *s, const struct pipeline *p);

/* What they say, for the pipeline's conf; after a check without errors.  The pools are the caller's, to be freed. */
void limits_of(const struct specset *s, const struct pipeline *p, struct limits *ret);

#endif
