/* cron.c: each field becomes a set of bits; what cannot be is told with the part that is meant and a way to say it.
 *
 * An expression none of whose days exists (31 February) is refused: it would be a pipeline that silently never runs. */
#include "cron.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"

struct field { const char *what, *article; int lo, hi; const char *names, *range; };

static const struct field fields[5] = {
	{ "minute", "a", 0, 59, "", "0 to 59" },
	{ "hour", "an", 0, 23, "", "0 to 23" },
	{ "day of the month", "a", 1, 31, "", "1 to 31" },
	{ "month", "a", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", "1 to 12 or JAN to DEC" },
	{ "day of the week", "a", 0, 6, "SUNMONTUEWEDTHUFRISAT", "0 (Sunday) to 6 or SUN to SAT" },
};

enum { MINUTE, HOUR, DOM, MONTH, DOW };

/* Being read. */
struct parse {
	const char *s;              /* the whole text */
	const char *p;              /* where we are */
	const struct field *f;
	struct cron_expr *c;
	struct cron_fault *fault;
};

static bool __attribute__((format(printf, 4, 5)))
fault(struct parse *p, const char *from, size_t n, const char *fmt, ...)
{
	va_list ap;

	p->fault->at = (size_t)(from - p->s);
	p->fault->n = n;
	va_start(ap, fmt);
	vsnprintf(p->fault->text, sizeof p->fault->text, fmt, ap);
	va_end(ap);
	return false;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* Length of the item at p: to the next comma or blank. */
static size_t
item_length(const char *p)
{
	return strcspn(p, ", \t");
}

/* The name that the letters at p are, or begin with three letters of; -1 if none. */
static int
name_of(const struct field *f, const char *p)
{
	for (const char *n = f->names; *n; n += 3)
		if ((p[0] & ~32) == n[0] && p[0] && (p[1] & ~32) == n[1] && p[1] && (p[2] & ~32) == n[2])
			return f->lo + (int)((n - f->names) / 3);
	return -1;
}

static bool
read_name(struct parse *p, int *ret)
{
	size_t n = 0;
	int v = name_of(p->f, p->p);

	while (letter(p->p[n]))
		n++;
	/* FRIL: the last Friday. */
	if (v >= 0 && n == 4 && p->f == &fields[DOW] && (p->p[3] == 'L' || p->p[3] == 'l'))
		n = 3;
	if (v >= 0 && n > 3)
		return fault(p, p->p, n, "names have three letters: did you mean '%.3s'?", p->p);
	if (v < 0)
		return fault(p, p->p, n, "%s %s is %s", p->f->article, p->f->what, p->f->range);
	p->p += n;
	*ret = v;
	return true;
}

static bool
number(struct parse *p, int *ret)
{
	const char *from = p->p;
	size_t n = 0;
	int v = 0;

	if (letter(*from))
		return read_name(p, ret);
	for (; digit(from[n]) && n < 6; n++)
		v = v * 10 + (from[n] - '0');
	if (!n)
		return fault(p, from, item_length(from) ? item_length(from) : 1, "%s %s is %s", p->f->article, p->f->what, p->f->range);
	if (p->f == &fields[DOW] && v == 7)
		return fault(p, from, n, "a day of the week is 0 (Sunday) to 6 or SUN to SAT: write 0 or SUN for Sunday");
	if (v < p->f->lo || v > p->f->hi)
		return fault(p, from, n, "%s %s is %s", p->f->article, p->f->what, p->f->range);
	p->p += n;
	*ret = v;
	return true;
}

/* "5-3" runs over the end: say it as two ranges. */
static bool
backwards(struct parse *p, const char *from, int a, int b)
{
	const struct field *f = p->f;
	char first[16], second[16];

	snprintf(first, sizeof first, a == f->hi ? "%d" : "%d-%d", a, f->hi);
	snprintf(second, sizeof second, b == f->lo ? "%d" : "%d-%d", f->lo, b);
	return fault(p, from, (size_t)(p->p - from), "a range goes upwards; %s %s is %s: did you mean '%s,%s'?", f->article, f->what, f->range,
	    first, second);
}

static bool
step(struct parse *p, int *ret)
{
	const char *from = p->p++;
	size_t n = 0;
	int v = 0;

	for (; digit(p->p[n]) && n < 6; n++)
		v = v * 10 + (p->p[n] - '0');
	if (!n || v == 0)
		return fault(p, from, 1 + item_length(p->p), "a step is a number from 1 on, as in '*/15'");
	p->p += n;
	*ret = v;
	return true;
}

static void
add(struct cron_expr *c, const struct field *f, int v)
{
	switch (f - fields) {
	case MINUTE: c->minute |= 1ull << v; break;
	case HOUR: c->hour |= 1u << v; break;
	case DOM: c->dom |= 1u << v; break;
	case MONTH: c->month |= 1u << v; break;
	default: c->dow |= (uint8_t)(1u << v); break;
	}
}

/* L, L-3 */
static bool
last_of_month(struct parse *p)
{
	const char *from = p->p++;
	int v = 0;

	if (*p->p == 'W' || *p->p == 'w')
		return fault(p, from, 2, "'W', the weekday nearest to a day, is not known here: 'L' is the month's last day, '5L' its last Friday");
	if (*p->p == '-') {
		size_t n = 0;

		for (p->p++; digit(p->p[n]) && n < 4; n++)
			v = v * 10 + (p->p[n] - '0');
		if (!n || v > 30)
			return fault(p, from, 2 + n, "'L-3' is the third day before the month's last: L-1 to L-30");
		p->p += n;
	}
	p->c->dom_last |= 1u << v;
	return true;
}

/* What may stand behind a day of the week: 5L, 5#2. */
static bool
weekday_of_month(struct parse *p, const char *from, int v, bool *ret_done)
{
	*ret_done = true;
	if (*p->p == 'L' || *p->p == 'l') {
		p->p++;
		p->c->dow_last |= (uint8_t)(1u << v);
		return true;
	}
	if (*p->p == '#') {
		p->p++;
		if (*p->p < '1' || *p->p > '5' || digit(p->p[1]))
			return fault(p, from, item_length(from), "behind '#' is which one of the month: 1 to 5, as in '%s#2'", v == 5 ? "FRI" : "MON");
		p->c->nth[v] |= (uint8_t)(1u << (*p->p++ - '0'));
		return true;
	}
	*ret_done = false;
	return true;
}

static bool
item(struct parse *p)
{
	const char *from = p->p;
	int a = p->f->lo, b = p->f->hi, by = 1;
	bool done = false;

	if (*p->p == '*' || *p->p == '?') {
		p->p++;
	} else if (p->f == &fields[DOM] && (*p->p == 'L' || *p->p == 'l')) {
		return last_of_month(p);
	} else if (p->f == &fields[DOW] && (*p->p == 'L' || *p->p == 'l') && !letter(p->p[1])) {
		return fault(p, p->p, 1, "the last what of the month? '5L' or 'FRIL' is its last Friday; its last day is 'L' as day of the month");
	} else {
		if (!number(p, &a))
			return false;
		if (p->f == &fields[DOW] && !weekday_of_month(p, from, a, &done))
			return false;
		if (done)
			return true;
		b = a;
		if (*p->p == '-') {
			p->p++;
			if (!number(p, &b))
				return false;
			if (b < a)
				return backwards(p, from, a, b);
		} else if (*p->p == '/') {
			b = p->f->hi;
		}
	}
	if (*p->p == '/' && !step(p, &by))
		return false;
	for (int v = a; v <= b; v += by)
		add(p->c, p->f, v);
	return true;
}

static bool
list(struct parse *p)
{
	const char *end = p->p + strcspn(p->p, " \t");

	for (;;) {
		if (!item(p))
			return false;
		if (p->p == end)
			return true;
		if (*p->p != ',')
			return fault(p, p->p, (size_t)(end - p->p), "'%.*s' is not expected here: %s %s is %s", (int)(end - p->p > 40 ? 40 : end - p->p), p->p,
			    p->f->article, p->f->what, p->f->range);
		p->p++;
	}
}

static size_t
count_fields(const char *s)
{
	size_t n = 0;

	for (s += strspn(s, " \t"); *s; n++) {
		s += strcspn(s, " \t");
		s += strspn(s, " \t");
	}
	return n;
}

static bool
wrong_count(struct parse *p, size_t n)
{
	const char *s = p->s + strspn(p->s, " \t");
	size_t len = strlen(s);

	while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	if (n == 6 && s[0] == '*' && s[1] == '/' && digit(s[2]))
		return fault(p, s, len, "there is no field for seconds: it has five fields: minute, hour, day of month, month, day of week; did you mean '@every %.*ss'?",
		    (int)strspn(s + 2, "0123456789"), s + 2);
	if (n == 6) {
		const char *rest = s + strcspn(s, " \t");

		rest += strspn(rest, " \t");
		return fault(p, s, len, "there is no field for seconds: it has five fields: minute, hour, day of month, month, day of week; did you mean '%.*s'?",
		    (int)(s + len - rest > 100 ? 100 : s + len - rest), rest);
	}
	return fault(p, s, len ? len : 1, "it has five fields: minute, hour, day of month, month, day of week, not %zu; or it is @daily, @every 5m and the like", n);
}

/* February has a 29th in some years: it counts as having one. */
static bool
can_be(const struct cron_expr *c)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (int month = 1; month <= 12; month++)
		for (int n = month == 2 ? 28 : days[month - 1]; n <= days[month - 1]; n++)
			for (int day = 1; day <= n; day++)
				for (int weekday = 0; weekday < 7; weekday++)
					if (cron_day(c, month, day, weekday, n))
						return true;
	return false;
}

static bool
five_fields(struct parse *p)
{
	size_t n = count_fields(p->s);
	const char *start[5];

	if (n != 5)
		return wrong_count(p, n);
	for (size_t i = 0; i < 5; i++) {
		p->p += strspn(p->p, " \t");
		start[i] = p->p;
		p->f = &fields[i];
		if (!list(p))
			return false;
	}
	p->c->dom_star = *start[DOM] == '*' || *start[DOM] == '?';
	p->c->dow_star = *start[DOW] == '*' || *start[DOW] == '?';
	p->c->wild = *start[MINUTE] == '*' || *start[MINUTE] == '?' || *start[HOUR] == '*' || *start[HOUR] == '?';
	if (!can_be(p->c)) {
		const char *end = start[DOW] + strcspn(start[DOW], " \t");

		return fault(p, start[DOM], (size_t)(end - start[DOM]), "there is no such day: it would never run");
	}
	return true;
}

static bool
every(struct parse *p, const char *s, size_t n)
{
	const char *d = s + 6 + strspn(s + 6, " \t");
	char text[64];
	int64_t ns;
	bool bare;
	size_t len = n - (size_t)(d - s);

	if (d == s + 6 || d >= s + n || len >= sizeof text)
		return fault(p, s, n, "@every wants a duration such as 30s, 5m or 1h30m");
	memcpy(text, d, len);
	text[len] = '\0';
	if (!duration_parse(text, &ns, &bare) || ns <= 0)
		return fault(p, d, len, "@every wants a duration such as 30s, 5m or 1h30m");
	if (bare)
		return fault(p, d, len, "@every wants a duration with its unit: did you mean '%ss' or '%sm'?", text, text);
	p->c->kind = CRON_EVERY;
	p->c->every = ns < 1000000000 ? 1 : ns / 1000000000;
	return true;
}

static bool
word(struct parse *p)
{
	static const struct { const char *word, *text; } same[] = {
		{ "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
		{ "@daily", "0 0 * * *" }, { "@midnight", "0 0 * * *" }, { "@hourly", "0 * * * *" }, { "@never", NULL },
	};
	const char *s = p->p;
	size_t n = strlen(s);

	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (strlen(same[i].word) == n && !strncmp(s, same[i].word, n)) {
			if (same[i].text)
				return cron_parse(same[i].text, p->c, p->fault);
			p->c->kind = CRON_NEVER;
			return true;
		}
	if (!strncmp(s, "@every", 6) && (n == 6 || s[6] == ' ' || s[6] == '\t'))
		return every(p, s, n);
	if (n == 7 && !strncmp(s, "@reboot", 7))
		return fault(p, s, n, "what begins with '@' is @hourly, @daily, @weekly, @monthly, @yearly, @every DURATION or @never; a start of the machine is no time");
	return fault(p, s, n ? n : 1, "what begins with '@' is @hourly, @daily, @weekly, @monthly, @yearly, @every DURATION or @never");
}

bool
cron_parse(const char *s, struct cron_expr *ret, struct cron_fault *ret_fault)
{
	struct parse p = { .s = s, .p = s + strspn(s, " \t"), .c = ret, .fault = ret_fault };

	*ret = (struct cron_expr){ .kind = CRON_FIELDS };
	return *p.p == '@' ? word(&p) : five_fields(&p);
}

bool
cron_day(const struct cron_expr *c, int month, int day, int weekday, int days)
{
	bool dom, dow;

	if (!(c->month >> month & 1))
		return false;
	dom = (c->dom >> day & 1) || (c->dom_last >> (days - day) & 1);
	dow = (c->dow >> weekday & 1) || ((c->dow_last >> weekday & 1) && day + 7 > days) || (c->nth[weekday] >> ((day + 6) / 7) & 1);
	return c->dom_star || c->dow_star ? dom && dow : dom || dow;
}

bool
cron_missed(const char *s, uint64_t *ret_max)
{
	char *end;

	*ret_max = 1;
	if (!*s || !strcmp(s, "last"))
		return true;
	*ret_max = strcmp(s, "none") == 0 ? 0 : UINT64_MAX;
	if (!strcmp(s, "none") || !strcmp(s, "all"))
		return true;
	if (strncmp(s, "all(", 4) != 0)
		return false;
	s += 4;
	if (!strncmp(s, "max", 3))
		s += 3 + strspn(s + 3, " ");
	if (!digit(*s))
		return false;
	*ret_max = strtoull(s, &end, 10);
	return !strcmp(end, ")") && *ret_max > 0 && end - s < 12;
}

bool
cron_overlap(const char *s, enum cron_overlap *ret)
{
	*ret = strcmp(s, "queue") == 0 ? OVERLAP_QUEUE : strcmp(s, "cancel") == 0 ? OVERLAP_CANCEL : OVERLAP_SKIP;
	return !*s || !strcmp(s, "skip") || *ret != OVERLAP_SKIP;
}
