/* branches.h: which branch of a repo an input reads, and what moves it. */
#ifndef COMPILER_BRANCHES_H
#define COMPILER_BRANCHES_H

#include <stdbool.h>
#include <stddef.h>

struct pfs;
struct pipeline;
struct source;
struct span;
struct specset;

/* Before inputs are checked: which branch each pipeline writes.  False: errors were recorded. */
bool branches_begin(struct specset *s);

/* The branch to which the repo's own commits go. */
const char *branches_own(const struct specset *s, const char *repo);

/* Sets pfs->reads to the name of what it reads: the repo's, where that is the branch to which the repo's own commits go, else
 * REPO@BRANCH, and makes that a source.  The input has a repo.  False: errors were recorded. */
bool branches_read(struct specset *s, struct pipeline *p, struct pfs *pfs, struct span at);

/* Two sources of one branch: what is known of its trigger.  False: they differ, which was told. */
bool branches_merge(struct specset *s, struct source *into, const struct source *from);

/* When sources are sorted, each once: s->triggered, what is followed before what follows it; sources whose old commits are
 * needed.  False: errors were recorded. */
bool branches_end(struct specset *s);

#endif
