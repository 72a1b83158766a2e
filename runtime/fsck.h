/* fsck.h: findings, and what both parts of the check share. */
#ifndef RUNTIME_FSCK_H
#define RUNTIME_FSCK_H

#include "../base/conf.h"
#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct fsck_object;

struct fsck {
	bool repair, rebuild, json, out;
	struct arena a;
	struct index x;
	bool *reset;                        /* by pipeline of the index: the next make is to look at all of it again */
	struct fsck_object *object; size_t n_object, cap_object;  /* sound ones, sorted */
	uint64_t n_result, n_commit, n_shown;
	uint64_t findings, repaired;
	struct buf *text;
};

/* subject: a path or a name, shown escaped. what: what is wrong and what that means. cure: what repairs it; done: it has been. */
void fsck_finding(struct fsck *f, const char *subject, const char *what, const char *cure, bool done);
/* Into .dassie/damaged, under its own last name. */
int fsck_move_away(const char *path, struct err *err);
/* The next make recomputes what this pipeline's results do not cover. An unknown name is ignored. */
void fsck_reset(struct fsck *f, const char *pipeline);

/* fsckcompiled.c: what compile wrote, and scan.mk. -1 only if it cannot be looked at. */
int fsck_compiled(struct fsck *f, struct err *err);

/* fsckstore.c: objects, results, commits. -1 only if they cannot be looked at. */
int fsck_objects(struct fsck *f, struct err *err);
int fsck_results(struct fsck *f, struct err *err);
int fsck_commits(struct fsck *f, struct err *err);
bool fsck_has_object(const struct fsck *f, const struct oid *id, uint64_t size);

#endif
