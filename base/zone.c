/* zone.c: a TZif file becomes a list of spans with one offset each; the years after its table are computed from the rule
 * in its last line up to 2200, so that whoever asks needs no rules. */
#include "zone.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cron.h"
#include "err.h"
#include "fs.h"
#include "mem.h"

enum { LAST_YEAR = 2200, HEAD = 44 };

static const char *
database(size_t i)
{
	static const char *const dirs[] = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo" };
	const char *given = getenv("TZDIR");

	if (given && *given)
		return i == 0 ? given : NULL;
	return i < sizeof dirs / sizeof *dirs ? dirs[i] : NULL;
}

/* A name of the database, never a way out of it. */
static bool
name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 100 && name[0] != '/' && name[0] != '.' && !strstr(name, "..") && !strstr(name, "//") && name[n - 1] != '/' &&
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

static void
add_span(struct zone *z, size_t *cap, int64_t from, int32_t offset, bool dst, const char *name, size_t len)
{
	struct zone_span *s;

	while (z->n && z->span[z->n - 1].from >= from && from != INT64_MIN)
		z->n--;
	if (z->n == 0)
		from = INT64_MIN;
	GROW(z->span, z->n, *cap);
	s = &z->span[z->n++];
	*s = (struct zone_span){ .from = from, .offset = offset, .dst = dst };
	memcpy(s->name, name, len < sizeof s->name ? len : sizeof s->name - 1);
}

/* The POSIX rule: "CET-1CEST,M3.5.0,M10.5.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0". */

struct day_rule { char kind; int month, week, day; int32_t time; };

struct rule {
	const char *std, *dst; size_t n_std, n_dst;
	int32_t std_offset, dst_offset;
	bool has_dst;
	struct day_rule begin, end;
};

static bool
rule_number(const char **s, int *ret)
{
	if (**s < '0' || **s > '9')
		return false;
	for (*ret = 0; **s >= '0' && **s <= '9' && *ret < 100000; ++*s)
		*ret = *ret * 10 + (**s - '0');
	return true;
}

static bool
rule_time(const char **s, int32_t *ret)
{
	int sign = **s == '-' ? -1 : 1, part[3] = { 0, 0, 0 };

	*s += **s == '-' || **s == '+';
	for (int i = 0; i < 3; i++) {
		if (i && **s != ':')
			break;
		*s += i > 0;
		if (!rule_number(s, &part[i]))
			return false;
	}
	*ret = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool
rule_name(const char **s, const char **ret, size_t *ret_n)
{
	if (**s == '<') {
		*ret = ++*s;
		*ret_n = strcspn(*s, ">");
		*s += *ret_n;
		return *(*s)++ == '>';
	}
	*ret = *s;
	while ((**s | 32) >= 'a' && (**s | 32) <= 'z')
		++*s;
	*ret_n = (size_t)(*s - *ret);
	return *ret_n > 0;
}

static bool
rule_day(const char **s, struct day_rule *d)
{
	d->kind = **s == 'M' || **s == 'J' ? *(*s)++ : 'N';
	d->time = 2 * 3600;
	if (!rule_number(s, d->kind == 'M' ? &d->month : &d->day))
		return false;
	if (d->kind == 'M' && (*(*s)++ != '.' || !rule_number(s, &d->week) || *(*s)++ != '.' || !rule_number(s, &d->day) ||
	    d->month < 1 || d->month > 12 || d->week < 1 || d->week > 5 || d->day > 6))
		return false;
	if (**s != '/')
		return true;
	++*s;
	return rule_time(s, &d->time);
}

static bool
rule_parse(struct rule *r, const char *s)
{
	if (!rule_name(&s, &r->std, &r->n_std) || !rule_time(&s, &r->std_offset))
		return false;
	r->std_offset = -r->std_offset;
	r->has_dst = *s != '\0';
	if (!r->has_dst)
		return true;
	if (!rule_name(&s, &r->dst, &r->n_dst))
		return false;
	r->dst_offset = r->std_offset + 3600;
	if (*s != ',') {
		if (!rule_time(&s, &r->dst_offset))
			return false;
		r->dst_offset = -r->dst_offset;
	}
	return *s++ == ',' && rule_day(&s, &r->begin) && *s++ == ',' && rule_day(&s, &r->end) && !*s;
}

/* Local seconds, as if UTC, of the rule's moment in a year. */
static int64_t
rule_moment(const struct day_rule *d, int64_t year)
{
	int64_t days = cron_days(year, 1, 1);

	if (d->kind == 'M') {
		int64_t first = cron_days(year, d->month, 1);
		int n = (d->day - cron_weekday(first) + 7) % 7 + (d->week - 1) * 7;

		days = first + (n >= cron_month_days(year, d->month) ? n - 7 : n);
	} else if (d->kind == 'J') {
		days += d->day - 1 + (d->day >= 60 && cron_month_days(year, 2) == 29);
	} else {
		days += d->day;
	}
	return days * 86400 + d->time;
}

/* Only what comes after the table. */
static void
extend(struct zone *z, size_t *cap, const struct rule *r, int64_t after)
{
	int64_t year;
	int month, day;

	if (!r->has_dst)
		return;
	cron_civil(after / 86400, &year, &month, &day);
	for (; year <= LAST_YEAR; year++) {
		int64_t begin = rule_moment(&r->begin, year) - r->std_offset, end = rule_moment(&r->end, year) - r->dst_offset;

		for (int i = 0; i < 2; i++) {
			bool dst = (i == 0) == (begin < end);
			int64_t at = dst ? begin : end;

			if (at > after)
				add_span(z, cap, at, dst ? r->dst_offset : r->std_offset, dst, dst ? r->dst : r->std, dst ? r->n_dst : r->n_std);
		}
	}
}

/* The file. */

struct tzif {
	const unsigned char *p;     /* a block's data */
	size_t time_size;
	uint32_t isut, isstd, leap, times, types, chars;
};

static int64_t
big(const unsigned char *p, size_t n)
{
	uint64_t v = n && p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

/* A header at `at`; *ret_end is where its block ends. */
static bool
block(const struct buf *b, size_t at, size_t time_size, struct tzif *t, size_t *ret_end)
{
	const unsigned char *h = (const unsigned char *)b->s + at;
	uint32_t v[6];
	size_t n;

	if (b->n < at + HEAD || memcmp(h, "TZif", 4) != 0)
		return false;
	for (size_t i = 0; i < 6; i++) {
		v[i] = (uint32_t)big(h + 20 + 4 * i, 4);
		if (v[i] > 1000000)
			return false;
	}
	*t = (struct tzif){ h + HEAD, time_size, v[0], v[1], v[2], v[3], v[4], v[5] };
	n = t->times * (time_size + 1) + t->types * 6 + t->chars + t->leap * (time_size + 4) + t->isstd + t->isut;
	*ret_end = at + HEAD + n;
	return t->types > 0 && *ret_end <= b->n;
}

static bool
add_type(struct zone *z, size_t *cap, const struct tzif *t, int64_t from, unsigned type)
{
	const unsigned char *types = t->p + t->times * (t->time_size + 1), *chars = types + t->types * 6;
	const unsigned char *y = types + type * 6;

	if (type >= t->types || y[5] >= t->chars || !memchr(chars + y[5], 0, t->chars - y[5]))
		return false;
	add_span(z, cap, from, (int32_t)big(y, 4), y[4] != 0, (const char *)chars + y[5], strlen((const char *)chars + y[5]));
	return true;
}

static bool
load(struct zone *z, const struct buf *b)
{
	const unsigned char *types;
	struct rule r = { 0 };
	struct tzif t;
	size_t end, cap = 0;
	bool wide = b->n > 4 && b->s[4] >= '2';
	int64_t last = 0;
	char *footer = NULL;

	if (!block(b, 0, 4, &t, &end) || (wide && !block(b, end, 8, &t, &end)) || t.leap)
		return false;
	types = t.p + t.times * t.time_size;
	if (!add_type(z, &cap, &t, INT64_MIN, 0))
		return false;
	for (uint32_t i = 0; i < t.times; i++) {
		last = big(t.p + i * t.time_size, t.time_size);
		if (!add_type(z, &cap, &t, last, types[i]))
			return false;
	}
	if (wide && end + 2 < b->n && b->s[end] == '\n' && (footer = memchr(b->s + end + 1, '\n', b->n - end - 1)) &&
	    footer > b->s + end + 1) {
		*footer = '\0';
		if (!rule_parse(&r, b->s + end + 1))
			return false;
		extend(z, &cap, &r, last > 0 ? last : 0);
	}
	return true;
}

int
zone_open(struct zone *z, const char *name, struct err *err)
{
	struct buf b = BUF_INIT, path = BUF_INIT;
	const char *dir;
	size_t cap = 0;
	int rc = 0;

	*z = (struct zone)ZONE_INIT;
	if (!*name || !strcmp(name, "UTC") || !strcmp(name, "Etc/UTC")) {
		add_span(z, &cap, INT64_MIN, 0, false, "UTC", 3);
		z->id = xstrdup(*name ? name : "UTC");
		return 1;
	}
	if (!name_ok(name))
		return 0;
	for (size_t i = 0; rc == 0 && (dir = database(i)); i++) {
		buf_reset(&path);
		buf_fmt(&path, "%s/%s", dir, name);
		buf_reset(&b);
		rc = fs_read(path.s, &b, err);
		/* A folder of the database, such as "Europe", is no zone. */
		if (rc < 0 && (err->num == EISDIR || err->num == ENOTDIR))
			rc = 0;
		if (rc == 1 && (b.n < 4 || memcmp(b.s, "TZif", 4) != 0))
			rc = 0;
		else if (rc == 1 && !load(z, &b))
			rc = err_set(err, 0, "cannot read time zone '%s': '%s' is damaged, or counts leap seconds", name, path.s);
	}
	buf_release(&path);
	buf_release(&b);
	if (rc == 1)
		z->id = xstrdup(name);
	else
		zone_release(z);
	return rc;
}

void
zone_release(struct zone *z)
{
	free(z->id);
	free(z->span);
	*z = (struct zone)ZONE_INIT;
}

size_t
zone_at(const struct zone *z, int64_t at)
{
	size_t lo = 0, n = z->n;

	while (lo + 1 < n) {
		size_t mid = lo + (n - lo) / 2;

		if (z->span[mid].from <= at)
			lo = mid;
		else
			n = mid;
	}
	return lo;
}

int64_t
zone_instant(const struct zone *z, int64_t local)
{
	size_t i = zone_at(z, local - 2 * 86400);

	for (; i + 1 < z->n; i++) {
		int64_t ends = z->span[i + 1].from;

		/* What the clocks skip at the end of this span belongs to it, too. */
		if (local - z->span[i].offset < ends || local < ends + z->span[i + 1].offset)
			break;
	}
	return local - z->span[i].offset;
}

/* Names. */

static void
list(struct arena *a, struct buf *path, size_t root, const char ***v, size_t *n, size_t *cap)
{
	DIR *d = opendir(path->s);
	struct dirent *e;
	size_t len = path->n;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] < 'A' || e->d_name[0] > 'Z')
			continue;
		buf_fmt(path, "/%s", e->d_name);
		if (e->d_type == DT_DIR) {
			list(a, path, root, v, n, cap);
		} else {
			GROW(*v, *n, *cap);
			(*v)[(*n)++] = arena_str(a, path->s + root + 1);
		}
		path->n = len;
		path->s[len] = '\0';
	}
	if (d)
		closedir(d);
}

size_t
zone_names(struct arena *a, const char ***ret)
{
	struct buf path = BUF_INIT;
	const char **v = NULL, *dir;
	size_t n = 0, cap = 0;

	for (size_t i = 0; n == 0 && (dir = database(i)); i++) {
		buf_reset(&path);
		buf_str(&path, dir);
		list(a, &path, path.n, &v, &n, &cap);
	}
	buf_release(&path);
	*ret = arena_alloc(a, (n + 1) * sizeof *v);
	if (n)
		memcpy(*ret, v, n * sizeof *v);
	free(v);
	return n;
}
