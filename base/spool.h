/* spool.h: a large file that is written piece by piece and appears under its name whole or not at all. */
#ifndef BASE_SPOOL_H
#define BASE_SPOOL_H

#include "buf.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct spool {
	struct buf b;               /* append here, then spool_step() */
	struct sha256 sha;          /* of what was flushed */
	uint64_t flushed;           /* bytes before those in b */
	char *tmp;
	int fd;
};

#define SPOOL_INIT { .fd = -1 }

/* path: what the file will be called, or a name beside that. */
int spool_open(struct spool *s, const char *path, struct err *err);
/* Write out what has gathered, if it is much. */
int spool_step(struct spool *s, struct err *err);
/* Append many bytes that lie somewhere else. */
int spool_copy(struct spool *s, const void *p, size_t n, struct err *err);
/* The SHA-256 of all bytes so far. */
int spool_hash(struct spool *s, struct oid *ret_id, struct err *err);
/* Append rec.h's seal. */
int spool_seal(struct spool *s, struct err *err);
/* The file is complete: put it in its place, 0444. */
int spool_commit(struct spool *s, const char *path, struct err *err);
/* Legal at any time; what was not committed is gone. */
void spool_release(struct spool *s);

/* Where the next byte will be in the file. */
uint64_t spool_at(const struct spool *s);

#endif
