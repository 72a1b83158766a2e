/* collect.h: what a command left in $out goes into the store. */
#ifndef RUNTIME_COLLECT_H
#define RUNTIME_COLLECT_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asuser;
struct err;
struct fault;
struct found;
struct result;
struct view;

struct collect {
	struct buf text;                /* paths: what the outputs of the result point into */
	struct found *found; size_t n, cap;
	uint64_t bytes;
	const struct asuser *as;        /* whose output it is, NULL: ours: where its links lead, that user must be able to read */
};

#define COLLECT_INIT { .text = BUF_INIT }

/* Store every file of the view's out/ and list them, sorted by path, as r's outputs (legal until the next call).
 * Symlinks are what they point at: a file's content, a directory's tree.  Empty directories are not data.
 * 0; 1 the datum fails (a dangling link, a pipe, …: the fault names it); -1 the world. */
int collect_outputs(struct collect *c, struct view *v, struct result *r, struct fault *fault, struct err *err);

void collect_release(struct collect *c);

#endif
