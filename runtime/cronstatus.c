/* cronstatus.c: `dassie cron status`: whether this project's schedules work: is there an entry, does it call this dassie, is
 * there a cron to read it, did it call. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "croncmd.h"
#include "cronenv.h"
#include "cronself.h"
#include "crontab.h"
#include "cronwhen.h"
#include "show.h"
#include "state.h"
#include "timers.h"
#include "usertab.h"

static const char usage[] =
    "usage: dassie cron status [--json]\n\n"
    "Whether this project is called: by the crontab or a systemd timer, whether their entry is as 'dassie cron install' would\n"
    "make it now, whether a cron daemon runs, and when it called last. Exit status 3 if something of that is not in order.\n"
    "Then what was decided last of a schedule's time, and which one is next.\n";

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
	json_close(b, '}');
	buf_byte(b, '\n');
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
	if (look(&s, &err) < 0 || cronwhen(&s.when, &s.a, &err) < 0)
		return show_err(&err);
	good = well(&s);
	if (json) {
		print_json(&s, &out);
	} else {
		print_entry(&s, &out);
		print_daemon(&s, &out);
		print_called(&s, &out);
		print_when(&s, &out);
	}
	arena_release(&s.a);
	buf_release(&s.project);
	buf_release(&s.program);
	buf_release(&s.why);
	return show_out(&out, good ? EXIT_DONE : EXIT_WORLD);
}
