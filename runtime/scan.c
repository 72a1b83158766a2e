/* scan.c: what make runs first, in the phase in which it brings its makefiles up to date: specs, refs, code, sources, out/.
 * All by content; what nobody changed costs a stat, and then nothing is written.  It runs under make -n, -q and -t too,
 * because make can only tell what it would do once the refs are right.
 *
 * Specs and code are looked at under one lock, each source under its own: a make that looked earlier never moves a
 * ref after one that looked later.  Refs are verified before any of them moves.  Refs of sources and pipelines that are
 * in no spec any more stay as they are: they are history. */
#include "verbs.h"
#include "wake.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/percent.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "child.h"
#include "codescan.h"
#include "fetched.h"
#include "ends.h"
#include "filecache.h"
#include "publish.h"
#include "refscan.h"
#include "sourcescan.h"
#include "specscan.h"
#include "state.h"
#include "tickscan.h"
#include "trigger.h"

static int
usage(void)
{
	talk("usage: dassie scan -o MAKEFILE SPEC…   (make runs it; bytes of names may be written %%XX)");
	return EXIT_USAGE;
}

/* DASSIE_RUNTIME, where it is set, says what --runtime does: from now on. */
static void
runtime_option(struct specs *s)
{
	static const char option[] = "--runtime=";
	static char text[64];
	const char *now = getenv("DASSIE_RUNTIME");
	size_t n = 0;

	if (!now || !*now)
		return;
	for (size_t i = 0; i < s->n_option; i++)
		if (strncmp(s->option[i], option, sizeof option - 1) != 0)
			s->option[n++] = s->option[i];
	s->n_option = n;
	if (strcmp(now, "host") == 0)
		return;
	snprintf(text, sizeof text, "%s%s", option, now);
	memmove(s->option + 1, s->option, n * sizeof *s->option);
	s->option[0] = text;
	s->n_option++;
}

/* A '-' that is no option's is written %2D, so options are told before bytes are decoded.  The arrays are as long as argv. */
static bool
parse(struct specs *s, int argc, char **argv)
{
	bool names = false;

	for (int i = 1; i < argc; i++) {
		bool option = !names && argv[i][0] == '-' && argv[i][1];

		if (!percent_decode(argv[i]))
			return false;
		if (!option)
			s->spec[s->n_spec++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			names = true;
		else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc && percent_decode(argv[i + 1]))
			s->makefile = argv[++i];
		else if (strncmp(argv[i], "--", 2) == 0)
			s->option[s->n_option++] = argv[i];
		else
			return false;
	}
	runtime_option(s);
	return s->makefile && s->n_spec;
}

static int
close_told(struct filecache *c, int status)
{
	struct err err = ERR_INIT;

	return filecache_close(c, status == EXIT_DONE, &err) < 0 && status == EXIT_DONE ? talk_err(&err) : status;
}

/* Specs, refs, code, in this order, under one lock.  refs is left open for the caller. */
static int
scan_project(const struct specs *s, struct index *x, struct filecache *refs)
{
	struct filecache code;
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX];
	int lock = lock_take(LOCK_SPECS, false, false, &err), status;

	filecache_open(refs, layout_scan(path, ".refs"), true);
	if (lock < 0)
		return talk_err(&err);
	filecache_open(&code, layout_scan(path, ".code"), false);
	wake();
	status = specscan(&code, s, x);
	if (status == EXIT_DONE && refscan_verify(refs, &err) < 0)
		status = talk_err(&err);
	if (status == EXIT_DONE)
		status = codescan(&code, refs, x);
	status = close_told(&code, status);
	close(lock);
	return status;
}

static int
publish_again(const char *pipeline)
{
	struct ref r = REF_INIT;
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX];
	int lock = lock_take(pipeline, false, false, &err), rc = lock < 0 ? -1 : 0;

	if (rc == 0)
		rc = ref_read(layout_ref(path, pipeline), &r, &err);
	if (rc == 1 && !publish_is_current(pipeline, &r.id))
		rc = publish(pipeline, &r.id, NULL, &err);
	if (lock >= 0)
		close(lock);
	ref_release(&r);
	return rc < 0 ? talk_err(&err) : EXIT_DONE;
}

static bool
is_there(const char *pipeline)
{
	char path[LAYOUT_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", DIR_OUT, pipeline);
	return lstat(path, &st) == 0;
}

/* Is refs/P.done there?  If not, a stage is going to publish whatever comes out. */
static bool
is_done(struct filecache *refs, const char *pipeline)
{
	char name[NAME_MAX_REPO + 8];
	struct oid id;

	snprintf(name, sizeof name, "%s.done", pipeline);
	return refscan_id(refs, name, &id);
}

/* Whoever removed out/ wants it back.  A thousand pipelines would be a thousand stats: their names are asked for at once, and not
 * at all where index, refs and folder are what they were. */
static int
check_out(const struct index *x, struct filecache *refs)
{
	const char **name;
	struct err err = ERR_INIT;
	struct oid id, empty;
	size_t n = 0;
	int status, rc;

	if (!refs->changed && filecache_held(refs, DIR_OUT, &x->file.seal))
		return EXIT_DONE;
	name = xcalloc(x->n_pipeline + 1, sizeof *name);
	manifest_empty_id(&empty);
	for (size_t i = 0; i < x->n_pipeline; i++) {
		const char *p = x->pipeline[i].name;

		if (refscan_id(refs, p, &id) && !oid_eq(&id, &empty) && is_done(refs, p))
			name[n++] = p;
	}
	rc = filecache_holds(refs, DIR_OUT, &x->file.seal, name, n, &err);
	status = rc < 0 ? talk_err(&err) : EXIT_DONE;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		int again = is_there(name[i]) ? EXIT_DONE : publish_again(name[i]);

		if (again > status)
			status = again;
	}
	free(name);
	return status;
}

/* DASSIE_OFFLINE: what was fetched last is what there is, if it is of the place that the spec names. */
static int
check_fetched(const struct index_source *src)
{
	struct fetched o = FETCHED_INIT;
	struct ref r = REF_INIT;
	struct err err = ERR_INIT;
	struct oid settings;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, src->name), &r, &err);

	if (rc == 1)
		rc = fetched_read(&o, src->name, &r.id, &err);
	fetched_settings(src, &settings);
	if (rc == 0 || (rc == 1 && !oid_eq(&o.settings, &settings)))
		rc = err_set(&err, 0, "source '%s' was never fetched from '%s', and DASSIE_OFFLINE is set: unset it once", src->name,
		    src->from[0]);
	fetched_release(&o);
	ref_release(&r);
	return rc < 0 ? talk_err(&err) : EXIT_DONE;
}

/* All at once: loading what talks to other machines takes longer than asking many of them. */
static int
fetch_sources(const struct index *x)
{
	const char *offline = getenv("DASSIE_OFFLINE"), **argv = xcalloc(x->n_source + 3, sizeof *argv);
	struct err err = ERR_INIT;
	char program[PATH_MAX];
	int status = EXIT_DONE, rc;
	size_t n = 2;

	for (size_t i = 0; i < x->n_source; i++)
		if (x->source[i].n_from)
			argv[n++] = x->source[i].name;
	if (n > 2 && offline && *offline && strcmp(offline, "0")) {
		for (size_t i = 0; i < x->n_source; i++)
			if (x->source[i].n_from && (rc = check_fetched(&x->source[i])) > status)
				status = rc;
	} else if (n > 2) {
		argv[0] = state_helper("dassie-net", program, sizeof program);
		argv[1] = "fetch";
		rc = child_run(argv, -1, &err);
		if (rc > EXIT_WORLD)
			rc = err_set(&err, 0, "'%s' ended with status %d; the next make goes on with what it has fetched", argv[0], rc);
		status = rc < 0 ? talk_err(&err) : rc;
	}
	free(argv);
	return status;
}

static int
scan(const struct specs *s)
{
	struct index x = INDEX_INIT;
	struct filecache refs;
	struct err err = ERR_INIT;
	int gc, status, rc;

	if (state_make(&err) < 0 || (gc = lock_take(LOCK_GC, true, false, &err)) < 0)
		return talk_err(&err);
	status = scan_project(s, &x, &refs);
	for (size_t i = 0; (status == EXIT_DONE || i) && i < x.n_source; i++) {
		const struct index_source *src = &x.source[i];

		rc = src->n_from ? EXIT_DONE : tickscan_wants(src) ? tickscan(&refs, src) : sourcescan(&x, src);
		if (rc > status)
			status = rc;
	}
	rc = x.n_source ? fetch_sources(&x) : EXIT_DONE;
	if (rc > status)
		status = rc;
	if (status == EXIT_DONE && triggers_look(&x, NULL, &err) < 0)
		status = talk_err(&err);
	if (status == EXIT_DONE)
		status = check_out(&x, &refs);
	if (status == EXIT_DONE)
		status = wake_done();
	status = close_told(&refs, status);
	index_release(&x);
	close(gc);
	return status;
}

int
verb_scan(int argc, char **argv)
{
	struct specs s = { 0 };
	int status;

	s.spec = xcalloc((size_t)argc, sizeof *s.spec);
	s.option = xcalloc((size_t)argc, sizeof *s.option);
	status = parse(&s, argc, argv) ? scan(&s) : usage();
	ends_add(ENDS_SCAN, status);
	free(s.spec);
	free(s.option);
	return status;
}
