/* man.c: the texts of --help have one form: a "usage:" line and what goes on below it, paragraphs, and indented lines, which are
 * options ("  --name  what it does", going on in deeper ones) or examples. */
#include "man.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "capture.h"
#include "state.h"

enum { HELP_MAX = 65536, OPTION_COLUMN = 12 };

/* A character beyond ASCII by its number, which every roff of these days knows: "…" is \[u2026]. Returns its bytes. */
static size_t
beyond(struct buf *b, const unsigned char *s, size_t n)
{
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t c = s[0] & (0x7fu >> len);

	for (size_t i = 1; i < len && i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	buf_fmt(b, "\\[u%04X]", (unsigned)c);
	return len;
}

/* Text of roff: what begins a request or an escape is none. */
static void
roff(struct buf *b, const char *s, size_t n)
{
	if (n && (s[0] == '.' || s[0] == '\''))
		buf_str(b, "\\&");
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\')
			buf_str(b, "\\e");
		else if (s[i] == '-')
			buf_str(b, "\\-");
		else if ((unsigned char)s[i] >= 0xc0)
			i += beyond(b, (const unsigned char *)s + i, n - i) - 1;
		else
			buf_byte(b, s[i]);
	}
}

static void
roff_str(struct buf *b, const char *s)
{
	roff(b, s, strlen(s));
}

static void
title(struct buf *b, const char *verb)
{
	buf_str(b, ".TH DASSIE");
	if (verb)
		buf_byte(b, '-');
	for (const char *s = verb ? verb : ""; *s; s++)
		buf_byte(b, *s >= 'a' && *s <= 'z' ? (char)(*s - 'a' + 'A') : *s);
	buf_str(b, " 1 \"\" \"dassie " PACKAGE_VERSION "\" \"dassie\"\n.SH NAME\n");
}

bool
man_help(const char *verb, struct buf *ret)
{
	struct err ignored = ERR_INIT;

	return capture((const char *const[]){ "/proc/self/exe", verb, "--help", NULL }, ret, HELP_MAX, &ignored) == 0 && ret->n;
}

static size_t
blanks(const char *s)
{
	return strspn(s, " ");
}

/* "    -f, --run          do it": how long its left half is, 0 if it is no option. */
static size_t
option_length(const char *line, size_t n)
{
	size_t at = blanks(line);

	if (at < 2 || at > OPTION_COLUMN || at >= n || line[at] != '-')
		return 0;
	for (; at < n; at++)
		if (line[at] == ' ' && (at + 1 == n || line[at + 1] == ' '))
			return at;
	return n;
}

enum block { PARAGRAPH, OPTION, EXAMPLE };

static void
turn(struct buf *b, enum block *now, enum block next)
{
	if (*now == EXAMPLE && next != EXAMPLE)
		buf_str(b, ".fi\n.RE\n");
	if (*now != EXAMPLE && next == EXAMPLE)
		buf_str(b, ".RS\n.nf\n");
	if (*now != PARAGRAPH && next == PARAGRAPH)
		buf_str(b, ".PP\n");
	*now = next;
}

static void
body_line(struct buf *b, const char *line, size_t n, enum block *block)
{
	size_t option = option_length(line, n), indent = blanks(line);

	if (indent >= n) {
		turn(b, block, PARAGRAPH);
		buf_str(b, ".PP\n");
	} else if (option) {
		turn(b, block, OPTION);
		buf_str(b, ".TP\n\\fB");
		roff(b, line + indent, option - indent);
		buf_str(b, "\\fR\n");
		option += blanks(line + option);
		if (option < n) {
			roff(b, line + option, n - option);
			buf_byte(b, '\n');
		}
	} else if (*block == OPTION && indent > 8) {
		roff(b, line + indent, n - indent);
		buf_byte(b, '\n');
	} else {
		turn(b, block, indent >= 2 ? EXAMPLE : PARAGRAPH);
		roff(b, line, n);
		buf_byte(b, '\n');
	}
}

void
man_verb(struct buf *b, const char *verb, const char *summary, const char *help)
{
	enum block block = PARAGRAPH;
	const char *s = help;
	size_t n;

	title(b, verb);
	buf_fmt(b, "dassie\\-%s \\- ", verb);
	roff_str(b, summary);
	buf_str(b, "\n.SH SYNOPSIS\n.nf\n");
	while (*s && (s == help || blanks(s) >= 6)) {
		n = strcspn(s, "\n");
		size_t skip = strncmp(s, "usage: ", 7) == 0 ? 7 : blanks(s);

		roff(b, s + skip, n - skip);
		buf_byte(b, '\n');
		s += n + (s[n] == '\n');
	}
	buf_str(b, ".fi\n.SH DESCRIPTION\n");
	for (s += strspn(s, "\n"); *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		body_line(b, s, n, &block);
	}
	turn(b, &block, OPTION);
	buf_str(b, ".SH SEE ALSO\n.BR dassie (1),\n.BR dassie\\-spec (5)\n");
}

void
man_begin(struct buf *b)
{
	title(b, NULL);
	buf_str(b, "dassie \\- data pipelines with provenance, on one machine, with make\n.SH SYNOPSIS\n.B dassie\n[\\fB\\-C\\fR \\fIDIR\\fR] "
	    "\\fIVERB\\fR \\&...\n.SH DESCRIPTION\nA spec in YAML is compiled to a Makefile whose targets are named by content hashes;\n"
	    "make runs what is stale; a database knows where every file came from.\n.PP\nEach verb has a page of its own.\n");
}

void
man_item(struct buf *b, const char *verb, const char *synopsis, const char *summary)
{
	buf_fmt(b, ".TP\n\\fBdassie\\-%s\\fR(1) ", verb);
	roff_str(b, synopsis);
	buf_byte(b, '\n');
	roff_str(b, summary);
	buf_byte(b, '\n');
}

void
man_end(struct buf *b)
{
	buf_str(b, ".SH EXIT STATUS\n0 done, 1 the spec or a datum failed, 2 usage, 3 the environment (disk, permissions, a missing program).\n"
	    ".SH FILES\n.TP\n\\fIpipeline.yaml\\fR\nthe spec, yours\n.TP\n\\fIMakefile\\fR\ngenerated\n.TP\n\\fIout/\\fR\nthe newest outputs\n"
	    ".TP\n\\fI.dassie/\\fR\nthe state\n.SH SEE ALSO\n.BR dassie\\-spec (5),\n.BR make (1)\n");
}

void
man_options(struct buf *b, const char *help)
{
	for (const char *s = help; *s; ) {
		size_t n = strcspn(s, "\n"), end = option_length(s, n);

		for (size_t i = 0; i + 1 < end; i++)
			if (s[i] == '-' && (i == 0 || s[i - 1] == ' ')) {
				size_t len = strcspn(s + i, " ,=[\n");

				buf_add(b, s + i, len);
				buf_byte(b, '\n');
				i += len;
			}
		s += n + (s[n] == '\n');
	}
	buf_str(b, "--help\n");
}

void
man_names(struct buf *b, bool repos)
{
	struct index x = INDEX_INIT;
	struct err none = ERR_INIT;

	if (state_find(NULL, &none) == 0 && index_read(&x, &none) == 1) {
		for (size_t i = 0; i < x.n_pipeline; i++)
			buf_fmt(b, "%s\n", x.pipeline[i].name);
		for (size_t i = 0; repos && i < x.n_source; i++)
			buf_fmt(b, "%s\n", x.source[i].name);
	}
	index_release(&x);
}
