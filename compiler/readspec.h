/* readspec.h: spec files into a spec set. */
#ifndef COMPILER_READSPEC_H
#define COMPILER_READSPEC_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct specset;
struct ynode;

/* The text of a file, and where it is in the diagnostics. */
struct text { const char *s; size_t n; uint32_t base; };

struct specfile {
	const char *path;
	struct oid id;
	bool included;              /* by another, and in no folder that was asked for */
	bool found;                 /* in a folder: nobody named it */
	struct text text;
};

struct specfiles { struct specfile *v; size_t n, cap; };

/* The spec of this folder: pipeline.yaml, pipeline.yml, pipeline.json or specs/, whichever is there.  NULL: none or
 * several; err says what to do. */
const char *readspec_default(struct err *err);

/* One file's bytes into the set, which keeps them.  1 read, 0 it is not there (err says so), -1 error. */
int readspec_text(struct specset *s, struct specfile *f, struct err *err);

/* Is it a file that was only found in a folder, and none of its documents a spec?  Then it is remembered for a note, unless the set is strict. */
bool readspec_passed(struct specset *s, const struct specfile *f, const struct ynode *docs);

/* Read, parse, load and check all: files, or folders for the *.yaml, *.yml and *.json in them and below (of "." only in it).  0 done (errors of the
 * text are in the set's diag), -1 the world, with *ret_missing: a name that is not there. */
int readspec(struct specset *s, const char *const *path, size_t n, struct specfiles *ret, bool *ret_missing, struct err *err);

#endif
