/* refscan.h: the refs as they are: an mtime that is not the stamp inside is set back, before anything moves. */
#ifndef RUNTIME_REFSCAN_H
#define RUNTIME_REFSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct filecache;
struct oid;

/* Verify every ref; one that looks as it did when it was verified last costs a stat.  c: open on ".refs", by ctime. */
int refscan_verify(struct filecache *c, struct err *err);

/* What the ref of this name (in refs/) says, as of refscan_verify.  False if there is none. */
bool refscan_id(struct filecache *c, const char *name, struct oid *ret_id);

#endif
