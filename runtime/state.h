/* state.h: the project's folder and its .dassie. */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* For verbs of the Makefile: the current directory is the project.  Makes .dassie with all folders, its
 * .gitignore and format file if they are not there; checks owner, mode and format version. */
int state_make(struct err *err);

/* For queries: look upwards from the current directory for a .dassie, go there.  ret_prefix (may be NULL) gets the
 * path from there back down, "" or "a/b/", by which a user's path argument is to be prefixed.
 * Nothing is made.  -1 if there is none: says how to begin. */
int state_find(struct buf *ret_prefix, struct err *err);

/* The directory of this program's helpers (dassie-compile, dassie-datum): beside the running binary (built tree),
 * else $prefix/libexec/dassie relative to it, else the configured one.  NUL-terminated, static. */
const char *state_helper(const char *program, char *ret, size_t size);

/* What make this process belongs to: id of the run: DASSIE_RUN from `dassie run`, else of boot id, make's pid and start. */
const char *state_run_id(void);

#endif
