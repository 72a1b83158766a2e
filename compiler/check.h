/* check.h: is the model right? */
#ifndef COMPILER_CHECK_H
#define COMPILER_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct input;
struct pfs;
struct specset;

/* Everything that can be known without data: fields, names, globs, inputs, the graph.  Errors are recorded. */
bool check_set(struct specset *s);

/* The members of a combining input, and the word for what combines them.  NULL and 0 for a leaf. */
/* Does a change of this repo (as in reads) start a job?  Not if all of the pipeline's inputs that read it say propagation_spec: {never: true}. */
bool input_starts(const struct input *in, const char *repo);

struct input *input_members(const struct input *in, size_t *ret_n, const char **ret_word);

/* An input's name: its own, or the repo's. */
const char *pfs_name(const struct pfs *p);

#endif
