/* cronnext.c: span by span of the zone: inside one, local time is UTC and a constant, so the expression's minutes are found by their bits;
 * what a change of the clocks does is decided once, where a span begins. */
#include "cronnext.h"

#include "cron.h"
#include "zone.h"

enum { SPECIAL = 3 * 3600, DAY_MINUTES = 1440, LAST_YEAR = 2200 };

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
ceil_div(int64_t a, int64_t b)
{
	return a / b + (a % b > 0);
}

/* Is the day one of the expression's?  If its month is not, *ret_next is the first day of the next month. */
static bool
good_day(struct cron_walk *w, int64_t day, int64_t *ret_next)
{
	int64_t year;
	int month, mday, days;

	*ret_next = day + 1;
	if (day == w->day)
		return w->day_good;
	cron_civil(day, &year, &month, &mday);
	days = cron_month_days(year, month);
	w->day = day;
	w->day_good = cron_day(w->c, month, mday, cron_weekday(day), days);
	if (!(w->c->month >> month & 1))
		*ret_next = day + days - mday + 1;
	return w->day_good;
}

/* The first of the expression's local minutes in [m, end); end if there is none. */
static int64_t
find(struct cron_walk *w, int64_t m, int64_t end)
{
	const struct cron_expr *c = w->c;

	while (m < end) {
		int64_t day = floor_div(m, DAY_MINUTES), next, found;
		int hour = (int)(m - day * DAY_MINUTES) / 60, minute = (int)(m - day * DAY_MINUTES) % 60;

		if (!good_day(w, day, &next)) {
			m = next * DAY_MINUTES;
			continue;
		}
		if ((c->hour >> hour & 1) && c->minute >> minute)
			found = m + __builtin_ctzll(c->minute >> minute);
		else if (c->hour >> (hour + 1))
			found = day * DAY_MINUTES + (hour + 1 + __builtin_ctz(c->hour >> (hour + 1))) * 60 + __builtin_ctzll(c->minute);
		else
			found = (day + 1) * DAY_MINUTES;
		if (found < (day + 1) * DAY_MINUTES)
			return found < end ? found : end;
		m = found;
	}
	return end;
}

/* How far the clocks are put forward where the span begins. */
static int64_t
change(const struct zone *z, size_t span)
{
	return span > 0 ? z->span[span].offset - z->span[span - 1].offset : 0;
}

static void
enter(struct cron_walk *w, size_t span)
{
	const struct zone_span *s = &w->z->span[span];
	int64_t ends = span + 1 < w->z->n ? s[1].from : cron_days(LAST_YEAR + 1, 1, 1) * 86400;
	int64_t from = s->from > w->after ? s->from : w->after + 1, by = change(w->z, span);
	bool special = by >= -SPECIAL && by <= SPECIAL;

	w->span = span;
	w->main = ceil_div(from + s->offset, 60);
	w->main_end = ceil_div(ends + s->offset, 60);
	w->ghost = w->ghost_end = 0;
	if (by > 0) {
		int64_t skipped = ceil_div(s->from + s[-1].offset, 60), end = ceil_div(s->from + s->offset, 60);
		bool moves = special && !w->c->wild;

		if (moves && s->from > w->after && find(w, skipped, end) < end) {
			w->next = (struct cron_instant){ s->from, find(w, skipped, end) * 60, s->offset, CRON_MOVED };
			w->has_next = true;
		}
		if (!moves) {
			w->ghost = skipped;
			w->ghost_end = end;
			if (w->ghost * 60 - s[-1].offset <= w->after)
				w->ghost = floor_div(w->after + s[-1].offset, 60) + 1;
		}
	} else if (by < 0 && special && !w->c->wild) {
		int64_t fresh = ceil_div(s->from + s[-1].offset, 60);

		if (fresh > w->main)
			w->main = fresh;
	}
}

/* How an instant that runs is to be marked. */
static enum cron_how
mark(const struct cron_walk *w, int64_t local)
{
	const struct zone_span *s = &w->z->span[w->span];
	bool more = w->span + 1 < w->z->n;
	int64_t next = more ? change(w->z, w->span + 1) : 0;

	if (change(w->z, w->span) < 0 && local < s->from + s[-1].offset)
		return CRON_AGAIN;
	return next < 0 && next >= -SPECIAL && !w->c->wild && local >= s[1].from + s[1].offset ? CRON_ONCE : CRON_PLAIN;
}

static void
find_next(struct cron_walk *w)
{
	const struct zone_span *s = &w->z->span[w->span];
	int64_t m, at;

	if (w->has_next && w->next.how != CRON_MOVED)
		return;
	m = find(w, w->main, w->main_end);
	at = m * 60 - s->offset;
	/* What runs at the end of a gap anyway needs not be moved there. */
	if (m >= w->main_end || (w->has_next && at > w->next.at))
		return;
	w->main = m + 1;
	w->next = (struct cron_instant){ at, m * 60, s->offset, mark(w, m * 60) };
	w->has_next = true;
}

static void
find_dropped(struct cron_walk *w)
{
	int64_t m;

	if (w->has_dropped || w->ghost >= w->ghost_end)
		return;
	m = find(w, w->ghost, w->ghost_end);
	w->ghost = m + 1;
	if (m >= w->ghost_end)
		return;
	w->dropped = (struct cron_instant){ m * 60 - w->z->span[w->span - 1].offset, m * 60, w->z->span[w->span - 1].offset, CRON_DROPPED };
	w->has_dropped = true;
}

/* Without fields there are no local times, only instants. */
static bool
next_every(struct cron_walk *w, struct cron_instant *ret)
{
	int64_t at = w->start + (floor_div(w->after - w->start, w->c->every) + 1) * w->c->every;

	if (at < w->start)
		at = w->start;
	if (at >= cron_days(LAST_YEAR + 1, 1, 1) * 86400)
		return false;
	w->after = at;
	ret->at = at;
	ret->offset = w->z->span[zone_at(w->z, at)].offset;
	ret->asked = at + ret->offset;
	ret->how = CRON_PLAIN;
	return true;
}

void
cron_walk(struct cron_walk *w, const struct cron_expr *c, const struct zone *z, int64_t start, int64_t after)
{
	*w = (struct cron_walk){ .c = c, .z = z, .start = start, .after = after, .day = INT64_MIN };
	if (c->kind == CRON_FIELDS)
		enter(w, zone_at(z, after));
}

bool
cron_walk_next(struct cron_walk *w, struct cron_instant *ret)
{
	if (w->c->kind == CRON_NEVER)
		return false;
	if (w->c->kind == CRON_EVERY)
		return next_every(w, ret);
	for (;;) {
		find_next(w);
		find_dropped(w);
		if (w->has_next && w->has_dropped && w->next.at == w->dropped.at) {
			w->has_dropped = false;
		} else if (w->has_dropped && (!w->has_next || w->dropped.at < w->next.at)) {
			*ret = w->dropped;
			w->has_dropped = false;
			return true;
		} else if (w->has_next) {
			*ret = w->next;
			w->has_next = false;
			return true;
		} else if (w->span + 1 < w->z->n) {
			enter(w, w->span + 1);
		} else {
			return false;
		}
	}
}
