/* picture.c: the graph, drawn as trees from left to right.
 *
 *   books ──┬─▶ count ──▶ total ──▶ s3://bucket/wordcount
 *           └─▶ lines ──▶ total
 *
 * Every edge is drawn once.  A node is followed where it is met first; met again it is a name only (with … if it leads
 * somewhere).  A line that grows too long ends in a name with …, and a line of its own goes on from there. */
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "check.h"
#include "graph.h"
#include "spec.h"

enum { PIPELINES_MAX = 100, WIDTH_MAX = 96, COLUMNS = 256 };

struct vertex {
	const char *name;
	size_t *kid, n_kid, cap_kid;
	bool drawn, queued;
};

struct drawing {
	struct buf *b;
	const char *prefix;
	struct vertex *v;           /* sources, pipelines in order, egress URLs */
	size_t n;
	size_t queue[PIPELINES_MAX * 2], n_queue;
	bool bar[COLUMNS];          /* a line goes down in this column */
};

void
picture_text(struct buf *b, const char *s)
{
	size_t at = b->n;

	buf_str(b, s);
	for (; at < b->n; at++)
		if ((unsigned char)b->s[at] < 0x20 || b->s[at] == 0x7f)
			b->s[at] = '?';
}

void
picture_end(struct buf *b)
{
	buf_str(b, b->n && b->s[b->n - 1] == '\\' ? " \n" : "\n");
}

static size_t
width(const char *s)
{
	size_t w = 0;

	for (; *s; s++)
		w += ((unsigned char)*s & 0xc0) != 0x80;
	return w;
}

/* A new line up to a column, with the bars that pass through it. */
static void
next_line(struct drawing *d, size_t column)
{
	picture_end(d->b);
	buf_str(d->b, d->prefix);
	for (size_t i = 0; i < column; i++)
		buf_str(d->b, d->bar[i] ? "│" : " ");
}

static void
draw(struct drawing *d, size_t at, size_t column)
{
	struct vertex *v = &d->v[at];
	size_t fork;

	picture_text(d->b, v->name);
	column += width(v->name);
	if (!v->n_kid)
		return;
	if (v->drawn || column > WIDTH_MAX) {
		buf_str(d->b, " …");
		if (!v->drawn && !v->queued && d->n_queue < sizeof d->queue / sizeof *d->queue) {
			v->queued = true;
			d->queue[d->n_queue++] = at;
		}
		return;
	}
	v->drawn = true;
	if (v->n_kid == 1) {
		buf_str(d->b, " ──▶ ");
		draw(d, v->kid[0], column + 5);
		return;
	}
	fork = column + 3;
	for (size_t i = 0; i < v->n_kid; i++) {
		bool last = i + 1 == v->n_kid;

		if (i)
			next_line(d, fork);
		else
			buf_str(d->b, " ──");
		d->bar[fork] = !last;
		buf_str(d->b, i == 0 ? "┬─▶ " : last ? "└─▶ " : "├─▶ ");
		draw(d, v->kid[i], fork + 4);
	}
	d->bar[fork] = false;
}

static void
draw_root(struct drawing *d, size_t at)
{
	buf_str(d->b, d->prefix);
	draw(d, at, 0);
	picture_end(d->b);
	for (size_t i = 0; i < d->n_queue; i++) {
		size_t next = d->queue[i];

		if (d->v[next].drawn)
			continue;
		buf_str(d->b, d->prefix);
		draw(d, next, 0);
		picture_end(d->b);
	}
	d->n_queue = 0;
}

static void
add_kid(struct vertex *v, size_t kid)
{
	GROW(v->kid, v->n_kid, v->cap_kid);
	v->kid[v->n_kid++] = kid;
}

/* Of a source, a branch or a pipeline. */
static size_t
vertex_of(const struct specset *s, const size_t *place, const char *name)
{
	const struct pipeline *from = graph_pipeline(s, name);

	return from ? place[from - s->pipeline] : (size_t)(graph_source(s, name) - s->source);
}

/* The vertices and edges; each pipeline's place among the ordered ones is kept in `place`, by its index in the set. */
static void
build(struct drawing *d, const struct specset *s)
{
	size_t *place = xcalloc(s->n_pipeline + 1, sizeof *place);

	for (size_t i = 0; i < s->n_source; i++)
		d->v[d->n++].name = s->source[i].name;
	for (size_t i = 0; i < s->n_pipeline; i++) {
		place[s->order[i] - s->pipeline] = d->n;
		d->v[d->n++].name = pipeline_name(s->order[i]);
	}
	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct pipeline *p = s->order[i];

		for (size_t k = 0; k < p->n_reads; k++)
			add_kid(&d->v[vertex_of(s, place, p->reads[k]->s)], s->n_source + i);
	}
	for (size_t i = 0; i < s->n_source; i++)
		if (s->source[i].of)
			add_kid(&d->v[vertex_of(s, place, s->source[i].follows ? s->source[i].follows : s->source[i].of->s)], i);
	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct egress *e = s->order[i]->egress.v;

		for (size_t k = 0; k < s->order[i]->egress.n; k++) {
			const char *url = egress_url(&e[k])->s;

			if (!url)
				continue;
			add_kid(&d->v[s->n_source + i], d->n);
			d->v[d->n++].name = url;
		}
	}
	free(place);
}

void
picture_draw(struct buf *b, const struct specset *s, const char *prefix)
{
	struct drawing *d;
	size_t n = s->n_source + s->n_pipeline;

	if (s->n_pipeline > PIPELINES_MAX) {
		buf_fmt(b, "%s%zu pipelines, %zu sources: make help lists them\n", prefix, s->n_pipeline, s->n_source);
		return;
	}
	for (size_t i = 0; i < s->n_pipeline; i++)
		n += s->pipeline[i].egress.n;
	d = xcalloc(1, sizeof *d);
	d->b = b;
	d->prefix = prefix;
	d->v = xcalloc(n + 1, sizeof *d->v);
	build(d, s);
	for (size_t i = 0; i < s->n_source; i++)
		if (d->v[i].n_kid && !s->source[i].of)
			draw_root(d, i);
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].kid);
	free(d->v);
	free(d);
}

static void
leaf_text(struct buf *b, const struct pfs *p)
{
	picture_text(b, p->repo.s);
	if (p->match.s && *p->match.s) {
		buf_str(b, " ~ ");
		picture_text(b, p->match.s);
	} else if (strcmp(p->glob.s, "/") != 0) {
		buf_byte(b, ':');
		picture_text(b, p->glob.s);
	}
}

static void
tree_text(struct buf *b, const struct input *in)
{
	const struct input *member;
	const char *word;
	size_t n;

	if (in->pfs) {
		leaf_text(b, in->pfs);
		return;
	}
	if (in->cron) {
		buf_str(b, "ticks at ");
		picture_text(b, in->cron->spec.s);
		return;
	}
	member = input_members(in, &n, &word);
	buf_fmt(b, "%s of ", word);
	for (size_t i = 0; i < n; i++) {
		bool nested = !member[i].pfs && !member[i].cron;

		buf_str(b, i == 0 ? "" : i + 1 == n ? " and " : ", ");
		if (nested)
			buf_byte(b, '(');
		tree_text(b, &member[i]);
		if (nested)
			buf_byte(b, ')');
	}
}

void
picture_input(struct buf *b, const struct pipeline *p)
{
	const struct pfs *pfs = p->input->pfs;
	bool regex = pfs && pfs->match.s && *pfs->match.s;

	if (pfs && !regex && !strcmp(pfs->glob.s, "/")) {
		buf_str(b, "all of ");
		picture_text(b, pfs->repo.s);
		buf_str(b, " at once");
	} else if (pfs) {
		buf_str(b, "one datum per match of ");
		picture_text(b, regex ? pfs->match.s : pfs->glob.s);
		buf_str(b, " in ");
		picture_text(b, pfs->repo.s);
	} else {
		tree_text(b, p->input);
	}
}
