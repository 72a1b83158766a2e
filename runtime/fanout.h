/* fanout.h: the files DIR/ab/cd… of objects, results and logs, all of them. */
#ifndef RUNTIME_FANOUT_H
#define RUNTIME_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oid;

/* suffix: what follows the 64 digits, "" if nothing. The file may be removed. Not 0: no further; fanout_each returns it. */
typedef int fanout_fn(void *ctx, const char *path, const struct oid *id, const char *suffix, struct err *err);

/* In no order. Names that do not begin with a hash are passed over. A directory that is not there is empty. */
int fanout_each(const char *dir, fanout_fn *fn, void *ctx, struct err *err);

#endif
