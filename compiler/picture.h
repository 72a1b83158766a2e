/* picture.h: the pipelines as a drawing in comment lines. */
#ifndef COMPILER_PICTURE_H
#define COMPILER_PICTURE_H

#include <stddef.h>

struct buf;
struct specset;

/* Lines that begin with `prefix`, appended.  Of more pipelines than can be read, only how many they are. */
void picture_draw(struct buf *b, const struct specset *s, const char *prefix);

/* What a pipeline works on, in a few words: "one datum per match of /STAR in books" (STAR: an asterisk). */
struct pipeline;
void picture_input(struct buf *b, const struct pipeline *p);

/* Text for a comment or a message: control characters become '?'. */
void picture_text(struct buf *b, const char *s);

/* End a comment's line: a backslash at its end would make the next line one too. */
void picture_end(struct buf *b);

#endif
