/* newest.c: one pass over P.job notes where each path's writers are and which datum has which number. */
#include "newest.h"

#include <stdlib.h>

#include "../base/mem.h"

struct newest_number { uint64_t number; size_t datum; };

static int
by_number(const void *va, const void *vb)
{
	const struct newest_number *a = va, *b = vb;

	return a->number < b->number ? -1 : a->number > b->number;
}

static void
take_writers(struct newest *n)
{
	struct job_writers w;

	job_writers_begin(&w, &n->job);
	while (job_writers_next(&w) == 1) {
		GROW(n->path, n->n_path, n->cap_path);
		n->path[n->n_path++] = n->n_part;
		for (size_t i = 0; i < w.n; i++) {
			GROW(n->part, n->n_part, n->cap_part);
			n->part[n->n_part++] = w.part[i];
		}
	}
	job_writers_release(&w);
}

int
newest_read(struct newest *n, const char *pipeline, struct err *err)
{
	int rc = jobfile_read(&n->job, pipeline, err);

	if (rc < 1)
		return rc;
	take_writers(n);
	n->number = xcalloc(n->job.n_datum, sizeof *n->number);
	for (size_t i = 0; i < n->job.n_datum; i++)
		n->number[i] = (struct newest_number){ jobfile_number(&n->job, i), i };
	qsort(n->number, n->job.n_datum, sizeof *n->number, by_number);
	return 0;
}

void
newest_release(struct newest *n)
{
	jobfile_release(&n->job);
	free(n->part);
	free(n->path);
	free(n->number);
	*n = (struct newest)NEWEST_INIT;
}

size_t
newest_writers(const struct newest *n, size_t i, const struct job_part **ret)
{
	if (i >= n->n_path)
		return 0;
	*ret = &n->part[n->path[i]];
	return (i + 1 < n->n_path ? n->path[i + 1] : n->n_part) - n->path[i];
}

bool
newest_key(const struct newest *n, uint64_t number, struct oid *ret)
{
	struct newest_number want = { .number = number };
	const struct newest_number *at = n->number ? bsearch(&want, n->number, n->job.n_datum, sizeof want, by_number) : NULL;

	if (at)
		jobfile_key(&n->job, at->datum, ret);
	return at;
}
