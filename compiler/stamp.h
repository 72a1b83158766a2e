/* stamp.h: `foreach` and `matrix` of a pipeline: one for each item or combination. */
#ifndef COMPILER_STAMP_H
#define COMPILER_STAMP_H

#include <stdbool.h>
#include <stddef.h>

struct specset;
struct ynode;

/* What takes a pipeline's map (and its key under `pipelines:`, or NULL), everything expanded; `broken`: not everything could be. */
typedef bool stamp_take(struct specset *s, const struct ynode *map, const struct ynode *name, bool broken);

/* Give `take` each pipeline that this map stands for: mostly itself.  False: errors were recorded. */
bool stamp_pipelines(struct specset *s, const struct ynode *map, const struct ynode *name, stamp_take *take);

#endif
