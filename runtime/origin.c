/* origin.c: P.job says who wrote the commit's first path, its second path and so on, so it is read in step with the commit. */
#include "origin.h"

#include <stdlib.h>

#include "../base/err.h"
#include "../base/mem.h"

static int
by_number(const void *pa, const void *pb)
{
	const struct origin_number *a = pa, *b = pb;

	return a->number < b->number ? -1 : a->number > b->number;
}

void
origin_open(struct origin *o, const char *pipeline, const struct oid *commit)
{
	struct err unread = ERR_INIT;

	*o = (struct origin){ .job = JOBFILE_INIT };
	if (jobfile_read(&o->job, pipeline, &unread) != 1 || !oid_eq(&o->job.commit, commit))
		return;
	o->by_number = xcalloc(o->job.n_datum + 1, sizeof *o->by_number);
	for (size_t i = 0; i < o->job.n_datum; i++)
		o->by_number[i] = (struct origin_number){ jobfile_number(&o->job, i), i };
	qsort(o->by_number, o->job.n_datum, sizeof *o->by_number, by_number);
	o->known = true;
	job_writers_begin(&o->w, &o->job);
}

void
origin_rewind(struct origin *o)
{
	if (!o->known)
		return;
	job_writers_release(&o->w);
	job_writers_begin(&o->w, &o->job);
	o->next = 0;
}

void
origin_release(struct origin *o)
{
	if (o->by_number)
		job_writers_release(&o->w);
	free(o->by_number);
	jobfile_release(&o->job);
	*o = (struct origin){ .job = JOBFILE_INIT };
}

bool
origin_of(struct origin *o, uint64_t index, struct oid *ret_key)
{
	struct origin_number want, *found;

	while (o->known && o->next <= index)
		if (job_writers_next(&o->w) == 1)
			o->next++;
		else
			o->known = false;
	if (!o->known || o->w.n == 0)
		return false;
	want.number = o->w.part[0].number;
	found = bsearch(&want, o->by_number, o->job.n_datum, sizeof want, by_number);
	if (found)
		jobfile_key(&o->job, found->at, ret_key);
	return found;
}

const char *
origin_job(const struct origin *o)
{
	return o->known ? o->job.job : "";
}
