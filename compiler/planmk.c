/* planmk.c: what a person finds in .dassie/plan to read and to run by hand.
 *
 * The form was chosen by measuring make 4.3 with 100,000 targets.  One line that is the rule of the default target
 * and .PRECIOUS at once costs 10 MB and no time; a line a chunk makes make append to ever longer lists (28 s for
 * chunks of 10).  Grouped targets cost 48 bytes for each pair in a group.  SHELL is set for the whole file, since
 * nobody includes it; a setting a target costs 50 MB.  The runner is quoted so that make starts it itself, without a
 * shell, whatever its path has in it.
 *
 * .PRECIOUS keeps make from deleting results on ^C: a result is renamed into place, so it is never half done. */
#include "planmk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/spool.h"

enum { CHUNKS_A_SLOT = 20, CHUNK_MAX = 256, PAIRS_MAX = 4 * 1000 * 1000, SECOND_MS = 1000 };

size_t
planmk_chunk(size_t n, unsigned slots, unsigned max)
{
	size_t chunk = n / ((size_t)slots * CHUNKS_A_SLOT), most = max < CHUNK_MAX ? max : CHUNK_MAX;
	size_t part = n < PLANMK_PART ? n : PLANMK_PART;

	if (part && most > PAIRS_MAX / part)
		most = PAIRS_MAX / part;
	if (chunk > most)
		chunk = most;
	return chunk ? chunk : 1;
}

static void
head(struct buf *b, const struct planmk *p, size_t chunk)
{
	buf_fmt(b, "# Job %s of pipeline '%s': %zu of its %llu datums are to do, at most %zu a chunk.  Written by dassie.\n", p->job,
	    p->pipeline, p->n, (unsigned long long)p->total, chunk);
	buf_fmt(b, "# A target is the result of a datum by its key; .dassie/plan/%s.%s says what the datum is.\n", p->pipeline, p->job);
	buf_fmt(b, "# By hand, in the project's folder:  make -rR -f .dassie/plan/%s.%s.mk DASSIE_DATUM=/path/of/dassie-datum\n", p->pipeline,
	    p->job);
	buf_str(b, "override SHELL := /bin/sh\n");
	buf_str(b, "DASSIE_DATUM ?= dassie-datum\n");
	buf_str(b, "override DASSIE_DATUM := $(subst ','\\'',$(DASSIE_DATUM))\n\n.PHONY: datums\n");
}

/* How many take up what the chunks left. */
static unsigned
last_runners(const struct planmk *p)
{
	return p->lanes < p->slots && p->lanes ? p->lanes : p->slots;
}

static void
target(struct buf *b, const struct planmk_datum *d)
{
	char path[LAYOUT_MAX];

	buf_str(b, layout_datum(path, &d->key));
}

/* What the chunks of this file leave to be tried again. */
static void
later_path(struct buf *b, const struct planmk *p, const char *suffix)
{
	char path[LAYOUT_MAX];
	size_t n = strlen(suffix);

	buf_str(b, layout_plan(path, p->pipeline, p->job));
	buf_add(b, suffix, n > 3 ? n - 3 : 0);
	buf_str(b, ".later");
}

/* A stretch of the plan for one runner. */
struct chunk { size_t from, n; uint64_t ms; };

struct chunks { struct chunk *v; size_t n, cap; };

static int
by_time(const void *pa, const void *pb)
{
	const struct chunk *a = pa, *b = pb;

	return a->ms > b->ms ? -1 : a->ms < b->ms ? 1 : a->from < b->from ? -1 : a->from > b->from;
}

/* At most so many datums, and not more than a second of work as far as that is known. */
static void
make_chunks(struct chunks *c, const struct planmk *p, size_t most)
{
	struct chunk *last = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (!last || last->n == most || (last->ms && last->ms + p->v[i].ms > SECOND_MS)) {
			GROW(c->v, c->n, c->cap);
			last = &c->v[c->n++];
			*last = (struct chunk){ i, 0, 0 };
		}
		last->n++;
		last->ms += p->v[i].ms;
	}
	if (c->n)
		qsort(c->v, c->n, sizeof *c->v, by_time);
}

/* Two a line, so that it can be looked at.  In this order make starts them. */
static int
list(struct spool *s, const struct planmk *p, const struct chunks *c, struct err *err)
{
	size_t column = 0;

	buf_str(&s->b, ".PRECIOUS datums:");
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->v[i].n; k++) {
			buf_str(&s->b, column++ % 2 ? " " : " \\\n\t");
			target(&s->b, &p->v[c->v[i].from + k]);
			if (spool_step(s, err) < 0)
				return -1;
		}
	for (unsigned i = 1; p->later && i <= last_runners(p); i++)
		buf_fmt(&s->b, " again.%u", i);
	buf_str(&s->b, "\n");
	return 0;
}

/* A chunk that failed ends its lane for make: so nothing that it says counts there. */
static int
put_chunks(struct spool *s, const struct planmk *p, const char *suffix, const struct chunks *c, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct chunk *one = &c->v[i];

		buf_byte(&s->b, '\n');
		for (size_t k = 0; k < one->n; k++) {
			target(&s->b, &p->v[one->from + k]);
			buf_byte(&s->b, ' ');
		}
		buf_str(&s->b, "&:");
		if (p->lanes && i >= p->lanes) {
			buf_str(&s->b, " | ");
			target(&s->b, &p->v[c->v[i - p->lanes].from]);
		}
		buf_fmt(&s->b, "\n\t+@%s'$(DASSIE_DATUM)' .dassie/plan/%s.%s %llu %zu", p->lanes ? "-" : "", p->pipeline, p->job,
		    (unsigned long long)p->v[one->from].at, one->n);
		if (p->later) {
			buf_byte(&s->b, ' ');
			later_path(&s->b, p, suffix);
		}
		buf_byte(&s->b, '\n');
		if (spool_step(s, err) < 0)
			return -1;
	}
	return 0;
}

/* After the last chunk of every lane; without lanes make has one hand, and takes its goals in order. */
static void
put_again(struct buf *b, const struct planmk *p, const char *suffix, const struct chunks *c)
{
	unsigned runners = last_runners(p);

	buf_str(b, "\n.PHONY:");
	for (unsigned i = 1; i <= runners; i++)
		buf_fmt(b, " again.%u", i);
	buf_byte(b, '\n');
	for (unsigned i = 1; i <= runners; i++)
		buf_fmt(b, "%sagain.%u", i > 1 ? " " : "", i);
	buf_str(b, p->lanes ? ": |" : ":\n");
	for (size_t i = c->n > p->lanes ? c->n - p->lanes : 0; p->lanes && i < c->n; i++) {
		buf_byte(b, ' ');
		target(b, &p->v[c->v[i].from]);
	}
	buf_str(b, p->lanes ? "\n" : "");
	buf_fmt(b, "\t+@'$(DASSIE_DATUM)' .dassie/plan/%s.%s again ", p->pipeline, p->job);
	later_path(b, p, suffix);
	buf_fmt(b, " $(subst again.,,$@) %u\n", runners);
}

/* One file; `suffix` is what follows the job in its name. */
static int
put_file(const struct planmk *p, const char *suffix, size_t chunk, struct err *err)
{
	struct spool s = SPOOL_INIT;
	struct chunks c = { 0 };
	struct buf name = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	buf_fmt(&name, "%s%s", p->job, suffix);
	rc = spool_open(&s, layout_plan(path, p->pipeline, name.s), err);
	buf_release(&name);
	if (rc == 0) {
		head(&s.b, p, chunk);
		make_chunks(&c, p, chunk);
		rc = list(&s, p, &c, err);
	}
	if (rc == 0)
		rc = put_chunks(&s, p, suffix, &c, err);
	if (rc == 0 && p->later && p->n)
		put_again(&s.b, p, suffix, &c);
	if (rc == 0)
		rc = spool_commit(&s, path, err);
	spool_release(&s);
	free(c.v);
	return rc;
}

/* .NOTPARALLEL holds for this make only: the parts come one by one, each of them uses every slot. */
static int
put_top(const struct planmk *p, size_t parts, size_t chunk, struct err *err)
{
	struct buf b = BUF_INIT, name = BUF_INIT, list_of_parts = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	for (size_t i = 1; i <= parts; i++)
		buf_fmt(&list_of_parts, " part.%zu", i);
	head(&b, p, chunk);
	buf_fmt(&b, ".NOTPARALLEL:\n.PHONY:%s\ndatums:%s\n%s:\n", list_of_parts.s, list_of_parts.s, list_of_parts.s + 1);
	buf_fmt(&b, "\t+@'$(MAKE)' -f .dassie/plan/%s.%s.$@.mk\n", p->pipeline, p->job);
	buf_fmt(&name, "%s.mk", p->job);
	rc = fs_replace(layout_plan(path, p->pipeline, name.s), b.s, b.n, 0444, err);
	buf_release(&list_of_parts);
	buf_release(&name);
	buf_release(&b);
	return rc;
}

int
planmk_write(const struct planmk *p, struct err *err)
{
	size_t chunk = planmk_chunk(p->n, p->lanes && p->lanes < p->slots ? p->lanes : p->slots, p->max), parts = 0;
	int rc = 0;

	if (p->n <= PLANMK_PART)
		return put_file(p, ".mk", chunk, err);
	for (size_t from = 0; rc == 0 && from < p->n; from += PLANMK_PART) {
		struct planmk part = *p;
		char suffix[64];

		part.v += from;
		part.n = p->n - from < PLANMK_PART ? p->n - from : PLANMK_PART;
		snprintf(suffix, sizeof suffix, ".part.%zu.mk", ++parts);
		rc = put_file(&part, suffix, chunk, err);
	}
	return rc == 0 ? put_top(p, parts, chunk, err) : rc;
}
