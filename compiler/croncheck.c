/* croncheck.c: the grammar is base/cron.c's, which points into the text; here it becomes a place in the file. */
#include "croncheck.h"

#include <string.h>
#include <strings.h>

#include "../base/cron.h"
#include "../base/duration.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "../base/zone.h"
#include "spec.h"
#include "suggest.h"

static bool
given(const struct str *t)
{
	return t->s && *t->s;
}

bool
croncheck_expr(struct specset *s, const struct str *t)
{
	struct cron_fault why;
	struct cron_expr expr;
	struct span at = t->at;

	if (!given(t) || cron_parse(t->s, &expr, &why))
		return true;
	/* The text has a place for each of its bytes only where the file has it as it is. */
	if (at.len == strlen(t->s) && why.n)
		at = (struct span){ at.off + (uint32_t)why.at, (uint32_t)why.n };
	return diag_error(s->d, at, "'%s' is no cron expression: %s", t->s, why.text);
}

static const char *
zone_like(struct specset *s, const char *name)
{
	const char **v;
	size_t n = zone_names(s->a, &v);

	/* "berlin" and "europe/berlin" are likely, too. */
	for (size_t i = 0; i < n; i++) {
		const char *last = strrchr(v[i], '/');

		if (!strcasecmp(v[i], name) || (last && !strcasecmp(last + 1, name)))
			return arena_fmt(s->a, "; did you mean '%s'?", v[i]);
	}
	if (!n)
		return ": there is no tz database on this machine (the package tzdata); without one there is only UTC";
	return did_you_mean(s->a, name, v, n);
}

static bool
check_zone(struct specset *s, const struct str *tz)
{
	struct err err = ERR_INIT;
	struct zone z;
	const char *like;
	int rc;

	if (!given(tz))
		return true;
	rc = zone_open(&z, tz->s, &err);
	if (rc == 1)
		zone_release(&z);
	if (rc < 0)
		return diag_error(s->d, tz->at, "%s", err.text);
	like = rc == 0 ? zone_like(s, tz->s) : "";
	return rc == 1 || diag_error(s->d, tz->at, "'%s' is no time zone%s%s", tz->s, like,
	    *like ? "" : "; names are as in the tz database: UTC, Europe/Berlin, America/New_York");
}

static bool
check_policies(struct specset *s, const struct str *missed, const struct str *overlap, const struct str *jitter)
{
	enum cron_overlap o;
	uint64_t max;
	int64_t ns;
	bool bare, ok = true;

	if (given(missed) && !cron_missed(missed->s, &max))
		ok = diag_error(s->d, missed->at, "'missed' is 'last', 'none', 'all' or 'all(max 10)', not '%s'", missed->s);
	if (given(overlap) && !cron_overlap(overlap->s, &o))
		ok = diag_error(s->d, overlap->at, "'overlap' is 'skip', 'queue' or 'cancel', not '%s'", overlap->s);
	if (given(jitter) && (!duration_parse(jitter->s, &ns, &bare) || (bare && ns)))
		ok = diag_error(s->d, jitter->at, "'jitter' is a duration such as 30s or 10m, not '%s'", jitter->s);
	return ok;
}

bool
croncheck_input(struct specset *s, const struct cron *c)
{
	bool ok = croncheck_expr(s, &c->spec);
	int64_t at;

	if (given(&c->start) && !cron_time(c->start.s, &at))
		ok = diag_error(s->d, c->start.at, "'start' is a time such as 2026-11-22T07:00:00Z, not '%s'", c->start.s);
	ok &= check_zone(s, &c->tz);
	return check_policies(s, &c->missed, &c->overlap, &c->jitter) && ok;
}

bool
croncheck_schedule(struct specset *s, const struct schedule *h)
{
	bool ok;

	if (!h)
		return true;
	ok = croncheck_expr(s, &h->spec);
	if (!given(&h->spec))
		ok = diag_error(s->d, h->at, "a schedule must specify a spec; write 'schedule: \"0 3 * * *\"' or 'schedule: {spec: \"0 3 * * *\", tz: Europe/Berlin}'");
	ok &= check_zone(s, &h->tz);
	return check_policies(s, &h->missed, &h->overlap, &h->jitter) && ok;
}
