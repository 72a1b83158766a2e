/* croninstall.c: `dassie cron install | remove | list`: the entry that wakes dassie up, in the crontab or as a systemd timer. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/talk.h"
#include "croncmd.h"
#include "cronenv.h"
#include "crontab.h"
#include "cronself.h"
#include "respec.h"
#include "scheds.h"
#include "show.h"
#include "state.h"
#include "timers.h"
#include "usertab.h"

static const char install_usage[] =
    "usage: dassie cron install [--systemd] [--env NAME]… [--print]\n\n"
    "Puts one block for this project into your crontab, between marks of its own; every other line stays as it is. The block\n"
    "calls dassie every minute, and dassie decides what is due: a changed schedule needs no second installation. Repeating it\n"
    "changes nothing; after the project or dassie was moved it mends the entry.\n\n"
    "PATH, HOME, the language and the like are kept as they are now, in '" FILE_CRON_ENV "': the entry runs in them, in the\n"
    "project's folder. What is printed goes to '" FILE_CRON_LOG "', which does not grow without end; cron mails failures only.\n\n"
    "        --systemd   a systemd user timer instead of the crontab\n"
    "        --env NAME  keep this variable, too, as it is now (not for secrets: it stands in a file)\n"
    "        --print     only show the block\n";

static const char remove_usage[] =
    "usage: dassie cron remove [PROJECT]\n\n"
    "Takes this project's block out of the crontab, and its systemd timer away. PROJECT is a folder, as 'dassie cron list'\n"
    "prints it, that may be gone.\n";

static const char list_usage[] =
    "usage: dassie cron list [--json]\n\n"
    "The projects of yours that are called by cron or systemd, also those whose folder is gone.\n";

enum { ENV_MAX = 32 };

struct install {
	struct buf project, program, block, moved;
	const char *env[ENV_MAX]; size_t n_env;
	bool systemd, print;
};

static void
install_release(struct install *in)
{
	buf_release(&in->project);
	buf_release(&in->program);
	buf_release(&in->block);
	buf_release(&in->moved);
}

/* The folder was installed under another name, and nothing is there any more. */
static void
find_moved(struct install *in)
{
	struct cronenv e = CRONENV_INIT;
	struct err ignored = ERR_INIT;

	if (cronenv_read(&e, &ignored) == 1 && e.project && strcmp(e.project, in->project.s) && access(e.project, F_OK) < 0)
		buf_str(&in->moved, e.project);
	cronenv_release(&e);
}

/* An entry that never does anything is a mistake of somebody's. */
static int
check_schedules(struct err *err)
{
	struct scheds s = SCHEDS_INIT;
	int rc = respec() == EXIT_DONE ? scheds_read(&s, err) : err_set(err, 0, "the spec does not compile: nothing was changed");

	if (rc == 0)
		rc = err_set(err, 0, "nothing is compiled here: 'dassie compile' does");
	else if (rc == 1 && s.n == 0)
		rc = err_set(err, 0, "no pipeline here has a cron input or a schedule, so there is nothing to call dassie for: put "
		    "'schedule: \"0 3 * * *\"' into the spec and compile it");
	scheds_release(&s);
	return rc < 0 ? -1 : 0;
}

static int
prepare(struct install *in, struct err *err)
{
	if (state_find(NULL, err) < 0 || cronself_project(&in->project, err) < 0 || cronself_program(&in->program, err) < 0)
		return -1;
	if (check_schedules(err) < 0)
		return -1;
	find_moved(in);
	return in->systemd ? 0 : crontab_block(&in->block, in->project.s, in->program.s, err);
}

/* What stood there before, for a failure: nothing may have changed then. */
static int
write_environment(const struct install *in, struct buf *ret_old, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = cronenv_write(&b, in->project.s, in->program.s, in->env, in->n_env, err);

	if (rc == 0 && (fs_mkdirs(DIR_CRON, err) < 0 || fs_read(FILE_CRON_ENV, ret_old, err) < 0 ||
	    fs_replace_if_new(FILE_CRON_ENV, b.s, b.n, 0600, err) < 0))
		rc = -1;
	buf_release(&b);
	return rc;
}

static void
put_back(const struct buf *old)
{
	struct err ignored = ERR_INIT;

	if (old->n)
		fs_replace(FILE_CRON_ENV, old->s, old->n, 0600, &ignored);
	else if (unlink(FILE_CRON_ENV) == 0)
		rmdir(DIR_CRON);        /* only if it is empty */
}

/* One project is called by one of the two; the other's absence is no failure. */
static int
change(struct install *in, struct buf *note, struct err *err)
{
	struct err ignored = ERR_INIT;
	const char *moved = in->moved.n ? in->moved.s : NULL;
	int rc, other;

	if (in->systemd) {
		if ((rc = timers_install(in->project.s, in->program.s, note, err)) < 0)
			return rc;
		other = usertab_change(in->project.s, NULL, moved, &ignored);
		if (other == 1)
			talk("its block in the crontab is taken out");
	} else {
		if ((rc = usertab_change(in->project.s, in->block.s, moved, err)) < 0)
			return rc;
		other = timers_remove(in->project.s, &ignored);
		if (other == 1)
			talk("its systemd timer is taken away");
	}
	if (moved) {
		timers_remove(moved, &ignored);
		talk("the entry of '%s', which is this folder's former name, is replaced", moved);
	}
	return rc;
}

static void
tell_rest(const struct install *in, const struct buf *note)
{
	struct buf secrets = BUF_INIT;
	char name[32];

	if (note->n)
		talk("%s", note->s);
	if (!in->systemd && usertab_daemon(name) == DAEMON_NONE)
		talk("but no cron daemon runs on this machine, so nothing will fire until one does: %s", usertab_start());
	cronenv_secrets(&secrets);
	if (secrets.n)
		talk("%s: set here, but cron will not have it, because dassie keeps no secret: put it into ~/.aws/credentials", secrets.s);
	buf_release(&secrets);
}

static int
install(struct install *in, struct err *err)
{
	struct buf old = BUF_INIT, note = BUF_INIT;
	int rc = write_environment(in, &old, err);

	if (rc == 0 && (rc = change(in, &note, err)) < 0)
		put_back(&old);
	if (rc >= 0) {
		talk(rc ? "installed in %s: every minute, what is due in '%s' is run; 'dassie cron next' shows what, "
		    "'dassie cron status' whether it works" : "%s calls dassie in '%s' already: nothing to change",
		    in->systemd ? "a systemd timer" : "the crontab", in->project.s);
		tell_rest(in, &note);
	}
	buf_release(&old);
	buf_release(&note);
	return rc < 0 ? -1 : 0;
}

int
cron_install(int argc, char **argv)
{
	static const struct option options[] = { { "systemd", no_argument, NULL, 's' }, { "print", no_argument, NULL, 'p' },
		{ "env", required_argument, NULL, 'e' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct install in = { .project = BUF_INIT };
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h' || c == '?' || (c == 'e' && in.n_env == ENV_MAX))
			return show_usage(install_usage, c == 'h');
		in.systemd |= c == 's';
		in.print |= c == 'p';
		if (c == 'e')
			in.env[in.n_env++] = optarg;
	}
	if (optind != argc)
		return show_usage(install_usage, false);
	rc = prepare(&in, &err);
	if (rc == 0 && !in.print)
		rc = install(&in, &err);
	else if (rc == 0 && in.systemd)
		rc = timers_print(&out, in.project.s, in.program.s, &err);
	else if (rc == 0)
		buf_add(&out, in.block.s, in.block.n);
	install_release(&in);
	return rc < 0 ? show_err(&err) : show_out(&out, EXIT_DONE);
}

/* Of an argument, which may name what is gone; else this project's. */
static int
which_project(const char *arg, struct buf *ret, struct err *err)
{
	char *real;

	if (!arg)
		return state_find(NULL, err) < 0 ? -1 : cronself_project(ret, err);
	real = realpath(arg, NULL);
	buf_str(ret, real ? real : arg);
	free(real);
	while (ret->n > 1 && ret->s[ret->n - 1] == '/')
		ret->s[--ret->n] = '\0';
	return 0;
}

static int
remove_entry(const char *project, struct err *err)
{
	int timer = timers_remove(project, err), tab = usertab_change(project, NULL, NULL, err);

	/* Without crontab(1) there is no block in it, and who may not use it has a timer instead. */
	if (timer < 0 || (tab == -1 && timer == 0))
		return -1;
	if (tab <= 0 && timer == 0)
		talk("neither the crontab nor a systemd timer calls dassie in '%s': nothing to remove", project);
	else
		talk("removed from %s: nothing calls dassie in '%s' any more", tab == 1 ? "the crontab" : "systemd", project);
	return 0;
}

int
cron_remove(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct buf project = BUF_INIT, here = BUF_INIT;
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return show_usage(remove_usage, c == 'h');
	if (argc - optind > 1)
		return show_usage(remove_usage, false);
	rc = which_project(argv[optind], &project, &err);
	if (rc == 0)
		rc = remove_entry(project.s, &err);
	if (rc == 0 && chdir(project.s) == 0)
		unlink(FILE_CRON_ENV);
	buf_release(&project);
	buf_release(&here);
	return rc < 0 ? show_err(&err) : EXIT_DONE;
}

/* --- list ------------------------------------------------------------------------------------------------------- */

struct list {
	bool json;
	struct table t;
	struct buf out;
	size_t n;
};

static const char *
state_of(const char *project, bool fires)
{
	struct stat st;

	if (chdir(project) < 0)
		return errno == ENOENT || errno == ENOTDIR ? "gone" : "cannot be entered";
	if (stat(DIR_STATE, &st) < 0)
		return "no project";
	return fires ? "ok" : "off";
}

static void
list_one(struct list *l, const char *project, const char *by, bool fires)
{
	const char *state = state_of(project, fires);
	uint64_t called = state[0] == 'o' ? cronenv_called() : 0;

	l->n++;
	if (l->json) {
		json_open(&l->out, NULL, '{');
		json_str(&l->out, "project", project);
		json_str(&l->out, "by", by);
		json_str(&l->out, "state", state);
		json_time(&l->out, "called", called);
		json_close(&l->out, '}');
		buf_byte(&l->out, '\n');
		return;
	}
	show_name(&l->t.cell, project);
	show_cell(&l->t);
	buf_str(&l->t.cell, by);
	show_cell(&l->t);
	buf_str(&l->t.cell, state);
	show_cell(&l->t);
	if (called)
		show_ago(&l->t.cell, called);
	else
		buf_byte(&l->t.cell, '-');
	show_cell(&l->t);
	show_row(&l->t);
}

static int
list_timer(const char *project, void *ctx, struct err *err)
{
	(void)err;
	list_one(ctx, project, "systemd", true);
	return 0;
}

/* A crontab that cannot be read is told; what systemd has is listed all the same. */
static int
list_all(struct list *l, struct err *err)
{
	struct buf tab = BUF_INIT, project = BUF_INIT;
	struct crontab_found f = { .project = &project };
	size_t pos = 0;
	int rc = usertab_read(&tab, err);

	while (rc == 1 && crontab_next(tab.s, tab.n, &pos, &f))
		list_one(l, project.s, "crontab", f.entry != NULL);
	if (rc == -1)
		talk_err(err);
	if (timers_each(list_timer, l, err) < 0)
		rc = talk_err(err);
	buf_release(&tab);
	buf_release(&project);
	return rc;
}

int
cron_list(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct list l = { .t = TABLE_INIT };
	struct err err = ERR_INIT;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j')
			return show_usage(list_usage, c == 'h');
		l.json = true;
	}
	if (optind != argc)
		return show_usage(list_usage, false);
	for (const char *const *h = (const char *const[]){ "PROJECT", "BY", "STATE", "CALLED", NULL }; !l.json && *h; h++) {
		buf_str(&l.t.cell, *h);
		show_cell(&l.t);
	}
	if (!l.json)
		show_row(&l.t);
	c = list_all(&l, &err) == -1 && !l.n ? EXIT_WORLD : EXIT_DONE;
	if (!l.json && l.n)
		show_table(&l.out, &l.t, "");
	if (!l.json && !l.n && c == EXIT_DONE)
		talk("no project of yours is called by cron or systemd; 'dassie cron install' in a project's folder does that");
	table_release(&l.t);
	return show_out(&l.out, c);
}
