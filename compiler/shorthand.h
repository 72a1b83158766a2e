/* shorthand.h: the short way to write a spec, lowered to Pachyderm's long form, node for node. */
#ifndef COMPILER_SHORTHAND_H
#define COMPILER_SHORTHAND_H

#include <stdbool.h>
#include <stddef.h>

struct specset;
struct ynode;

/* The long form of a pipeline's map; `name` is its key under `pipelines:`, or NULL if the map names itself.
 * *ok becomes false if errors were recorded; what could be lowered is there.  The nodes given are not changed;
 * places stay those of what was written. */
const struct ynode *lower_pipeline(struct specset *s, const struct ynode *map, const struct ynode *name, bool *ok);

/* `notify`, of a pipeline or of the set, as a map of lists. */
const struct ynode *lower_notify(struct specset *s, const struct ynode *n);

#endif
