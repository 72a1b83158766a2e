/* images.h: what the names of images mean now: .dassie/images, sealed (rec.h), written by the scan:
 *
 *   dassie-images 1
 *   runtime NAME                     podman, docker or apptainer
 *   image NAME ID USER FILE          ID: the image's digest (of a .sif the SHA-256 of the file), USER: whom its commands run as,
 *                                    "" root; FILE: the .sif, "" where the runtime keeps images itself
 */
#ifndef RUNTIME_IMAGES_H
#define RUNTIME_IMAGES_H

#include "../base/mem.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct filecache;
struct index;

struct image { const char *name, *user, *file; struct oid id; };

struct images {
	struct arena arena;
	const char *runtime;
	struct image *v; size_t n, cap;
};

#define IMAGES_INIT { .arena = ARENA_INIT }

/* As the scan found them; none if it never looked.  0 or -1. */
int images_read(struct images *m, struct err *err);

/* NULL: it was not looked for. */
const struct image *images_find(const struct images *m, const char *name);

/* Ask the runtime that the specs were compiled for about every image that they name, and write what it says.  Nothing is pulled.
 * -1: an image is not here, or the runtime does not answer; with the way out. */
int images_look(struct images *m, const struct index *x, struct filecache *files, struct err *err);

void images_release(struct images *m);

#endif
