/* alarms.h: functions that are to be called later, by the one thread that there is. */
#ifndef RUNTIME_ALARMS_H
#define RUNTIME_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alarm;
struct alarms { struct alarm *first; };     /* by due time */

#define ALARMS_INIT { NULL }

/* due and now: ms of whatever clock, the same for all. */
void alarms_add(struct alarms *v, uint64_t due, void (*fn)(void *ctx), void *ctx);
/* Call what is due; what these set is not called before the next time.  Was there any? */
bool alarms_run(struct alarms *v, uint64_t now);
/* How long until the next one is due, at most ms. */
uint64_t alarms_wait(const struct alarms *v, uint64_t now, uint64_t ms);
size_t alarms_count(const struct alarms *v);
void alarms_release(struct alarms *v);

#endif
