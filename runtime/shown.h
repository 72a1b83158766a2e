/* shown.h: the file behind a file of the view. */
#ifndef RUNTIME_SHOWN_H
#define RUNTIME_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fault;
struct shown;
struct stat;
struct view;

/* Its path from the project's folder, in v->path (absolute if the source's folder is). */
const char *shown_behind(struct view *v, const struct shown *s);

/* Its bytes, if they are what the plan says: size and one more have room in ret.  0; 1 they are not (fault); -1 the world. */
int shown_read(struct view *v, struct shown *s, char *ret, struct fault *fault, struct err *err);

/* Before the command, if it was not read so: is it what the plan says?  Remembers how it looks.  0; 1 a source is not (fault); -1 the world,
 * which a missing object is. */
int shown_check(struct view *v, struct shown *s, struct fault *fault, struct err *err);

/* After the command: is it as it was?  0, 1, -1.  An object that was written to is removed. */
int shown_recheck(struct view *v, const struct shown *s, struct fault *fault, struct err *err);

#endif
