/* gather.c: one pass over the results that the last successful job does not cover; the rest is in that job's file,
 * so what a job costs depends on what is new in it. */
#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "provenance.h"
#include "result.h"
#include "store.h"

static int
read_set(struct gather *g, struct err *err)
{
	struct rec r;
	uint64_t old;

	while (recfile_next(&g->set, &r)) {
		if (!rec_is(&r, "datum", 4))
			continue;
		GROW(g->datum, g->n, g->cap);
		GROW(g->old, g->n, g->cap_old);
		g->datum[g->n].label = r.f[3];
		g->old[g->n] = strcmp(r.f[2], "-") == 0 ? -1 : rec_get_u64(&r, 2, &old) ? (int64_t)old : -2;
		if (!rec_get_oid(&r, 1, &g->datum[g->n].key) || g->old[g->n] == -2 || g->old[g->n] >= (int64_t)g->last.n_datum)
			return err_set(err, 0, "the plan's list of datums is malformed");
		g->n++;
	}
	return 0;
}

int
gather_begin(struct gather *g, const struct open_job *o, struct err *err)
{
	char path[LAYOUT_MAX], suffix[128];
	int rc = jobfile_read(&g->last, o->pipeline, err);

	if (rc < 0)
		return -1;
	snprintf(suffix, sizeof suffix, "%s.set", o->job);
	rc = recfile_open(&g->set, layout_plan(path, o->pipeline, suffix), "set", 1, err);
	if (rc == 0)
		err_set(err, 0, "the planner left no '%s'", path);
	return rc == 1 ? read_set(g, err) : -1;
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

	for (size_t i = 0; i < g->n; i++) {
		int rc = g->old[i] >= 0 ? 1 : check_one(&g->datum[i].key, err);

		if (rc < 0)
			return -1;
		removed += rc == 0;
	}
	return removed;
}

/* What the tree keeps of the last job: by old index, where that datum is now. */
static void
keep_old(struct gather *g)
{
	int64_t *map = xcalloc(g->last.n_datum, sizeof *map);

	for (size_t i = 0; i < g->last.n_datum; i++)
		map[i] = -1;
	for (size_t i = 0; i < g->n; i++)
		if (g->old[i] >= 0)
			map[g->old[i]] = (int64_t)i;
	tree_keep(&g->tree, &g->last, map);
	free(map);
}

static int
take_failure(struct gather *g, const struct open_job *o, size_t i, struct prov *p, struct err *err)
{
	struct result r = RESULT_INIT;
	struct err damaged = ERR_INIT;
	int rc = result_read(&r, &g->datum[i].key, true, &damaged);     /* a failure that cannot be read is none */

	if (rc == 1 && strcmp(r.job, o->job) == 0) {
		GROW(g->failure, g->failed, g->cap_failure);
		g->failure[g->failed++] = g->datum[i].key;
		rc = prov_put_result(p, &r, &o->spec, err);
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
	int rc = result_read(&r, &g->datum[i].key, false, err);

	if (rc == 0)
		return take_failure(g, o, i, p, err);
	if (rc == 1) {
		g->processed += strcmp(r.job, o->job) == 0;
		tree_add(&g->tree, &r, (uint32_t)i);
		rc = prov_put_result(p, &r, &o->spec, err);
	}
	result_release(&r);
	return rc < 0 ? -1 : 0;
}

int
gather_results(struct gather *g, const struct open_job *o, struct prov *p, struct err *err)
{
	keep_old(g);
	for (size_t i = 0; i < g->n; i++)
		if (g->old[i] < 0 && take_result(g, o, i, p, err) < 0)
			return -1;
	tree_sort(&g->tree);
	return 0;
}

void
gather_release(struct gather *g)
{
	recfile_release(&g->set);
	jobfile_release(&g->last);
	tree_release(&g->tree);
	free(g->datum);
	free(g->old);
	free(g->failure);
	*g = (struct gather)GATHER_INIT;
}
