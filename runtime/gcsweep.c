/* gcsweep.c: removes what gcmark.c did not keep. Results and commits go before the objects that they name, with the
 * disk in step between (one syncfs), so that neither a kill nor a power cut leaves one that names what is gone.
 *
 * Nobody who holds the gc lock, so no scan, stage or runner, is there: every temporary file and every view is left over.
 * Only `dassie compile` by hand takes no lock: what it may be writing is left alone for an hour. */
#include "gc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "collected.h"
#include "fanout.h"

#define DIR_DAMAGED DIR_STATE "/damaged"

static const uint64_t HOUR = 3600 * 1000000000ull;

/* What the file takes that nobody else has a link to. */
static uint64_t
bytes_of(const struct stat *st)
{
	return st->st_nlink > 1 ? 0 : (uint64_t)st->st_size;
}

static int
keep(struct gc *g, enum gc_kind kind, const struct stat *st)
{
	g->kept[kind].n++;
	g->kept[kind].bytes += (uint64_t)st->st_size;
	return 0;
}

static int
drop(struct gc *g, enum gc_kind kind, const char *path, const struct stat *st, struct err *err)
{
	if (g->run && unlink(path) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	g->gone[kind].n++;
	g->gone[kind].bytes += bytes_of(st);
	return 0;
}

/* 1 there, 0 not (any more), -1. */
static int
look(const char *path, struct stat *st, struct err *err)
{
	if (lstat(path, st) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_set(err, errno, "cannot look at '%s':", path);
}

static bool
is_tmp(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

static int
sweep_object(void *ctx, const char *path, const struct oid *id, const char *suffix, struct err *err)
{
	struct gc *g = ctx;
	struct stat st;
	int rc = look(path, &st, err);

	if (rc != 1)
		return rc;
	if (is_tmp(suffix))
		return drop(g, GC_LEFTOVERS, path, &st, err);
	if (suffix[0] || gc_has(&g->object, id))
		return keep(g, GC_OBJECTS, &st);
	return drop(g, GC_OBJECTS, path, &st, err);
}

static int
sweep_result(void *ctx, const char *path, const struct oid *key, const char *suffix, struct err *err)
{
	struct gc *g = ctx;
	const struct gc_result *r = gc_result_of(g, key);
	struct stat st;
	int rc = look(path, &st, err);

	if (rc != 1)
		return rc;
	if (is_tmp(suffix))
		return drop(g, GC_LEFTOVERS, path, &st, err);
	if (r || (suffix[0] && strcmp(suffix, ".fail") != 0))
		return keep(g, GC_RESULTS, &st);
	return drop(g, GC_RESULTS, path, &st, err);
}

/* cd….JOB.ATTEMPT: as long as the job or the result that it belongs to, or while it is young. */
static int
sweep_log(void *ctx, const char *path, const struct oid *key, const char *suffix, struct err *err)
{
	struct gc *g = ctx;
	const struct gc_result *r = gc_result_of(g, key);
	char job[64] = "";
	struct stat st;
	int rc = look(path, &st, err);

	if (rc != 1)
		return rc;
	if (is_tmp(suffix))
		return drop(g, GC_LEFTOVERS, path, &st, err);
	if (suffix[0] == '.')
		snprintf(job, sizeof job, "%.*s", (int)strcspn(suffix + 1, "."), suffix + 1);
	if (fs_mtime_ns(&st) >= g->since || gc_has_name(&g->job, job) || (r && (!r->job[0] || strcmp(r->job, job) == 0)))
		return keep(g, GC_LOGS, &st);
	return drop(g, GC_LOGS, path, &st, err);
}

/* Calls fn for every name of a folder but "." and "..". */
typedef int entry_fn(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err);

static int
each_entry(struct gc *g, const char *dir, entry_fn *fn, struct err *err)
{
	struct buf path = BUF_INIT;
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while (rc >= 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		buf_reset(&path);
		fs_join(&path, dir, e->d_name);
		rc = look(path.s, &st, err);
		if (rc == 1)
			rc = fn(g, path.s, e->d_name, &st, err);
	}
	closedir(d);
	buf_release(&path);
	return rc < 0 ? -1 : 0;
}

static int
list_commit(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	struct oid id;

	(void)path;
	(void)st;
	(void)err;
	if (oid_parse(name, &id) && !gc_has(&g->commit, &id)) {
		GROW(g->lost.v, g->lost.n, g->lost.cap);
		g->lost.v[g->lost.n++] = id;
	}
	return 0;
}

/* The list goes first: a commit that is not there and not in it would be damage. */
static int
note_collected(struct gc *g, struct err *err)
{
	struct collected c = COLLECTED_INIT;
	int rc = each_entry(g, DIR_COMMITS, list_commit, err);

	if (rc == 0 && g->run && g->lost.n) {
		rc = collected_read(&c, err);
		for (size_t i = 0; i < g->lost.n; i++)
			collected_add(&c, &g->lost.v[i]);
		if (rc == 0)
			rc = collected_write(&c, err);
	}
	collected_release(&c);
	return rc;
}

static int
sweep_commit(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	struct oid id;

	if (is_tmp(name))
		return drop(g, GC_LEFTOVERS, path, st, err);
	if (!oid_parse(name, &id) || gc_has(&g->commit, &id))
		return keep(g, GC_COMMITS, st);
	return drop(g, GC_COMMITS, path, st, err);
}

/* P.JOB and what belongs to it: "P.JOB.set", "P.JOB.mk", "P.JOB.part.3.mk", "P.JOB.err". */
static int
sweep_plan(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	const char *dot = strchr(name, '.');
	char plan[LAYOUT_MAX];

	if (is_tmp(name))
		return drop(g, GC_LEFTOVERS, path, st, err);
	if (!dot || strcmp(dot, ".job") == 0 || strcmp(dot, ".open") == 0 || strcmp(dot, ".failed") == 0 || strcmp(dot, ".times") == 0)
		return keep(g, GC_PLANS, st);
	snprintf(plan, sizeof plan, "%.*s", (int)(dot + 1 - name + (ptrdiff_t)strcspn(dot + 1, ".")), name);
	return gc_has_name(&g->plan, plan) ? keep(g, GC_PLANS, st) : drop(g, GC_PLANS, path, st, err);
}

static int
sweep_step(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	size_t n = strlen(name);
	bool script = n > 3 && strcmp(name + n - 3, ".sh") == 0;
	uint64_t age = fs_ctime_ns(st) < g->now ? g->now - fs_ctime_ns(st) : 0;

	if (is_tmp(name) && age > HOUR)
		return drop(g, GC_LEFTOVERS, path, st, err);
	if (!script || gc_has_name(&g->script, path) || fs_mtime_ns(st) >= g->since || age <= HOUR || g->x.n_pipeline == 0)
		return keep(g, GC_STEPS, st);
	return drop(g, GC_STEPS, path, st, err);
}

static int
sweep_tmp(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	return is_tmp(name) && S_ISREG(st->st_mode) ? drop(g, GC_LEFTOVERS, path, st, err) : 0;
}

/* Files that lie in .dassie itself: `dassie compile` writes there, too. */
static int
sweep_top(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	return fs_ctime_ns(st) + HOUR < g->now ? sweep_tmp(g, path, name, st, err) : 0;
}

/* A cache of a source that is no more is made again when it comes back. */
static int
sweep_cache(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	if (layout_name_ok(name) && g->x.n_source + g->x.n_pipeline > 0 && !index_find_source(&g->x, name))
		return drop(g, GC_LEFTOVERS, path, st, err);
	return sweep_tmp(g, path, name, st, err);
}

/* REPO.COMMIT goes with its commit, REPO.part with its source. */
static int
sweep_fetched(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	char repo[NAME_MAX_REPO + 1];
	const char *dot = strchr(name, '.');
	struct oid id;

	if (is_tmp(name) || !dot || dot - name > NAME_MAX_REPO)
		return sweep_tmp(g, path, name, st, err);
	snprintf(repo, sizeof repo, "%.*s", (int)(dot - name), name);
	if (oid_parse(dot + 1, &id) ? gc_has(&g->commit, &id) : index_find_source(&g->x, repo) != NULL)
		return keep(g, GC_COMMITS, st);
	return drop(g, GC_COMMITS, path, st, err);
}

static int
count_tree(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	(void)name;
	g->gone[GC_LEFTOVERS].n++;
	if (!S_ISDIR(st->st_mode)) {
		g->gone[GC_LEFTOVERS].bytes += bytes_of(st);
		return 0;
	}
	/* What a command made unreadable cannot be counted, and is removed all the same. */
	if (access(path, R_OK | X_OK) < 0)
		return 0;
	return each_entry(g, path, count_tree, err);
}

static int
sweep_tree(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	if (count_tree(g, path, name, st, err) < 0)
		return -1;
	return g->run ? fs_remove_tree(path, err) : 0;
}

/* What `fsck --repair` took away is for people to look at, for as long as anything else. */
static int
sweep_damaged(struct gc *g, const char *path, const char *name, const struct stat *st, struct err *err)
{
	return fs_ctime_ns(st) < g->since ? sweep_tree(g, path, name, st, err) : 0;
}

static int
sync_state(const struct gc *g, struct err *err)
{
	int fd = g->run ? open(DIR_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, rc;

	if (!g->run)
		return 0;
	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", DIR_STATE);
	rc = syncfs(fd) < 0 ? err_set(err, errno, "cannot write '%s' to the disk:", DIR_STATE) : 0;
	close(fd);
	return rc;
}

int
gc_sweep(struct gc *g, struct err *err)
{
	static const struct { const char *dir; entry_fn *fn; } rest[] = { { DIR_PLAN, sweep_plan }, { DIR_STEPS, sweep_step },
		{ DIR_WORK, sweep_tree }, { DIR_MOVING, sweep_tree }, { DIR_SCAN, sweep_cache }, { DIR_FETCHED, sweep_fetched }, { DIR_EGRESS, sweep_tmp }, { DIR_REFS, sweep_tmp },
		{ DIR_MARKS, sweep_tmp }, { DIR_BRANCHES, sweep_tmp },
		{ DIR_OBJECTS, sweep_tmp }, { DIR_DATUMS, sweep_tmp }, { DIR_LOGS, sweep_tmp }, { DIR_STATE, sweep_top },
		{ DIR_DAMAGED, sweep_damaged } };

	if (note_collected(g, err) < 0 || fanout_each(DIR_DATUMS, sweep_result, g, err) < 0 ||
	    each_entry(g, DIR_COMMITS, sweep_commit, err) < 0 || sync_state(g, err) < 0 ||
	    fanout_each(DIR_OBJECTS, sweep_object, g, err) < 0 || fanout_each(DIR_LOGS, sweep_log, g, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		if (each_entry(g, rest[i].dir, rest[i].fn, err) < 0)
			return -1;
	return 0;
}
