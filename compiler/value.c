/* value.c: scalars.  Hand-made because the rules are Pachyderm's (Go's durations, Kubernetes' sizes), because
 * an overflow must be an error, and because nothing here may depend on a locale. */
#include "value.h"

#include <string.h>

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
value_int(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	int64_t v = 0;

	s += minus;
	if (!digit(*s) || (*s == '0' && s[1]) || (minus && *s == '0'))
		return false;
	for (; digit(*s); s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, *s - '0', &v))
			return false;
	if (*s || (!minus && v == INT64_MIN))
		return false;
	*ret = minus ? v : -v;
	return true;
}

bool
value_number(const char *s)
{
	size_t digits = 0;

	s += *s == '-' || *s == '+';
	for (; digit(*s); s++)
		digits++;
	if (*s == '.')
		for (s++; digit(*s); s++)
			digits++;
	if (!digits)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '-' || *s == '+';
		if (!digit(*s))
			return false;
		while (digit(*s))
			s++;
	}
	return !*s;
}

static bool
same_word(const char *s, const char *lower)
{
	for (; *lower; s++, lower++)
		if (*s != *lower && *s != *lower - 32)
			return false;
	return !*s;
}

bool
value_bool(const char *s, bool *ret)
{
	*ret = same_word(s, "true");
	return *ret || same_word(s, "false");
}

/* N or N.M times unit, exactly but for what is below one. */
static bool
scaled(const char **p, int64_t unit, const char *unit_text, int64_t *ret)
{
	const char *s = *p;
	int64_t v = 0, frac = 0, scale = 1;
	bool any = false;

	for (; digit(*s); s++, any = true)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return false;
	if (*s == '.')
		for (s++; digit(*s); s++, any = true)
			if (scale < 1000000000) {
				frac = frac * 10 + (*s - '0');
				scale *= 10;
			}
	if (!any || strncmp(s, unit_text, strlen(unit_text)) != 0 || __builtin_mul_overflow(v, unit, &v))
		return false;
	if (__builtin_add_overflow(v, unit / scale * frac + unit % scale * frac / scale, &v))
		return false;
	*p = s + strlen(unit_text);
	*ret = v;
	return true;
}

/* The text after the digits and the point. */
static const char *
suffix(const char *s)
{
	while (digit(*s) || *s == '.')
		s++;
	return s;
}

bool
value_duration(const char *s, int64_t *ret_ns, bool *ret_bare)
{
	static const struct { const char *text; int64_t ns; } unit[] = {
		{ "ns", 1 }, { "us", 1000 }, { "µs", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	int64_t sum = 0;

	*ret_bare = false;
	if (!*s)
		return false;
	if (!*suffix(s)) {
		*ret_bare = true;
		return scaled(&s, 1000000000, "", ret_ns) && !*s;
	}
	while (*s) {
		const char *u = suffix(s);
		size_t n = 0, i;
		int64_t v;

		while (u[n] && !digit(u[n]) && u[n] != '.')
			n++;
		for (i = 0; i < sizeof unit / sizeof *unit; i++)
			if (strlen(unit[i].text) == n && !strncmp(u, unit[i].text, n))
				break;
		if (i == sizeof unit / sizeof *unit || !scaled(&s, unit[i].ns, unit[i].text, &v) ||
		    __builtin_add_overflow(sum, v, &sum))
			return false;
	}
	*ret_ns = sum;
	return true;
}

bool
value_size(const char *s, int64_t *ret)
{
	static const char letters[] = "KMGTPE";
	const char *u = suffix(s), *l;
	int64_t unit = 1;

	if (!strcmp(u, "m")) {
		int64_t v;

		if (!scaled(&s, 1, "m", &v))
			return false;
		*ret = v / 1000 + (v % 1000 != 0);
		return true;
	}
	l = *u ? strchr(letters, *u == 'k' ? 'K' : *u) : 0;
	if (l) {
		bool binary = u[1] == 'i';

		for (const char *p = letters; p <= l; p++)
			unit *= binary ? 1024 : 1000;
		u += binary ? 2 : 1;
	}
	if (*u == 'B')
		u++;
	return !*u && scaled(&s, unit, suffix(s), ret) && !*s;
}
