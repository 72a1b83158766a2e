/* zone.h: the time zones of the system's tz database: what the clocks of a place show, at any instant, for any zone, in any
 * thread (the C library knows one zone a process).  Read from $TZDIR or where systems keep them.
 * Format: RFC 8536 (TZif), with the POSIX rule at its end for the years beyond the table. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

struct zone_span {
	int64_t from;               /* seconds since 1970; of the first: INT64_MIN */
	int32_t offset;             /* seconds east of UTC */
	bool dst;
	char name[12];              /* "CEST", "+1030" */
};

struct zone {
	char *id;                   /* "Europe/Berlin"; "UTC" for "" */
	struct zone_span *span; size_t n;      /* ascending; n >= 1 */
};

#define ZONE_INIT { 0, 0, 0 }

/* The zone of this name; "" and "UTC" need no database.  1, 0 there is no such zone (or name), -1 error. */
int zone_open(struct zone *z, const char *name, struct err *err);
void zone_release(struct zone *z);

/* The span that an instant is in; the next one, if there is any, ends it. */
size_t zone_at(const struct zone *z, int64_t at);

/* The instant at which the clocks show this local time (seconds as if it were UTC): the first one if it comes twice; if they skip
 * it, what it would have been. */
int64_t zone_instant(const struct zone *z, int64_t local);

/* Names of all zones there are, for "did you mean"; array from the arena.  0 if there is no database. */
size_t zone_names(struct arena *a, const char ***ret);

#endif
