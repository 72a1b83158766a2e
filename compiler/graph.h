/* graph.h: which pipeline reads what: names, sources, order, cycles. */
#ifndef COMPILER_GRAPH_H
#define COMPILER_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

struct pipeline;
struct source;
struct specset;
struct str;

/* After the reads of all pipelines are known: finds pipelines and sources of one name, repos that are neither,
 * cycles; fills the set's by_name and order; makes repos that nobody declared sources.  Errors are recorded. */
bool graph_build(struct specset *s);

/* NULL if there is none.  After graph_build. */
struct pipeline *graph_pipeline(const struct specset *s, const char *name);
const struct source *graph_source(const struct specset *s, const char *name);

/* Add an input's repo to p->reads: sorted, each once. */
void graph_read(struct specset *s, struct pipeline *p, const struct str *repo);

#endif
