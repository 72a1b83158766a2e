/* mask.c: at each place the longest text that is there.  Where the stream ends within what may be a longer one, the rest is
 * held until more comes.  So at most one text's length is ever held, and nothing that is let go can be part of one. */
#include "mask.h"

#include <stdlib.h>
#include <string.h>

#include "../base/mem.h"

static const char STARS[] = "***";
enum { LINE_MIN = 4, PART_MIN = 8 };

static int
longest_first(const void *a, const void *b)
{
	const struct buf *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : memcmp(x->s, y->s, x->n);
}

static void
add_text(struct mask *m, const char *s, size_t n)
{
	while (n && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	if (!n)
		return;
	GROW(m->v, m->n, m->cap);
	m->v[m->n] = (struct buf)BUF_INIT;
	buf_add(&m->v[m->n++], s, n);
	m->first[(unsigned char)s[0]] = true;
}

void
mask_add(struct mask *m, const char *s, size_t n)
{
	const char *end = s + n, *nl;

	add_text(m, s, n);
	if (memchr(s, '\n', n))
		for (const char *p = s; p < end; p = nl + 1) {
			nl = memchr(p, '\n', (size_t)(end - p));
			nl = nl ? nl : end;
			while (p < nl && (*p == ' ' || *p == '\t'))
				p++;
			if (nl - p >= LINE_MIN)
				add_text(m, p, (size_t)(nl - p));
		}
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, longest_first);
}

/* The longest text that begins at s; 0 if none does.  ret_part: the length of the longest whose beginning is all there is. */
static size_t
match(const struct mask *m, const char *s, size_t n, size_t *ret_part)
{
	*ret_part = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct buf *v = &m->v[i];

		if (v->n <= n && memcmp(v->s, s, v->n) == 0)
			return v->n;
		if (v->n > n && v->n > *ret_part && memcmp(v->s, s, n) == 0)
			*ret_part = v->n;
	}
	return 0;
}

static void
run(struct mask *m, bool end, struct buf *ret)
{
	const char *s = m->held.s;
	size_t n = m->held.n, at = 0, from = 0;

	while (at < n) {
		size_t part = 0, len = m->first[(unsigned char)s[at]] ? match(m, s + at, n - at, &part) : 0;

		if (part > len && !end)
			break;
		if (!len && part && (n - at >= PART_MIN || 2 * (n - at) >= part))
			len = n - at;
		if (!len) {
			at++;
			continue;
		}
		buf_add(ret, s + from, at - from);
		buf_str(ret, STARS);
		from = at += len;
	}
	if (at > from)
		buf_add(ret, s + from, at - from);
	if (at < n)
		memmove(m->held.s, s + at, n - at);
	m->held.n = n - at;
}

void
mask_feed(struct mask *m, const char *s, size_t n, struct buf *ret)
{
	buf_add(&m->held, s, n);
	run(m, false, ret);
}

void
mask_end(struct mask *m, struct buf *ret)
{
	run(m, true, ret);
	buf_reset(&m->held);
}

void
mask_release(struct mask *m)
{
	for (size_t i = 0; i < m->n; i++) {
		explicit_bzero(m->v[i].s, m->v[i].n);
		buf_release(&m->v[i]);
	}
	free(m->v);
	buf_release(&m->held);
	*m = (struct mask)MASK_INIT;
}
