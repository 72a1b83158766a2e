/* wake.c: a stage makes results, objects and commits durable before it says that they are there, and out/P before its mark says
 * so; refs, settings and caches are not waited for.  After a power cut any of these may be old, empty, or cut short, each for
 * itself.  A machine that starts has another boot id; .dassie/boot has that of the last complete scan:
 *
 *   refs/R        one that does not parse, or names a commit that is not what its name says, goes: the scan, or the stage, makes it again
 *   refs/P.done   goes where refs/P says another commit than it, or out/P is not marked as that: the stage runs again, no datum does
 *   steps/        a script or settings that are not what the index says: the index goes, and the specs are compiled again
 *
 * Results that no job covers are checked by the stage (gather.c).  Whatever cannot be read or removed here is met again by
 * whoever needs it. */
#include "wake.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "publish.h"
#include "statcache.h"

static bool
was_here(void)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	bool same = fs_read(FILE_BOOT, &b, &err) == 1 && strcmp(b.s ? b.s : "", fs_boot_id()) == 0;

	buf_release(&b);
	return same;
}

static bool
has_content(const char *path, const struct oid *id)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct oid now;
	bool same = fs_read(path, &b, &err) == 1;

	if (same) {
		sha256_bytes(b.s ? b.s : "", b.n, &now);
		same = oid_eq(&now, id);
	}
	buf_release(&b);
	return same;
}

/* P-HASH.err.sh */
static bool
has_named_content(const char *path)
{
	const char *dash = strrchr(path, '-');
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	char hex[OID_HEX + 1];
	struct oid now;
	bool same = dash && fs_read(path, &b, &err) == 1;

	if (same) {
		sha256_bytes(b.s ? b.s : "", b.n, &now);
		oid_hex(&now, hex);
		same = strncmp(dash + 1, hex, strspn(dash + 1, "0123456789abcdef")) == 0;
	}
	buf_release(&b);
	return same;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcmp(s + n - k, end) == 0;
}

/* refs/R of a source or pipeline. */
static void
check_repo(const char *repo)
{
	char path[LAYOUT_MAX], commit[LAYOUT_MAX];
	struct err err = ERR_INIT;
	struct ref r;
	int rc = ref_read(layout_ref(path, repo), &r, &err);

	if (rc < 0 || (rc == 1 && has_content(layout_commit(commit, &r.id), &r.id))) {
		ref_release(&r);
		return;
	}
	if (rc == 1)
		unlink(commit);
	unlink(path);
	unlink(layout_scan(path, repo));
	ref_release(&r);
}

/* A cache may say that a source is what it was, while nothing names the commit that it had: the scan writes that again if it is
 * not there. */
static void
check_caches(void)
{
	DIR *d = opendir(DIR_SCAN);
	char path[LAYOUT_MAX];
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct statcache c = STATCACHE_INIT;
		struct statcache_info info;

		if (!layout_name_ok(e->d_name))
			continue;
		statcache_open(&c, layout_scan(path, e->d_name));
		statcache_about(&c, &info);
		if (c.head && !has_content(layout_commit(path, &info.id), &info.id))
			unlink(path);
		statcache_release(&c);
	}
	if (d)
		closedir(d);
}

static void
check_done(const char *pipeline)
{
	char path[LAYOUT_MAX];
	struct err err = ERR_INIT;
	struct ref done, r = REF_INIT;
	int rc = ref_read(layout_done(path, pipeline), &done, &err);

	if (rc == 1)
		rc = ref_read(layout_ref(path, pipeline), &r, &err);
	if (rc == 0 || (rc == 1 && (!oid_eq(&r.id, &done.output) || !publish_is_current(pipeline, &r.id))))
		unlink(layout_done(path, pipeline));
	ref_release(&r);
	ref_release(&done);
}

/* Repos first: what becomes of P.done hangs on them. */
static void
check_refs(bool done)
{
	DIR *d = opendir(DIR_REFS);
	char name[LAYOUT_MAX];
	struct dirent *e;

	while (d && (e = readdir(d))) {
		bool is_done = ends_with(e->d_name, ".done");

		snprintf(name, sizeof name, "%.*s", (int)(strlen(e->d_name) - (is_done ? 5 : 0)), e->d_name);
		if (is_done != done || !layout_name_ok(name))
			continue;
		if (done)
			check_done(name);
		else
			check_repo(name);
	}
	if (d)
		closedir(d);
}

/* The index is sealed, and so are the settings. */
static void
check_steps(void)
{
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	bool whole = index_read(&x, &err) == 1;

	for (size_t i = 0; i < x.n_pipeline; i++) {
		struct conf c = CONF_INIT;

		if (!has_content(x.pipeline[i].script, &x.pipeline[i].script_id)) {
			unlink(x.pipeline[i].script);
			whole = false;
		}
		if (conf_read(&c, x.pipeline[i].name, &err) < 0)
			whole = false;
		if (c.err_script && !has_named_content(c.err_script)) {
			unlink(c.err_script);
			whole = false;
		}
		conf_release(&c);
	}
	index_release(&x);
	if (!whole)
		unlink(FILE_INDEX);
}

void
wake(void)
{
	char path[LAYOUT_MAX];

	if (was_here())
		return;
	check_steps();
	check_caches();
	check_refs(false);
	check_refs(true);
	unlink(layout_scan(path, ".refs"));
	unlink(layout_scan(path, ".code"));
}

int
wake_done(void)
{
	struct err err = ERR_INIT;
	const char *now = fs_boot_id();

	if (was_here())
		return EXIT_DONE;
	return fs_replace(FILE_BOOT, now, strlen(now), 0644, &err) < 0 ? talk_err(&err) : EXIT_DONE;
}
