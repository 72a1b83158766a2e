/* container.h: a command in its image, by podman, docker or apptainer: what begins the container, what ends it for sure.
 *
 * /pfs is the view, read-only but for /pfs/out; TMPDIR is the attempt's, /tmp/dassie; the project is there, read-only, at its own
 * path, and is the current folder if the step has code in it, else that is the image's business; so are the sources. */
#ifndef RUNTIME_CONTAINER_H
#define RUNTIME_CONTAINER_H

#include "../base/mem.h"
#include "images.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;
struct err;
struct fault;
struct plan_head;
struct view;

struct container {
	const struct plan_head *head;
	struct images images;
	const struct image *image;      /* NULL: the command runs on this machine */
	const char *project;
	bool apptainer, client;         /* client: the container is no child of ours */
	char id[OID_HEX + 1];          /* by which it is run: digest */
	char name[96];                  /* of the container that was begun last, "" none */
	unsigned n;                     /* so many were */
	struct arena arena;             /* of the container under way */
	const char **arg; size_t n_arg, cap_arg;
	char **env; size_t n_env, cap_env;
};

#define CONTAINER_INIT { .images = IMAGES_INIT, .arena = ARENA_INIT }

/* For all datums of a plan; project: absolute, and it lives as long.  Nothing where the plan names no runtime. */
int container_init(struct container *c, const struct plan_head *h, const char *project, struct err *err);
void container_release(struct container *c);

/* The words that begin a container for this view, NULL-terminated, in c until the next call: they go before what the step adds.
 * env: the command's environment; ret_env: the client's, with the command's in it, so that no value is in a word.
 * memory: bytes, 0 any.  tty: somebody sits before it. */
int container_words(struct container *c, struct view *v, char *const *env, uint64_t memory, bool tty, const char *const **ret,
                    char ***ret_env, struct err *err);

/* Links in $out that lead to /pfs lead to the view from now on.  0; 1 one leads to a file of the image (fault); -1. */
int container_links(struct container *c, struct view *v, struct fault *fault, struct err *err);

/* After the command: what of the container is still there goes (killed: the client had no time to see to that), and what it wrote
 * becomes ours, as far as that can be. */
void container_end(struct container *c, struct view *v, bool killed);

/* Was it the runtime that failed, and not the command?  Then err says what, and what to do. */
bool container_failed(const struct container *c, const struct attempt *a, const char *log, struct err *err);

/* Containers of this pipeline that killed runners left. */
void container_sweep(const char *runtime, const char *pipeline);

#endif
