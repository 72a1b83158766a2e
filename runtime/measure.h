/* measure.h: sums over the whole index, as Prometheus' text format 0.0.4 has them. */
#ifndef RUNTIME_MEASURE_H
#define RUNTIME_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* "# HELP", "# TYPE": type is counter, gauge or histogram. */
void measure_family(struct buf *b, const char *name, const char *type, const char *help);
/* ,NAME="VALUE" or {NAME="VALUE" for the first one of a sample. */
void measure_label(struct buf *b, const char *name, const char *value);

/* All families that are made from jobs, datums, attempts and commits.  Nothing without a database. */
int measure_index(struct buf *b, struct err *err);

#endif
