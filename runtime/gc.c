/* gc.c: the verb. It holds the gc lock alone, which every scan and stage shares, so it waits for a make to end and a make
 * waits for it; between two stages of a make there is nothing that refs, marks and plans do not name. */
#include "gc.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/lock.h"
#include "../base/talk.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

enum { KEEP_JOBS = 10, KEEP_DAYS = 30 };

static const uint64_t DAY = 86400 * 1000000000ull;

static const char usage[] =
    "usage: dassie gc [--run] [--keep-days=N] [--keep-jobs=N] [--no-wait] [--json]\n\n"
    "Tells what in .dassie nothing needs any more, and with --run removes it. Kept are: all that refs, out/ and the\n"
    "newest job of each pipeline name, what a job that failed or was killed has done so far, the last jobs with their\n"
    "commits and logs, and everything that is younger than some days. The database keeps its rows. Files that go are\n"
    "old results (to go back to what they were made from runs their datums again), commits, their contents, logs,\n"
    "plans, steps, and what killed processes left.\n"
    "It waits for a make to end before it looks; beside a running make it is safe.\n\n"
    "    -f, --run          do it\n"
    "        --keep-days=N  what is younger than N days stays (30)\n"
    "        --keep-jobs=N  the last N jobs of each pipeline stay (10)\n"
    "        --no-wait      say who is at work and end with status 1 instead of waiting\n"
    "        --json         one object\n";

static const char *const kind_name[GC_KINDS][3] = {
	[GC_RESULTS] = { "results", "result", "results" },
	[GC_COMMITS] = { "commits", "commit", "commits" },
	[GC_OBJECTS] = { "objects", "object", "objects" },
	[GC_LOGS] = { "logs", "log", "logs" },
	[GC_PLANS] = { "plans", "file of a plan", "files of plans" },
	[GC_STEPS] = { "steps", "step", "steps" },
	[GC_LEFTOVERS] = { "leftovers", "left-over file", "left-over files" },
};

static bool
number(const char *text, uint64_t *ret)
{
	char *end;

	if (!text[0] || strlen(text) > 6 || text[strspn(text, "0123456789")])
		return false;
	*ret = strtoull(text, &end, 10);
	return *end == '\0';
}

static void
total(const struct gc_count *c, struct gc_count *ret)
{
	*ret = (struct gc_count){ 0 };
	for (int i = 0; i < GC_KINDS; i++) {
		ret->n += c[i].n;
		ret->bytes += c[i].bytes;
	}
}

static void
report_json(const struct gc *g, struct buf *b)
{
	struct gc_count gone, kept;

	total(g->gone, &gone);
	total(g->kept, &kept);
	json_open(b, NULL, '{');
	json_bool(b, "removed", g->run);
	for (int i = 0; i < GC_KINDS; i++) {
		json_open(b, kind_name[i][0], '{');
		json_i64(b, "count", (int64_t)g->gone[i].n);
		json_i64(b, "bytes", (int64_t)g->gone[i].bytes);
		json_i64(b, "kept", (int64_t)g->kept[i].n);
		json_close(b, '}');
	}
	json_i64(b, "count", (int64_t)gone.n);
	json_i64(b, "bytes", (int64_t)gone.bytes);
	json_i64(b, "kept_bytes", (int64_t)kept.bytes);
	json_close(b, '}');
	buf_byte(b, '\n');
}

static void
report(const struct gc *g, struct buf *b)
{
	struct gc_count gone, kept;

	total(g->gone, &gone);
	total(g->kept, &kept);
	for (int i = 0; i < GC_KINDS; i++) {
		if (g->gone[i].n == 0)
			continue;
		buf_str(b, g->run ? "removed " : "not needed: ");
		show_count(b, g->gone[i].n, kind_name[i][1], kind_name[i][2]);
		buf_str(b, ", ");
		show_size(b, g->gone[i].bytes);
		buf_byte(b, '\n');
	}
	if (gone.n == 0)
		buf_str(b, "everything is needed");
	else
		buf_str(b, g->run ? "freed " : "to free: ");
	if (gone.n)
		show_size(b, gone.bytes);
	buf_str(b, "; ");
	show_size(b, kept.bytes);
	buf_str(b, g->run ? " stay" : gone.n ? " would stay; 'dassie gc --run' does it" : " stay");
	buf_byte(b, '\n');
}

static int
collect(struct gc *g, bool json)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	int rc;

	g->now = time_now_ns();
	g->since = g->keep_days == 0 ? UINT64_MAX : g->now > g->keep_days * DAY ? g->now - g->keep_days * DAY : 0;
	rc = gc_mark(g, &err);
	if (rc < 0)
		err_wrap(&err, "nothing was removed");
	else if ((rc = gc_sweep(g, &err)) < 0)
		err_wrap(&err, "gc stopped early (run it again)");
	if (rc < 0) {
		buf_release(&b);
		return show_err(&err);
	}
	if (!g->history)
		talk("there is no database: commits are kept by their age");
	if (json)
		report_json(g, &b);
	else
		report(g, &b);
	return show_out(&b, EXIT_DONE);
}

static int
with_lock(struct gc *g, bool json, bool wait)
{
	struct err err = ERR_INIT;
	long pid;
	int lock, rc;

	if (state_find(NULL, &err) < 0 || state_make(&err) < 0)
		return show_err(&err);
	lock = wait ? lock_take(LOCK_GC, false, false, &err) : lock_try(LOCK_GC, false, false, &err);
	if (lock == -2) {
		pid = lock_holder(LOCK_GC);
		if (pid > 0)
			talk("process %ld is at work here; nothing was done", pid);
		else
			talk("another process is at work here; nothing was done");
		return EXIT_FAILED;
	}
	if (lock < 0)
		return show_err(&err);
	rc = collect(g, json);
	close(lock);
	return rc;
}

static void
release(struct gc *g)
{
	free(g->commit.v);
	free(g->object.v);
	free(g->key.v);
	free(g->lost.v);
	free(g->job.v);
	free(g->script.v);
	free(g->plan.v);
	free(g->result);
	index_release(&g->x);
	arena_release(&g->a);
}

int
verb_gc(int argc, char **argv)
{
	static const struct option options[] = { { "run", no_argument, NULL, 'f' }, { "keep-days", required_argument, NULL, 'd' },
		{ "keep-jobs", required_argument, NULL, 'n' }, { "no-wait", no_argument, NULL, 'w' }, { "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct gc g = { .a = ARENA_INIT, .x = INDEX_INIT, .keep_jobs = KEEP_JOBS, .keep_days = KEEP_DAYS };
	bool json = false, wait = true;
	int c, rc;

	while ((c = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		if ((c == 'd' && !number(optarg, &g.keep_days)) || (c == 'n' && !number(optarg, &g.keep_jobs))) {
			talk("'%s' is not a number from 0 to 999999", optarg);
			return EXIT_USAGE;
		}
		if (c == 'h' || c == '?')
			return show_usage(usage, c == 'h');
		g.run |= c == 'f';
		json |= c == 'j';
		wait &= c != 'w';
	}
	if (optind != argc)
		return show_usage(usage, false);
	rc = with_lock(&g, json, wait);
	release(&g);
	return rc;
}
