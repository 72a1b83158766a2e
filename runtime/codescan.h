/* codescan.h: the code of pipelines by content: step and spec hashes. */
#ifndef RUNTIME_CODESCAN_H
#define RUNTIME_CODESCAN_H

#include "../base/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct complaints;
struct err;
struct filecache;
struct images;

/* The code files of a pipeline that are there, sorted by path, each once: declared files, all files below declared
 * directories (symlinks followed, __pycache__ and what a .dassieignore in there names left out), files found in the command; and the image that it runs in.
 * Array and strings from the arena.  A declared one that is missing is complained of.  -1: err says what, or it was
 * complained of in c->bad (a file that cannot be read). */
int codescan_files(struct filecache *c, const struct images *images, const struct index_pipeline *p, struct arena *a, struct step_code **ret, size_t *ret_n,
                   struct complaints *missing, struct err *err);

/* Move refs/P.spec of every pipeline whose step or spec changed.  refs: as refscan_verify left it.
 * EXIT_DONE, or EXIT_FAILED (declared code is missing; told, no ref moved), or EXIT_WORLD (told). */
int codescan(struct filecache *c, struct filecache *refs, const struct index *x);

#endif
