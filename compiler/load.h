/* load.h: nodes into the model. */
#ifndef COMPILER_LOAD_H
#define COMPILER_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct specset;
struct ynode;

/* Every document of a file, chained by ->next.  False: errors were recorded; what could be read is in the set. */
bool load_docs(struct specset *s, const struct ynode *docs);

/* What `params:` of these documents has, into the set's scope, which is made if there is none. */
bool load_params(struct specset *s, const struct ynode *docs);

#endif
