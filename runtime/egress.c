/* egress.c: `dassie egress`: push a pipeline's output; also the recipe of refs/P.egress.
 *
 * refs/P.egress is a ref like refs/P.done (base/ref.h): it says which commit was pushed as of which settings, and its stamp is the
 * newest of theirs.  Another lock than the pipeline's is held: a push may take long, and the pipeline can run again meanwhile.  What
 * talks to the network is another program, dassie-net; what became of it is read from files (pushed.h) and put into the database.
 *
 * As make's recipe with --later a failure is told and then forgiven, so that make goes on; `all` asks in the end (--told) and fails. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "child.h"
#include "ends.h"
#include "mflags.h"
#include "place.h"
#include "provenance.h"
#include "pushed.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie egress [--dry-run | --check] [--verify] [--all] [--json] [PIPELINE]…\n\n"
    "Pushes the newest output of the named pipelines, or of all, to where their `egress` says: what changed since the\n"
    "last push, then a manifest, then (with delete: true) removes what left the output.  make does it by itself; a push\n"
    "that failed goes on where it stopped.\n\n"
    "        --dry-run   only say what would be sent and removed\n"
    "        --check     only look whether the place lets us do what a push needs, and say who we are there\n"
    "        --verify    compare with a listing of the place first, and send what is not as it was recorded\n"
    "        --all       send everything again\n"
    "        --json      one object a line\n";

struct egress {
	struct mflags flags;
	bool make, later, told, check, dry, verify, all, json;
};

struct moment { struct oid commit, spec; uint64_t since, newest; bool have, current; };

/* What there is to push, and what was. */
static int
look(const char *pipeline, struct moment *m, struct err *err)
{
	struct ref out = REF_INIT, spec = REF_INIT, done = REF_INIT;
	char name[EGRESS_NAME_MAX], path[LAYOUT_MAX];
	int have = ref_read(layout_ref(path, pipeline), &out, err), known, rc;

	layout_egress_name(name, pipeline);
	*m = (struct moment){ 0 };
	known = have < 0 ? -1 : ref_read(layout_spec(path, name), &spec, err);
	rc = known < 0 ? -1 : ref_read(layout_ref(path, name), &done, err);
	if (rc >= 0 && known == 0)
		rc = err_set(err, 0, "'%s' is not there: run make from the project's folder, its scan makes it", layout_spec(path, name));
	if (rc >= 0) {
		*m = (struct moment){ out.id, spec.id, out.stamp, out.stamp > spec.stamp ? out.stamp : spec.stamp, have == 1, false };
		m->current = have == 1 && rc == 1 && oid_eq(&done.id, &spec.id) && done.n_input == 1 && oid_eq(&done.input[0].id, &out.id);
	}
	ref_release(&out);
	ref_release(&spec);
	ref_release(&done);
	return rc < 0 ? -1 : 0;
}

static int
look_under_clock(const char *pipeline, struct moment *m, struct err *err)
{
	struct clock clock = CLOCK_INIT;
	int rc = clock_lock(&clock, err);

	if (rc == 0)
		rc = look(pipeline, m, err);
	clock_unlock(&clock);
	return rc;
}

static int
mark(const char *pipeline, const struct moment *m, struct err *err)
{
	struct ref_input in = { (char *)pipeline, m->commit };
	struct ref done = { .stamp = m->newest, .id = m->spec, .input = &in, .n_input = 1 };
	struct clock clock = CLOCK_INIT;
	char name[EGRESS_NAME_MAX], path[LAYOUT_MAX];
	int rc = clock_lock(&clock, err);

	if (rc == 0)
		rc = ref_write(&clock, layout_ref(path, layout_egress_name(name, pipeline)), &done, err);
	clock_unlock(&clock);
	return rc;
}

/* How the pushes that began after `since` ended: for the database. */
static int
record(const struct conf *c, uint64_t since, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct prov *p = NULL;
	int rc = prov_begin(&p, err);

	for (size_t i = 0; rc == 0 && i < c->n_egress; i++) {
		struct place place = PLACE_INIT;
		struct pushed v;

		rc = place_init(&place, c, i, err);
		if (rc == 0 && pushed_read(&v, &place, &a, err) == 1 && v.started >= since)
			rc = prov_put_egress(p, &v, err);
		place_release(&place);
	}
	if (rc == 0)
		rc = prov_commit(p, err);
	else
		prov_abort(p);
	arena_release(&a);
	return rc;
}

/* The helper's exit status. */
static int
run_net(const struct egress *e, const char *pipeline, const struct moment *m, struct err *err)
{
	char program[PATH_MAX], hex[OID_HEX + 1], commit[OID_HEX + 16], when[48];
	const char *argv[12] = { state_helper("dassie-net", program, sizeof program), "egress", commit, when };
	size_t n = 4;
	int rc;

	oid_hex(&m->commit, hex);
	snprintf(commit, sizeof commit, "--commit=%s", hex);
	snprintf(when, sizeof when, "--when=%llu", (unsigned long long)m->since);
	if (e->check)
		argv[n++] = "--check";
	if (e->dry || e->flags.dry)
		argv[n++] = "--dry-run";
	if (e->verify)
		argv[n++] = "--verify";
	if (e->all)
		argv[n++] = "--all";
	if (e->flags.silent)
		argv[n++] = "--quiet";
	if (e->json)
		argv[n++] = "--json";
	argv[n++] = pipeline;
	argv[n] = NULL;
	fflush(stdout);
	rc = child_run(argv, -1, err);
	if (rc > EXIT_WORLD)
		return err_set(err, 0, "the push was ended before it had finished (status %d); the next one goes on where it stopped", rc);
	return rc;
}

/* From here on nobody knows what lies there, until the push has ended well: the output may have gone back to what was pushed last. */
static int
unmark(const char *pipeline, struct err *err)
{
	char name[EGRESS_NAME_MAX], path[LAYOUT_MAX];

	if (unlink(layout_ref(path, layout_egress_name(name, pipeline))) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	return 0;
}

static int
push(const struct egress *e, const char *pipeline, const struct conf *c, const struct moment *m, struct err *err)
{
	uint64_t since = time_now_ns();
	bool only_look = e->check || e->dry || e->flags.dry;
	int rc = !only_look && unmark(pipeline, err) < 0 ? -1 : run_net(e, pipeline, m, err);

	if (rc < 0 || only_look)
		return rc;
	if (record(c, since, err) < 0)
		return -1;
	return rc == EXIT_DONE && mark(pipeline, m, err) < 0 ? -1 : rc;
}

static int
egress(const struct egress *e, const char *pipeline, const struct conf *c, struct err *err)
{
	struct moment m;

	if (look_under_clock(pipeline, &m, err) < 0)
		return -1;
	if (!m.have && e->make && (e->flags.dry || e->flags.question || e->flags.touch))
		return e->flags.question ? EXIT_FAILED : EXIT_DONE;
	if (!m.have)
		return err_set(err, 0, "it has no output yet: 'make %s' makes it", pipeline);
	if (e->make && m.current)
		return e->flags.dry || e->flags.question || e->flags.touch ? EXIT_DONE : mark(pipeline, &m, err) < 0 ? -1 : EXIT_DONE;
	if (e->flags.question)
		return EXIT_FAILED;
	if (e->flags.touch) {
		talk("%s: touching pushes nothing: run make without -t", pipeline);
		return EXIT_DONE;
	}
	return push(e, pipeline, c, &m, err);
}

static int
with_locks(const struct egress *e, const char *pipeline)
{
	struct conf c = CONF_INIT;
	struct err err = ERR_INIT;
	char name[EGRESS_NAME_MAX];
	int gc = -1, lock = -1, rc = -1;

	if (state_make(&err) == 0 && conf_read(&c, pipeline, &err) == 0 && (gc = lock_take(LOCK_GC, true, true, &err)) >= 0 &&
	    (lock = lock_take(layout_egress_name(name, pipeline), false, true, &err)) >= 0)
		rc = egress(e, pipeline, &c, &err);
	if (rc < 0) {
		talk("%s: egress: %s", pipeline, err.text);
		rc = EXIT_WORLD;
	}
	conf_release(&c);
	if (lock >= 0)
		close(lock);
	if (gc >= 0)
		close(gc);
	return rc;
}

/* What `all` says in the end, if anything was to be pushed. */
static int
tell(const struct egress *e, const struct index *x)
{
	struct buf b = BUF_INIT;
	int status = EXIT_DONE;

	for (size_t i = 0; i < x->n_pipeline; i++) {
		struct err err = ERR_INIT;
		struct moment m;

		if (!x->pipeline[i].has_egress)
			continue;
		if (look(x->pipeline[i].name, &m, &err) < 0)
			status = talk_err(&err);
		else if (!m.current)
			buf_fmt(&b, "%s%s", b.n ? ", " : "", x->pipeline[i].name);
	}
	if (b.n && status == EXIT_DONE)
		status = e->flags.dry || e->flags.touch ? EXIT_DONE : EXIT_FAILED;
	if (b.n && status == EXIT_FAILED && !e->flags.question)
		talk("egress failed: %s; see above; 'dassie egress' or make tries again, and runs no datum for it", b.s);
	buf_release(&b);
	return status;
}

static int
usage_error(const char *text, const char *name)
{
	talk(text, name);
	return EXIT_USAGE;
}

static int
run(const struct egress *e, struct index *x, char **name, size_t n)
{
	char ends[EGRESS_NAME_MAX];
	int status = EXIT_DONE, rc;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const struct index_pipeline *p = index_find(x, name[i]);

		if (!p)
			return usage_error("there is no pipeline '%s' here", name[i]);
		if (!p->has_egress)
			return usage_error("pipeline '%s' has no egress", name[i]);
	}
	for (size_t i = 0; i < (n ? n : x->n_pipeline); i++) {
		const char *one = n ? name[i] : x->pipeline[i].name;

		if (!n && !x->pipeline[i].has_egress)
			continue;
		any = true;
		rc = with_locks(e, one);
		if (e->make && !e->flags.question)
			ends_add(layout_egress_name(ends, one), rc);
		if (rc > status)
			status = rc;
	}
	if (!any)
		talk("no pipeline has an egress");
	return talk_done(e->make && e->later && !e->flags.question ? EXIT_DONE : status);
}

static bool
parse(struct egress *e, int argc, char **argv, bool *help)
{
	static const struct option options[] = {
		{ "make", no_argument, NULL, 'm' }, { "later", no_argument, NULL, 'l' }, { "told", no_argument, NULL, 't' },
		{ "check", no_argument, NULL, 'c' }, { "dry-run", no_argument, NULL, 'n' }, { "verify", no_argument, NULL, 'v' },
		{ "all", no_argument, NULL, 'a' }, { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		*help |= c == 'h';
		e->make |= c == 'm';
		e->later |= c == 'l';
		e->told |= c == 't';
		e->check |= c == 'c';
		e->dry |= c == 'n';
		e->verify |= c == 'v';
		e->all |= c == 'a';
		e->json |= c == 'j';
		if (c == '?' || c == 'h')
			return false;
	}
	return !(e->check && e->dry) && !(e->check && e->all) && !(e->all && e->verify);
}

int
verb_egress(int argc, char **argv)
{
	struct egress e = { .make = false };
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	bool help = false;
	int rc;

	if (!parse(&e, argc, argv, &help))
		return show_usage(usage, help);
	if (e.make || e.told)
		mflags_parse(&e.flags, getenv("MAKEFLAGS"), 1);
	else if (state_find(NULL, &err) < 0)
		return talk_err(&err);
	rc = index_read(&x, &err);
	if (rc == 0)
		rc = err_set(&err, 0, "nothing is compiled here: 'dassie compile' checks the specs and compiles them");
	if (rc < 0)
		return talk_err(&err);
	rc = e.told ? tell(&e, &x) : run(&e, &x, argv + optind, (size_t)(argc - optind));
	index_release(&x);
	return rc;
}
