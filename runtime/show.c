/* show.c: everything a query prints is built in a buf and written once, so nothing is held while a pager is read. */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/talk.h"

/* Bytes of the UTF-8 character at p, which ends with a NUL; 0 if it is none, or a C1 control character. */
static size_t
char_len(const unsigned char *p)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
	    p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0 ? 0 : len;
}

void
show_name(struct buf *b, const char *s)
{
	static int terminal = -1;
	const unsigned char *p = (const unsigned char *)s;

	if (terminal < 0)
		terminal = isatty(STDOUT_FILENO);
	while (*p) {
		size_t len = char_len(p);

		if (*p == '\n' || *p == '\t' || *p == '\r')
			buf_fmt(b, "\\%c", *p == '\n' ? 'n' : *p == '\t' ? 't' : 'r');
		else if (*p < 0x20 || *p == 0x7f || (len == 0 && terminal))
			buf_fmt(b, "\\x%02x", *p);
		else
			buf_add(b, p, len ? len : 1);
		p += len ? len : 1;
	}
}

void
show_id(struct buf *b, const struct oid *id)
{
	char hex[OID_HEX + 1];

	oid_hex(id, hex);
	buf_add(b, hex, SHORT_HEX);
}

void
show_ago(struct buf *b, uint64_t ns)
{
	uint64_t now = time_now_ns(), s = now > ns ? (now - ns) / 1000000000u : 0;

	if (ns == 0)
		buf_byte(b, '-');
	else if (ns > now + 1000000000u)
		buf_str(b, "in the future");
	else if (s < 2)
		buf_str(b, "just now");
	else if (s < 120)
		buf_fmt(b, "%u s ago", (unsigned)s);
	else if (s < 120 * 60)
		buf_fmt(b, "%u min ago", (unsigned)(s / 60));
	else if (s < 48 * 3600)
		buf_fmt(b, "%u h ago", (unsigned)(s / 3600));
	else
		buf_fmt(b, "%u days ago", (unsigned)(s / 86400));
}

void
show_when(struct buf *b, uint64_t ns)
{
	char text[32];

	if (ns == 0) {
		buf_byte(b, '-');
		return;
	}
	time_rfc3339(text, ns);
	text[10] = ' ';
	buf_add(b, text, 19);
	buf_byte(b, 'Z');
}

void
show_span(struct buf *b, uint64_t ns)
{
	uint64_t ms = ns / 1000000u, s = ms / 1000;

	if (ms < 1000)
		buf_fmt(b, "%u ms", (unsigned)ms);
	else if (s < 100)
		buf_fmt(b, "%u.%u s", (unsigned)s, (unsigned)(ms / 100 % 10));
	else if (s < 7200)
		buf_fmt(b, "%u min %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		buf_fmt(b, "%u h %u min", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
}

void
show_size(struct buf *b, uint64_t bytes)
{
	static const char *const unit[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t u = 0;

	if (bytes < 1000) {
		buf_fmt(b, "%u B", (unsigned)bytes);
		return;
	}
	for (v /= 1000; v >= 999.95 && u + 1 < sizeof unit / sizeof *unit; u++)
		v /= 1000;
	buf_fmt(b, v < 99.95 ? "%.1f %s" : "%.0f %s", v, unit[u]);
}

void
show_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_u64(b, n);
	buf_byte(b, ' ');
	buf_str(b, n == 1 ? one : many);
}

void
show_files(struct buf *b, uint64_t n, uint64_t bytes)
{
	show_count(b, n, "file", "files");
	buf_str(b, " (");
	show_size(b, bytes);
	buf_byte(b, ')');
}

const char *
show_color(enum show_color c)
{
	static const char *const code[] = { "\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m" };
	static int wanted = -1;

	if (wanted < 0)
		wanted = talk_color(STDOUT_FILENO);
	return wanted ? code[c] : "";
}

size_t
show_columns(void)
{
	struct winsize w;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col >= 40)
		return w.ws_col;
	return 80;
}

size_t
show_width(const char *s, size_t n)
{
	size_t width = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\033') {
			while (i < n && s[i] != 'm')
				i++;
			continue;
		}
		width += ((unsigned char)s[i] & 0xc0) != 0x80;
	}
	return width;
}

void
show_cell(struct table *t)
{
	GROW(t->end, t->n, t->cap);
	t->end[t->n++] = t->cell.n;
}

void
show_row(struct table *t)
{
	if (t->columns == 0)
		t->columns = t->n;
	if (t->n % t->columns != 0)
		BUG("a row of a table has too few cells");
}

void
show_table(struct buf *b, const struct table *t, const char *indent)
{
	size_t width[16] = { 0 };

	for (size_t i = 0, at = 0; i < t->n; at = t->end[i++]) {
		size_t w = show_width(t->cell.s + at, t->end[i] - at), c = i % t->columns;

		if (w > width[c])
			width[c] = w;
	}
	for (size_t i = 0, at = 0; i < t->n; at = t->end[i++]) {
		size_t c = i % t->columns, w = show_width(t->cell.s + at, t->end[i] - at);
		bool last = c + 1 == t->columns;

		/* No blanks at the end of a line. */
		while (last && w == 0 && b->n > 0 && b->s[b->n - 1] == ' ')
			b->n--;
		if (c == 0)
			buf_str(b, indent);
		if (t->right[c])
			buf_fmt(b, "%*s", (int)(width[c] - w), "");
		buf_add(b, t->cell.s + at, t->end[i] - at);
		if (!last)
			buf_fmt(b, "%*s", (int)(t->right[c] ? 2 : width[c] - w + 2), "");
		else
			buf_byte(b, '\n');
	}
}

void
table_release(struct table *t)
{
	buf_release(&t->cell);
	free(t->end);
	*t = (struct table)TABLE_INIT;
}

int
show_out(struct buf *b, int status)
{
	if (b->n > 0)
		fwrite(b->s, 1, b->n, stdout);
	buf_release(b);
	return talk_done(status);
}

int
show_err(const struct err *err)
{
	int status = talk_err(err);

	return err->num == SHOW_USAGE ? EXIT_USAGE : status;
}

int
show_usage(const char *text, bool asked)
{
	if (!asked) {
		talk_raw(text, strlen(text));
		return EXIT_USAGE;
	}
	fputs(text, stdout);
	return talk_done(EXIT_DONE);
}
