/* main.c: dassie's verbs, as git has them.  What reads specs is another program of the compiler's half, and gets its
 * arguments as they are. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/suggest.h"
#include "../base/talk.h"
#include "man.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

static int verb_compiler(int argc, char **argv);
static int verb_net(int argc, char **argv);
static int verb_help(int argc, char **argv);
static int verb_datums_of(int argc, char **argv);

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis, *text;    /* text NULL: plumbing, not in the short help */
};

static const struct verb verbs[] = {
	{ "init", verb_init, "[DIR]", "begin a project: a spec with comments" },
	{ "compile", verb_compiler, "[-o Makefile] [SPEC…]", "check specs and write the Makefile" },
	{ "run", verb_run, "[-jN] [-k] [PIPELINE…]", "make, on all cores, with a display and a summary" },
	{ "egress", verb_egress, "[PIPELINE…]", "push outputs to where their egress says" },
	{ "status", verb_status, "[--json]", "what is stale and why, and the last jobs" },
	{ "jobs", verb_jobs, "[PIPELINE]", "what ran, newest first" },
	{ "datums", verb_datums_of, "PIPELINE[@JOB]", "the datums of a job; -f SPEC: that a spec would have" },
	{ "logs", verb_logs, "PIPELINE | KEY | JOB", "what commands printed" },
	{ "rerun", verb_rerun, "KEY | --failed", "run one failed datum alone, or all that failed" },
	{ "debug", verb_debug, "PIPELINE DATUM", "a shell where the datum's command would be" },
	{ "why", verb_why, "PATH", "where a file came from; why a datum ran" },
	{ "log", verb_log, "REPO[:PATH]", "the commits of a repo" },
	{ "ls", verb_ls, "REPO[@COMMIT][:PATH]", "the files of a commit" },
	{ "cat", verb_cat, "REPO[@COMMIT]:PATH", "a file of a commit" },
	{ "diff", verb_diff, "REPO[@A] [REPO[@B]]", "what changed between two commits" },
	{ "branch", verb_branch, "REPO@NAME --head COMMIT", "branches and their heads; move one" },
	{ "glob", verb_compiler, "REPO PATTERN", "which paths a glob makes datums of" },
	{ "schema", verb_compiler, "[--fields]", "the JSON Schema of specs, for editors" },
	{ "cron", verb_cron, "next | history | …", "pipelines on a schedule" },
	{ "tick", verb_tick, "PIPELINE", "make a cron input tick by hand" },
	{ "backfill", verb_backfill, "PIPELINE --from TIME", "run the ticks of a past range" },
	{ "pause", verb_pause, "[PIPELINE…]", "have pipelines not run; which are paused" },
	{ "resume", verb_resume, "PIPELINE…", "have them run again" },
	{ "graph", verb_graph, "[--dot | --mermaid]", "what reads what" },
	{ "metrics", verb_metrics, "[-o FILE]", "jobs, datums, durations as Prometheus reads them" },
	{ "fsck", verb_fsck, "[--repair]", "check the state against itself" },
	{ "gc", verb_gc, "[--run]", "what nothing needs any more; remove it" },
	{ "export-state", verb_export_state, "[FILE]", "the state as a tar archive, for another machine" },
	{ "doctor", verb_doctor, "[--json]", "what this machine has and lacks" },
	{ "scan", verb_scan, NULL, NULL },
	{ "stage", verb_stage, NULL, NULL },
	{ "plan", verb_compiler, NULL, NULL },
	{ "s3", verb_net, NULL, NULL },
	{ "help", verb_help, NULL, NULL },
};

enum { N_VERBS = sizeof verbs / sizeof *verbs, SYNOPSIS = 24 };   /* columns */

static const struct verb *
find(const char *name)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* Become another program of ours. */
static int
helper(const char *name, int argc, char **argv)
{
	char program[PATH_MAX];
	const char **args = malloc(((size_t)argc + 2) * sizeof *args);

	if (!args)
		return EXIT_WORLD;
	args[0] = state_helper(name, program, sizeof program);
	for (int i = 0; i < argc; i++)
		args[i + 1] = argv[i];
	args[argc + 1] = NULL;
	execv(program, (char *const *)args);
	talk("cannot start '%s': %s; is dassie installed whole?", program, strerror(errno));
	free(args);
	return EXIT_WORLD;
}

static int
verb_compiler(int argc, char **argv)
{
	return helper("dassie-compile", argc, argv);
}

/* What talks to other machines links libcurl, and nothing else does. */
static int
verb_net(int argc, char **argv)
{
	return helper("dassie-net", argc, argv);
}

/* `datums -f SPEC` asks a spec, everything else what is on record. */
static int
verb_datums_of(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], "-f", 2) == 0)
			return verb_compiler(argc, argv);
	return verb_datums(argc, argv);
}

static void
usage(struct buf *b)
{
	buf_str(b, "usage: dassie [-C DIR] VERB …\n\n");
	for (size_t i = 0; i < N_VERBS; i++) {
		size_t n = verbs[i].text ? show_width(verbs[i].synopsis, strlen(verbs[i].synopsis)) : 0;

		if (verbs[i].text)
			buf_fmt(b, "    %-12s %s%*s %s\n", verbs[i].name, verbs[i].synopsis, n < SYNOPSIS ? (int)(SYNOPSIS - n) : 0, "",
			    verbs[i].text);
	}
	buf_str(b, "\n'dassie VERB --help' tells more; --json gives one object a line.\n"
	    "Exit status: 0 done, 1 the spec or a datum failed, 2 usage, 3 the environment.\n");
}

/* help --man [VERB]: the pages that the build installs. */
static int
manual(const char *verb)
{
	struct buf b = BUF_INIT, help = BUF_INIT;
	const struct verb *v = verb ? find(verb) : NULL;
	bool good = !verb || (v && v->text);

	/* One without a --help of its own has what the table says. */
	if (good && v && !man_help(verb, &help)) {
		buf_reset(&help);
		buf_fmt(&help, "usage: dassie %s %s\n", verb, v->synopsis);
	}
	if (good && v) {
		man_verb(&b, verb, v->text, help.s);
	} else if (good) {
		man_begin(&b);
		for (size_t i = 0; i < N_VERBS; i++)
			if (verbs[i].text)
				man_item(&b, verbs[i].name, verbs[i].synopsis, verbs[i].text);
		man_end(&b);
	} else {
		talk("there is no help for '%s'", verb);
	}
	fputs(b.s ? b.s : "", stdout);
	buf_release(&help);
	buf_release(&b);
	return good ? talk_done(EXIT_DONE) : EXIT_USAGE;
}

/* help --complete verbs | pipelines | repos | options VERB: what the shells' completions ask. */
static int
complete(const char *what, const char *verb)
{
	struct buf b = BUF_INIT, help = BUF_INIT;

	if (strcmp(what, "verbs") == 0) {
		for (size_t i = 0; i < N_VERBS; i++)
			if (verbs[i].text)
				buf_fmt(&b, "%s\n", verbs[i].name);
	} else if (strcmp(what, "options") == 0) {
		if (verb && find(verb) && man_help(verb, &help))
			man_options(&b, help.s);
	} else {
		man_names(&b, strcmp(what, "repos") == 0);
	}
	fputs(b.s ? b.s : "", stdout);
	buf_release(&help);
	buf_release(&b);
	return talk_done(EXIT_DONE);
}

static int
unknown(const char *name)
{
	const char *known[N_VERBS], *best;

	for (size_t i = 0; i < N_VERBS; i++)
		known[i] = verbs[i].name;
	best = suggest(name, known, N_VERBS);
	if (best)
		talk("there is no verb '%s'; did you mean '%s'?", name, best);
	else
		talk("there is no verb '%s'; 'dassie help' lists them", name);
	return EXIT_USAGE;
}

static int
verb_help(int argc, char **argv)
{
	struct buf b = BUF_INIT;
	const struct verb *v = argc > 1 ? find(argv[1]) : NULL;

	if (argc > 1 && strcmp(argv[1], "--man") == 0)
		return manual(argv[2]);
	if (argc > 2 && strcmp(argv[1], "--complete") == 0)
		return complete(argv[2], argv[3]);
	if (v && v->run != verb_help)
		return v->run(2, (char *[]){ argv[1], (char *)"--help", NULL });
	if (argc > 1 && !v)
		return unknown(argv[1]);
	usage(&b);
	fputs(b.s, stdout);
	buf_release(&b);
	return talk_done(EXIT_DONE);
}

/* Options before the verb.  Returns the index of the verb, or -1 with the exit status in *ret. */
static int
leading_options(int argc, char **argv, int *ret)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-C") == 0 && i + 1 < argc) {
			if (chdir(argv[++i]) == 0)
				continue;
			talk("cannot go to '%s': %s", argv[i], strerror(errno));
			*ret = EXIT_WORLD;
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("dassie " PACKAGE_VERSION);
			*ret = talk_done(EXIT_DONE);
		} else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			*ret = verb_help(1, argv);
		} else {
			talk("unknown option '%s'; 'dassie help' tells more", argv[i]);
			*ret = EXIT_USAGE;
		}
		return -1;
	}
	if (i < argc)
		return i;
	verb_help(1, argv);
	*ret = EXIT_USAGE;
	return -1;
}

int
main(int argc, char **argv)
{
	const struct verb *v;
	int status = EXIT_DONE, at = leading_options(argc, argv, &status);

	if (at < 0)
		return status;
	v = find(argv[at]);
	return v ? v->run(argc - at, argv + at) : unknown(argv[at]);
}
