/* tickscan.c: most of them nobody touched, and there may be hundreds: a repo's lock is taken only when there is something to do.
 *
 * Ticks are replaced in one step by whoever fires (ticks.h), and the stat cache of the refs knows, under the file's path, which
 * commit a file of these times makes: where the verified ref has that id all is said.  A fire that comes after the look is the
 * next scan's. */
#include "tickscan.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "filecache.h"
#include "refscan.h"
#include "sourceref.h"
#include "ticks.h"

bool
tickscan_wants(const struct index_source *src)
{
	return strcmp(src->dir, "-") == 0;
}

/* Whoever moves a branch writes its ref.  Until then it is empty, so that what reads it has something to wait on. */
static int
begin_branch(const char *name, struct err *err)
{
	char path[LAYOUT_MAX];
	struct oid empty;
	struct ref r;
	int rc = ref_read(layout_ref(path, name), &r, err);

	if (rc == 1)
		ref_release(&r);
	manifest_empty_id(&empty);
	return rc == 0 ? sourceref_move(name, &empty, time_now_ns(), err) : rc;
}

/* The file of the ticks and its entry.  Without one the ticks are those of the newest commit, or there was none yet. */
struct look {
	char path[LAYOUT_MAX];
	struct filecache_entry *entry;
	struct signature sig;
	bool there;
};

static void
look_at(struct look *l, struct filecache *refs, const char *repo)
{
	struct stat st;

	layout_ticks(l->path, repo);
	l->there = stat(l->path, &st) == 0;
	if (!l->there)
		return;
	signature_of(&l->sig, &st);
	l->entry = filecache_entry(refs, l->path, strlen(l->path));
}

static bool
is_known(const struct look *l, struct filecache *refs, const char *repo)
{
	struct oid id;

	if (!refscan_id(refs, repo, &id) || !manifest_is_there(&id))
		return false;
	return !l->there || (filecache_fits(refs, l->entry, &l->sig) && oid_eq(&l->entry->id, &id));
}

/* Under the repo's lock. */
static int
scan_ticks(struct filecache *refs, const char *repo, struct err *err)
{
	uint64_t asof = time_now_ns();
	struct ticks t = TICKS_INIT;
	struct look l;
	struct oid id;
	int rc = filecache_prepare(refs, err);

	look_at(&l, refs, repo);
	if (rc == 0)
		rc = ticks_read(&t, repo, err);
	if (rc == 0)
		rc = ticks_commit(&t, &id, err);
	ticks_release(&t);
	if (rc == 0)
		rc = sourceref_move(repo, &id, asof, err);
	if (rc >= 0 && l.there)
		filecache_set(refs, l.entry, &l.sig, &id);
	return rc;
}

int
tickscan(struct filecache *refs, const struct index_source *src)
{
	bool branch = src->name[layout_repo_len(src->name)] != '\0';
	struct err err = ERR_INIT;
	struct look l = { .there = false };
	int lock, rc;

	if (!branch)
		look_at(&l, refs, src->name);
	if (is_known(&l, refs, src->name))
		return EXIT_DONE;
	lock = lock_take(src->name, false, false, &err);
	if (lock < 0)
		return talk_err(&err);
	rc = branch ? begin_branch(src->name, &err) : scan_ticks(refs, src->name, &err);
	close(lock);
	return rc < 0 ? talk_err(&err) : EXIT_DONE;
}
