/* origin.h: a source that lies somewhere else than in a folder: its checks, and its settings for base/conf.h. */
#ifndef COMPILER_ORIGIN_H
#define COMPILER_ORIGIN_H

#include <stdbool.h>

struct index_source;
struct source;
struct specset;

/* Is it one: does `source` hold a URL? */
bool origin_is(const struct source *src);

/* Its URLs and settings, and that they go together.  Of a folder: that no setting is given that it has no use for. */
bool origin_check(struct specset *s, const struct source *src);

/* to->from and to->with. */
void origin_index(struct specset *s, const struct source *src, struct index_source *to);

#endif
