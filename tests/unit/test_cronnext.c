/* The instants of cron expressions against an oracle that shares nothing with them: expressions are drawn as tables of what they
 * allow, the clocks are the C library's (localtime_r in a process with TZ set), and every minute of the years is walked as cronie
 * walks it. DASSIE_SEED repeats a run; DASSIE_CRON=full is 24 zones, 10 years, 2,000 expressions in each. */
#include "../../base/cronnext.h"

#include <stdlib.h>
#include <time.h>

#include "../../base/cron.h"
#include "../../base/err.h"
#include "../../base/zone.h"
#include "tap.h"

static const char *const zones[] = {
	"Australia/Lord_Howe", "Pacific/Apia", "America/New_York", "Antarctica/Troll", "Africa/Casablanca", "Europe/Berlin", "Pacific/Chatham",
	"America/Sao_Paulo", "Asia/Kolkata", "Etc/GMT+5", "UTC", "Asia/Tehran", "Africa/Cairo", "Antarctica/Casey", "America/Caracas",
	"Asia/Pyongyang", "Europe/Dublin", "Pacific/Kiritimati", "Asia/Gaza", "America/Santiago", "Asia/Kathmandu", "Europe/Moscow",
	"America/St_Johns", "Africa/Juba",
};
enum { N_ZONES = sizeof zones / sizeof *zones };

/* Seconds of the years that are walked; Apia's missing day is at the end of 2011. */
static int64_t first, last;

static uint64_t seed;

static unsigned
draw(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* An expression as the oracle knows it: a byte for each value that a field may have. */
struct drawn {
	char text[200];
	unsigned char minute[60], hour[24], dom[32], month[13], dow[7], dom_last[31], dow_last[7], nth[7][6];
	bool dom_star, dow_star, wild;
};

static size_t
say(struct drawn *d, const char *fmt, int a, int b, int by)
{
	size_t n = strlen(d->text);

	return (size_t)snprintf(d->text + n, sizeof d->text - n, fmt, a, b, by);
}

/* A list for a field of lo..hi. Returns whether it begins with a star. */
static bool
draw_field(struct drawn *d, unsigned char *set, int lo, int hi, unsigned star_of_ten, int kind)
{
	unsigned items = 1 + (draw(3) == 0 ? draw(4) : 0);
	bool star = false;

	for (unsigned i = 0; i < items; i++) {
		int a = lo + (int)draw((unsigned)(hi - lo + 1)), b = a + (int)draw((unsigned)(hi - a + 1)), by = 1 + (int)draw((unsigned)(hi - lo) / 2 + 1);

		if (i)
			say(d, ",", 0, 0, 0);
		if (draw(10) < star_of_ten) {
			star |= i == 0;
			a = lo, b = hi;
			if (draw(2))
				say(d, "*/%d", by, 0, 0);
			else
				say(d, draw(5) ? "*" : "?", by = 1, 0, 0);
		} else if (kind == 1 && draw(6) == 0) {
			a = (int)draw(5);
			say(d, a ? "L-%d" : "L", a, 0, 0);
			d->dom_last[a] = 1;
			continue;
		} else if (kind == 2 && draw(5) == 0) {
			if (draw(2)) {
				say(d, "%dL", a, 0, 0);
				d->dow_last[a] = 1;
			} else {
				b = 1 + (int)draw(5);
				say(d, "%d#%d", a, b, 0);
				d->nth[a][b] = 1;
			}
			continue;
		} else {
			switch (draw(4)) {
			case 0: say(d, "%d-%d", a, b, by = 1); break;
			case 1: say(d, "%d-%d/%d", a, b, by); break;
			case 2: say(d, "%d/%d", a, by, 0); b = hi; break;
			default: say(d, "%d", b = a, 0, by = 1); break;
			}
		}
		for (int v = a; v <= b; v += by)
			set[v] = 1;
	}
	return star;
}

static void
draw_expr(struct drawn *d)
{
	bool m, h;

	*d = (struct drawn){ .text = "" };
	m = draw_field(d, d->minute, 0, 59, 2, 0);
	say(d, " ", 0, 0, 0);
	h = draw_field(d, d->hour, 0, 23, 3, 0);
	say(d, " ", 0, 0, 0);
	d->dom_star = draw_field(d, d->dom, 1, 31, 6, 1);
	say(d, " ", 0, 0, 0);
	draw_field(d, d->month, 1, 12, 7, 0);
	say(d, " ", 0, 0, 0);
	d->dow_star = draw_field(d, d->dow, 0, 6, 6, 2);
	d->wild = m || h;
}

/* The clocks, a minute each: what the C library says. */
struct minute { unsigned char minute, hour, dom, month, dow, days; int32_t local; };   /* local: minutes since 1970, as if UTC */

static struct minute *
walk_clocks(const char *zone, size_t *ret_n)
{
	size_t n = (size_t)((last - first) / 60);
	struct minute *v = calloc(n, sizeof *v);

	setenv("TZ", zone, 1);
	tzset();
	for (size_t i = 0; i < n; i++) {
		time_t t = (time_t)(first + (int64_t)i * 60), of_month;
		struct tm tm, end;

		localtime_r(&t, &tm);
		v[i] = (struct minute){ (unsigned char)tm.tm_min, (unsigned char)tm.tm_hour, (unsigned char)tm.tm_mday, (unsigned char)(tm.tm_mon + 1),
			(unsigned char)tm.tm_wday, 0, (int32_t)((t + tm.tm_gmtoff) / 60) };
		if (i && v[i - 1].month == v[i].month && v[i - 1].days) {
			v[i].days = v[i - 1].days;
			continue;
		}
		end = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 0, .tm_hour = 12 };
		of_month = timegm(&end);
		gmtime_r(&of_month, &end);
		v[i].days = (unsigned char)end.tm_mday;
	}
	*ret_n = n;
	return v;
}

static bool
allows(const struct drawn *d, const struct minute *m)
{
	bool dom, dow;

	if (!d->minute[m->minute] || !d->hour[m->hour] || !d->month[m->month])
		return false;
	dom = d->dom[m->dom] || (m->days - m->dom < 31 && d->dom_last[m->days - m->dom]);
	dow = d->dow[m->dow] || (d->dow_last[m->dow] && m->dom + 7 > m->days) || d->nth[m->dow][(m->dom - 1) / 7 + 1];
	return d->dom_star || d->dow_star ? dom && dow : dom || dow;
}

/* A local minute that no clock showed. */
static struct minute
unshown(int32_t local)
{
	time_t t = (time_t)local * 60, of_month;
	struct tm tm, end;

	gmtime_r(&t, &tm);
	end = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 0, .tm_hour = 12 };
	of_month = timegm(&end);
	gmtime_r(&of_month, &end);
	return (struct minute){ (unsigned char)tm.tm_min, (unsigned char)tm.tm_hour, (unsigned char)tm.tm_mday, (unsigned char)(tm.tm_mon + 1),
		(unsigned char)tm.tm_wday, (unsigned char)end.tm_mday, local };
}

/* Minutes at which cronie would start it, as it goes through them. */
static size_t
cronie(const struct drawn *d, const struct minute *v, size_t n, unsigned char *ret_runs)
{
	int32_t virtual_ = v[0].local;
	size_t runs = 0;

	for (size_t i = 0; i < n; i++) {
		int32_t ahead = v[i].local - virtual_;
		bool run = false;

		if (ahead == 0 || ahead > 180 || ahead < -180) {
			run = allows(d, &v[i]);
			virtual_ = v[i].local + 1;
		} else if (ahead > 0) {
			for (; virtual_ < v[i].local; virtual_++)
				if (!d->wild) {
					struct minute m = unshown(virtual_);

					run |= allows(d, &m);
				}
			run |= allows(d, &v[i]);
			virtual_ = v[i].local + 1;
		} else if (d->wild) {
			run = allows(d, &v[i]);
		}
		ret_runs[i] = run;
		runs += run;
	}
	return runs;
}

/* How many minutes the two do not agree on. */
static size_t
differences(const struct drawn *d, const struct cron_expr *c, const struct zone *z, size_t n, unsigned char *runs)
{
	struct cron_walk w;
	struct cron_instant t;
	size_t wrong = 0;
	int64_t before = first - 1;

	cron_walk(&w, c, z, 0, first - 1);
	while (cron_walk_next(&w, &t) && t.at < last) {
		size_t i = (size_t)((t.at - first) / 60);

		wrong += t.at <= before;
		before = t.at;
		if (t.how == CRON_DROPPED) {
			wrong += runs[i] != 0;
			continue;
		}
		wrong += t.at % 60 != 0 || !runs[i];
		runs[i] = 0;
	}
	for (size_t i = 0; i < n; i++)
		wrong += runs[i];
	if (wrong)
		printf("# %zu differences: '%s' in %s\n", wrong, d->text, z->id);
	return wrong;
}

/* A walk that begins anywhere goes on as one that began before. */
static size_t
restarts(const struct cron_expr *c, const struct zone *z)
{
	struct cron_walk w, again;
	struct cron_instant t, u;
	size_t wrong = 0;

	cron_walk(&w, c, z, 0, first + (int64_t)draw((unsigned)(last - first)));
	for (int i = 0; i < 40 && cron_walk_next(&w, &t); i++) {
		struct cron_walk ahead = w;
		struct cron_instant next;

		if (!cron_walk_next(&ahead, &next))
			break;
		cron_walk(&again, c, z, 0, t.at + (int64_t)draw((unsigned)(next.at - t.at)));
		wrong += !cron_walk_next(&again, &u) || u.at != next.at || u.how != next.how || u.asked != next.asked;
	}
	if (wrong)
		printf("# a walk from the middle differs in %s\n", z->id);
	return wrong;
}

static void
sweep(size_t n_zones, unsigned expressions)
{
	for (size_t i = 0; i < n_zones; i++) {
		struct err err = ERR_INIT;
		struct zone z;
		size_t n, wrong = 0, instants = 0;
		struct minute *clock = walk_clocks(zones[i], &n);
		unsigned char *runs = malloc(n);
		unsigned done_ = 0;

		if (!ok(zone_open(&z, zones[i], &err) == 1, "zone %s", zones[i]))
			continue;
		while (done_ < expressions) {
			struct drawn d;
			struct cron_expr c;
			struct cron_fault f;

			draw_expr(&d);
			if (!cron_parse(d.text, &c, &f)) {
				wrong += strstr(f.text, "never run") == NULL;
				continue;
			}
			instants += cronie(&d, clock, n, runs);
			wrong += differences(&d, &c, &z, n, runs) + restarts(&c, &z);
			done_++;
		}
		ok(wrong == 0, "%s: %u expressions, %zu instants, 0 differences", zones[i], expressions, instants);
		zone_release(&z);
		free(clock);
		free(runs);
	}
}

/* By hand: what a person would look up. */
static void
expect(const char *expr, const char *zone, const char *after, const char *const want[])
{
	static const char *const word[] = { "", " moved", " once", " again", " dropped" };
	struct err err = ERR_INIT;
	struct zone z;
	struct cron_expr c;
	struct cron_fault f;
	struct cron_walk w;
	struct cron_instant t;
	int64_t at;

	cron_parse(expr, &c, &f);
	cron_time(after, &at);
	if (!ok(zone_open(&z, zone, &err) == 1, "%s", zone))
		return;
	cron_walk(&w, &c, &z, 0, at);
	for (size_t i = 0; want[i]; i++) {
		char got[64] = "nothing", text[32];

		if (cron_walk_next(&w, &t)) {
			cron_time_text(text, t.at);
			snprintf(got, sizeof got, "%s%s", text, word[t.how]);
		}
		is_str(got, want[i], "%s in %s", expr, zone);
	}
	zone_release(&z);
}

#define EXPECT(expr, zone, after, ...) expect(expr, zone, after, (const char *const[]){ __VA_ARGS__, NULL })

static void
by_hand(void)
{
	EXPECT("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z moved", "2026-03-09T06:30:00Z");
	EXPECT("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z once", "2026-11-02T06:30:00Z");
	EXPECT("30 * * * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z again", "2026-11-01T07:30:00Z");
	EXPECT("0,30 2,3 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T07:30:00Z");
	EXPECT("30 */2 * * *", "America/New_York", "2026-03-08T06:00:00Z", "2026-03-08T07:30:00Z dropped", "2026-03-08T08:30:00Z");
	EXPECT("0 3 30 12 *", "Pacific/Apia", "2011-01-01T00:00:00Z", "2011-12-30T13:00:00Z dropped", "2012-12-29T13:00:00Z");
	EXPECT("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z moved", "2026-10-04T15:15:00Z");
	EXPECT("0 0 L 2 *", "UTC", "2026-03-01T00:00:00Z", "2027-02-28T00:00:00Z", "2028-02-29T00:00:00Z");
	EXPECT("@every 7m", "UTC", "2026-03-01T00:00:00Z", "2026-03-01T00:06:00Z", "2026-03-01T00:13:00Z");
	EXPECT("@never", "UTC", "2026-03-01T00:00:00Z", "nothing");
	EXPECT("0 3 * * *", "Europe/Berlin", "2090-03-01T10:00:00Z", "2090-03-02T02:00:00Z");
	EXPECT("0 3 * * *", "Europe/Berlin", "2090-07-01T10:00:00Z", "2090-07-02T01:00:00Z");
}

static void
names(void)
{
	static const char *const bad[] = { "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "europe/berlin", "zone.tab", "Europe/", "a b" };
	struct err err = ERR_INIT;
	struct zone z;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(zone_open(&z, bad[i], &err) == 0, "'%s' is no zone", bad[i]);
	ok(zone_open(&z, "", &err) == 1 && z.n == 1 && z.span[0].offset == 0, "no name is UTC");
	zone_release(&z);
}

int
main(void)
{
	const char *full = getenv("DASSIE_CRON"), *given = getenv("DASSIE_SEED");

	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	printf("# DASSIE_SEED=%llu\n", (unsigned long long)seed);
	by_hand();
	names();
	if (full && !strcmp(full, "full")) {
		first = 1293840000;                 /* 2011 to 2020 */
		last = first + 3653LL * 86400;
		sweep(N_ZONES, 2000);
	} else {
		first = 1314835200;                 /* September 2011 to 2012 */
		last = first + 450LL * 86400;
		sweep(8, 40);
	}
	return done();
}
