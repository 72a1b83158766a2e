/* jobfile.c: P.job, the newest successful job of a pipeline.  Its seal is what makes it worth believing: a
 * damaged one counts as absent, since everything in it can be found again in results and commits. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "layout.h"

static bool
tree_line(struct jobfile *j, const struct rec *r)
{
	struct job_tree *t;
	uint64_t datum;

	if (r->n != 6 || r->len[1] != 1 || (r->f[1][0] != 'f' && r->f[1][0] != 'x'))
		return false;
	GROW(j->tree, j->n_tree, j->cap_tree);
	t = &j->tree[j->n_tree++];
	t->kind = r->f[1][0];
	t->path = r->f[5];
	if (!rec_get_u64(r, 2, &t->size) || !rec_get_oid(r, 3, &t->id) || !rec_get_u64(r, 4, &datum) || datum >= j->n_datum)
		return false;
	t->datum = (uint32_t)datum;
	return true;
}

static bool
datum_line(struct jobfile *j, const struct rec *r)
{
	struct job_datum *d;

	if (r->n != 3 || j->n_datum == UINT32_MAX)
		return false;
	GROW(j->datum, j->n_datum, j->cap_datum);
	d = &j->datum[j->n_datum++];
	d->label = r->f[2];
	return rec_get_oid(r, 1, &d->key);
}

static bool
job_line(struct jobfile *j, const struct rec *r)
{
	if (rec_is(r, "tree", 2))
		return tree_line(j, r);
	if (rec_is(r, "datum", 2))
		return datum_line(j, r);
	if (rec_is(r, "job", 2)) {
		j->job = r->f[1];
		return true;
	}
	if (rec_is(r, "commit", 2))
		return rec_get_oid(r, 1, &j->commit);
	return rec_is(r, "spec", 2) && rec_get_oid(r, 1, &j->spec);
}

static int
read_job(struct jobfile *j, const char *pipeline, bool tree, struct err *err)
{
	char path[LAYOUT_MAX];
	struct rec r;
	bool good = true;
	int rc;

	*j = (struct jobfile)JOBFILE_INIT;
	rc = recfile_open_sealed(&j->text, layout_plan(path, pipeline, "job"), "job", 1, err);
	if (rc <= 0)
		return rc < 0 && err->num == 0 ? 0 : rc;
	while (good && recfile_next(&j->text, &r)) {
		if (!tree && rec_is(&r, "tree", 1))
			break;
		good = job_line(j, &r);
	}
	if (good && j->job)
		return 1;
	jobfile_release(j);
	return 0;
}

int
jobfile_read(struct jobfile *j, const char *pipeline, struct err *err)
{
	return read_job(j, pipeline, true, err);
}

int
jobfile_read_datums(struct jobfile *j, const char *pipeline, struct err *err)
{
	return read_job(j, pipeline, false, err);
}

static void
put_datum(struct buf *b, const struct job_datum *d)
{
	rec_word(b, "datum");
	rec_oid(b, &d->key);
	rec_str(b, d->label);
	rec_end(b);
}

static void
put_tree(struct buf *b, const struct job_tree *t)
{
	rec_word(b, "tree");
	rec_bytes(b, &t->kind, 1);
	rec_u64(b, t->size);
	rec_oid(b, &t->id);
	rec_u64(b, t->datum);
	rec_str(b, t->path);
	rec_end(b);
}

int
jobfile_write(const struct jobfile *j, const char *pipeline, struct err *err)
{
	char path[LAYOUT_MAX];
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "job", 1);
	rec_word(&b, "job");
	rec_str(&b, j->job);
	rec_end(&b);
	rec_word(&b, "commit");
	rec_oid(&b, &j->commit);
	rec_end(&b);
	rec_word(&b, "spec");
	rec_oid(&b, &j->spec);
	rec_end(&b);
	for (size_t i = 0; i < j->n_datum; i++)
		put_datum(&b, &j->datum[i]);
	for (size_t i = 0; i < j->n_tree; i++)
		put_tree(&b, &j->tree[i]);
	rec_seal(&b);
	rc = fs_replace(layout_plan(path, pipeline, "job"), b.s, b.n, 0444, err);
	buf_release(&b);
	return rc;
}

void
jobfile_release(struct jobfile *j)
{
	free(j->datum);
	free(j->tree);
	recfile_release(&j->text);
	*j = (struct jobfile)JOBFILE_INIT;
}
