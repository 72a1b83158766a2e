/* complaint.c: threads find bad files in any order; people get them sorted and in one write. */
#include "complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "../base/talk.h"

enum { TOLD = 10 };

void
complain(struct complaints *c, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	s = xmalloc((size_t)(n < 0 ? 0 : n) + 1);
	s[0] = '\0';
	va_start(ap, fmt);
	if (n > 0)
		vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&c->lock);
	GROW(c->v, c->n, c->cap);
	c->v[c->n++] = s;
	pthread_mutex_unlock(&c->lock);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t
complaints_tell(struct complaints *c, const char *what)
{
	struct buf b = BUF_INIT;
	size_t n = c->n;

	if (n)
		qsort(c->v, n, sizeof *c->v, by_text);
	for (size_t i = 0; i < n && i < TOLD; i++)
		buf_fmt(&b, "dassie: %s: %s\n", what, c->v[i]);
	if (n > TOLD)
		buf_fmt(&b, "dassie: %s: … and %zu more\n", what, n - TOLD);
	if (n)
		talk_raw(b.s, b.n);
	buf_release(&b);
	complaints_release(c);
	return n;
}

void
complaints_release(struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i]);
	free(c->v);
	c->v = NULL;
	c->n = c->cap = 0;
}
