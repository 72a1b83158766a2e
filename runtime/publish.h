/* publish.h: out/REPO shows the newest commit of a pipeline: by difference, atomic a file.
 * .dassie/marks/REPO says what is shown ("dassie-mark 1", "id COMMIT", "clean 0|1"); a mark that is absent or not clean
 * (a kill in between) means: compare with what lies there, file by file. */
#ifndef RUNTIME_PUBLISH_H
#define RUNTIME_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oid;
struct tree_diff;

/* Bring out/REPO to this commit.  known: what differs in it from an older commit, which spares reading both if that is
 * the one that is shown; NULL if nobody knows.  The caller holds the pipeline's lock. */
int publish(const char *repo, const struct oid *commit, const struct tree_diff *known, struct err *err);

/* out/REPO is there (a directory) and the mark is clean and shows this commit. */
bool publish_is_current(const char *repo, const struct oid *commit);

#endif
