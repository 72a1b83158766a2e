/* egress.h: where a pipeline's output is pushed: its checks, and its settings for base/conf.h. */
#ifndef COMPILER_EGRESS_H
#define COMPILER_EGRESS_H

#include <stdbool.h>

struct conf;
struct pipeline;
struct specset;

/* Each egress of a pipeline: its URL, settings that its scheme has, and that go together. */
bool egress_check(struct specset *s, const struct pipeline *p);
/* Over all pipelines: two that push to one place. */
void egress_check_places(struct specset *s);

/* c->egress. */
void egress_conf(struct specset *s, const struct pipeline *p, struct conf *c);

#endif
