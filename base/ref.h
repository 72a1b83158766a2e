/* ref.h: the small files that tell make where to look, and the project clock that stamps them.
 *
 *   refs/R        dassie-ref 1, "stamp NS", "id COMMIT", "asof NS"
 *   refs/P.spec   dassie-ref 1, "stamp NS", "id SPEC-HASH", "step STEP-HASH"
 *   refs/P.done   dassie-ref 1, "stamp NS", "id SPEC-HASH", "output COMMIT" (what refs/P says), "input REPO COMMIT" for each input
 *   refs/P.egress.spec  dassie-ref 1, "stamp NS", "id HASH" of where P is pushed and how
 *   refs/P.egress       dassie-ref 1, "stamp NS", "id HASH", "input P COMMIT": what was pushed; not there while a push is under way
 *
 * Each ends with a line "end": after a power cut a file may be there in part.
 *
 * A ref's mtime is its stamp.  refs/R moves if and only if its commit id changes.  P.done is the
 * target of a stage: what P was planned from; its stamp is the newest stamp among those.
 * Stamps come from one project clock: max(now, last + 1 granule), allocated, written and renamed
 * under one lock; snapshots of several refs are taken under it too.  (Why two files a pipeline:
 * one cannot say both "as of which inputs" and "when my content changed".)
 * A ref that does not parse counts as absent: everything it says can be found again. */
#ifndef BASE_REF_H
#define BASE_REF_H

#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct ref_input { char *repo; struct oid id; };

struct ref {
	uint64_t stamp;             /* ns, project clock; 0 in a struct that was not read */
	struct oid id;
	uint64_t asof;              /* sources: wall clock ns before the content was looked at; else 0 */
	struct oid step;            /* .spec only */
	struct oid output;          /* .done only */
	struct ref_input *input;    /* .done only */
	size_t n_input;
};

#define REF_INIT { 0 }

/* 1 read, 0 absent or not parsable, -1 error. */
int ref_read(const char *path, struct ref *ret, struct err *err);
void ref_release(struct ref *r);

/* The project clock. */
struct clock { int fd; uint64_t last; };
#define CLOCK_INIT { -1, 0 }

int clock_lock(struct clock *c, struct err *err);          /* waits */
void clock_unlock(struct clock *c);                        /* legal on an unlocked one */

/* Under the clock: from now on no fresh stamp is this one or an older one. */
int clock_note(struct clock *c, uint64_t stamp, struct err *err);

/* Under the clock: write r with a fresh stamp (r->stamp is set). */
int ref_move(struct clock *c, const char *path, struct ref *r, struct err *err);
/* Under the clock: write r with the stamp it has. */
int ref_write(struct clock *c, const char *path, struct ref *r, struct err *err);

/* If the file's mtime is not the stamp inside it, set it back.  1 healed, 0 was right or absent, -1 error. */
int ref_heal(struct clock *c, const char *path, struct err *err);

#endif
