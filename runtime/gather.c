/* gather.c: one pass over the results that the last successful job does not cover; the rest is in that job's file,
 * so what a job costs depends on what is new in it. */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/plan.h"
#include "provenance.h"
#include "result.h"
#include "store.h"

int
gather_begin(struct gather *g, const struct open_job *o, struct err *err)
{
	char path[LAYOUT_MAX];
	int rc = roster_last(&g->roster, o->pipeline, err);

	if (rc == 1)
		rc = manifest_view(&g->commit, &g->roster.last.commit, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	roster_release(&g->roster);
	if (unlink(layout_plan(path, o->pipeline, "job")) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	return 0;
}

int
gather_planned(struct gather *g, const struct open_job *o, struct err *err)
{
	int rc = roster_read(&g->roster, o->pipeline, o->job, err);

	g->n = g->roster.n;
	return rc ? rc : err_set(err, 0, "the planner left no list of datums that fits the newest job of '%s'", o->pipeline);
}

/* 1 believed, 0 removed, -1 error. */
static int
check_one(const struct oid *key, struct err *err)
{
	struct err why = ERR_INIT;
	struct result r = RESULT_INIT;
	char path[LAYOUT_MAX];
	int rc = result_read(&r, key, false, &why);
	bool fits = rc == 1, same_boot = fits && strcmp(r.boot, fs_boot_id()) == 0;

	if (rc == 0)
		return 1;
	for (size_t i = 0; fits && i < r.n_output; i++)
		fits = same_boot ? store_has(&r.output[i].id, r.output[i].size)
		                 : store_verify(&r.output[i].id, r.output[i].size, &why) == 1;
	/* One that was stored in vain is in the way of the right one. */
	for (size_t i = 0; rc == 1 && !fits && !same_boot && i < r.n_output; i++)
		if (store_verify(&r.output[i].id, r.output[i].size, &why) != 1)
			unlink(layout_object(path, &r.output[i].id));
	result_release(&r);
	if (fits)
		return 1;
	if (unlink(layout_datum(path, key)) < 0)
		return err_set(err, 0, "result '%s' cannot be believed (%s) nor removed", path, why.text);
	return 0;
}

int64_t
gather_distrust(struct gather *g, struct err *err)
{
	int64_t removed = 0;

	for (size_t i = 0; i < g->roster.n_fresh; i++) {
		int rc = check_one(&g->roster.fresh[i].key, err);

		if (rc < 0)
			return -1;
		removed += rc == 0;
	}
	return removed;
}

static int
take_failure(struct gather *g, const struct open_job *o, size_t i, struct prov *p, struct err *err)
{
	struct result r = RESULT_INIT;
	struct err damaged = ERR_INIT;
	int rc = result_read(&r, &g->roster.fresh[i].key, true, &damaged);     /* a failure that cannot be read is none */

	if (rc == 1 && strcmp(r.job, o->job) == 0) {
		rc = prov_put_result(p, &r, &o->spec, err);
		if (strcmp(r.state, "recovered") == 0) {
			/* It has no result: the next job is to plan it again. */
			g->roster.fresh[i].left_out = true;
			g->recovered++;
		} else {
			GROW(g->failure, g->failed, g->cap_failure);
			g->failure[g->failed++] = g->roster.fresh[i].key;
		}
	} else {
		g->missing++;
		rc = 0;
	}
	result_release(&r);
	return rc < 0 ? -1 : 0;
}

static int
take_result(struct gather *g, const struct open_job *o, size_t i, struct prov *p, struct err *err)
{
	struct result r = RESULT_INIT;
	int rc = result_read(&r, &g->roster.fresh[i].key, false, err);

	if (rc == 0)
		return take_failure(g, o, i, p, err);
	if (rc == 1) {
		g->processed += strcmp(r.job, o->job) == 0;
		tree_add(&g->tree, &r, roster_number(&g->roster, i));
		rc = prov_put_result(p, &r, &o->spec, err);
	}
	result_release(&r);
	return rc < 0 ? -1 : 0;
}

int
gather_results(struct gather *g, const struct open_job *o, struct prov *p, struct err *err)
{
	for (size_t i = 0; i < g->roster.n_fresh; i++)
		if (take_result(g, o, i, p, err) < 0)
			return -1;
	return 0;
}

void
gather_release(struct gather *g)
{
	roster_release(&g->roster);
	recfile_release(&g->commit);
	tree_release(&g->tree);
	free(g->failure);
	*g = (struct gather)GATHER_INIT;
}
