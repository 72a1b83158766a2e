/* collected.c: a list that only grows, by 73 bytes a commit; a commit that comes back may stay in it. */
#include "collected.h"

#include <stdlib.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "../base/sha256.h"

#define FILE_COLLECTED DIR_STATE "/collected"

static int
by_id(const void *a, const void *b)
{
	return oid_cmp(a, b);
}

void
collected_add(struct collected *c, const struct oid *id)
{
	GROW(c->v, c->n, c->cap);
	c->v[c->n++] = *id;
}

bool
collected_has(const struct collected *c, const struct oid *id)
{
	return c->n && bsearch(id, c->v, c->n, sizeof *c->v, by_id);
}

int
collected_read(struct collected *c, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct err damaged = ERR_INIT;
	struct rec r;
	struct oid id;
	int rc = recfile_open_sealed(&f, FILE_COLLECTED, "collected", 1, &damaged);

	if (rc < 0 && damaged.num)
		return err_set(err, damaged.num, "cannot read '%s':", FILE_COLLECTED);
	while (rc == 1 && recfile_next(&f, &r))
		if (rec_is(&r, "commit", 2) && rec_get_oid(&r, 1, &id))
			collected_add(c, &id);
	recfile_release(&f);
	if (c->n)
		qsort(c->v, c->n, sizeof *c->v, by_id);
	return 0;
}

int
collected_write(struct collected *c, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	if (c->n == 0)
		return 0;
	qsort(c->v, c->n, sizeof *c->v, by_id);
	rec_head(&b, "collected", 1);
	for (size_t i = 0; i < c->n; i++) {
		if (i > 0 && oid_eq(&c->v[i], &c->v[i - 1]))
			continue;
		rec_word(&b, "commit");
		rec_oid(&b, &c->v[i]);
		rec_end(&b);
	}
	rec_seal(&b);
	rc = fs_replace_if_new(FILE_COLLECTED, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

void
collected_release(struct collected *c)
{
	free(c->v);
	*c = (struct collected)COLLECTED_INIT;
}
