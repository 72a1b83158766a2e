/* known.c: one sentence for everybody who is asked for what there is not. */
#include "known.h"

#include <stdlib.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "../base/suggest.h"
#include "show.h"

int
known_pipeline(const char *pipeline, struct err *err)
{
	struct index x = INDEX_INIT;
	const char **name, *best;
	int rc = index_read(&x, err);

	if (rc == 1 && !index_find(&x, pipeline)) {
		name = xcalloc(x.n_pipeline + 1, sizeof *name);
		for (size_t i = 0; i < x.n_pipeline; i++)
			name[i] = x.pipeline[i].name;
		best = suggest(pipeline, name, x.n_pipeline);
		rc = best ? err_set(err, SHOW_USAGE, "there is no pipeline '%s'; did you mean '%s'?", pipeline, best) :
		    err_set(err, SHOW_USAGE, "there is no pipeline '%s'; 'dassie status' lists them", pipeline);
		free(name);
	}
	index_release(&x);
	return rc < 0 ? -1 : 0;
}
