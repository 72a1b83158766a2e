/* repoarg.h: REPO[@COMMIT][:PATH] as people write it; COMMIT may be a branch. */
#ifndef RUNTIME_REPOARG_H
#define RUNTIME_REPOARG_H

#include "../base/layout.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct query;

struct repoarg {
	char repo[64];
	char commit[OID_HEX + 1];   /* hex digits as given, or a job's id; "" the newest (also for "@master" and "@HEAD") */
	char branch[NAME_MAX_BRANCH + 1];   /* if it may be one: tried before it is taken for a commit's id; "" without '@' */
	unsigned back;              /* ^: this many commits before it */
	const char *path;           /* in the argument, without leading '/'; NULL if there was no ':' */
};

/* Pure: splits. false if it is not of that form: ret_why says what is wrong, one sentence. */
bool repoarg_parse(struct repoarg *ret, const char *arg, const char **ret_why);

/* The commit that is meant: of the newest ref, of the history in the index (q may be NULL) and of the commits that lie
 * in .dassie/commits. 0, -1 unknown or ambiguous (says so, and what there is), -1 also when the repo has none. */
int repoarg_commit(const struct repoarg *r, struct query *q, struct oid *ret, struct err *err);

#endif
