/* Diagnostics: order, what is said once, marks below tabs, wide and broken text; and did-you-mean. */
#include "../../compiler/diag.h"

#include <stdlib.h>

#include "../../base/buf.h"
#include "../../base/mem.h"
#include "../../compiler/suggest.h"
#include "tap.h"

static struct arena arena;

static struct diag
open_diag(const char *text, uint32_t *ret_base)
{
	struct diag d = DIAG_INIT;

	d.a = &arena;
	diag_add_file(&d, "f", text, strlen(text), ret_base);
	return d;
}

/* What one error over [from, from + len) of the text looks like. */
static void
excerpt(const char *text, uint32_t from, uint32_t len, const char *want, const char *name)
{
	uint32_t base;
	struct diag d = open_diag(text, &base);
	struct buf b = BUF_INIT;

	diag_error(&d, (struct span){ base + from, len }, "m");
	diag_render(&d, &b, false, false);
	is_str(b.s, want, "%s", name);
	buf_release(&b);
	diag_release(&d);
}

static void
excerpts(void)
{
	excerpt("a: b\nc: d\n", 5, 1, "f:2:1: error: m\n    2 | c: d\n      | ^\n", "a line's first character");
	excerpt("a: bcd", 3, 3, "f:1:4: error: m\n    1 | a: bcd\n      |    ^~~\n", "no newline at the end");
	excerpt("a: bcd\nx", 3, 99, "f:1:4: error: m\n    1 | a: bcd\n      |    ^~~\n", "a mark ends with its line");
	excerpt("\ta\tbc", 3, 2, "f:1:4: error: m\n    1 | \ta\tbc\n      | \t \t^~\n", "tabs stay tabs");
	excerpt("ä€b", 5, 1, "f:1:3: error: m\n    1 | ä€b\n      |   ^\n", "characters of several bytes");
	excerpt("漢字b", 3, 4, "f:1:2: error: m\n    1 | 漢字b\n      |   ^~~\n", "wide characters are two cells");
	excerpt("e\xcc\x81x", 3, 1, "f:1:3: error: m\n    1 | e\xcc\x81x\n      |  ^\n", "combining ones none");
	excerpt("a\x1b[31mb\xff", 6, 1, "f:1:7: error: m\n    1 | a\xef\xbf\xbd[31mb\xef\xbf\xbd\n      |       ^\n", "no escape reaches the terminal");
	excerpt("a\r\nb\r\n", 0, 1, "f:1:1: error: m\n    1 | a\n      | ^\n", "CR before LF is no text");
	excerpt("a\n\nb", 2, 0, "f:2:1: error: m\n", "an empty line is not shown");
	excerpt("a\n", 2, 1, "f:2:1: error: m\n", "the end of the file");
	excerpt("", 0, 0, "f:1:1: error: m\n", "an empty file");
}

static void
order(void)
{
	uint32_t base, other;
	struct diag d = open_diag("one\ntwo\n", &base);
	struct buf b = BUF_INIT;

	diag_add_file(&d, "g", "three", 5, &other);
	diag_error(&d, (struct span){ other, 1 }, "last");
	diag_warn(&d, (struct span){ base + 4, 1 }, "middle");
	diag_note(&d, (struct span){ other, 1 }, "of middle");
	diag_error(&d, (struct span){ base, 1 }, "first");
	diag_error(&d, (struct span){ base, 1 }, "first");
	diag_error(&d, (struct span){ 0, 0 }, "nowhere");
	ok(d.errors == 4 && d.warnings == 1, "errors are counted");
	diag_render(&d, &b, false, false);
	is_str(b.s, "dassie: error: nowhere\nf:1:1: error: first\n    1 | one\n      | ^\nf:2:1: warning: middle\n    2 | two\n      | ^\n"
	    "g:1:1: note: of middle\n    1 | three\n      | ^\ng:1:1: error: last\n    1 | three\n      | ^\n", "sorted, each once, notes with theirs");
	buf_reset(&b);
	diag_render(&d, &b, false, true);
	ok(!strstr(b.s, "middle") && strstr(b.s, "last"), "errors only: no warning, none of its notes");
	buf_reset(&b);
	diag_render(&d, &b, true, false);
	ok(strstr(b.s, "\033[1;31merror:\033[0m"), "colour where it is wanted");
	buf_release(&b);
	diag_release(&d);
}

static void
many(void)
{
	uint32_t base;
	struct diag d = open_diag("text", &base);
	struct buf b = BUF_INIT;

	for (int i = 0; i < DIAG_MAX + 7; i++)
		diag_error(&d, (struct span){ base, 1 }, "%d", i);
	diag_render(&d, &b, false, false);
	ok(b.n > 20 && !strcmp(b.s + b.n - 19, "dassie: and 7 more\n"), "too many are counted, not shown");
	buf_release(&b);
	diag_release(&d);
}

static void
suggestion(const char *word, const char *want)
{
	static const char *const known[] = { "glob", "repo", "name", "datum_tries", "datum_timeout", "job_timeout", "x", "description" };

	is_str(did_you_mean(&arena, word, known, sizeof known / sizeof *known), *want ? arena_fmt(&arena, "; did you mean '%s'?", want) : "",
	    "'%s' is %s", word, *want ? want : "like none");
}

int
main(void)
{
	excerpts();
	order();
	many();
	suggestion("glbo", "glob");
	suggestion("GLOB", "glob");
	suggestion("rpeo", "repo");
	suggestion("nmae", "name");
	suggestion("datum_trise", "datum_tries");
	suggestion("datum_timeuot", "datum_timeout");
	suggestion("jobtimeout", "job_timeout");
	suggestion("descripton", "description");
	suggestion("image", "");
	suggestion("y", "");
	suggestion("", "");
	suggestion("a very long word that is longer than any that could be looked at, and then some more", "");
	arena_release(&arena);
	return done();
}
