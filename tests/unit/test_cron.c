/* Cron expressions: what they say, what is refused, and what is said to the user of it; times. */
#include "../../base/cron.h"

#include "tap.h"

static void
good(const char *s)
{
	struct cron_expr c;
	struct cron_fault f;

	ok(cron_parse(s, &c, &f), "'%s' is good", s);
}

static void
bad(const char *s, const char *part, const char *says)
{
	struct cron_expr c;
	struct cron_fault f = { 0 };
	char got[128] = "";

	if (!ok(!cron_parse(s, &c, &f), "'%s' is refused", s))
		return;
	snprintf(got, sizeof got, "%.*s", (int)f.n, s + f.at);
	is_str(got, part, "… pointing there");
	if (!ok(strstr(f.text, says) != NULL, "… saying '%s'", says))
		printf("# it says: %s\n", f.text);
}

static void
sets(void)
{
	struct cron_expr c;
	struct cron_fault f;

	cron_parse("*/15 9-17/4 1,15,L-2 JAN-mar,12 mon-FRI/2", &c, &f);
	is_u64(c.minute, 1ull | 1ull << 15 | 1ull << 30 | 1ull << 45, "minutes");
	is_u64(c.hour, 1u << 9 | 1u << 13 | 1u << 17, "hours");
	is_u64(c.dom, 1u << 1 | 1u << 15, "days");
	is_u64(c.dom_last, 1u << 2, "days before the last");
	is_u64(c.month, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 12, "months");
	is_u64(c.dow, 1u << 1 | 1u << 3 | 1u << 5, "weekdays");
	ok(c.wild && !c.dom_star && !c.dow_star, "wild by its minute, both day fields restricted");
	cron_parse("5/20 3 * * *", &c, &f);
	is_u64(c.minute, 1ull << 5 | 1ull << 25 | 1ull << 45, "a/n goes to the highest");
	ok(!c.wild && c.dom_star && c.dow_star, "not wild");
	cron_parse("0 ? ? * 5#2,SATL", &c, &f);
	ok(c.wild && c.dom_star && c.nth[5] == 4 && c.dow_last == 1 << 6, "?, # and L");
	cron_parse("@every 90s", &c, &f);
	ok(c.kind == CRON_EVERY && c.every == 90, "@every");
	cron_parse("@every 1h30m", &c, &f);
	ok(c.every == 5400, "@every of two units");
	cron_parse("@every 10ms", &c, &f);
	ok(c.every == 1, "@every is a second at least");
	cron_parse(" @never  ", &c, &f);
	ok(c.kind == CRON_NEVER, "@never");
	cron_parse("@weekly", &c, &f);
	ok(c.kind == CRON_FIELDS && c.dow == 1 && c.hour == 1 && !c.wild, "@weekly");
}

static void
day(const char *expr, int64_t year, int month, int mday, bool want)
{
	struct cron_expr c;
	struct cron_fault f;

	cron_parse(expr, &c, &f);
	ok(cron_day(&c, month, mday, cron_weekday(cron_days(year, month, mday)), cron_month_days(year, month)) == want,
	    "'%s': %d-%02d-%02d is %s", expr, (int)year, month, mday, want ? "in" : "out");
}

static void
days(void)
{
	day("0 0 13 * 5", 2026, 2, 13, true);
	day("0 0 13 * 5", 2026, 1, 13, true);       /* a Tuesday: either */
	day("0 0 13 * 5", 2026, 1, 16, true);       /* a Friday: either */
	day("0 0 */2 * 5", 2026, 1, 16, false);     /* begins with a star: both */
	day("0 0 */2 * 5", 2026, 1, 9, true);
	day("0 0 L * *", 2026, 2, 28, true);
	day("0 0 L * *", 2028, 2, 28, false);
	day("0 0 L-1 * *", 2028, 2, 28, true);
	day("0 0 * * 5L", 2026, 1, 30, true);
	day("0 0 * * 5L", 2026, 1, 23, false);
	day("0 0 * * 5#5", 2026, 1, 30, true);
	day("0 0 * * 5#2", 2026, 1, 9, true);
	day("0 0 * * 5#2", 2026, 1, 2, false);
	day("0 0 29 2 *", 2028, 2, 29, true);
}

static void
errors(void)
{
	bad("60 * * * *", "60", "a minute is 0 to 59");
	bad("* 24 * * *", "24", "an hour is 0 to 23");
	bad("* 5-3 * * *", "5-3", "did you mean '5-23,0-3'");
	bad("* * * * FRI-MON", "FRI-MON", "did you mean '5-6,0-1'");
	bad("* * 0 * *", "0", "a day of the month is 1 to 31");
	bad("* * * FOO *", "FOO", "a month is 1 to 12 or JAN to DEC");
	bad("* * * january *", "january", "did you mean 'jan'");
	bad("* * * * 7", "7", "write 0 or SUN");
	bad("* * * *", "* * * *", "five fields");
	bad("", "", "not 0");
	bad("0 30 6 * * 1", "0 30 6 * * 1", "did you mean '30 6 * * 1'");
	bad("*/10 * * * * *", "*/10 * * * * *", "did you mean '@every 10s'");
	bad("*/0 * * * *", "/0", "a step is");
	bad("1,, * * * *", ",", "a minute is");
	bad("1x * * * *", "x", "'x' is not expected");
	bad("0 0 31 2 *", "31 2 *", "never run");
	bad("0 0 30,31 FEB ?", "30,31 FEB ?", "never run");
	bad("0 0 31 4,6 *", "31 4,6 *", "never run");
	bad("0 0 LW * *", "LW", "nearest to a day");
	bad("0 0 * * L", "L", "5L");
	bad("0 0 * * 5#6", "5#6", "1 to 5");
	bad("0 0 L-31 * *", "L-31", "L-1 to L-30");
	bad("@reboot", "@reboot", "start of the machine");
	bad("@hourlly", "@hourlly", "@hourly");
	bad("@every", "@every", "a duration");
	bad("@every day", "day", "a duration");
	bad("@every 5", "5", "did you mean '5s' or '5m'");
	bad("@every -5m", "-5m", "a duration");
	bad("TZ=UTC 0 0 * *", "TZ", "a minute is");
	good("0 0 31 2 1");                         /* Mondays of February */
	good("0 0 29 2 *");
	good("  5\t4 * *   * ");
}

static void
policies(void)
{
	enum cron_overlap o;
	uint64_t n;

	ok(cron_missed("", &n) && n == 1, "missed: last if nothing is said");
	ok(cron_missed("none", &n) && n == 0, "none");
	ok(cron_missed("all", &n) && n == UINT64_MAX, "all");
	ok(cron_missed("all(max 12)", &n) && n == 12, "all(max 12)");
	ok(cron_missed("all(12)", &n) && n == 12, "all(12)");
	ok(!cron_missed("all(0)", &n) && !cron_missed("all(max)", &n) && !cron_missed("some", &n) && !cron_missed("all(3", &n), "what is none");
	ok(cron_overlap("", &o) && o == OVERLAP_SKIP, "overlap: skip if nothing is said");
	ok(cron_overlap("cancel", &o) && o == OVERLAP_CANCEL, "cancel");
	ok(!cron_overlap("allow", &o), "allow is none");
}

static void
times(void)
{
	char text[32];
	int64_t t = -1;

	ok(cron_time("1970-01-01T00:00:00Z", &t) && t == 0, "the epoch");
	ok(cron_time("2026-11-22T07:00:00+01:00", &t) && t == 1795327200, "with an offset");
	ok(cron_time("2026-11-22T06:00:00.5Z", &t) && t == 1795327200, "with a fraction");
	ok(!cron_time("2026-02-29T00:00:00Z", &t) && !cron_time("2026-01-01", &t) && !cron_time("2026-01-01T00:00:00", &t) &&
	    !cron_time("2026-01-01T00:00:00Zx", &t) && !cron_time("2026-01-01T24:00:00Z", &t), "what is none");
	cron_time_text(text, -1);
	is_str(text, "1969-12-31T23:59:59Z", "a second before");
	for (int64_t d = -800000, same = 1; d < 800000; d += 137) {
		int64_t y;
		int m, day;

		cron_civil(d, &y, &m, &day);
		same &= cron_days(y, m, day) == d;
		if (d + 137 >= 800000)
			ok(same, "days and dates agree over 4,000 years");
	}
}

int
main(void)
{
	sets();
	days();
	errors();
	policies();
	times();
	return done();
}
