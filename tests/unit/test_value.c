/* Numbers, durations and sizes as specs write them: Go's, Kubernetes', and what is neither. */
#include "../../compiler/value.h"

#include "tap.h"

static void
duration(const char *s, int64_t want, bool want_bare)
{
	int64_t ns = -1;
	bool bare = !want_bare;

	ok(value_duration(s, &ns, &bare) && ns == want && bare == want_bare, "duration '%s' is %lld ns (%lld)", s, (long long)want,
	    (long long)ns);
}

static void
size(const char *s, int64_t want)
{
	int64_t v = -1;

	ok(value_size(s, &v) && v == want, "size '%s' is %lld (%lld)", s, (long long)want, (long long)v);
}

static void
durations(void)
{
	static const char *const bad[] = { "", " 1s", "1s ", "-1s", "1.5.5s", "s", "1x", "1h30", ".s", "1 h", "1d", "9999999999h", "99999999999999999999s" };
	int64_t ns;
	bool bare;

	duration("30s", 30000000000, false);
	duration("7200s", 7200000000000, false);
	duration("10m", 600000000000, false);
	duration("1h30m", 5400000000000, false);
	duration("1h0m0.5s", 3600500000000, false);
	duration("1.5h", 5400000000000, false);
	duration("250ms", 250000000, false);
	duration("1us", 1000, false);
	duration("1µs", 1000, false);
	duration("7ns", 7, false);
	duration(".5s", 500000000, false);
	duration("0s", 0, false);
	duration("90", 90000000000, true);
	duration("1.25", 1250000000, true);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!value_duration(bad[i], &ns, &bare), "duration '%s' is none", bad[i]);
}

static void
sizes(void)
{
	static const char *const bad[] = { "", "x", "G", "-1", "1 G", "1GG", "1Gib", "1KiBx", "9E9", "10E", "1.2.3", "0x10", "1i" };
	int64_t v;

	size("0", 0);
	size("512", 512);
	size("64M", 64000000);
	size("64Mi", 64 << 20);
	size("100MB", 100000000);
	size("10Gi", 10LL << 30);
	size("10GiB", 10LL << 30);
	size("1.5K", 1500);
	size("1.5Ki", 1536);
	size("2k", 2000);
	size("1T", 1000000000000);
	size("1P", 1000000000000000);
	size("8E", 8000000000000000000);
	size("1500m", 2);
	size("7B", 7);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!value_size(bad[i], &v), "size '%s' is none", bad[i]);
}

static void
numbers(void)
{
	static const char *const bad_int[] = { "", "-", "01", "-0", "1.0", "0x1", "1_000", " 1", "9223372036854775808", "+1", "1e3" };
	int64_t v;
	bool b;

	ok(value_int("0", &v) && v == 0, "0");
	ok(value_int("-17", &v) && v == -17, "-17");
	ok(value_int("9223372036854775807", &v) && v == INT64_MAX, "the largest");
	ok(value_int("-9223372036854775808", &v) && v == INT64_MIN, "the smallest");
	for (size_t i = 0; i < sizeof bad_int / sizeof *bad_int; i++)
		ok(!value_int(bad_int[i], &v), "'%s' is no whole number", bad_int[i]);
	ok(value_number("0.5") && value_number("2") && value_number(".5") && value_number("-1e3") && value_number("1.e-2"), "numbers");
	ok(!value_number("") && !value_number(".") && !value_number("1e") && !value_number("1x") && !value_number("nan"), "no numbers");
	ok(value_bool("yes", &b) && b && value_bool("Off", &b) && !b && value_bool("on", &b) && b && value_bool("NO", &b) && !b, "as YAML 1.1 has them");
	ok(value_bool("True", &b) && b && value_bool("FALSE", &b) && !b, "any letter case");
	ok(!value_bool("y", &b) && !value_bool("1", &b) && !value_bool("tru", &b) && !value_bool("truex", &b) && !value_bool("", &b),
	    "only true and false");
}

int
main(void)
{
	durations();
	sizes();
	numbers();
	return done();
}
