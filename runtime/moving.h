/* moving.h: how far a push or a fetch is: files, bytes, rate, time left.  Where somebody watches, a line of the terminal says so;
 * where a run has its own display, that reads .dassie/moving/PID (format at the top of moving.c). */
#ifndef RUNTIME_MOVING_H
#define RUNTIME_MOVING_H

#include "../base/layout.h"
#include "gauge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct moving {
	char name[NAME_MAX_REPO + 16];      /* "copy.egress", "raw" */
	uint64_t files, of_files, bytes, of_bytes;
	uint64_t rate;                      /* bytes a second; 0: too early to say */
	int64_t left;                       /* seconds; -1: too early to say */
	/* Of the one that moves: */
	struct gauge moved, work;
	char path[LAYOUT_MAX];
	bool silent;
	uint64_t told;
};

#define MOVING_INIT { .left = -1 }

void moving_begin(struct moving *m, const char *name, bool silent);
/* As often as one likes: it tells five times a second. */
void moving_at(struct moving *m, uint64_t files, uint64_t of_files, uint64_t bytes, uint64_t of_bytes);
void moving_end(struct moving *m);

/* Those of this run: calls each() with one after the other, in no order. */
void moving_look(const char *run, void (*each)(void *ctx, const struct moving *m), void *ctx);
/* Its line, without a newline. */
void moving_line(struct buf *b, const struct moving *m, size_t name, size_t columns);

#endif
