/* unchanged.h: is what was compiled last just what would be compiled now? */
#ifndef COMPILER_UNCHANGED_H
#define COMPILER_UNCHANGED_H

#include <stdbool.h>
#include <stddef.h>

struct index;

/* `now` has compiler, makefile, options, specs and sources, no pipelines; `then` is filled (to be released) if there is an index.
 * True: the same bytes of the same specs were compiled by this program, and nobody touched what it wrote. */
bool unchanged(const struct index *now, struct index *then);

#endif
