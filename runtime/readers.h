/* readers.h: which datums saw a file: the other way round than lineage.h. */
#ifndef RUNTIME_READERS_H
#define RUNTIME_READERS_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct lin_file;
struct lineage;

/* Their keys, in l's arena, newest first: those that saw just these bytes under this path, alone or in a directory as it is in
 * the file's commit.  What nobody keeps any more is not among them. */
int readers_find(struct lineage *l, const struct lin_file *f, struct oid **ret, size_t *ret_n, struct err *err);

#endif
