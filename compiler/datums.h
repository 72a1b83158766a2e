/* datums.h: which datums a tree of inputs makes of the commits it reads.
 *
 * A leaf's datums are the paths that its glob matches, files and directories, in the order of the stored tree; the
 * other nodes combine lists of datums.  Children count in the order of their names whatever the spec's order was.
 * Datums are made when they are asked for: a cross of a million takes the memory of its factors. */
#ifndef COMPILER_DATUMS_H
#define COMPILER_DATUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_input;
struct datums;
struct err;
struct manifest;
struct oid;

enum { DATUMS_MAX = 1000 * 1000 };   /* of one cross or join */

struct datums_repo { const char *repo; const struct manifest *m; };

/* A named capture. */
struct dvar { const char *name, *value; };

/* One matched path of one input. */
struct dmatch {
	const char *path;           /* without the leading '/', "" is the root */
	const struct oid *id;       /* content hash of a file, key_dir_hash of a directory */
	const char *join_on, *group_by;  /* expanded; NULL if the input has none */
	const struct dvar *var;     /* of an input with `match`, n_var of them */
	unsigned n_var;
	uint64_t size;              /* of a file */
	unsigned input;             /* index in datums_inputs() */
	char kind;                  /* f x d */
	bool empty, outer;
};

struct datums_input { const char *name, *repo; };

/* 0, -1 (the world), -2: the spec asks for too much or has a glob that is none.  `in`, the manifests and the strings
 * in them are kept by the caller until datums_free(). */
int datums_new(struct datums **ret, const struct conf_input *in, const struct datums_repo *repo, size_t n, struct err *err);
void datums_free(struct datums *d);            /* NULL is legal */

uint64_t datums_count(const struct datums *d);
/* The inputs by name, then repo (members of a union may share a name). */
size_t datums_inputs(const struct datums *d, const struct datums_input **ret);
/* The matches of datum i < datums_count(): by input, within one in their own order.  Good until the next call. */
size_t datums_get(struct datums *d, uint64_t i, const struct dmatch *const **ret);

#endif
