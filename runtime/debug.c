/* debug.c: `dassie debug PIPELINE DATUM`: a shell where the datum's command would be: the view that the runner makes, the same
 * environment, the project's folder.  What it shows is planned anew from the last scan, so that it is there for every datum,
 * failed or not; a datum that is no more is looked up in the plan of the newest failed job.
 *
 * The view lies in .dassie/debug/PID, not in .dassie/work: nobody has to wait for a shell that stays open, no lock is held
 * meanwhile, and what is written to $out can never be taken for a result. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/forced.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "asuser.h"
#include "child.h"
#include "container.h"
#include "environ.h"
#include "failure.h"
#include "known.h"
#include "pfs.h"
#include "secretmount.h"
#include "secrets.h"
#include "show.h"
#include "snapshot.h"
#include "state.h"
#include "strict.h"
#include "verbs.h"
#include "view.h"
#include "visible.h"

static const char usage[] =
"usage: dassie debug PIPELINE DATUM [-- COMMAND…]\n\n"
"A shell in the datum's exact environment and view: its inputs below $PFS, its variables, the\n"
"project's folder. DATUM is the beginning of its key, its name as failures and 'dassie datums'\n"
"print it (books:/hamlet.txt), or an input file. What is written to $out is thrown away at the\n"
"end; results are never touched.\n\n"
"    -- COMMAND…    run this instead of a shell; its exit status is the answer\n";

enum { MIN_DIGITS = 4, NAMED = 5, SIGNALLED = 128 };

struct debug {
	const char *pipeline, *text;
	char **command;             /* NULL: a shell */
	char *project;
	char folder[LAYOUT_MAX];    /* of the view */
	char suffix[40];            /* of the plan that is made for us */
	struct recfile file;
	struct plan_head head;
	struct plan_datum datum;
	struct view view;
	struct pfs pfs;
	struct environ env;
	struct secrets secrets;
	struct asuser as;
	struct container container;
};

static bool
is_key(const char *text, const struct oid *key)
{
	char hex[OID_HEX + 1];
	size_t n = strlen(text);

	oid_hex(key, hex);
	return n >= MIN_DIGITS && n <= OID_HEX && strncmp(hex, text, n) == 0;
}

/* By key, by name, or by one of its files: as the repo or as the project has it. */
static bool
is_meant(const struct debug *g, const struct plan_head *h, const struct plan_datum *d)
{
	const char *text = g->text;
	bool meant = is_key(text, &d->key) || strcmp(d->label, text) == 0;

	for (size_t i = 0; !meant && i < d->n_match; i++) {
		const struct plan_input *in = &h->input[d->match[i].input];
		const char *path = d->match[i].path;
		size_t n = strlen(in->dir);

		meant = strcmp(text, "/") == 0 ? !path[0] : path[0] && (strcmp(path, text[0] == '/' ? text + 1 : text) == 0 ||
		    (strncmp(text, in->dir, n) == 0 && text[n] == '/' && strcmp(text + n + 1, path) == 0));
	}
	return meant;
}

/* 1 the one datum that is meant stands at *ret_at, 0 none, -1 several or an error. */
static int
find_in(const struct debug *g, const char *plan, size_t *ret_at, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct plan_head h = PLAN_HEAD_INIT;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct buf names = BUF_INIT;
	size_t n = 0;
	int rc = recfile_open(&f, plan, "plan", 1, err);

	if (rc == 1)
		rc = plan_head_read(&h, &f, err) < 0 ? -1 : 1;
	for (size_t at = f.pos; rc == 1 && (rc = plan_datum_read(&d, &f, err)) == 1; at = f.pos)
		if (is_meant(g, &h, &d)) {
			*ret_at = at;
			if (n++ < NAMED) {
				buf_str(&names, n > 1 ? ", " : "");
				visible_str(&names, d.label);
			}
		}
	if (rc == 0 && n > 1)
		rc = err_set(err, SHOW_USAGE, "'%s' means %zu datums of '%s': %s%s; give the beginning of a key", g->text, n, g->pipeline,
		    names.s, n > NAMED ? ", …" : "");
	plan_datum_release(&d);
	plan_head_release(&h);
	recfile_release(&f);
	buf_release(&names);
	return rc < 0 ? -1 : n == 1;
}

/* As make does it at its start: so that what was edited a moment ago is what is shown. */
static int
scan(struct err *err)
{
	struct index x = INDEX_INIT;
	char program[PATH_MAX];
	const char *make = getenv("MAKE") ? getenv("MAKE") : GNU_MAKE;
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	int rc;

	if (n > 0) {
		program[n] = '\0';
		setenv("DASSIE", program, 0);
	}
	unsetenv("MAKEFLAGS");
	rc = index_read(&x, err);
	if (rc == 0)
		rc = err_set(err, SHOW_USAGE, "nothing is compiled here yet: 'dassie compile', then 'make'");
	else if (rc == 1)
		rc = child_run((const char *const[]){ make, "-s", "-f", x.makefile, FILE_SCANMK, NULL }, -1, err);
	index_release(&x);
	return rc;
}

/* Every datum of the pipeline, as of now, in a plan of our own. 0, > 0 an exit status, -1. */
static int
plan_all(struct debug *g, struct err *err)
{
	struct conf c = CONF_INIT;
	struct open_job open = OPEN_JOB_INIT;
	struct snapshot snap;
	char program[PATH_MAX], from[80], path[LAYOUT_MAX], open_suffix[48];
	int rc;

	open.pipeline = g->pipeline;
	open.run = "debug";
	open.job = arena_str(&open.arena, g->suffix);
	snprintf(open_suffix, sizeof open_suffix, "%s.open", g->suffix);
	snprintf(from, sizeof from, "--open=%s", open_suffix);
	rc = conf_read(&c, g->pipeline, err) < 0 || forced_conf(&c, err) < 0 || snapshot_take(&snap, &c, &open, err) < 0 ? -1 : 0;
	if (rc == 0 && snap.waits_for)
		rc = err_set(err, SHOW_USAGE, "input '%s' has no commit yet: 'make %s' makes it", snap.waits_for, snap.waits_for);
	if (rc == 0 && snap.current)
		rc = snapshot_code(&open, err);
	if (rc == 0)
		rc = open_job_write_as(&open, open_suffix, err);
	if (rc == 0)
		rc = child_run((const char *const[]){ state_helper("dassie-compile", program, sizeof program), "plan", g->pipeline, from,
		    "--all", NULL }, -1, err);
	unlink(layout_plan(path, g->pipeline, open_suffix));
	open_job_release(&open);
	conf_release(&c);
	return rc;
}

static int
load(struct debug *g, const char *plan, size_t at, struct err *err)
{
	if (recfile_open(&g->file, plan, "plan", 1, err) != 1 || plan_head_read(&g->head, &g->file, err) < 0)
		return -1;
	recfile_seek(&g->file, at);
	return plan_datum_read(&g->datum, &g->file, err) == 1 ? 0 : -1;
}

/* In the plan of all, else in that of the newest job that failed. 1, 0, -1; > 1: an exit status, and one. */
static int
find(struct debug *g, struct err *err)
{
	struct open_job failed = OPEN_JOB_INIT;
	struct err unread = ERR_INIT;
	char plan[LAYOUT_MAX];
	size_t at = 0;
	int rc = plan_all(g, err), found;

	if (rc != 0)
		return rc < 0 ? -1 : rc + 1;
	found = find_in(g, layout_plan(plan, g->pipeline, g->suffix), &at, err);
	if (found == 1)
		found = load(g, plan, at, err) < 0 ? -1 : 1;
	unlink(plan);
	if (found == 0 && open_job_read_as(&failed, g->pipeline, "failed", &unread) == 1 &&
	    (found = find_in(g, layout_plan(plan, g->pipeline, failed.job), &at, err)) == 1)
		found = load(g, plan, at, err) < 0 ? -1 : 1;
	open_job_release(&failed);
	return found;
}

/* What was left by debuggers that were killed. */
static void
sweep(void)
{
	DIR *d = opendir(DIR_DEBUG);
	struct dirent *e;
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];

	while (d && (e = readdir(d))) {
		long pid = strtol(e->d_name, NULL, 10);

		if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH || strlen(e->d_name) > 32)
			continue;
		snprintf(path, sizeof path, "%s/%.32s", DIR_DEBUG, e->d_name);
		fs_remove_tree(path, &ignored);
	}
	if (d)
		closedir(d);
}

static int
make_view(struct debug *g, struct err *err)
{
	const char *told = getenv("DASSIE_PFS");
	struct fault fault = FAULT_INIT;
	int rc;

	sweep();
	if (mkdir(DIR_DEBUG, 0700) < 0 && errno != EEXIST)
		return err_set(err, errno, "cannot make '%s':", DIR_DEBUG);
	snprintf(g->folder, sizeof g->folder, "%s/%ld", DIR_DEBUG, (long)getpid());
	view_init(&g->view, &g->head, g->project);
	g->view.folder = g->folder;
	if (secrets_load(&g->secrets, &g->head.secrets, err) < 0 || container_init(&g->container, &g->head, g->project, err) < 0)
		return -1;
	if (g->container.image) {
		g->view.in_image = true;
	} else if (told ? strcmp(told, "1") == 0 : pfs_possible(g->project)) {
		g->view.pfs = &g->pfs;
		g->pfs.tmp_at = strict_wanted(&g->head) ? STRICT_TMP : NULL;
		if (pfs_enter(g->project, err) < 0 || secretmount(&g->secrets, &g->head.secrets, g->project, geteuid(), getegid(), err) < 0)
			return -1;
		if (g->pfs.tmp_at && strict_enter(&g->head, g->project, err) < 0)
			return -1;
	} else if (strict_wanted(&g->head)) {
		return strict_refuse(g->pipeline, err);
	} else if (secretmount_wanted(&g->head.secrets)) {
		return secretmount_refuse(&g->head.secrets, err);
	}
	environ_init(&g->env, &g->head, g->project, &g->as);
	environ_secrets(&g->env, &g->head, &g->secrets);
	rc = view_make(&g->view, &g->datum, &fault, err);
	if (rc == 1)
		rc = err_set(err, 0, "datum %s cannot be shown as it was: %s", g->datum.label, fault.text);
	return rc;
}

static void
tell(const struct debug *g)
{
	struct buf b = BUF_INIT;
	char hex[OID_HEX + 1];

	oid_hex(&g->datum.key, hex);
	buf_fmt(&b, "dassie: %s: datum ", g->pipeline);
	visible_str(&b, g->datum.label);
	buf_fmt(&b, ", key %.*s, as its command sees it\n", SHORT_HEX, hex);
	if (!g->view.pfs && !g->container.image)
		buf_fmt(&b, "  there is no /pfs of its own on this machine: its inputs are in %s\n", view_root(&g->view));
	buf_fmt(&b, "  the step    sh %s\n", g->head.script);
	if (g->container.image)
		buf_fmt(&b, "  its image   %s, by %s\n", g->head.image, g->head.runtime);
	for (size_t i = 0; i < g->head.n_input; i++)
		buf_fmt(&b, "  input       %s/%s\n", view_root(&g->view), g->head.input[i].name);
	buf_fmt(&b, "  output      %s/out: thrown away when you leave; results are not touched\n  leave       exit, or ^D\n",
	    view_root(&g->view));
	talk_raw(b.s, b.n);
	buf_release(&b);
}

/* How long the head of a step is: what it sets up (umask, folder, variables; see compiler/step.c) before it does anything. */
static size_t
head_of_step(const char *s, bool in_image)
{
	static const char *const word[] = { "#", "umask ", "CDPATH='' cd -- ", "export ", "set -- \"$@\" " };
	size_t n = sizeof word / sizeof *word - !in_image;
	const char *p = s;

	while (*p) {
		bool quoted = false, head = false;

		for (size_t i = 0; i < n; i++)
			head |= strncmp(p, word[i], strlen(word[i])) == 0;
		if (!head)
			break;
		/* A value may have lines of its own. */
		for (bool comment = *p == '#'; *p && (*p != '\n' || quoted); p++)
			if (*p == '\\' && !quoted && !comment && p[1])
				p++;        /* a quote that is meant */
			else
				quoted ^= *p == '\'' && !comment;
		p += *p == '\n';
	}
	return (size_t)(p - s);
}

static void
add_quoted(struct buf *b, const char *word)
{
	buf_str(b, " '");
	for (; *word; word++)
		buf_str(b, *word == '\'' ? "'\\''" : (char[]){ *word, '\0' });
	buf_byte(b, '\'');
}

/* The same for a step in an image: what begins its container, and another command in it. */
static _Noreturn void
become_contained(struct debug *g, char **env)
{
	static const char *const shell[] = { "sh", NULL };
	const char *const *command = g->command ? (const char *const *)g->command : shell, *const *words = NULL;
	struct buf step = BUF_INIT, text = BUF_INIT;
	struct err err = ERR_INIT;
	const char **argv;
	size_t n = 0;

	if (container_words(&g->container, &g->view, env, 0, isatty(STDIN_FILENO) && isatty(STDOUT_FILENO), &words, &env, &err) < 0)
		_exit(talk_err(&err));
	if (fs_read(g->head.script, &step, &err) == 1)
		buf_add(&text, step.s, head_of_step(step.s, true));
	if (!g->container.apptainer)
		buf_str(&text, "set -- \"$@\" --entrypoint=\n");
	buf_str(&text, "exec \"$@\" \"$DASSIE_IMAGE\"");
	for (; *command; command++)
		add_quoted(&text, *command);
	while (words[n])
		n++;
	argv = xcalloc(n + 5, sizeof *argv);
	memcpy(argv, (const char *const[]){ "/bin/sh", "-c", text.s, g->head.script }, 4 * sizeof *argv);
	memcpy(argv + 4, words, n * sizeof *argv);
	environ = env;
	execv(argv[0], (char *const *)argv);
	talk("cannot start '%s': %s", argv[0], strerror(errno));
	_exit(127);
}

/* The step's own head, then the command in its place.  A shell reads no file of its own, which could change the environment;
 * a person's terminal and a prompt are added. */
static _Noreturn void
become(struct debug *g, char **env)
{
	const char *term = getenv("TERM"), *bash[] = { "/bin/bash", "--norc", "--noprofile", "-i" }, *sh[] = { "/bin/sh", "-i" };
	bool have_bash = access(bash[0], X_OK) == 0;
	const char *const *command = g->command ? (const char *const *)g->command : have_bash ? bash : sh;
	size_t n = have_bash ? 4 : 2, at = 0;
	struct buf step = BUF_INIT, text = BUF_INIT, prompt = BUF_INIT;
	struct err err = ERR_INIT;
	const char **argv;

	for (n = g->command ? 0 : n; g->command && g->command[n]; n++)
		;
	argv = xcalloc(n + 6, sizeof *argv);
	if (fs_read(g->head.script, &step, &err) == 1)
		buf_add(&text, step.s, head_of_step(step.s, false));
	buf_str(&text, "exec \"$@\"");
	argv[at++] = "/bin/sh";
	argv[at++] = "-c";
	argv[at++] = text.s;
	argv[at++] = g->head.script;
	for (size_t i = 0; i < n; i++)
		argv[at++] = command[i];
	environ = env;
	if (!g->command) {
		buf_fmt(&prompt, "%s \\w \\$ ", g->pipeline);
		setenv("PS1", prompt.s, 1);
		if (term)
			setenv("TERM", term, 1);
	}
	umask(022);
	execv(argv[0], (char *const *)argv);
	talk("cannot start '%s': %s", argv[0], strerror(errno));
	_exit(127);
}

static int
run(struct debug *g, struct err *err)
{
	char **env = environ_of(&g->env, &g->head, &g->datum, &g->view);
	struct fault fault = FAULT_INIT;
	struct err gone = ERR_INIT;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0 && g->container.image)
		become_contained(g, env);
	if (pid == 0)
		become(g, env);
	if (pid < 0)
		return err_set(err, errno, "fork:");
	/* ^C is the shell's business. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "waitpid:");
	container_end(&g->container, &g->view, WIFSIGNALED(status));
	if (view_check(&g->view, &fault, &gone) == 1)
		talk("%s: datum %s: %s%s", g->pipeline, g->datum.label, fault.text, strcmp(fault.class, CLASS_INPUT_WRITTEN) == 0 ?
		    "; 'dassie fsck --repair', then 'dassie run' make good what is damaged" : "");
	return WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The exit status, or -1. */
static int
debug(struct debug *g, struct err *err)
{
	struct err second = ERR_INIT;
	int gc, rc;

	if (state_find(NULL, err) < 0 || (rc = scan(err)) < 0)
		return -1;
	if (rc > 0)
		return EXIT_FAILED;
	if (known_pipeline(g->pipeline, err) < 0)
		return -1;
	if (!(g->project = getcwd(NULL, 0)))
		return err_set(err, errno, "cannot find the current directory:");
	snprintf(g->suffix, sizeof g->suffix, "debug-%ld", (long)getpid());
	/* Only until everything is linked: nothing that is shown can go then. */
	if ((gc = lock_take(LOCK_GC, true, false, err)) < 0)
		return -1;
	rc = find(g, err);
	if (rc == 0)
		rc = err_set(err, SHOW_USAGE, "'%s' has no datum '%s'; 'dassie datums %s' lists what it has", g->pipeline, g->text, g->pipeline);
	if (rc == 1)
		rc = make_view(g, err);
	else if (rc > 1)
		rc = rc - 1;
	close(gc);
	if (rc == 0) {
		if (!g->command)
			tell(g);
		rc = run(g, err);
	}
	if (g->view.project && view_remove(&g->view, rc < 0 ? &second : err) < 0)
		rc = -1;
	return rc;
}

int
verb_debug(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct debug g = { .file = RECFILE_INIT, .pfs = PFS_INIT };     /* every other part's INIT is zeros */
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1)
		return show_usage(usage, c == 'h');
	argc -= optind;
	argv += optind;
	if (argc < 2 || (argc > 2 && (strcmp(argv[2], "--") != 0 || argc == 3)) || !layout_name_ok(argv[0]))
		return show_usage(usage, false);
	g.pipeline = argv[0];
	g.text = argv[1];
	g.command = argc > 3 ? argv + 3 : NULL;
	rc = debug(&g, &err);
	if (rc < 0)
		rc = show_err(&err);
	view_release(&g.view);
	pfs_release(&g.pfs);
	environ_release(&g.env);
	secrets_release(&g.secrets);
	asuser_release(&g.as);
	container_release(&g.container);
	plan_datum_release(&g.datum);
	plan_head_release(&g.head);
	recfile_release(&g.file);
	free(g.project);
	return rc;
}
