/* recover.h: datums whose every attempt failed and whose err_cmd said that the job may do without them. */
#ifndef RUNTIME_RECOVER_H
#define RUNTIME_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct gather;
struct jobfile;

/* After gather_results: recovered datums are not failed ones.  They leave g->failure; how many there are. */
int recover_count(struct gather *g, uint64_t *ret, struct err *err);

/* Take them out of the file by which the next job knows what it need not look at.  j shares g's arrays, which are changed. */
void recover_leave_out(struct gather *g, struct jobfile *j);

#endif
