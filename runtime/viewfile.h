/* viewfile.h: one file of the view: its bytes, itself, or a link to it (view.h says when which). */
#ifndef RUNTIME_VIEWFILE_H
#define RUNTIME_VIEWFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fault;
struct shown;
struct view;

/* Put s, whose directory is there, into the view, and see that it is what the plan says.  empty: its name is all that is shown.
 * 0, ret_new: it was not there yet (another match of the datum may have it); 1 it is not (fault); -1 the world, or v->too_much. */
int viewfile_put(struct view *v, struct shown *s, bool empty, bool *ret_new, struct fault *fault, struct err *err);

#endif
