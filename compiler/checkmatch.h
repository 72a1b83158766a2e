/* checkmatch.h: which paths of a repo an input takes: is the glob or the regex one, are the captures there that keys name? */
#ifndef COMPILER_CHECKMATCH_H
#define COMPILER_CHECKMATCH_H

#include <stdbool.h>
#include <stddef.h>

struct pfs;
struct pipeline;
struct span;
struct specset;

/* `glob` or `match`, `join_on` and `group_by` of an input at this place.  Errors are recorded. */
bool check_selection(struct specset *s, const struct pipeline *p, const struct pfs *pfs, struct span at);

/* Named captures are variables of the command: may they be called so?  `taken`: the names of the pipeline's inputs. */
bool check_captured(struct specset *s, const struct pipeline *p, const char *const *taken, size_t n);

/* Would a variable of this name change how the shell, make or the loader work? */
bool check_takes_over(const char *name);

#endif
