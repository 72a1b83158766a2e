/* ticks.h: the ticks of a repo, which are state, so they are a file: .dassie/ticks/REPO, sealed.
 *
 *   dassie-ticks 1
 *   tick SECONDS                 since 1970, ascending: a file of the repo, empty, named by that time in RFC 3339
 *
 * The scan makes the repo's commit of it.  Where the file is gone or damaged, the repo's newest commit has the ticks. */
#ifndef RUNTIME_TICKS_H
#define RUNTIME_TICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oid;

struct ticks { int64_t *at; size_t n, cap; };

#define TICKS_INIT { 0, 0, 0 }

int ticks_read(struct ticks *t, const char *repo, struct err *err);
void ticks_release(struct ticks *t);

/* Put these times into the repo, under its lock; alone: what was there goes.  What is there already is success. */
int ticks_put(const char *repo, const int64_t *at, size_t n, bool alone, struct err *err);

/* Take one out again. */
int ticks_drop(const char *repo, int64_t at, struct err *err);

/* The commit of these ticks; it and what it names are stored. */
int ticks_commit(const struct ticks *t, struct oid *ret_id, struct err *err);

#endif
