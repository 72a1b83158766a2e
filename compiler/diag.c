/* diag.c: diagnostics, as a compiler gives them.
 *
 *   pipeline.yaml:14:5: error: unknown field 'glbo'; did you mean 'glob'?
 *      14 |     glbo: "/images"
 *         |     ^~~~
 *
 * Recording is cheap; places are found when everything is printed, sorted by place.  A note stays below what
 * it explains.  The marks line up under the text as a terminal shows it: a tab of the line is a tab below it,
 * wide characters are two cells, combining ones none.  Of a very long line (JSON in one) a piece is shown. */
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"

/* The line and column (1-based, columns in characters) of an address. */
struct place { const struct diag_file *file; size_t line, col, line_start, line_end; };

enum { EXCERPT_BEFORE = 60, EXCERPT_MAX = 140, TEXT_MAX = 1024, TEXT_HEAD = 100, TEXT_TAIL = 500, ORIGINS_MAX = 10000, ORIGINS_TOLD = 3 };

bool
diag_add_file(struct diag *d, const char *path, const char *text, size_t n, uint32_t *ret_base)
{
	uint64_t base = 1;
	struct diag_file *f;

	if (d->n_file)
		base = (uint64_t)d->file[d->n_file - 1].base + d->file[d->n_file - 1].n + 1;
	if (base + n + 1 > UINT32_MAX)
		return false;
	GROW(d->file, d->n_file, d->cap_file);
	f = &d->file[d->n_file++];
	f->path = path;
	f->text = text;
	f->n = n;
	f->base = *ret_base = (uint32_t)base;
	return true;
}

/* Names may be megabytes: of a long message the middle is left out, for what is wrong comes last. */
static char *
message(struct diag *d, const char *fmt, va_list ap)
{
	char room[TEXT_MAX], *all = room, *text;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room, sizeof room, fmt, ap);
	if (n < TEXT_MAX) {
		text = arena_str(d->a, room);
	} else {
		all = xmalloc((size_t)n + 1);
		vsnprintf(all, (size_t)n + 1, fmt, again);
		text = arena_fmt(d->a, "%.*s … %s", TEXT_HEAD, all, all + n - TEXT_TAIL);
		free(all);
	}
	va_end(again);
	return text;
}

static void
record(struct diag *d, enum severity sev, struct span at, const char *fmt, va_list ap)
{
	struct diag_item *it;
	char *text;

	if (sev == SEV_ERROR)
		d->errors++;
	else if (sev == SEV_WARNING)
		d->warnings++;
	if (d->n_item >= DIAG_MAX) {
		d->dropped += sev != SEV_NOTE;
		return;
	}
	text = message(d, fmt, ap);
	GROW(d->item, d->n_item, d->cap_item);
	it = &d->item[d->n_item];
	it->at = at;
	it->sev = sev;
	it->seq = (uint32_t)d->n_item;
	it->host = sev == SEV_NOTE && d->n_item ? d->item[d->n_item - 1].host : it->seq;
	it->text = text;
	d->n_item++;
}

void
diag_note(struct diag *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(d, SEV_NOTE, at, fmt, ap);
	va_end(ap);
}

/* Where it comes from, if it is not what stands there. */
static void
add_origins(struct diag *d, struct span at)
{
	unsigned told = 0;

	for (size_t i = 0; i < d->n_origin && told < ORIGINS_TOLD; i++) {
		const struct diag_origin *o = &d->origin[i];

		if (at.off < o->at.off || at.off > o->at.off + o->at.len)
			continue;
		diag_note(d, o->from, "%s", o->text);
		told++;
	}
	if (d->within_text)
		diag_note(d, d->within, "%s", d->within_text);
}

bool
diag_error(struct diag *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(d, SEV_ERROR, at, fmt, ap);
	va_end(ap);
	add_origins(d, at);
	return false;
}

void
diag_warn(struct diag *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(d, SEV_WARNING, at, fmt, ap);
	va_end(ap);
	add_origins(d, at);
}

void
diag_origin(struct diag *d, struct span at, struct span from, const char *text)
{
	for (size_t i = 0; i < d->n_origin; i++)
		if (d->origin[i].at.off == at.off && d->origin[i].from.off == from.off)
			return;
	if (d->n_origin >= ORIGINS_MAX)
		return;
	GROW(d->origin, d->n_origin, d->cap_origin);
	d->origin[d->n_origin++] = (struct diag_origin){ at, from, text };
}

void
diag_within(struct diag *d, struct span at, const char *text)
{
	d->within = at;
	d->within_text = text;
}

void
diag_release(struct diag *d)
{
	free(d->item);
	free(d->origin);
	free(d->file);
	memset(d, 0, sizeof *d);
}

static bool
continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

const struct diag_file *
diag_file_of(const struct diag *d, uint32_t off)
{
	size_t lo = 0, hi = d->n_file;

	if (off == 0)
		return 0;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->file[mid].base + d->file[mid].n < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < d->n_file ? &d->file[lo] : 0;
}

static bool
place_of(struct diag *d, uint32_t off, struct place *ret)
{
	const struct diag_file *f = diag_file_of(d, off);
	size_t at, start = 0;

	if (!f)
		return false;
	at = off - f->base;
	ret->file = f;
	ret->line = 1;
	if (d->seen_off >= f->base && d->seen_off <= off) {
		start = d->seen_off - f->base;
		ret->line = d->seen_line;
	}
	for (const char *p = f->text + start; (p = memchr(p, '\n', (size_t)(f->text + at - p))); ) {
		start = (size_t)(++p - f->text);
		ret->line++;
	}
	d->seen_off = f->base + (uint32_t)start;
	d->seen_line = ret->line;
	ret->line_start = start;
	ret->col = 1;
	for (size_t i = start; i < at; i++)
		ret->col += !continuation(f->text[i]);
	ret->line_end = at;
	while (ret->line_end < f->n && f->text[ret->line_end] != '\n')
		ret->line_end++;
	if (ret->line_end > start && f->text[ret->line_end - 1] == '\r')
		ret->line_end--;
	return true;
}

/* One character of UTF-8: its length in bytes (1 for a byte that is none) and code point. */
static size_t
decode(const char *s, size_t n, uint32_t *ret_cp)
{
	unsigned char c = (unsigned char)s[0];
	size_t len = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	uint32_t cp = len == 1 ? c : len == 2 ? c & 0x1fu : len == 3 ? c & 0x0fu : c & 0x07u;

	*ret_cp = 0xfffd;
	if (len == 0 || c >= 0xf5 || len > n)
		return 1;
	for (size_t i = 1; i < len; i++) {
		if (!continuation(s[i]))
			return 1;
		cp = cp << 6 | ((unsigned char)s[i] & 0x3fu);
	}
	*ret_cp = cp;
	return len;
}

static unsigned
cells(uint32_t cp)
{
	if ((cp >= 0x300 && cp < 0x370) || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0xfe00 && cp < 0xfe10))
		return 0;
	if ((cp >= 0x1100 && cp < 0x1160) || (cp >= 0x2e80 && cp < 0xa4d0) || (cp >= 0xac00 && cp < 0xd7a4) ||
	    (cp >= 0xf900 && cp < 0xfb00) || (cp >= 0xfe30 && cp < 0xfe70) || (cp >= 0xff00 && cp < 0xff61) ||
	    (cp >= 0x1f300 && cp < 0x1fb00) || (cp >= 0x20000 && cp < 0x30000))
		return 2;
	return 1;
}

/* Bytes [lo, hi) as a terminal may see them: no control characters, no broken UTF-8. */
static void
add_text(struct buf *b, const char *s, size_t lo, size_t hi)
{
	while (lo < hi) {
		uint32_t cp;
		size_t len = decode(s + lo, hi - lo, &cp);

		if (cp == 0xfffd || (cp < 0x20 && cp != '\t') || (cp >= 0x7f && cp < 0xa0))
			buf_str(b, "\xef\xbf\xbd");
		else
			buf_add(b, s + lo, len);
		lo += len;
	}
}

/* Blanks as wide as the text [lo, hi); its tabs stay tabs. */
static void
add_pad(struct buf *b, const char *s, size_t lo, size_t hi, char fill)
{
	while (lo < hi) {
		uint32_t cp;
		size_t len = decode(s + lo, hi - lo, &cp);

		if (cp == '\t')
			buf_byte(b, fill == ' ' ? '\t' : fill);
		else
			for (unsigned w = cells(cp); w > 0; w--)
				buf_byte(b, fill);
		lo += len;
	}
}

static void
add_excerpt(struct buf *b, const struct place *pl, struct span at, const char *on, const char *off)
{
	const char *s = pl->file->text;
	size_t pos = at.off - pl->file->base, lo = pl->line_start, hi = pl->line_end, end;
	bool cut_lo = pos > lo + EXCERPT_MAX - EXCERPT_BEFORE / 2, cut_hi;

	if (cut_lo)
		for (lo = pos - EXCERPT_BEFORE; continuation(s[lo]); lo++)
			;
	cut_hi = hi > lo + EXCERPT_MAX;
	if (cut_hi)
		for (hi = lo + EXCERPT_MAX; hi > pos && continuation(s[hi]); hi--)
			;
	end = pos + at.len;
	if (end > hi)
		end = hi;
	buf_fmt(b, "%5zu | %s", pl->line, cut_lo ? "… " : "");
	add_text(b, s, lo, hi);
	buf_fmt(b, "%s\n      | %s", cut_hi ? " …" : "", cut_lo ? "  " : "");
	add_pad(b, s, lo, pos < hi ? pos : hi, ' ');
	buf_fmt(b, "%s^", on);
	if (end > pos) {
		uint32_t cp;
		size_t len = decode(s + pos, end - pos, &cp);

		for (unsigned w = cells(cp); w > 1; w--)
			buf_byte(b, '~');
		add_pad(b, s, pos + len, end, '~');
	}
	buf_fmt(b, "%s\n", off);
}

static void
render_item(struct diag *d, struct buf *b, const struct diag_item *it, bool color)
{
	static const char *const word[] = { "error", "warning", "note" };
	static const char *const hue[] = { "\033[1;31m", "\033[1;35m", "\033[1;36m" };
	const char *off = color ? "\033[0m" : "", *bold = color ? "\033[1m" : "";
	struct place pl;
	bool placed = place_of(d, it->at.off, &pl);

	buf_str(b, bold);
	if (placed)
		buf_fmt(b, "%s:%zu:%zu: ", pl.file->path, pl.line, pl.col);
	else
		buf_str(b, "dassie: ");
	buf_fmt(b, "%s%s%s:%s ", off, color ? hue[it->sev] : "", word[it->sev], off);
	add_text(b, it->text, 0, strlen(it->text));
	buf_byte(b, '\n');
	if (placed && pl.line_end > pl.line_start)
		add_excerpt(b, &pl, it->at, color ? "\033[1;32m" : "", off);
}

static const struct diag_item *sort_items;

static int
by_place(const void *pa, const void *pb)
{
	const struct diag_item *a = pa, *b = pb;
	const struct diag_item *ha = &sort_items[a->host], *hb = &sort_items[b->host];

	if (ha->at.off != hb->at.off)
		return ha->at.off < hb->at.off ? -1 : 1;
	if (a->host != b->host && ha->sev != hb->sev)
		return (int)ha->sev - (int)hb->sev;
	if (a->host != b->host) {
		int c = strcmp(ha->text, hb->text);

		return c ? c : a->host < b->host ? -1 : 1;
	}
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

void
diag_render(struct diag *d, struct buf *b, bool color, bool errors_only)
{
	struct diag_item *v;
	const struct diag_item *last = 0;
	bool shown = true;

	if (!d->n_item)
		return;
	v = (void *)xmemdup(d->item, d->n_item * sizeof *v);
	sort_items = d->item;
	qsort(v, d->n_item, sizeof *v, by_place);
	for (size_t i = 0; i < d->n_item; i++) {
		if (v[i].sev != SEV_NOTE) {
			shown = !(last && last->at.off == v[i].at.off && last->sev == v[i].sev && !strcmp(last->text, v[i].text)) &&
			    !(errors_only && v[i].sev != SEV_ERROR);
			last = &v[i];
		}
		if (shown)
			render_item(d, b, &v[i], color);
	}
	if (d->dropped)
		buf_fmt(b, "dassie: and %zu more\n", d->dropped);
	free(v);
}
