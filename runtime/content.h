/* content.h: where the bytes of a file of a commit lie today, if anywhere. */
#ifndef RUNTIME_CONTENT_H
#define RUNTIME_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct entry;
struct err;
struct manifest;
struct query;
struct repoarg;

/* A path to read them from: the object, else the source's own file if it still has this content (it is hashed).
 * 1 found, 0 they are kept nowhere, -1 error. */
int content_find(const char *repo, const struct entry *e, struct buf *ret_path, struct err *err);

/* The commit that an argument means, loaded. Legal to release on failure. */
int content_commit(const struct repoarg *r, struct query *q, struct manifest *ret, struct err *err);

/* Parse REPO[@COMMIT][:PATH] or say what is wrong with it. */
int content_arg(struct repoarg *ret, const char *arg, struct err *err);

/* Every repo that has a commit, sorted: its newest commit, how many files, and whether it is a source or a pipeline. */
int content_repos(struct buf *b, bool json, bool zero, struct err *err);

#endif
