/* cronspec.c: the grammar of robfig/cron's standard parser, which Pachyderm uses: minute, hour, day of month, month,
 * day of week; lists of "*", "?", a, a-b, each with a step; names for months and days; Sunday is 0 only. */
#include "cronspec.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "value.h"

struct cronfield { const char *what; int lo, hi; const char *names; };

static const struct cronfield field[5] = {
	{ "a minute is 0 to 59", 0, 59, "" },
	{ "an hour is 0 to 23", 0, 23, "" },
	{ "a day of the month is 1 to 31", 1, 31, "" },
	{ "a month is 1 to 12 or JAN to DEC", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC" },
	{ "a day of the week is 0 (Sunday) to 6 or SUN to SAT", 0, 6, "SUNMONTUEWEDTHUFRISAT" },
};

/* A number or a name; -1 if it is none that fits. */
static int
number(const struct cronfield *f, const char **p)
{
	int v = 0, digits = 0;

	for (const char *n = f->names; *n; n += 3)
		if (((*p)[0] & ~32) == n[0] && ((*p)[1] & ~32) == n[1] && ((*p)[2] & ~32) == n[2]) {
			*p += 3;
			return f->lo + (int)((n - f->names) / 3);
		}
	for (; **p >= '0' && **p <= '9' && digits < 4; ++*p, digits++)
		v = v * 10 + (**p - '0');
	return digits && v >= f->lo && v <= f->hi ? v : -1;
}

static bool
range(const struct cronfield *f, const char **p)
{
	int from, to, step = 0;

	if (**p == '*' || **p == '?') {
		++*p;
	} else {
		from = to = number(f, p);
		if (from < 0)
			return false;
		if (**p == '-') {
			++*p;
			to = number(f, p);
		}
		if (to < from)
			return false;
	}
	if (**p != '/')
		return true;
	for (++*p; **p >= '0' && **p <= '9' && step < 1000; ++*p)
		step = step * 10 + (**p - '0');
	return step > 0;
}

static bool
check_field(const struct cronfield *f, const char *s, size_t n)
{
	const char *p = s;

	while (range(f, &p)) {
		if (p == s + n)
			return true;
		if (*p++ != ',')
			return false;
	}
	return false;
}

static bool
check_word(const char *s, const char **ret_why)
{
	static const char *const word[] = { "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@never" };
	size_t n = strlen(s);
	int64_t ns;
	bool bare;

	while (n && s[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < sizeof word / sizeof *word; i++)
		if (strlen(word[i]) == n && !strncmp(s, word[i], n))
			return true;
	if (strncmp(s, "@every ", 7) != 0) {
		*ret_why = "what begins with '@' is @hourly, @daily, @weekly, @monthly, @yearly, @every DURATION or @never";
		return false;
	}
	*ret_why = "@every wants a duration such as 30s, 5m or 1h30m";
	return value_duration(s + 7 + strspn(s + 7, " "), &ns, &bare) && !bare && ns > 0;
}

bool
cronspec_check(const char *s, const char **ret_why)
{
	size_t i = 0;

	s += strspn(s, " ");
	if (*s == '@')
		return check_word(s, ret_why);
	for (; *s; i++, s += strspn(s, " \t")) {
		size_t n = strcspn(s, " \t");

		if (i < 5 && !check_field(&field[i], s, n)) {
			*ret_why = field[i].what;
			return false;
		}
		s += n;
	}
	*ret_why = "it has five fields: minute, hour, day of month, month, day of week; or @daily, @every 5m and the like";
	return i == 5;
}
