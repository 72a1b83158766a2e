/* cronwhen.h: the last time of a schedule that was decided, and the next one to come, of all schedules of the project. */
#ifndef RUNTIME_CRONWHEN_H
#define RUNTIME_CRONWHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

/* NULL where there is none; the rest is in the arena. */
struct cronwhen {
	const char *last, *last_at;         /* schedule, and its time in RFC 3339 */
	const char *decision, *state;       /* as in the ledger; state "" unless it ran */
	const char *next, *next_at;
};

int cronwhen(struct cronwhen *ret, struct arena *a, struct err *err);

#endif
