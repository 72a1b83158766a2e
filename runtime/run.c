/* run.c: `dassie run` is make with this dassie, on all cores, and a run id that its stages share;
 * `dassie rerun` is one datum of a failed job, alone. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "child.h"
#include "makerun.h"
#include "report.h"
#include "result.h"
#include "state.h"
#include "verbs.h"

static const char run_help[] =
"usage: dassie run [-jN] [-k] [-n] [--offline] [-D NAME=VALUE]… [PIPELINE…]\n\n"
"Runs make on the project's Makefile (compiled first if there is none): all pipelines,\n"
"or the named ones and what they need.\n\n"
"    -jN    datums at once (default: the number of cores)\n"
"    -k     go on with pipelines that do not depend on a failed one\n"
"    -n     only say what would run\n"
"    -D NAME=VALUE   compile with this value of a param first; it stays until the next compile\n"
"    --offline\n"
"           ask no other machine for sources: they are what was fetched last (DASSIE_OFFLINE=1, for make)\n";

static const char rerun_help[] =
"usage: dassie rerun KEY\n\n"
"Runs one failed datum again, alone; KEY is the beginning of its key, as a failure prints it.\n"
"When it succeeds, its result is kept, and the next make goes on from there.\n";

static int
print(const char *text)
{
	fputs(text, stdout);
	return talk_done(EXIT_DONE);
}

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

int
verb_run(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { "offline", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 } };
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	const char **args, *makefile = "Makefile", *jobs = NULL, **define = xcalloc((size_t)argc, sizeof *define);
	char jflag[32], run[17];
	size_t n = 0, n_define = 0;
	int c, rc;
	bool keep = false, dry = false;

	while ((c = getopt_long(argc, argv, "j:knhD:", options, NULL)) != -1) {
		if (c == 'h')
			return print(run_help);
		if (c == '?')
			return EXIT_USAGE;
		keep |= c == 'k';
		dry |= c == 'n';
		if (c == 'o')
			setenv("DASSIE_OFFLINE", "1", 1);
		if (c == 'j')
			jobs = optarg;
		if (c == 'D')
			define[n_define++] = optarg;
	}
	rc = go_to_project(&makefile, &x, &err);
	if (rc == 1 || (rc == 0 && n_define))
		rc = compile_with(&x, define, n_define, &err);
	free(define);
	if (rc > 0) {
		index_release(&x);
		return rc;
	}
	if (rc < 0)
		return talk_err(&err);
	makerun_environment("dassie run", run);
	args = xcalloc((size_t)argc + 8, sizeof *args);
	args[n++] = getenv("MAKE") ? getenv("MAKE") : GNU_MAKE;
	args[n++] = makerun_jobs(jobs, jflag);
	args[n++] = "-f";
	args[n++] = makefile;
	if (keep)
		args[n++] = "-k";
	if (dry)
		args[n++] = "-n";
	while (optind < argc)
		args[n++] = argv[optind++];
	execvp(args[0], (char *const *)args);
	talk("cannot start '%s': %s", args[0], strerror(errno));
	free(args);
	index_release(&x);
	return EXIT_WORLD;
}

/* The one failure whose key begins so: 1 found, 0 none, 2 several, -1. */
static int
find_failure(const char *prefix, struct oid *ret, struct err *err)
{
	char dir[LAYOUT_MAX], hex[OID_HEX + 1];
	struct dirent *e;
	int found = 0;
	DIR *d;

	if (strlen(prefix) < 4 || strlen(prefix) > OID_HEX || prefix[strspn(prefix, "0123456789abcdef")])
		return err_set(err, 0, "'%s' is not the beginning of a key: at least 4 digits of 0-9 a-f", prefix);
	snprintf(dir, sizeof dir, "%s/%.2s", DIR_DATUMS, prefix);
	if (!(d = opendir(dir)))
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n != OID_HEX - 2 + 5 || strcmp(e->d_name + OID_HEX - 2, ".fail") ||
		    strncmp(e->d_name, prefix + 2, strlen(prefix) - 2))
			continue;
		snprintf(hex, sizeof hex, "%.2s%.62s", prefix, e->d_name);
		if (oid_parse(hex, ret))
			found++;
	}
	closedir(d);
	return found > 1 ? 2 : found;
}

/* Where in the plan the datum is. */
static int
find_in_plan(const char *plan, const struct oid *key, size_t *ret_at, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	struct oid id;
	int rc = recfile_open(&f, plan, "plan", 1, err);

	if (rc == 1) {
		rc = 0;
		while (rc == 0 && recfile_next(&f, &r))
			if (rec_is(&r, "datum", 2) && rec_get_oid(&r, 1, &id) && oid_eq(&id, key)) {
				*ret_at = r.at;
				rc = 1;
			}
	}
	recfile_release(&f);
	return rc;
}

static int
rerun_at(const struct result *r, struct err *err)
{
	char plan[LAYOUT_MAX], program[PATH_MAX], offset[32];
	size_t at = 0;
	int gc = lock_take(LOCK_GC, true, true, err), lock = -1;
	int rc = gc < 0 ? -1 : find_in_plan(layout_plan(plan, r->pipeline, r->job), &r->key, &at, err);

	if (rc == 0)
		rc = err_set(err, 0, "the plan of that datum is no longer there: run make");
	if (rc < 0 || (lock = lock_take(r->pipeline, false, true, err)) < 0) {
		if (gc >= 0)
			close(gc);
		return -1;
	}
	snprintf(offset, sizeof offset, "%zu", at);
	rc = child_run((const char *const[]){ state_helper("dassie-datum", program, sizeof program), plan, offset, "1", NULL },
	    -1, err);
	close(lock);
	close(gc);
	if (rc == 0)
		talk("%s: datum %s succeeded; 'make' goes on from there", r->pipeline, r->label);
	else if (rc == EXIT_FAILED)
		report_datum(&r->key);
	return rc;
}

int
verb_rerun(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;
	struct oid key;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return c == 'h' ? print(rerun_help) : EXIT_USAGE;
	if (optind + 1 != argc) {
		talk("usage: dassie rerun KEY");
		return EXIT_USAGE;
	}
	if (state_find(NULL, &err) < 0 || (rc = find_failure(argv[optind], &key, &err)) < 0)
		return talk_err(&err);
	if (rc != 1) {
		talk(rc == 0 ? "no failed datum has a key that begins with '%s'; 'dassie datums PIPELINE' lists them" :
		    "several failed datums have a key that begins with '%s': give more digits", argv[optind]);
		return EXIT_USAGE;
	}
	if (result_read(&r, &key, true, &err) < 0 || (rc = rerun_at(&r, &err)) < 0)
		rc = talk_err(&err);
	result_release(&r);
	return rc;
}
