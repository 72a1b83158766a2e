/* duration.c: hand-made because the rules are Go's, because an overflow must be an error, and because nothing here may
 * depend on a locale. */
#include "duration.h"

#include <string.h>

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
duration_scaled(const char **p, int64_t unit, const char *unit_text, int64_t *ret)
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

const char *
duration_suffix(const char *s)
{
	while (digit(*s) || *s == '.')
		s++;
	return s;
}

bool
duration_parse(const char *s, int64_t *ret_ns, bool *ret_bare)
{
	static const struct { const char *text; int64_t ns; } unit[] = {
		{ "ns", 1 }, { "us", 1000 }, { "µs", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	int64_t sum = 0;

	*ret_bare = false;
	if (!*s)
		return false;
	if (!*duration_suffix(s)) {
		*ret_bare = true;
		return duration_scaled(&s, 1000000000, "", ret_ns) && !*s;
	}
	while (*s) {
		const char *u = duration_suffix(s);
		size_t n = 0, i;
		int64_t v;

		while (u[n] && !digit(u[n]) && u[n] != '.')
			n++;
		for (i = 0; i < sizeof unit / sizeof *unit; i++)
			if (strlen(unit[i].text) == n && !strncmp(u, unit[i].text, n))
				break;
		if (i == sizeof unit / sizeof *unit || !duration_scaled(&s, unit[i].ns, unit[i].text, &v) ||
		    __builtin_add_overflow(sum, v, &sum))
			return false;
	}
	*ret_ns = sum;
	return true;
}
