/* spool.h: a large file that is written piece by piece and appears under its name whole or not at all. */
#ifndef COMPILER_SPOOL_H
#define COMPILER_SPOOL_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct spool {
	struct buf b;               /* append here, then spool_step() */
	uint64_t flushed;           /* bytes before those in b */
	char *path, *tmp;
	int fd;
};

#define SPOOL_INIT { BUF_INIT, 0, NULL, NULL, -1 }

int spool_open(struct spool *s, const char *path, struct err *err);
/* Write out what has gathered, if it is much. */
int spool_step(struct spool *s, struct err *err);
/* The file is complete: put it in its place, 0444. */
int spool_commit(struct spool *s, struct err *err);
/* Legal at any time; what was not committed is gone. */
void spool_release(struct spool *s);

/* Where the next byte will be in the file. */
uint64_t spool_at(const struct spool *s);

#endif
