/* emit.c: the Makefile, written for people and exact for make.
 *
 * Two targets a pipeline: refs/P moves only with the content, refs/P.done says as of what it was made (base/ref.h); where the
 * output is pushed a third, refs/P.egress, which nothing waits for: a push that fails is told by `all` when all else is done.  A
 * recipe of +@: costs no process and makes make look at refs/P again; all recipes are +, so that what make would do under
 * -n -q -t is decided by those who know.  The scan runs while make remakes its makefiles, before it looks at any goal.
 *
 * A user's Makefile may include this one: nothing global is set, every variable begins with DASSIE, our targets have their
 * own SHELL, the default goal is left as it was, and `all`, `help` and pipelines' names are targets only if this is the
 * first makefile.  .PRECIOUS names every ref: make would remove them on ^C, or under .DELETE_ON_ERROR. */
#include "emit.h"

#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/layout.h"
#include "check.h"
#include "graph.h"
#include "picture.h"
#include "spec.h"
#include "step.h"

enum { LINE_MAX_ = 100, HELP_NAME_MAX = 28, HELP_TEXT_MAX = 200, SPEC_NAMES = 4 };

/* A line of words that is continued on the next when it grows too long. */
struct line { struct buf *b; size_t start; };

static void
line_word(struct line *l, const char *word)
{
	if (l->b->n - l->start + strlen(word) > LINE_MAX_) {
		buf_str(l->b, " \\\n   ");
		l->start = l->b->n - 3;
	}
	buf_byte(l->b, ' ');
	buf_str(l->b, word);
}

/* Bytes that make or a shell would look at are %XX, as in rec.h. */
static void
add_plain(struct buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+,@:=-";

	for (const char *p = s; *p; p++)
		if ((unsigned char)*p >= 0x80 || strchr(plain, *p))
			buf_byte(b, *p);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*p);
}

/* An argument of the scan that is no option, even if it begins with '-'. */
static void
add_arg(struct buf *b, const char *s)
{
	bool dash = *s == '-';

	buf_str(b, dash ? " %2D" : " ");
	add_plain(b, s + dash);
}

static void
add_option(struct buf *b, const char *s)
{
	buf_byte(b, ' ');
	add_plain(b, s);
}

static void
add_head(struct buf *b, const struct specset *s, const struct emit *e)
{
	buf_fmt(b, EMIT_MARK "%s from ", e->version);
	for (size_t i = 0; i < e->n_spec && i < SPEC_NAMES; i++) {
		buf_str(b, i ? ", " : "");
		picture_text(b, e->spec[i]);
	}
	if (e->n_spec > SPEC_NAMES)
		buf_fmt(b, " and %zu more", e->n_spec - SPEC_NAMES);
	buf_str(b, "; edit the spec, make recompiles\n#\n");
	picture_draw(b, s, "#   ");
	buf_str(b, "#\n# make: everything · make -j8: with eight hands · make NAME: one pipeline · make help: which there are\n\n"
	    "DASSIE ?= dassie\n");
}

/* Names that mean something else as a target. */
static bool
has_alias(const struct pipeline *p)
{
	static const char *const taken[] = { "all", "help", "out", "Makefile", "makefile", "GNUmakefile", "FORCE" };

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (!strcmp(pipeline_name(p), taken[i]))
			return false;
	return true;
}

/* The first line of a pipeline's description, or what it works on. */
static void
add_summary(struct buf *b, const struct pipeline *p)
{
	const char *d = p->description.s;
	struct buf t = BUF_INIT;
	size_t n;

	d = d ? d + strspn(d, " \t\r\n") : "";
	n = strcspn(d, "\r\n");
	if (n > HELP_TEXT_MAX)
		for (n = HELP_TEXT_MAX; n > 0 && ((unsigned char)d[n] & 0xc0) == 0x80; n--)
			;
	if (n) {
		buf_add(&t, d, n);
		picture_text(b, t.s);
	} else {
		picture_input(b, p);
	}
	buf_release(&t);
}

/* For a recipe: in single quotes for sh, with $ doubled for make. */
static void
add_recipe_word(struct buf *b, const char *s)
{
	struct buf quoted = BUF_INIT;

	sh_quote(&quoted, s);
	for (const char *p = quoted.s, *q; ; p = q + 1) {
		q = strchr(p, '$');
		buf_add(b, p, q ? (size_t)(q - p) : strlen(p));
		if (!q)
			break;
		buf_str(b, "$$");
	}
	buf_release(&quoted);
}

static void
add_help(struct buf *b, const struct specset *s)
{
	struct buf line = BUF_INIT;
	size_t w = 4;

	for (size_t i = 0; i < s->n_pipeline; i++) {
		size_t n = strlen(pipeline_name(&s->pipeline[i]));

		if (n > w)
			w = n < HELP_NAME_MAX ? n : HELP_NAME_MAX;
	}
	buf_str(b, "help:\n\t@printf '%s\\n' 'make NAME makes a pipeline and what it needs; make makes all:'");
	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct pipeline *p = s->order[i];

		buf_str(b, i % 50 == 49 ? "\n\t@printf '%s\\n' \\\n\t    " : " \\\n\t    ");
		buf_reset(&line);
		buf_fmt(&line, "  %-*s  ", (int)w, pipeline_name(p));
		add_summary(&line, p);
		add_recipe_word(b, line.s);
		if (!p->egress.n)
			continue;
		buf_reset(&line);
		buf_fmt(&line, "  %s.egress  pushes it to ", pipeline_name(p));
		picture_text(&line, egress_url(p->egress.v)->s);
		if (p->egress.n > 1)
			buf_fmt(&line, " and %zu more", p->egress.n - 1);
		buf_str(b, " \\\n	    ");
		add_recipe_word(b, line.s);
	}
	buf_byte(b, '\n');
	buf_release(&line);
}

static bool
has_egress(const struct specset *s)
{
	for (size_t i = 0; i < s->n_pipeline; i++)
		if (s->pipeline[i].egress.n)
			return true;
	return false;
}

static void
add_egresses(struct line *l, const struct specset *s, const char *dir)
{
	char word[LAYOUT_MAX];

	for (size_t i = 0; i < s->n_pipeline; i++)
		if (s->order[i]->egress.n) {
			snprintf(word, sizeof word, "%s%s.egress", dir, pipeline_name(s->order[i]));
			line_word(l, word);
		}
}

/* What can be made by a short name. */
static void
add_aliases(struct line *l, const struct specset *s)
{
	for (size_t i = 0; i < s->n_pipeline; i++)
		if (has_alias(s->order[i]))
			line_word(l, pipeline_name(s->order[i]));
	add_egresses(l, s, "");
}

/* What there is only for people, so only where this is the makefile that they call. */
static void
add_first(struct buf *b, const struct specset *s)
{
	char ref[LAYOUT_MAX], name[EGRESS_NAME_MAX];
	struct line l = { b, 0 };
	size_t words;

	buf_str(b, "\nifdef DASSIE_FIRST\n");
	l.start = b->n;
	buf_str(b, ".PHONY: all help");
	add_aliases(&l, s);
	buf_byte(b, '\n');
	buf_str(b, has_egress(s) ? "# A push that fails holds nobody up: all tells of it when the rest is done.\n" : "");
	l.start = b->n;
	buf_str(b, "all:");
	/* A push comes before whatever else may fail. */
	for (size_t i = 0; i < s->n_pipeline; i++) {
		line_word(&l, layout_ref(ref, pipeline_name(s->order[i])));
		if (s->order[i]->egress.n)
			line_word(&l, layout_ref(ref, layout_egress_name(name, pipeline_name(s->order[i]))));
	}
	buf_str(b, has_egress(s) ? "\n\t+@$(if $(DASSIE_PUSHES),'$(DASSIE)' egress --told,:)\n" : "\n");
	l.start = words = b->n;
	add_aliases(&l, s);
	if (b->n > words) {
		memmove(b->s + words, b->s + words + 1, b->n - words);     /* no blank before the first word */
		b->n--;
		buf_str(b, ": %: " DIR_REFS "/%\n");
	}
	add_help(b, s);
	buf_str(b, "endif\n");
}

static void
add_scan(struct buf *b, const struct specset *s, const struct emit *e)
{
	buf_str(b, "DASSIE_FIRST := $(filter 1,$(words $(MAKEFILE_LIST)))\nDASSIE_GOAL := $(.DEFAULT_GOAL)\n");
	if (has_egress(s))
		buf_str(b, "DASSIE_LATER := $(if $(DASSIE_FIRST),$(if $(filter-out all,$(MAKECMDGOALS)),,--later))\nDASSIE_PUSHES :=\n");
	buf_str(b, "include " FILE_SCANMK "   # specs, code and sources, by content, before anything else\n\n"
	    FILE_SCANMK ": " DIR_STATE "/always\n\t+@'$(DASSIE)' scan -o");
	add_arg(b, e->makefile);
	for (size_t i = 0; i < e->n_option; i++)
		add_option(b, e->option[i]);
	for (size_t i = 0; i < e->n_spec; i++)
		add_arg(b, e->spec[i]);
	buf_byte(b, '\n');
}

static void
add_block(struct buf *b, const struct pipeline *p)
{
	char ref[LAYOUT_MAX], done[LAYOUT_MAX], spec[LAYOUT_MAX];
	const char *name = pipeline_name(p);
	struct line l;

	layout_done(done, name);
	layout_spec(spec, name);
	buf_fmt(b, "\n## %s   ", name);
	add_summary(b, p);
	picture_end(b);
	buf_fmt(b, "%s: %s\n\t+@:\n", layout_ref(ref, name), done);
	l = (struct line){ b, b->n };
	buf_fmt(b, "%s:", done);
	for (size_t i = 0; i < p->n_reads; i++)
		if (input_starts(p->input, p->reads[i]->s))
			line_word(&l, layout_ref(ref, p->reads[i]->s));
	line_word(&l, spec);
	/* Of what starts no job the newest is read all the same, so it is made first. */
	for (size_t i = 0, quiet = 0; i < p->n_reads; i++) {
		if (input_starts(p->input, p->reads[i]->s))
			continue;
		if (!quiet++)
			line_word(&l, "|");
		line_word(&l, layout_ref(ref, p->reads[i]->s));
	}
	buf_fmt(b, "\n\t+@'$(DASSIE)' stage --make='$(MAKE)' %s\n", name);
	if (p->egress.n)
		buf_fmt(b, DIR_REFS "/%s.egress: %s " DIR_REFS "/%s.egress.spec\n\t+@$(eval DASSIE_PUSHES += %s)'$(DASSIE)' egress --make $(DASSIE_LATER) %s\n",
		    name, layout_ref(ref, name), name, name, name);
}

/* A branch of a pipeline's output with a trigger: when the pipeline has made a commit, its stage looks at it. */
static bool
moved_by_stage(const struct specset *s, const struct source *src)
{
	return src->trigger && graph_pipeline(s, src->of->s);
}

static void
add_branch(struct buf *b, const struct source *src)
{
	char ref[LAYOUT_MAX], done[LAYOUT_MAX];

	buf_fmt(b, "\n# %s   follows %s\n%s: %s\n\t+@:\n", src->name, src->follows, layout_ref(ref, src->name), layout_done(done, src->of->s));
}

/* The refs that only the scan moves.  Without prerequisites their recipe is never run on what is there; it keeps a missing
 * one from being an error, and make from trying every suffix that it knows for each of them. */
static void
add_leaves(struct line *l, const struct specset *s)
{
	char path[LAYOUT_MAX], name[EGRESS_NAME_MAX];

	for (size_t i = 0; i < s->n_source; i++)
		if (!moved_by_stage(s, &s->source[i]))
			line_word(l, layout_ref(path, s->source[i].name));
	for (size_t i = 0; i < s->n_pipeline; i++)
		line_word(l, layout_spec(path, pipeline_name(s->order[i])));
	for (size_t i = 0; i < s->n_pipeline; i++)
		if (s->order[i]->egress.n)
			line_word(l, layout_spec(path, layout_egress_name(name, pipeline_name(s->order[i]))));
}

static void
add_tail(struct buf *b, const struct specset *s)
{
	char path[LAYOUT_MAX];
	struct line l = { b, 0 };

	buf_str(b, "\n# What only the scan moves; what make must never remove; what a makefile around this one must not feel\n");
	l.start = b->n;
	buf_str(b, "DASSIE_LEAVES :=");
	add_leaves(&l, s);
	buf_byte(b, '\n');
	l.start = b->n;
	buf_str(b, "DASSIE_REFS :=");
	for (size_t i = 0; i < s->n_pipeline; i++) {
		line_word(&l, layout_ref(path, pipeline_name(s->order[i])));
		line_word(&l, layout_done(path, pipeline_name(s->order[i])));
	}
	add_egresses(&l, s, DIR_REFS "/");
	for (size_t i = 0; i < s->n_source; i++)
		if (moved_by_stage(s, &s->source[i]))
			line_word(&l, layout_ref(path, s->source[i].name));
	buf_str(b, "\n$(DASSIE_LEAVES) " DIR_STATE "/always:\n\t+@:\n"
	    ".PRECIOUS: " FILE_SCANMK " $(DASSIE_LEAVES) $(DASSIE_REFS)\n"
	    "DASSIE_TARGETS := " FILE_SCANMK " " DIR_STATE "/always $(DASSIE_LEAVES) $(DASSIE_REFS) $(if $(DASSIE_FIRST),help)\n"
	    "$(DASSIE_TARGETS): private SHELL := /bin/sh\n"
	    "$(DASSIE_TARGETS): private .SHELLFLAGS := -c\n"
	    ".DEFAULT_GOAL := $(if $(DASSIE_FIRST),all,$(DASSIE_GOAL))\n");
}

void
emit_makefile(struct buf *b, const struct specset *s, const struct emit *e)
{
	add_head(b, s, e);
	add_scan(b, s, e);
	add_first(b, s);
	for (size_t i = 0; i < s->n_pipeline; i++)
		add_block(b, s->order[i]);
	for (size_t i = 0; i < s->n_source; i++)
		if (moved_by_stage(s, &s->source[i]))
			add_branch(b, &s->source[i]);
	add_tail(b, s);
}
