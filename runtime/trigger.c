/* trigger.c: when a branch moves by itself.
 *
 * Looked at by the scan, for what the sources have, and by a stage when its commit moved.  A branch's head is its ref; how
 * many commits came since is in .dassie/branches/REPO@BRANCH (rec.h):
 *
 *   dassie-branch 1
 *   seen COMMIT     of what it follows, when that was looked at last
 *   commits N       that it saw there since its head moved
 *
 * Losing that file loses a count, no data.  As in Pachyderm a branch without a head takes the first that satisfies size or
 * commits, and any for a rate limit; a rate limit counts from when the head moved, and unlike there it is also judged when time
 * has gone by without a new commit, so that the last commit of a day is not left lying. */
#include "trigger.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/cron.h"
#include "../base/cronnext.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/rec.h"
#include "../base/ref.h"
#include "../base/zone.h"

enum { BILLION = 1000000000, NAME = NAME_MAX_REPO + NAME_MAX_BRANCH + 2 };

struct look {
	const struct index_trigger *t;
	char name[NAME], state[LAYOUT_MAX];
	struct ref from, head;
	bool empty;                 /* it never had a commit */
	struct oid seen;
	uint64_t commits;
};

int
branch_move(const char *name, const struct oid *id, struct err *err)
{
	struct ref old, r = { .id = *id, .asof = time_now_ns() };
	struct clock clock = CLOCK_INIT;
	char path[LAYOUT_MAX];
	int rc = clock_lock(&clock, err);

	if (rc == 0)
		rc = ref_read(layout_ref(path, name), &old, err);
	if (rc >= 0) {
		bool same = rc == 1 && oid_eq(&old.id, id);

		ref_release(&old);
		rc = same ? 0 : ref_move(&clock, path, &r, err) < 0 ? -1 : 1;
	}
	clock_unlock(&clock);
	return rc;
}

static void
read_state(struct look *l)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;

	snprintf(l->state, sizeof l->state, "%s/%s", DIR_BRANCHES, l->name);
	if (recfile_open(&f, l->state, "branch", 1, &ignored) == 1)
		while (recfile_next(&f, &r)) {
			if (rec_is(&r, "seen", 2))
				rec_get_oid(&r, 1, &l->seen);
			else if (rec_is(&r, "commits", 2))
				rec_get_u64(&r, 1, &l->commits);
		}
	recfile_release(&f);
}

static int
write_state(const struct look *l, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "branch", 1);
	rec_word(&b, "seen");
	rec_oid(&b, &l->seen);
	rec_end(&b);
	rec_word(&b, "commits");
	rec_u64(&b, l->commits);
	rec_end(&b);
	rc = fs_replace(l->state, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

static int
commit_size(const struct oid *id, uint64_t *ret, struct err *err)
{
	struct manifest m = MANIFEST_INIT;

	*ret = 0;
	if (manifest_load(&m, id, err) < 0)
		return -1;
	for (size_t i = 0; i < m.n; i++)
		*ret += m.v[i].size;
	manifest_release(&m);
	return 0;
}

/* 1 so much more than the head has, 0, -1 */
static int
size_holds(const struct look *l, struct err *err)
{
	uint64_t now, then;

	if (commit_size(&l->from.id, &now, err) < 0 || commit_size(&l->head.id, &then, err) < 0)
		return -1;
	return now >= then && now - then >= l->t->size;
}

/* Was there an instant of the expression (UTC) since the head moved? */
static int
time_holds(const char *expr, uint64_t since, struct err *err)
{
	struct zone zone = ZONE_INIT;
	struct cron_fault fault;
	struct cron_instant at;
	struct cron_expr c;
	struct cron_walk w;
	int rc;

	if (!cron_parse(expr, &c, &fault))
		return err_set(err, 0, "'%s': %s", expr, fault.text);
	if (zone_open(&zone, "UTC", err) < 0)
		return -1;
	cron_walk(&w, &c, &zone, (int64_t)(since / BILLION), (int64_t)(since / BILLION));
	rc = cron_walk_next(&w, &at) && at.at <= (int64_t)(time_now_ns() / BILLION);
	zone_release(&zone);
	return rc;
}

static int
holds(const struct look *l, struct err *err)
{
	const struct index_trigger *t = l->t;
	int any = 0, all = 1, rc = 0;

	if (t->commits) {
		rc = l->commits >= t->commits;
		any |= rc;
		all &= rc;
	}
	if (t->size && (rc = size_holds(l, err)) >= 0) {
		any |= rc;
		all &= rc;
	}
	if (rc >= 0 && *t->rate && (rc = l->empty ? 1 : time_holds(t->rate, l->head.asof, err)) >= 0) {
		any |= rc;
		all &= rc;
	}
	if (rc >= 0 && *t->cron && (rc = time_holds(t->cron, l->head.asof, err)) >= 0) {
		any |= rc;
		all &= rc;
	}
	return rc < 0 ? -1 : t->all ? all : any;
}

static int
judge(struct look *l, struct err *err)
{
	struct oid empty;
	int rc;

	manifest_empty_id(&empty);
	l->empty = oid_eq(&l->head.id, &empty);
	if (oid_eq(&l->from.id, &l->head.id))
		return 0;
	if (!oid_eq(&l->from.id, &l->seen)) {
		l->seen = l->from.id;
		l->commits++;
		if (write_state(l, err) < 0)
			return -1;
	}
	rc = holds(l, err);
	if (rc <= 0)
		return rc;
	/* In this order: a kill in between counts from nothing, and moves the head the next time. */
	rc = branch_move(l->name, &l->from.id, err);
	l->commits = 0;
	return rc < 0 ? -1 : write_state(l, err);
}

/* Is the head what it follows?  Then there is nothing to do, and nobody to keep out. */
static bool
is_there(struct look *l)
{
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	bool same = ref_read(layout_ref(path, l->t->follows), &l->from, &ignored) == 1 &&
	    ref_read(layout_ref(path, l->name), &l->head, &ignored) == 1 && oid_eq(&l->from.id, &l->head.id);

	ref_release(&l->from);
	ref_release(&l->head);
	return same;
}

static int
look_at(const struct index_trigger *t, struct err *err)
{
	struct look l = { .t = t };
	char path[LAYOUT_MAX];
	int lock, rc;

	snprintf(l.name, sizeof l.name, "%s@%s", t->repo, t->branch);
	if (is_there(&l))
		return 0;
	lock = lock_take(l.name, false, false, err);
	if (lock < 0)
		return -1;
	read_state(&l);
	rc = ref_read(layout_ref(path, t->follows), &l.from, err);
	if (rc == 1 && (rc = ref_read(layout_ref(path, l.name), &l.head, err)) == 0) {
		/* It begins with nothing, so that what reads it has something to wait on. */
		struct oid empty;

		manifest_empty_id(&empty);
		if ((rc = branch_move(l.name, &empty, err)) >= 0)
			rc = ref_read(path, &l.head, err);
	}
	if (rc == 1)
		rc = judge(&l, err);
	ref_release(&l.from);
	ref_release(&l.head);
	close(lock);
	return rc < 0 ? err_wrap(err, "the trigger of branch '%s'", l.name) : 0;
}

int
triggers_look(const struct index *x, const char *repo, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < x->n_trigger; i++) {
		struct err one = ERR_INIT;

		if ((repo && strcmp(x->trigger[i].repo, repo) != 0) || look_at(&x->trigger[i], &one) == 0)
			continue;
		if (rc == 0)
			*err = one;
		rc = -1;
	}
	return rc;
}
