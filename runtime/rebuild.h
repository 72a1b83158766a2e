/* rebuild.h: the database made again from the files. */
#ifndef RUNTIME_REBUILD_H
#define RUNTIME_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Under the gc lock, alone; no database is there. Appends to ret_told what was found and what cannot be known. */
int rebuild(struct buf *ret_told, struct err *err);

#endif
