/* recover.c: a recovered datum has a ".fail" with that state and no result, so it costs nothing where nothing fails: it
 * is looked for among the failures only.  It is no part of P.job: the next job plans it again. */
#include "recover.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "gather.h"
#include "result.h"

int
recover_count(struct gather *g, uint64_t *ret, struct err *err)
{
	size_t kept = 0;

	*ret = 0;
	for (size_t i = 0; i < g->failed; i++) {
		struct result r = RESULT_INIT;

		if (result_read(&r, &g->failure[i], true, err) < 0)
			return -1;
		if (strcmp(r.state ? r.state : "", "recovered") == 0)
			++*ret;
		else
			g->failure[kept++] = g->failure[i];
		result_release(&r);
	}
	g->failed = kept;
	return 0;
}

void
recover_leave_out(struct gather *g, struct jobfile *j)
{
	uint32_t *to = xcalloc(g->n + 1, sizeof *to);
	size_t n = 0;

	/* Of those that the last job did not have, only recovered ones are without a result when a job succeeds. */
	for (size_t i = 0; i < g->n; i++) {
		to[i] = (uint32_t)n;
		if (g->old[i] >= 0 || result_exists(&g->datum[i].key))
			g->datum[n++] = g->datum[i];
	}
	for (size_t i = 0; i < j->n_tree; i++)
		j->tree[i].datum = to[j->tree[i].datum];
	j->n_datum = n;
	free(to);
}
