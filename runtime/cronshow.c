/* cronshow.c: `dassie cron next` and `dassie cron history`: what will be, and what was decided. Nothing is changed by looking. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cronnext.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/talk.h"
#include "croncmd.h"
#include "ledger.h"
#include "respec.h"
#include "scheds.h"
#include "show.h"
#include "state.h"

static const char next_usage[] =
    "usage: dassie cron next [-n N] [--from TIME] [--until TIME] [--json] [PIPELINE]\n\n"
    "Tells when the schedules of the pipeline, or of all, are to run next: by the clocks of their time zone, with the offset from\n"
    "UTC, and in UTC. What a change of the clocks moves, leaves out or brings twice is marked.\n\n"
    "    -n N          so many times (20; with --until all)\n"
    "    --from TIME   from this time on (2026-11-22T07:00:00Z; now, if none is given)\n"
    "    --until TIME  up to this time\n"
    "    --json        one object a line\n";

static const char history_usage[] =
    "usage: dassie cron history [-n N] [--json] [PIPELINE]\n\n"
    "Tells what was decided of the times of the schedules, newest first: ran (and how that ended), skipped because the run before\n"
    "was under way, missed because nobody was there, paused, or in a gap of the clocks.\n\n"
    "    -n N      so many (50; 0: all)\n"
    "    --json    one object a line\n";

struct ask {
	const char *pipeline;
	uint64_t n;
	bool n_given, json;
	int64_t from, until;
};

/* Of several walks the one with the earliest next instant: a heap. */
struct line { const struct sched *s; struct cron_walk w; struct cron_instant t; };

static bool
before(const struct line *a, const struct line *b)
{
	return a->t.at != b->t.at ? a->t.at < b->t.at : strcmp(a->s->name, b->s->name) < 0;
}

static void
sink(struct line **v, size_t n, size_t i)
{
	for (;;) {
		size_t least = i, kid = 2 * i + 1;
		struct line *x = v[i];

		for (size_t k = kid; k < n && k < kid + 2; k++)
			if (before(v[k], v[least]))
				least = k;
		if (least == i)
			return;
		v[i] = v[least];
		v[least] = x;
		i = least;
	}
}

static void
offset_text(char ret[16], int32_t offset)
{
	int32_t a = offset < 0 ? -offset : offset;

	if (a % 60)
		snprintf(ret, 16, "%c%02d:%02d:%02d", offset < 0 ? '-' : '+', a / 3600, a / 60 % 60, a % 60);
	else
		snprintf(ret, 16, "%c%02d:%02d", offset < 0 ? '-' : '+', a / 3600, a / 60 % 60);
}

static void
note(struct buf *b, const struct line *l)
{
	size_t before = b->n;
	static const char *const text[] = { "", "is skipped by the clocks: runs at once after the change", "comes twice: runs once",
		"comes for the second time", "is skipped by the clocks: does not run" };
	char iso[32];

	if (l->t.how != CRON_PLAIN) {
		cron_time_text(iso, l->t.asked);
		buf_fmt(b, "%.5s %s", iso + 11, text[l->t.how]);
	}
	if (l->s->paused)
		buf_str(b, b->n > before ? "; paused" : "paused");
}

static const char *
zone_name(const struct line *l)
{
	return l->s->zone->span[zone_at(l->s->zone, l->t.how == CRON_DROPPED ? l->t.at - 86400 : l->t.at)].name;
}

static void
put_subject(struct buf *b, const char *name)
{
	const char *slash = strchr(name, '/');
	char pipeline[128];

	snprintf(pipeline, sizeof pipeline, "%.*s", slash ? (int)(slash - name) : 127, name);
	json_str(b, "schedule", name);
	json_str(b, "pipeline", strcmp(name, "*") ? pipeline : NULL);
	json_str(b, "input", slash ? slash + 1 : NULL);
}

static void
next_json(struct buf *b, const struct line *l)
{
	static const char *const how[] = { "plain", "moved", "once", "again", "dropped" };
	char at[32], local[64], offset[16], asked[32];

	cron_time_text(at, l->t.at);
	offset_text(offset, l->t.offset);
	cron_time_text(local, l->t.at + l->t.offset);
	snprintf(local + 19, sizeof local - 19, "%s", offset);
	cron_time_text(asked, l->t.asked);
	asked[19] = '\0';
	json_open(b, NULL, '{');
	put_subject(b, l->s->name);
	json_str(b, "at", at);
	json_str(b, "local", local);
	json_str(b, "zone", l->s->zone->id);
	json_str(b, "abbreviation", zone_name(l));
	json_i64(b, "offset", l->t.offset);
	json_str(b, "asked", asked);
	json_str(b, "how", how[l->t.how]);
	json_bool(b, "paused", l->s->paused);
	json_i64(b, "delay", l->s->delay);
	json_close(b, '}');
	buf_byte(b, '\n');
}

static void
pad(struct buf *b, const char *s, size_t width)
{
	size_t n = strlen(s);

	buf_str(b, s);
	for (; n < width; n++)
		buf_byte(b, ' ');
	buf_str(b, "  ");
}

/* Not by show_table(), which holds all rows: there may be a year of them. */
static void
next_row(struct buf *b, const struct line *l, size_t width)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	int64_t local = l->t.at + l->t.offset, day = local / 86400 - (local % 86400 < 0);
	char text[32], offset[32];
	size_t before;

	cron_time_text(text, local);
	buf_add(b, days + 3 * cron_weekday(day), 3);
	buf_byte(b, ' ');
	buf_add(b, text, 10);
	buf_byte(b, ' ');
	buf_add(b, text + 11, 8);
	buf_str(b, "  ");
	offset_text(offset, l->t.offset);
	buf_str(b, offset);
	buf_byte(b, ' ');
	pad(b, zone_name(l), 5);
	cron_time_text(text, l->t.at);
	buf_add(b, text, 10);
	buf_byte(b, ' ');
	buf_add(b, text + 11, 9);
	buf_str(b, "  ");
	before = b->n;
	pad(b, l->s->name, width);
	note(b, l);
	while (b->n > before && b->s[b->n - 1] == ' ')
		b->n--;
	buf_byte(b, '\n');
}

static bool
is_asked(const struct ask *q, const struct sched *s)
{
	return !q->pipeline || (s->pipeline && !strcmp(s->pipeline, q->pipeline));
}

/* What there is to say where no time is to come. */
static void
tell_none(const struct scheds *s, const struct ask *q)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_asked(q, &s->v[i]))
			talk("%s: '%s' has no time to come%s", s->v[i].name, s->v[i].spec,
			    s->v[i].expr.kind == CRON_NEVER ? "; 'dassie tick' makes it tick" : "");
	if (q->pipeline && s->n)
		return;
	if (!s->n)
		talk("no pipeline has a cron input or a schedule");
}

static int
print_next(const struct scheds *s, const struct ask *q)
{
	struct line *all = xcalloc(s->n + 1, sizeof *all), **v = xcalloc(s->n + 1, sizeof *v);
	struct buf b = BUF_INIT;
	size_t n = 0, width = 0;
	uint64_t told = 0;
	int rc = EXIT_DONE;

	for (size_t i = 0; i < s->n; i++) {
		if (!is_asked(q, &s->v[i]))
			continue;
		if (strlen(s->v[i].name) > width)
			width = strlen(s->v[i].name);
		all[n].s = &s->v[i];
		sched_walk(&all[n].w, &s->v[i], q->from);
		v[n] = &all[n];
		n += cron_walk_next(&all[n].w, &all[n].t);
	}
	for (size_t i = n; i-- > 0; )
		sink(v, n, i);
	if (n == 0)
		tell_none(s, q);
	while (n && rc == EXIT_DONE && (!q->n || told < q->n) && v[0]->t.at <= q->until) {
		if (q->json)
			next_json(&b, v[0]);
		else
			next_row(&b, v[0], width);
		if (b.n > 65536)
			rc = show_out(&b, EXIT_DONE);
		told += v[0]->t.how != CRON_DROPPED;
		if (!cron_walk_next(&v[0]->w, &v[0]->t))
			v[0] = v[--n];
		sink(v, n, 0);
	}
	free(all);
	free(v);
	return show_out(&b, rc);
}

/* A pipeline's name is one of the index. */
static int
check_pipeline(const struct scheds *s, const char *name)
{
	if (!name || index_find(&s->x, name))
		return 0;
	talk("there is no pipeline '%s'; 'dassie cron next' lists what has a schedule", name);
	return -1;
}

static int
time_option(const char *text, int64_t *ret)
{
	if (cron_time(text, ret))
		return 0;
	talk("'%s' is no time: write 2026-11-22T07:00:00Z", text);
	return -1;
}

static int
options(struct ask *q, int argc, char **argv, const char *usage, int *ret)
{
	static const struct option list[] = { { "json", no_argument, NULL, 'j' }, { "from", required_argument, NULL, 'f' },
		{ "until", required_argument, NULL, 'u' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	bool until = false;
	char *end;
	int c;

	*ret = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "n:h", list, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return *ret = show_usage(usage, c == 'h'), -1;
		q->json |= c == 'j';
		if (c == 'n') {
			q->n = strtoull(optarg, &end, 10);
			q->n_given = true;
			if (*end || end == optarg || *optarg == '-')
				return talk("'-n %s' is no number", optarg), -1;
		}
		if ((c == 'f' && time_option(optarg, &q->from) < 0) || (c == 'u' && time_option(optarg, &q->until) < 0))
			return -1;
		if (c == 'f')
			q->from--;
		until |= c == 'u';
	}
	if (until && !q->n_given)
		q->n = 0;
	if (optind < argc)
		q->pipeline = argv[optind++];
	return optind < argc ? *ret = show_usage(usage, false), -1 : 0;
}

int
cron_next(int argc, char **argv)
{
	struct ask q = { .n = 20, .from = (int64_t)(time_now_ns() / 1000000000), .until = INT64_MAX };
	struct scheds s = SCHEDS_INIT;
	struct err err = ERR_INIT;
	int rc;

	if (options(&q, argc, argv, next_usage, &rc) < 0)
		return rc;
	if (state_find(NULL, &err) < 0)
		return talk_err(&err);
	if ((rc = respec()) != EXIT_DONE)
		return rc;
	if ((rc = scheds_read(&s, &err)) < 0)
		return talk_err(&err);
	if (rc == 0)
		talk("nothing is compiled here: 'dassie compile' does");
	rc = rc == 0 ? EXIT_WORLD : check_pipeline(&s, q.pipeline) < 0 ? EXIT_USAGE : print_next(&s, &q);
	if (rc == EXIT_DONE && s.bad)
		rc = EXIT_WORLD;
	scheds_release(&s);
	return rc;
}

/* History. */

static const char *
decision_text(const struct ledger_tick *t)
{
	if (!strcmp(t->decision, "overlap"))
		return "skipped: overlap";
	return strcmp(t->decision, "gap") == 0 ? "in gap" : t->decision;
}

static void
history_row(struct table *t, const struct ledger_tick *k)
{
	char at[32];

	cron_time_text(at, k->at);
	buf_fmt(&t->cell, "%.10s %.9s", at, at + 11);
	show_cell(t);
	buf_str(&t->cell, k->schedule);
	show_cell(t);
	buf_str(&t->cell, decision_text(k));
	if (k->many > 1)
		buf_fmt(&t->cell, " (%lld times from then on)", (long long)k->many);
	show_cell(t);
	buf_str(&t->cell, *k->state ? k->state : "-");
	if (k->ended > k->began && k->began) {
		buf_str(&t->cell, " in ");
		show_span(&t->cell, k->ended - k->began);
	}
	show_cell(t);
	buf_str(&t->cell, !strcmp(k->cause, "cron") ? "decided " : !strcmp(k->cause, "hand") ? "by hand " : "backfill ");
	show_when(&t->cell, k->decided);
	show_cell(t);
	buf_str(&t->cell, k->run);
	show_cell(t);
	show_row(t);
}

static void
history_json(struct buf *b, const struct ledger_tick *k)
{
	bool skipped = !strcmp(k->decision, "overlap");
	char at[32];

	cron_time_text(at, k->at);
	json_open(b, NULL, '{');
	put_subject(b, k->schedule);
	json_str(b, "at", at);
	json_str(b, "decision", skipped ? "skipped" : k->decision);
	json_str(b, "reason", skipped ? "overlap" : NULL);
	json_str(b, "cause", k->cause);
	json_i64(b, "many", k->many);
	json_time(b, "decided", k->decided);
	json_str(b, "state", *k->state ? k->state : NULL);
	json_str(b, "run", *k->run ? k->run : NULL);
	json_time(b, "started", k->began);
	json_time(b, "finished", k->ended);
	json_close(b, '}');
	buf_byte(b, '\n');
}

int
cron_history(int argc, char **argv)
{
	struct ask q = { .n = 50 };
	struct arena a = ARENA_INIT;
	struct table t = TABLE_INIT;
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct ledger_tick *v;
	size_t n;
	int rc;

	if (options(&q, argc, argv, history_usage, &rc) < 0)
		return rc;
	if (state_find(NULL, &err) < 0 || ledger_history(&a, q.pipeline, q.n, &v, &n, &err) < 0) {
		arena_release(&a);
		return talk_err(&err);
	}
	for (size_t i = 0; i < n; i++) {
		if (q.json)
			history_json(&b, &v[i]);
		else
			history_row(&t, &v[i]);
	}
	if (!q.json)
		show_table(&b, &t, "");
	if (n == 0)
		talk("nothing was decided yet%s%s", q.pipeline ? " of " : "", q.pipeline ? q.pipeline : "");
	table_release(&t);
	arena_release(&a);
	return show_out(&b, EXIT_DONE);
}
