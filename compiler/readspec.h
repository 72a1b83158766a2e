/* readspec.h: spec files into a spec set. */
#ifndef COMPILER_READSPEC_H
#define COMPILER_READSPEC_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>

struct err;
struct specset;

struct specfile { const char *path; struct oid id; };

struct specfiles { struct specfile *v; size_t n, cap; };

/* The spec of this folder: pipeline.yaml, pipeline.yml, pipeline.json or specs/, whichever is there.  NULL: none or
 * several; err says what to do. */
const char *readspec_default(struct err *err);

/* Read, parse, load and check all: files, or folders for the *.yaml, *.yml and *.json in them.  0 done (errors of the
 * text are in the set's diag), -1 the world, with *ret_missing: a name that is not there. */
int readspec(struct specset *s, const char *const *path, size_t n, struct specfiles *ret, bool *ret_missing, struct err *err);

#endif
