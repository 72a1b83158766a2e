/* buf.c: doubling growth; `s` is NULL until the first byte, then always terminated. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "mem.h"

void
buf_reserve(struct buf *b, size_t more)
{
	size_t want;

	if (b->cap - b->n > more)
		return;
	want = b->cap ? b->cap : 64;
	while (want - b->n <= more)
		want *= 2;
	b->s = xrealloc(b->s, want);
	b->cap = want;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	buf_reserve(b, n);
	if (n)
		memcpy(b->s + b->n, p, n);
	b->n += n;
	b->s[b->n] = '\0';
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_byte(struct buf *b, char c)
{
	buf_reserve(b, 1);
	b->s[b->n++] = c;
	b->s[b->n] = '\0';
}

void
buf_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t n = sizeof digits;

	do
		digits[--n] = (char)('0' + v % 10);
	while ((v /= 10));
	buf_add(b, digits + n, sizeof digits - n);
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	buf_reserve(b, strlen(fmt));
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(b->s + b->n, b->cap - b->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("bad format");
	if ((size_t)n >= b->cap - b->n) {
		buf_reserve(b, (size_t)n);
		vsnprintf(b->s + b->n, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	b->n += (size_t)n;
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	if (b->s)
		b->s[0] = '\0';
}

char *
buf_detach(struct buf *b)
{
	char *s;

	buf_reserve(b, 0);
	b->s[b->n] = '\0';
	s = b->s;
	*b = (struct buf)BUF_INIT;
	return s;
}

void
buf_release(struct buf *b)
{
	free(b->s);
	*b = (struct buf)BUF_INIT;
}
