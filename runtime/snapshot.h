/* snapshot.h: step (a) of a stage: what the inputs and the spec are now, as of one moment. */
#ifndef RUNTIME_SNAPSHOT_H
#define RUNTIME_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct oid;
struct open_job;

struct snapshot {
	uint64_t newest;            /* newest stamp among inputs and spec: what P.done will carry */
	bool current;               /* P.done was planned from just this */
	const char *waits_for;      /* an input that has no commit yet (the name is the conf's); then the rest is not filled */
};

/* Fills o's spec, step and inputs, and its code if there is work to do. */
int snapshot_take(struct snapshot *s, struct conf *c, struct open_job *o, struct err *err);

/* Its code, where there is no work to do and it is wanted all the same. */
int snapshot_code(struct open_job *o, struct err *err);

/* Write P.done for this snapshot (also when only its stamp is old). */
int snapshot_done(const struct snapshot *s, const struct open_job *o, struct err *err);

/* refs/P := id, with a fresh stamp, if it is another one.  1 moved, 0 it was that already, -1 error. */
int snapshot_move(const char *pipeline, const struct oid *id, struct err *err);

#endif
