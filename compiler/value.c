/* value.c: scalars.  Hand-made because the rules are Pachyderm's (Go's durations, Kubernetes' sizes), because
 * an overflow must be an error, and because nothing here may depend on a locale. */
#include "value.h"

#include <string.h>

#include "../base/duration.h"

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
	*ret = same_word(s, "true") || same_word(s, "yes") || same_word(s, "on");
	return *ret || same_word(s, "false") || same_word(s, "no") || same_word(s, "off");
}

bool
value_duration(const char *s, int64_t *ret_ns, bool *ret_bare)
{
	return duration_parse(s, ret_ns, ret_bare);
}

bool
value_size(const char *s, int64_t *ret)
{
	static const char letters[] = "KMGTPE";
	const char *u = duration_suffix(s), *l;
	int64_t unit = 1;

	if (!strcmp(u, "m")) {
		int64_t v;

		if (!duration_scaled(&s, 1, "m", &v))
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
	return !*u && duration_scaled(&s, unit, duration_suffix(s), ret) && !*s;
}

bool
value_shell_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return n > 0 && !s[n] && !(s[0] >= '0' && s[0] <= '9');
}
