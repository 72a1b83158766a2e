/* notice.h: what is told once of a spec set: fields that mean something else here, or nothing. */
#ifndef COMPILER_NOTICE_H
#define COMPILER_NOTICE_H

struct buf;
struct specset;

/* "without effect here: a, b; …": what was given; appended to b, "" if there is nothing to say. */
void notice_fields(const struct specset *s, struct buf *b);

#endif
