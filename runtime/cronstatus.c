/* cronstatus.c: `dassie cron status`: whether this project's schedules work: is there an entry, does it call this dassie, is
 * there a cron to read it, did it call; and of each schedule, what came of the last tick and when the next one is. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cronnext.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/talk.h"
#include "croncmd.h"
#include "cronenv.h"
#include "cronself.h"
#include "crontab.h"
#include "cronwhen.h"
#include "ledger.h"
#include "respec.h"
#include "scheds.h"
#include "show.h"
#include "state.h"
#include "timers.h"
#include "usertab.h"

static const char usage[] =
    "usage: dassie cron status [--json]\n\n"
    "Whether this project is called: by the crontab or a systemd timer, whether their entry is as 'dassie cron install' would\n"
    "make it now, whether a cron daemon runs, and when it called last; then each schedule with its last time, what came of it, and\n"
    "its next time. Exit status 3 if the entry or cron is not in order.\n";

/* A call a minute: later than this and it is not coming. */
#define LATE_NS UINT64_C(150000000000)

enum entry_state { ENTRY_NONE, ENTRY_FITS, ENTRY_OTHER, ENTRY_OFF, ENTRY_UNKNOWN };

struct status {
	struct buf project, program, why;
	enum entry_state crontab, timer;
	enum usertab_daemon daemon;     /* of what calls */
	char name[32];
	uint64_t called, now;
	struct arena a;
	struct cronwhen when;
};

static enum entry_state
in_crontab(const struct status *s, struct buf *why)
{
	struct buf tab = BUF_INIT, found = BUF_INIT, block = BUF_INIT, after = BUF_INIT;
	struct crontab_found f = { .project = &found };
	enum entry_state state = ENTRY_NONE;
	struct err err = ERR_INIT;
	size_t pos = 0;
	int rc = usertab_read(&tab, &err);

	if (rc == -1) {
		state = ENTRY_UNKNOWN;
		buf_str(why, err.text);
	}
	while (rc == 1 && state == ENTRY_NONE && crontab_next(tab.s, tab.n, &pos, &f))
		if (strcmp(found.s, s->project.s) == 0)
			state = f.entry ? ENTRY_OTHER : ENTRY_OFF;
	if (state == ENTRY_OTHER && crontab_block(&block, s->project.s, s->program.s, &err) == 0 &&
	    !crontab_edit(&after, tab.s, tab.n, s->project.s, block.s))
		state = ENTRY_FITS;
	buf_release(&tab);
	buf_release(&found);
	buf_release(&block);
	buf_release(&after);
	return state;
}

static int
look(struct status *s, struct err *err)
{
	bool fits;

	if (state_find(NULL, err) < 0 || cronself_project(&s->project, err) < 0 || cronself_program(&s->program, err) < 0)
		return -1;
	s->now = time_now_ns();
	s->called = cronenv_called();
	s->crontab = in_crontab(s, &s->why);
	s->timer = timers_there(s->project.s, s->program.s, &fits) ? fits ? ENTRY_FITS : ENTRY_OTHER : ENTRY_NONE;
	if (s->timer != ENTRY_NONE) {
		s->daemon = timers_manager() ? DAEMON_RUNS : DAEMON_NONE;
		snprintf(s->name, sizeof s->name, "systemd");
	} else {
		s->daemon = usertab_daemon(s->name);
	}
	return 0;
}

static bool
installed(const struct status *s)
{
	return s->crontab != ENTRY_NONE || s->timer != ENTRY_NONE;
}

static bool
late(const struct status *s)
{
	return s->now > s->called && s->now - s->called > LATE_NS;
}

static bool
well(const struct status *s)
{
	return (s->crontab == ENTRY_FITS || s->timer == ENTRY_FITS) && s->daemon != DAEMON_NONE && (!s->called || !late(s));
}

static const char *
entry_word(const struct status *s)
{
	static const char *const word[] = { "none", "fits", "outdated", "off", "unknown" };

	return word[s->timer != ENTRY_NONE ? s->timer : s->crontab];
}

static void
row(struct buf *b, const char *what, bool good, const char *text)
{
	buf_fmt(b, "%s%-8s%s ", show_color(good ? SHOW_GREEN : SHOW_YELLOW), what, show_color(SHOW_PLAIN));
	show_name(b, text);
	buf_byte(b, '\n');
}

static void
print_entry(const struct status *s, struct buf *b)
{
	static const char *const crontab[] = {
		"none: 'dassie cron install' has the crontab call dassie every minute",
		"in the crontab, every minute",
		"in the crontab, but not as it would be made now (was dassie moved?): 'dassie cron install' mends it",
		"in the crontab, but somebody put a '#' before it or took its line out: 'dassie cron install' mends it",
	};
	static const char *const timer[] = { "", "a systemd timer, every minute",
		"a systemd timer, but not as it would be made now (was dassie moved?): 'dassie cron install --systemd' mends it" };

	if (s->timer != ENTRY_NONE)
		row(b, "entry", s->timer == ENTRY_FITS, timer[s->timer]);
	else if (s->crontab == ENTRY_UNKNOWN)
		row(b, "entry", false, s->why.s);
	else
		row(b, "entry", s->crontab == ENTRY_FITS, crontab[s->crontab]);
	if (s->timer != ENTRY_NONE && s->crontab != ENTRY_NONE && s->crontab != ENTRY_UNKNOWN)
		row(b, "", false, "and in the crontab too, which does no harm");
}

static void
print_daemon(const struct status *s, struct buf *b)
{
	struct buf text = BUF_INIT;

	if (s->daemon == DAEMON_RUNS)
		buf_fmt(&text, "%s runs", s->name);
	else if (s->daemon == DAEMON_UNKNOWN)
		buf_str(&text, "cannot be told: this machine hides the processes of others");
	else if (s->timer != ENTRY_NONE)
		buf_str(&text, "no systemd of this user runs now: loginctl enable-linger, or log in");
	else
		buf_fmt(&text, "no cron daemon runs: %s", usertab_start());
	row(b, "cron", s->daemon != DAEMON_NONE, text.s);
	buf_release(&text);
}

static void
print_called(const struct status *s, struct buf *b)
{
	struct buf text = BUF_INIT;

	if (s->called)
		show_ago(&text, s->called);
	else
		buf_str(&text, installed(s) ? "never yet: wait for the next full minute" : "never");
	if (s->called && installed(s) && late(s))
		buf_str(&text, ": but it should be every minute");
	row(b, "called", !installed(s) || !s->called || !late(s), text.s);
	if (access(FILE_CRON_LOG, F_OK) == 0)
		row(b, "log", true, FILE_CRON_LOG);
	buf_release(&text);
}

/* --- schedules --- */

/* The newest tick of the schedule that is no plan any more; NULL if there is none. */
static const struct ledger_tick *
last_of(const struct ledger_tick *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].schedule, name) == 0)
			return &v[i];
	return NULL;
}

static bool
next_of(const struct sched *s, int64_t now, int64_t *ret)
{
	struct cron_instant t;
	struct cron_walk w;

	sched_walk(&w, s, now);
	do
		if (!cron_walk_next(&w, &t))
			return false;
	while (t.how == CRON_DROPPED);
	*ret = t.at;
	return true;
}

static void
cell(struct table *t, const char *text)
{
	show_name(&t->cell, text);
	show_cell(t);
}

static void
cell_time(struct table *t, bool there, int64_t at)
{
	if (there)
		show_when(&t->cell, (uint64_t)at * 1000000000);
	else
		buf_byte(&t->cell, '-');
	show_cell(t);
}

/* Of what ran, how; else why not. */
static const char *
result(const struct ledger_tick *k)
{
	return !k ? "-" : *k->state ? k->state : k->decision;
}

static void
sched_row(struct table *t, const struct sched *s, const struct ledger_tick *k, int64_t now)
{
	int64_t next = 0;
	bool any = next_of(s, now, &next);

	cell(t, s->name);
	buf_str(&t->cell, s->spec);
	if (*s->tz)
		buf_fmt(&t->cell, " %s", s->tz);
	show_cell(t);
	cell_time(t, k != NULL, k ? k->at : 0);
	cell(t, result(k));
	if (s->paused)
		cell(t, "paused");
	else
		cell_time(t, any, next);
	show_row(t);
}

static void
sched_json(struct buf *b, const struct sched *s, const struct ledger_tick *k, int64_t now)
{
	int64_t next = 0;
	bool any = next_of(s, now, &next);

	json_open(b, NULL, '{');
	json_str(b, "schedule", s->name);
	json_str(b, "spec", s->spec);
	json_str(b, "tz", *s->tz ? s->tz : "UTC");
	json_time(b, "last", k ? (uint64_t)k->at * 1000000000 : 0);
	json_str(b, "decision", k ? k->decision : NULL);
	json_str(b, "state", k && *k->state ? k->state : NULL);
	json_time(b, "next", any ? (uint64_t)next * 1000000000 : 0);
	json_bool(b, "paused", s->paused);
	json_close(b, '}');
}

static int
print_scheds(const struct status *s, bool json, struct buf *b, struct err *err)
{
	static const char *const head[] = { "SCHEDULE", "SPEC", "LAST", "RESULT", "NEXT" };
	struct scheds scheds = SCHEDS_INIT;
	struct arena a = ARENA_INIT;
	struct table t = TABLE_INIT;
	struct ledger_tick *v = NULL;
	size_t n = 0;
	int rc = scheds_read(&scheds, err);
	int64_t now = (int64_t)(s->now / 1000000000);

	if (rc >= 0 && ledger_history(&a, NULL, 0, &v, &n, err) < 0)
		rc = -1;
	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		cell(&t, head[i]);
	show_row(&t);
	if (json)
		json_open(b, "schedules", '[');
	for (size_t i = 0; rc >= 0 && i < scheds.n; i++) {
		const struct ledger_tick *k = last_of(v, n, scheds.v[i].name);

		if (json)
			sched_json(b, &scheds.v[i], k, now);
		else
			sched_row(&t, &scheds.v[i], k, now);
	}
	if (json) {
		json_close(b, ']');
	} else if (rc >= 0 && scheds.n) {
		buf_byte(b, '\n');
		show_table(b, &t, "");
	} else if (rc >= 0) {
		row(b, "", false, "nothing here has a cron input or a schedule");
	}
	table_release(&t);
	arena_release(&a);
	scheds_release(&scheds);
	return rc < 0 ? -1 : 0;
}

static void
print_when(const struct status *s, struct buf *b)
{
	const struct cronwhen *w = &s->when;
	struct buf text = BUF_INIT;

	if (w->last) {
		buf_fmt(&text, "%s of %s: %s%s%s", w->last_at, w->last, w->decision, *w->state ? ", " : "", w->state);
		row(b, "last", strcmp(w->state, "failure") != 0, text.s);
	}
	buf_reset(&text);
	if (w->next)
		buf_fmt(&text, "%s of %s", w->next_at, w->next);
	row(b, "next", true, w->next ? text.s : "no pipeline has a time to come");
	buf_release(&text);
}

/* The object is left open for the schedules. */
static void
print_json(const struct status *s, struct buf *b)
{
	static const char *const daemon[] = { "none", "runs", "unknown" };

	json_open(b, NULL, '{');
	json_str(b, "project", s->project.s);
	json_str(b, "by", s->timer != ENTRY_NONE ? "systemd" : s->crontab != ENTRY_NONE ? "crontab" : NULL);
	json_str(b, "entry", entry_word(s));
	json_str(b, "daemon", daemon[s->daemon]);
	json_time(b, "called", s->called);
	json_open(b, "last", '{');
	json_str(b, "schedule", s->when.last);
	json_str(b, "at", s->when.last_at);
	json_str(b, "decision", s->when.decision);
	json_str(b, "state", s->when.last && *s->when.state ? s->when.state : NULL);
	json_close(b, '}');
	json_open(b, "next", '{');
	json_str(b, "schedule", s->when.next);
	json_str(b, "at", s->when.next_at);
	json_close(b, '}');
}

int
cron_status(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct status s = { .project = BUF_INIT };
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	bool json = false, good;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j')
			return show_usage(usage, c == 'h');
		json = true;
	}
	if (optind != argc)
		return show_usage(usage, false);
	if (look(&s, &err) < 0)
		return show_err(&err);
	good = respec() == EXIT_DONE;
	if (!good)
		talk("the spec cannot be compiled: until it can, the schedules are those of before");
	if (cronwhen(&s.when, &s.a, &err) < 0)
		return show_err(&err);
	good &= well(&s);
	if (json) {
		print_json(&s, &out);
	} else {
		print_entry(&s, &out);
		print_daemon(&s, &out);
		print_called(&s, &out);
		print_when(&s, &out);
	}
	if (print_scheds(&s, json, &out, &err) < 0) {
		show_err(&err);
		good = false;
	}
	if (json)
		buf_str(&out, "}\n");
	arena_release(&s.a);
	buf_release(&s.project);
	buf_release(&s.program);
	buf_release(&s.why);
	return show_out(&out, good ? EXIT_DONE : EXIT_WORLD);
}
