/* visible.c: a log may hold anything: escape sequences that clear the screen or answer as if typed, half characters, NULs. */
#include "visible.h"

#include <string.h>

#include "../base/buf.h"

/* How long the UTF-8 character at s is; 0 if there is none in these n bytes, or it is a C1 control. */
static size_t
char_len(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = n == 0 ? 0 : p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
	    p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((len == 2 && p[0] == 0xc2 && p[1] < 0xa0) || (len == 3 && p[0] == 0xe0 && p[1] < 0xa0))
		return 0;
	return len;
}

/* One character; returns the bytes it took and how many columns it got (a wide one counts as one). */
static size_t
one(struct buf *b, const char *s, size_t n, size_t *ret_columns)
{
	unsigned char c = (unsigned char)s[0];
	size_t len = char_len(s, n);

	if (c == 0xc2 && n > 1 && (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0) {
		buf_fmt(b, "<%02X>", (unsigned char)s[1]);
		*ret_columns = 4;
		return 2;
	}
	if (len == 0) {
		buf_fmt(b, "<%02X>", c);
		*ret_columns = 4;
		return 1;
	}
	*ret_columns = 1;
	if ((c < 0x20 && c != '\t') || c == 0x7f) {
		buf_fmt(b, "^%c", c ^ 0x40);
		*ret_columns = 2;
	} else {
		buf_add(b, s, len);
	}
	return len;
}

void
visible(struct buf *b, const char *s, size_t n)
{
	size_t columns;

	for (size_t i = 0; i < n; )
		i += one(b, s + i, n - i, &columns);
}

void
visible_str(struct buf *b, const char *s)
{
	visible(b, s, strlen(s));
}

void
visible_cut(struct buf *b, const char *s, size_t n, size_t columns)
{
	size_t used = 0, last = b->n;

	for (size_t i = 0; i < n; ) {
		size_t before = b->n, width, len = s[i] == '\t' ? (buf_byte(b, ' '), width = 1) : one(b, s + i, n - i, &width);

		if (used + width > columns) {
			b->n = used < columns || columns == 0 ? before : last;
			b->s[b->n] = '\0';
			if (columns > 0)
				buf_str(b, "…");
			return;
		}
		used += width;
		last = before;
		i += len;
	}
}
