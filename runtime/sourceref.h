/* sourceref.h: a source's ref moves when its commit does, and only then. */
#ifndef RUNTIME_SOURCEREF_H
#define RUNTIME_SOURCEREF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oid;

/* refs/REPO becomes this commit, looked at from `asof` (ns) on.  It stays as it is, asof too, if that is its commit: an older
 * asof is safe.  The source's lock is held.  1 moved, 0 it was so, -1. */
int sourceref_move(const char *repo, const struct oid *id, uint64_t asof, struct err *err);

#endif
