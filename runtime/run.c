/* run.c: `dassie run` is make with this dassie, on all cores, and a run id that its stages share; a display while it runs
 * (screen.c), a summary when it has ended (summary.c).
 *
 * It only waits: make does the work and would do it as well without us.  A signal of the terminal reaches make and
 * everything below by itself; one that is sent to us alone is handed on as SIGTERM, which make passes to its children. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/forced.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/notify.h"
#include "../base/suggest.h"
#include "../base/talk.h"
#include "child.h"
#include "ends.h"
#include "makerun.h"
#include "notify.h"
#include "outcome.h"
#include "screen.h"
#include "show.h"
#include "state.h"
#include "summary.h"
#include "verbs.h"

static const char usage[] =
"usage: dassie run [-jN] [-k] [-n] [-q] [--force] [--progress=WHEN]\n"
"                  [--offline] [--runtime=R] [-D NAME=VALUE]… [PIPELINE…]\n\n"
"Runs make on the project's Makefile (compiled first if there is none): all pipelines,\n"
"or the named ones and what they need. On a terminal it shows how far each is; at the end it\n"
"says what ran, what did not and why, and of each failure what to do.\n\n"
"    -jN                datums at once (default: the number of cores)\n"
"    -k                 go on with pipelines that do not depend on a failed one\n"
"    -n                 only say what would run\n"
"    -D NAME=VALUE      compile with this value of a param first; it stays until the next compile\n"
"        --runtime=R    run commands in their images by podman, docker or apptainer, or (host) on\n"
"                       this machine; it stays until the next compile (DASSIE_RUNTIME, for make)\n"
"    -q, --quiet        say nothing where all is well\n"
"        --force        run all datums of the named pipelines (of all, if none is named) again\n"
"        --offline      ask no other machine for sources: they are what was fetched last\n"
"                       (DASSIE_OFFLINE=1, for make)\n"
"        --progress=WHEN  the display: auto (if not given: on a terminal, unless NO_COLOR is set),\n"
"                       live or plain\n\n"
"Exit status: 0 done, 1 a datum or the spec failed, 2 usage, 3 the environment.\n";

enum { TICK_MS = 200 };
enum progress_when { WHEN_AUTO, WHEN_LIVE, WHEN_PLAIN };

struct run {
	const char *jobs;
	bool keep, dry, quiet, force;
	bool same;                  /* the environment says which run it is: makerun.c */
	enum progress_when when;
	const char **goal; size_t n_goal;
	const char **define; size_t n_define;      /* -D */
	const char *makefile;
	struct index x;
	struct screen screen;
	bool live;
	int ends;
	pid_t make;
	int sig;                    /* that we were told to end by, 0 */
	sigset_t held, before;      /* signals that are waited for, and the mask that make is to have */
	struct outcomes end;
	struct notify notify;       /* of the spec: who is told when a job takes long */
	bool *told;                 /* for each of its routes */
	bool watches;               /* one of them is to be told */
};

/* A project is where a Makefile of ours, a .dassie or a spec is. */
static int
go_to_project(const char **ret_makefile, struct index *x, struct err *err)
{
	if (access(DIR_STATE, F_OK) < 0 && access("Makefile", F_OK) < 0) {
		if (access("pipeline.yaml", F_OK) == 0 || access("pipeline.yml", F_OK) == 0 ||
		    access("pipeline.json", F_OK) == 0 || access("specs", F_OK) == 0)
			return 1;
		if (state_find(NULL, err) < 0)
			return -1;
	}
	*ret_makefile = index_read(x, err) == 1 ? x->makefile : "Makefile";
	return access(*ret_makefile, F_OK) < 0;
}

/* As it was compiled before, if it was, with these params besides: of one name the last counts. */
static int
compile_with(const struct index *x, const char *const *define, size_t n_define, struct err *err)
{
	const char **args = xcalloc(x->n_option + x->n_asked + 2 * n_define + 8, sizeof *args);
	char program[PATH_MAX];
	size_t n = 0;
	int rc;

	args[n++] = state_helper("dassie-compile", program, sizeof program);
	args[n++] = "compile";
	if (x->makefile) {
		args[n++] = "--quiet";
		args[n++] = "-o";
		args[n++] = x->makefile;
	}
	for (size_t i = 0; i < x->n_option; i++)
		if (!getenv("DASSIE_RUNTIME") || strncmp(x->option[i], "--runtime=", 10) != 0)
			args[n++] = x->option[i];
	for (size_t i = 0; i < n_define; i++) {
		args[n++] = "-D";
		args[n++] = define[i];
	}
	args[n++] = "--";
	for (size_t i = 0; i < x->n_asked; i++)
		args[n++] = x->asked[i];
	rc = child_run(args, -1, err);
	free(args);
	return rc;
}

static int
parse(struct run *r, int argc, char **argv, int *ret)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "quiet", no_argument, NULL, 'q' },
		{ "force", no_argument, NULL, 'f' }, { "progress", required_argument, NULL, 'p' },
		{ "offline", no_argument, NULL, 'o' }, { "runtime", required_argument, NULL, 'r' }, { "same-run", no_argument, NULL, 's' }, { NULL, 0, NULL, 0 } };
	int c;

	*ret = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "j:knqhD:", options, NULL)) != -1) {
		if (c == 'h' || c == '?') {
			*ret = show_usage(usage, c == 'h');
			return -1;
		}
		r->keep |= c == 'k';
		r->dry |= c == 'n';
		r->quiet |= c == 'q';
		r->force |= c == 'f';
		r->same |= c == 's';
		if (c == 'j')
			r->jobs = optarg;
		if (c == 'o')
			setenv("DASSIE_OFFLINE", "1", 1);
		if (c == 'r')
			setenv("DASSIE_RUNTIME", optarg, 1);
		if (c == 'D')
			r->define[r->n_define++] = optarg;
		if (c != 'p')
			continue;
		r->when = strcmp(optarg, "live") == 0 ? WHEN_LIVE : strcmp(optarg, "plain") == 0 ? WHEN_PLAIN : WHEN_AUTO;
		if (r->when == WHEN_AUTO && strcmp(optarg, "auto") != 0) {
			talk("--progress is auto, live or plain, not '%s'", optarg);
			return -1;
		}
	}
	if (r->jobs && (r->jobs[strspn(r->jobs, "0123456789")] || strtoul(r->jobs, NULL, 10) == 0)) {
		talk("-j takes a number from 1 on, not '%s'", r->jobs);
		return -1;
	}
	if (r->force && r->dry) {
		talk("--force with -n: all datums would run; nothing is ordered by saying so");
		return -1;
	}
	r->goal = (const char **)argv + optind;
	r->n_goal = (size_t)(argc - optind);
	return 0;
}

/* The next scan sees the order and moves the pipelines' spec refs; so it is kept even if this run is killed. */
static int
give_order(struct run *r, struct err *err)
{
	const char **name = xcalloc(r->x.n_pipeline + 1, sizeof *name);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n_goal; i++)
		if (!index_find(&r->x, r->goal[i]))
			rc = err_set(err, SHOW_USAGE, "--force: there is no pipeline '%s'; 'dassie status' lists them", r->goal[i]);
	for (size_t i = 0; i < r->x.n_pipeline; i++)
		name[n++] = r->x.pipeline[i].name;
	if (rc == 0 && state_make(err) < 0)
		rc = -1;
	if (rc == 0)
		rc = r->n_goal ? forced_add(r->goal, r->n_goal, err) : forced_add(name, n, err);
	free(name);
	return rc;
}

static _Noreturn void
become_make(const struct run *r, const char *const *args)
{
	if (r->live) {
		dup2(r->screen.said, STDERR_FILENO);
		if (isatty(STDOUT_FILENO))
			dup2(r->screen.said, STDOUT_FILENO);
	}
	sigprocmask(SIG_SETMASK, &r->before, NULL);
	execvp(args[0], (char *const *)args);
	talk("cannot start '%s': %s", args[0], strerror(errno));
	_exit(EXIT_WORLD);
}

static void
make_args(const struct run *r, const char **args, char jflag[32])
{
	size_t n = 0;

	args[n++] = getenv("MAKE") ? getenv("MAKE") : GNU_MAKE;
	args[n++] = makerun_jobs(r->jobs, jflag);
	args[n++] = "-f";
	args[n++] = r->makefile;
	if (r->keep)
		args[n++] = "-k";
	if (r->dry)
		args[n++] = "-n";
	if (r->quiet)
		args[n++] = "-s";
	for (size_t i = 0; i < r->n_goal; i++)
		args[n++] = r->goal[i];
}

/* Signals that somebody before us ignores (nohup, a shell's background) stay ignored. */
static void
hold_signals(struct run *r)
{
	static const int sig[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act;

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&r->held);
	sigaddset(&r->held, SIGCHLD);
	for (size_t i = 0; i < sizeof sig / sizeof *sig; i++)
		if (sigaction(sig[i], NULL, &act) == 0 && act.sa_handler != SIG_IGN)
			sigaddset(&r->held, sig[i]);
	sigprocmask(SIG_BLOCK, &r->held, &r->before);
}

/* Reap what has ended.  true: make has, and *ret_status is how. */
static bool
reap(struct run *r, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (r->live && pid == r->screen.pid)
			screen_lost(&r->screen);
		if (pid == r->make) {
			*ret_status = status;
			return true;
		}
	}
	return pid < 0 && errno == ECHILD;
}

static int
wait_for_make(struct run *r)
{
	int status = 0;

	while (!reap(r, &status)) {
		bool passing = r->live && r->screen.pid == 0;
		struct timespec tick = { .tv_sec = passing ? 0 : 1, .tv_nsec = passing ? TICK_MS * 1000000L : 0 };
		siginfo_t info;
		int sig = passing || r->watches ? sigtimedwait(&r->held, &info, &tick) : sigwaitinfo(&r->held, &info);

		if (passing)
			screen_pass(&r->screen, false);
		if (r->watches)
			notify_long(&r->notify, r->end.run, r->told);
		if (sig <= 0 || sig == SIGCHLD)
			continue;
		r->sig = sig;
		if (info.si_code != SI_KERNEL)
			kill(r->make, SIGTERM);
	}
	return status;
}

static unsigned
slots_of(const struct run *r)
{
	long n = r->jobs ? strtol(r->jobs, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 && n < 100000 ? (unsigned)n : 1;
}

/* Who is to be told when a job takes long; without that there is nothing to look at while make runs. */
static void
watch(struct run *r)
{
	struct err err = ERR_INIT;

	if (notify_read(&r->notify, &err) < 0)
		talk("notify: %s", err.text);
	r->told = xcalloc(r->notify.n + 1, sizeof *r->told);
	for (size_t i = 0; i < r->notify.n; i++)
		r->watches |= r->notify.route[i].long_run;
}

/* How make ended, or -1. */
static int
run_make(struct run *r, struct err *err)
{
	const char **args = xcalloc(r->n_goal + 10, sizeof *args);
	struct err no_screen = ERR_INIT;
	char jflag[32];
	int status = -1;

	make_args(r, args, jflag);
	watch(r);
	hold_signals(r);
	if (r->when == WHEN_PLAIN)
		setenv("DASSIE_PROGRESS", "plain", 1);
	r->live = r->when == WHEN_LIVE || (r->when == WHEN_AUTO && screen_wanted());
	if (r->live && screen_start(&r->screen, getenv("DASSIE_RUN"), slots_of(r), &no_screen) < 0) {
		talk_err(&no_screen);
		r->live = false;
	}
	r->make = fork();
	if (r->make == 0)
		become_make(r, args);
	if (r->make < 0)
		err_set(err, errno, "cannot start '%s':", args[0]);
	else
		status = wait_for_make(r);
	if (r->live)
		screen_end(&r->screen);
	free(args);
	return status;
}

/* What make was asked for and there is not. */
static bool
tell_unknown(const struct run *r)
{
	const char **known = xcalloc(r->x.n_pipeline + 1, sizeof *known);
	bool any = false;

	for (size_t i = 0; i < r->x.n_pipeline; i++)
		known[i] = r->x.pipeline[i].name;
	for (size_t i = 0; i < r->n_goal; i++) {
		const char *best;

		if (outcome_goal(&r->x, r->goal[i]) || index_find_source(&r->x, r->goal[i]) || strchr(r->goal[i], '/') ||
		    strcmp(r->goal[i], "all") == 0 || strcmp(r->goal[i], "help") == 0)
			continue;
		any = true;
		best = suggest(r->goal[i], known, r->x.n_pipeline);
		if (best)
			talk("there is no pipeline '%s'; did you mean '%s'?", r->goal[i], best);
		else
			talk("there is no pipeline '%s'; 'dassie status' lists them", r->goal[i]);
	}
	free(known);
	return any;
}

/* make says 2 of everything: those who failed have left their own status. */
static int
status_of(const struct run *r, int wait)
{
	int told = ends_of(r->ends, NULL);

	if (WIFEXITED(wait) && WEXITSTATUS(wait) == 0)
		return EXIT_DONE;
	if (told != EXIT_DONE)
		return told;
	if (tell_unknown(r))
		return EXIT_USAGE;
	return EXIT_WORLD;
}

/* What became of it; a summary that cannot be made must not hide how the run ended. */
static void
tell(struct run *r, int wait)
{
	struct query *q = NULL;
	struct err err = ERR_INIT;

	index_release(&r->x);
	if (index_read(&r->x, &err) != 1) {
		r->end.status = status_of(r, wait);
		return;
	}
	r->end.ended = time_now_ns();
	r->end.status = status_of(r, wait);
	r->end.interrupted = r->sig || WIFSIGNALED(wait);
	if (r->end.status == EXIT_USAGE || ends_of(r->ends, ENDS_SCAN) != EXIT_DONE)
		return;
	if (query_open(&q, &err) < 0 || outcomes_collect(&r->end, q, &r->x, r->goal, r->n_goal, r->ends, &err) < 0)
		talk_err(&err);
	else
		summary_tell(&r->end, r->quiet);
	query_close(q);
	if (r->end.n)
		notify_run(&r->end);
}

/* As it would have been without us: whoever called sees that it was a signal. */
static void
die_alike(const struct run *r, int wait)
{
	int sig = r->sig ? r->sig : WIFSIGNALED(wait) ? WTERMSIG(wait) : 0;

	if (!sig || (r->end.status == EXIT_DONE && !WIFSIGNALED(wait)))
		return;
	signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, &r->before, NULL);
	raise(sig);
}

static int
run(struct run *r, struct err *err)
{
	char id[17];
	int rc = go_to_project(&r->makefile, &r->x, err), wait;

	if (rc == 1 || (rc == 0 && r->n_define)) {
		rc = compile_with(&r->x, r->define, r->n_define, err);
		if (rc > 0)
			return rc;
		index_release(&r->x);
		rc = rc < 0 ? -1 : go_to_project(&r->makefile, &r->x, err);
	}
	if (rc < 0 || (r->force && give_order(r, err) < 0))
		return -1;
	if (!r->same)
		makerun_environment("dassie run", id);
	r->end.run = getenv("DASSIE_RUN");
	r->end.started = time_now_ns();
	if (r->dry) {
		const char **args = xcalloc(r->n_goal + 10, sizeof *args);
		char jflag[32];

		make_args(r, args, jflag);
		execvp(args[0], (char *const *)args);
		return err_set(err, errno, "cannot start '%s':", args[0]);
	}
	if ((r->ends = ends_open(err)) < 0 || (wait = run_make(r, err)) < 0)
		return -1;
	tell(r, wait);
	die_alike(r, wait);
	return r->end.status;
}

int
verb_run(int argc, char **argv)
{
	struct run r = { .makefile = "Makefile", .x = INDEX_INIT, .screen = SCREEN_INIT, .ends = -1, .end = OUTCOMES_INIT,
		.notify = NOTIFY_INIT };
	struct err err = ERR_INIT;
	int rc;

	r.define = xcalloc((size_t)argc, sizeof *r.define);
	if (parse(&r, argc, argv, &rc) == 0 && (rc = run(&r, &err)) < 0)
		rc = show_err(&err);
	free(r.define);
	if (r.ends >= 0)
		close(r.ends);
	outcomes_release(&r.end);
	notify_release(&r.notify);
	free(r.told);
	index_release(&r.x);
	return rc;
}
