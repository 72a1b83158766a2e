/* collected.h: which commits gc took away, so that nobody takes their absence for damage.
 *
 * .dassie/collected, sealed, sorted:  dassie-collected 1, then "commit HEX" for each */
#ifndef RUNTIME_COLLECTED_H
#define RUNTIME_COLLECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oid;

struct collected { struct oid *v; size_t n, cap; };

#define COLLECTED_INIT { 0 }

/* A file that is not there or damaged is an empty list. -1 error. */
int collected_read(struct collected *c, struct err *err);
bool collected_has(const struct collected *c, const struct oid *id);
void collected_add(struct collected *c, const struct oid *id);
/* Sorts it, and writes it if it has anything. Before the commits go. */
int collected_write(struct collected *c, struct err *err);
void collected_release(struct collected *c);

#endif
