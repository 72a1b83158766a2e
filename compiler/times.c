/* times.c: a datum whose content changed has another key, but mostly the same name, and takes as long as before. */
#include "times.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/rec.h"

static int
by_label(const void *pa, const void *pb)
{
	const struct times_one *a = pa, *b = pb;

	return strcmp(a->label, b->label);
}

/* At least one: 0 is for what nobody knows. */
static uint32_t
milliseconds(uint64_t ns)
{
	uint64_t ms = ns / 1000000;

	return ms < 1 ? 1 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

void
times_read(struct times *t, const char *pipeline)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX];
	struct recfile f;
	struct rec r;
	uint64_t ns;

	if (fs_read(layout_plan(path, pipeline, "times"), &b, &err) != 1 || !b.n) {
		buf_release(&b);
		return;
	}
	recfile_memory(&f, b.s, b.n);
	while (recfile_next(&f, &r)) {
		if (!rec_get_u64(&r, 1, &ns))
			continue;
		if (rec_is(&r, "each", 2))
			t->each = milliseconds(ns);
		if (!rec_is(&r, "took", 3))
			continue;
		GROW(t->v, t->n, t->cap);
		t->v[t->n++] = (struct times_one){ r.f[2], milliseconds(ns) };
	}
	t->text = buf_detach(&b);
	if (t->n)
		qsort(t->v, t->n, sizeof *t->v, by_label);
}

uint32_t
times_of(const struct times *t, const char *label)
{
	struct times_one key = { label, 0 };
	const struct times_one *one = t->n ? bsearch(&key, t->v, t->n, sizeof *t->v, by_label) : NULL;

	return one ? one->ms : t->each;
}

void
times_release(struct times *t)
{
	free(t->v);
	free(t->text);
	*t = (struct times)TIMES_INIT;
}
