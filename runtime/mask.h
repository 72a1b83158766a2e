/* mask.h: a stream without certain texts: "***" stands for each, also where one comes in several pieces. */
#ifndef RUNTIME_MASK_H
#define RUNTIME_MASK_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mask {
	struct buf *v;              /* the texts, the longest first */
	size_t n, cap;
	bool first[256];            /* bytes that one begins with */
	struct buf held;            /* what may be the beginning of one */
};

#define MASK_INIT { 0 }

/* This text without newlines at its end is to be masked (an empty one is not); of several lines each, too, that is not a word of
 * few letters, for what prints a text by lines puts something between them. */
void mask_add(struct mask *m, const char *s, size_t n);

/* The next piece of the stream; what is decided is appended to ret. */
void mask_feed(struct mask *m, const char *s, size_t n, struct buf *ret);

/* The end of the stream.  What could have become a masked text and is a good part of one is masked. */
void mask_end(struct mask *m, struct buf *ret);

void mask_release(struct mask *m);

#endif
