/* cron.h: a cron expression: its grammar and what it says, without any clock.
 *
 *   minute hour day-of-month month day-of-week
 *
 * A field is a list of "*", "?", a, a-b, each with an optional /step ("a/n" is a to the highest); months and days of the
 * week have names of three letters, Sunday is 0.  Day of month: "L" is the month's last day, "L-3" three before it.  Day of
 * week: "5L" the month's last Friday, "5#2" its second one.  Where both day fields are restricted (do not begin with "*"
 * or "?") a day of either is meant, as in Vixie's cron.  Or @hourly, @daily, @midnight, @weekly, @monthly, @yearly,
 * @annually, @every DURATION, @never.  (robfig/cron v1.2's ParseStandard, which Pachyderm uses, with L and # added.) */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cron_kind { CRON_FIELDS, CRON_EVERY, CRON_NEVER };

struct cron_expr {
	enum cron_kind kind;
	uint64_t minute;            /* bit n: minute n */
	uint32_t hour, dom, month;  /* bit n: hour n, day n, month n */
	uint32_t dom_last;          /* bit n: n days before the month's last */
	uint8_t dow, dow_last;      /* bit n: any, the month's last weekday n */
	uint8_t nth[7];             /* of weekday: bit n: the month's n-th */
	bool dom_star, dow_star;    /* the field begins with "*" or "?" */
	bool wild;                  /* the minute or the hour does: follows the clock through changes of time */
	int64_t every;              /* CRON_EVERY: seconds, at least 1 */
};

/* What is wrong: at, n: the part of the text that is meant. */
struct cron_fault { size_t at, n; char text[320]; };

bool cron_parse(const char *s, struct cron_expr *ret, struct cron_fault *ret_fault);

/* Is this day (month 1-12, day 1-31, weekday 0-6 of it, days in its month) one of the expression's? */
bool cron_day(const struct cron_expr *c, int month, int day, int weekday, int days);

/* last, none, all, all(N): how many of the ticks that nobody was there for are run: 1, 0, UINT64_MAX, N. */
bool cron_missed(const char *s, uint64_t *ret_max);

enum cron_overlap { OVERLAP_SKIP, OVERLAP_QUEUE, OVERLAP_CANCEL };
bool cron_overlap(const char *s, enum cron_overlap *ret);

/* "2026-11-22T07:00:00Z", another zone's offset allowed, fractions cut off, as seconds since 1970. */
bool cron_time(const char *s, int64_t *ret);
void cron_time_text(char ret[32], int64_t at);            /* the same, in UTC */

/* The calendar (proleptic Gregorian): days since 1970-01-01. */
int64_t cron_days(int64_t year, int month, int day);
void cron_civil(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int cron_month_days(int64_t year, int month);
int cron_weekday(int64_t days);                           /* 0 is Sunday */

#endif
