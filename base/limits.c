/* limits.c: a handful of lines, the same in two files.  A raised limit stops at what a machine can count. */
#include "limits.h"

#include <stdlib.h>

#include "mem.h"
#include "rec.h"

void
limits_write(struct buf *b, const struct limits *l)
{
	rec_word(b, "limits");
	rec_u64(b, l->cpu);
	rec_u64(b, l->memory);
	rec_u64(b, l->raise);
	rec_u64(b, l->workers);
	rec_end(b);
	for (size_t i = 0; i < l->n_pool; i++) {
		rec_word(b, "pool");
		rec_str(b, l->pool[i].name);
		rec_u64(b, l->pool[i].takes);
		rec_u64(b, l->pool[i].size);
		rec_end(b);
	}
}

static bool
small(const struct rec *r, size_t i, unsigned *ret)
{
	uint64_t v;

	if (!rec_get_u64(r, i, &v) || v > 1000 * 1000)
		return false;
	*ret = (unsigned)v;
	return true;
}

int
limits_read(struct limits *l, struct arena *a, const struct rec *r)
{
	struct limits_pool p;

	if (rec_is(r, "limits", 5))
		return small(r, 1, &l->cpu) && rec_get_u64(r, 2, &l->memory) && small(r, 3, &l->raise) && small(r, 4, &l->workers) ? 1 : -1;
	if (!rec_is(r, "pool", 4))
		return 0;
	p.name = arena_dup(a, r->f[1], r->len[1]);
	if (!small(r, 2, &p.takes) || !small(r, 3, &p.size) || p.takes < 1 || p.takes > p.size)
		return -1;
	GROW(l->pool, l->n_pool, l->cap_pool);
	l->pool[l->n_pool++] = p;
	return 1;
}

void
limits_release(struct limits *l)
{
	free(l->pool);
	*l = (struct limits)LIMITS_INIT;
}

uint64_t
limits_memory(const struct limits *l, unsigned times)
{
	uint64_t m = l->memory;

	for (; m && l->raise > 1000 && times > 0; times--) {
		if (m / 1000 > UINT64_MAX / 2 / l->raise)
			return UINT64_MAX / 2;
		m = m / 1000 * l->raise + m % 1000 * l->raise / 1000;
	}
	return m;
}

unsigned
limits_lanes(const struct limits *l)
{
	unsigned n = l->workers;

	for (size_t i = 0; i < l->n_pool; i++) {
		unsigned fit = l->pool[i].size / l->pool[i].takes;

		if (!n || fit < n)
			n = fit;
	}
	return n;
}
