/* graph.c: what reads what, from the index and the settings; a spec that changed is compiled first, as make does it.
 *
 * For a terminal it is a tree, a line an edge: that stays readable where boxes and crossing lines do not.
 *
 *   books  data/books
 *   ├─ count
 *   │  └─ total ──▶ s3://bucket/wordcount
 *   └─ lines
 *      └─ total …                   (met before: its line there has what comes after it) */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/talk.h"
#include "capture.h"
#include "respec.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie graph [--dot | --mermaid | --svg | --json]\n\n"
    "Sources, pipelines and what reads what. A spec that has changed is compiled first, as make does; where it has errors, they\n"
    "are told, the graph is that of the last good one, and the exit status is 1.\n\n"
    "        --dot      for graphviz\n"
    "        --mermaid  for Markdown\n"
    "        --svg      a picture, by graphviz's dot\n"
    "        --json     one object a node\n";

enum { SVG_MAX = 64 << 20 };

struct node {
	const char *name, *dir;         /* dir: of a source */
	bool pipeline, drawn;
	size_t *kid, n_kid, cap_kid;    /* who reads it */
	size_t n_parent;
	const char **egress; size_t n_egress;
};

struct graph {
	struct arena a;
	struct index x;
	struct node *v; size_t n, cap;
};

/* Its place, made if need be: then pointers to nodes are void. */
static size_t
find(struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->v[i].name, name) == 0)
			return i;
	GROW(g->v, g->n, g->cap);
	g->v[g->n] = (struct node){ .name = name };
	return g->n++;
}

static void
link_nodes(struct graph *g, size_t from, size_t to)
{
	struct node *v = &g->v[from];

	GROW(v->kid, v->n_kid, v->cap_kid);
	v->kid[v->n_kid++] = to;
	g->v[to].n_parent++;
}

static void
add_egress(struct graph *g, struct node *v)
{
	struct conf c = CONF_INIT;
	struct err gone = ERR_INIT;

	if (conf_read(&c, v->name, &gone) == 0) {
		v->egress = arena_alloc(&g->a, (c.n_egress + 1) * sizeof *v->egress);
		for (; v->n_egress < c.n_egress; v->n_egress++)
			v->egress[v->n_egress] = arena_str(&g->a, c.egress[v->n_egress].url);
	}
	conf_release(&c);
}

static bool
is_branch(const char *name)
{
	return name[layout_repo_len(name)];
}

/* What moves it: the branch that its trigger follows, else whoever looks at the repo's commits. */
static const char *
followed(struct graph *g, const char *name)
{
	size_t n = layout_repo_len(name);

	for (size_t i = 0; i < g->x.n_trigger; i++) {
		const struct index_trigger *t = &g->x.trigger[i];

		if (strlen(t->repo) == n && !strncmp(t->repo, name, n) && !strcmp(t->branch, name + n + 1))
			return t->follows;
	}
	return arena_dup(&g->a, name, n);
}

/* 0, or EXIT_FAILED if nothing was compiled; -1. */
static int
load(struct graph *g, struct err *err)
{
	int rc = index_read(&g->x, err);

	if (rc == 0)
		talk("nothing is compiled here: 'dassie compile' checks the specs and compiles them");
	if (rc <= 0)
		return rc < 0 ? -1 : EXIT_FAILED;
	for (size_t i = 0; i < g->x.n_source; i++) {
		size_t at = find(g, g->x.source[i].name);

		if (!is_branch(g->x.source[i].name))
			g->v[at].dir = index_place(&g->x.source[i]);
	}
	for (size_t i = 0; i < g->x.n_pipeline; i++) {
		size_t at = find(g, g->x.pipeline[i].name);

		g->v[at].pipeline = true;
		add_egress(g, &g->v[at]);
	}
	for (size_t i = 0; i < g->x.n_pipeline; i++)
		for (size_t k = 0; k < g->x.pipeline[i].n_reads; k++) {
			size_t from = find(g, g->x.pipeline[i].reads[k]);

			link_nodes(g, from, find(g, g->x.pipeline[i].name));
		}
	for (size_t i = 0; i < g->x.n_source; i++)
		if (is_branch(g->x.source[i].name)) {
			size_t from = find(g, followed(g, g->x.source[i].name));

			link_nodes(g, from, find(g, g->x.source[i].name));
		}
	return 0;
}

static void
draw(struct graph *g, struct buf *b, struct buf *indent, size_t at, const char *corner)
{
	struct node *v = &g->v[at];
	size_t n = indent->n;
	bool again = v->drawn;

	buf_add(b, indent->s, indent->n);
	buf_fmt(b, "%s%s%s%s", corner, v->pipeline ? show_color(SHOW_BOLD) : "", v->name, v->pipeline ? show_color(SHOW_PLAIN) : "");
	if (v->dir) {
		buf_str(b, "  ");
		show_name(b, v->dir);
	}
	for (size_t i = 0; !again && i < v->n_egress; i++) {
		buf_str(b, i ? ", " : " ──▶ ");
		show_name(b, v->egress[i]);
	}
	buf_str(b, again && (v->n_kid || v->n_egress) ? " …\n" : "\n");
	v->drawn = true;
	buf_str(indent, !corner[0] ? "" : strncmp(corner, "└", strlen("└")) == 0 ? "   " : "│  ");
	for (size_t i = 0; !again && i < v->n_kid; i++)
		draw(g, b, indent, v->kid[i], i + 1 < v->n_kid ? "├─ " : "└─ ");
	indent->n = n;
}

static void
as_text(struct graph *g, struct buf *b)
{
	struct buf indent = BUF_INIT;

	buf_str(&indent, "");
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].n_parent == 0)
			draw(g, b, &indent, i, "");
	buf_release(&indent);
}

/* In double quotes: dot knows \", mermaid's entity is #quot;. Names of repos are plain, folders and URLs need not be. */
static void
quoted(struct buf *b, const char *s, const char *quote)
{
	buf_byte(b, '"');
	for (; *s; s++) {
		if (*s == '"')
			buf_str(b, quote);
		else if (*s == '\\' && quote[0] == '\\')
			buf_str(b, "\\\\");
		else
			buf_byte(b, (unsigned char)*s < 0x20 ? '?' : *s);
	}
	buf_byte(b, '"');
}

static void
as_dot(struct graph *g, struct buf *b)
{
	buf_str(b, "digraph pipelines {\n\trankdir=LR;\n\tnode [shape=box, fontname=\"sans-serif\"];\n");
	for (size_t i = 0; i < g->n; i++) {
		struct node *v = &g->v[i];

		buf_fmt(b, "\t\"%s\"%s;\n", v->name, v->pipeline ? " [style=rounded]" : " [shape=folder]");
		for (size_t k = 0; k < v->n_kid; k++)
			buf_fmt(b, "\t\"%s\" -> \"%s\";\n", v->name, g->v[v->kid[k]].name);
		for (size_t k = 0; k < v->n_egress; k++) {
			buf_str(b, "\t");
			quoted(b, v->egress[k], "\\\"");
			buf_fmt(b, " [shape=cylinder];\n\t\"%s\" -> ", v->name);
			quoted(b, v->egress[k], "\\\"");
			buf_str(b, " [style=dashed];\n");
		}
	}
	buf_str(b, "}\n");
}

static void
as_mermaid(struct graph *g, struct buf *b)
{
	size_t n_url = 0;

	buf_str(b, "flowchart LR\n");
	for (size_t i = 0; i < g->n; i++)
		buf_fmt(b, "    n%zu%s\"%s\"%s\n", i, g->v[i].pipeline ? "(" : "[", g->v[i].name, g->v[i].pipeline ? ")" : "]");
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < g->v[i].n_kid; k++)
			buf_fmt(b, "    n%zu --> n%zu\n", i, g->v[i].kid[k]);
		for (size_t k = 0; k < g->v[i].n_egress; k++) {
			buf_fmt(b, "    n%zu -.-> u%zu[(", i, n_url++);
			quoted(b, g->v[i].egress[k], "#quot;");
			buf_str(b, ")]\n");
		}
	}
}

static void
as_json(struct graph *g, struct buf *b)
{
	for (size_t i = 0; i < g->n; i++) {
		struct node *v = &g->v[i];

		json_open(b, NULL, '{');
		json_str(b, "name", v->name);
		json_str(b, "kind", v->pipeline ? "pipeline" : is_branch(v->name) ? "branch" : v->dir ? "source" : "ticks");
		json_str(b, "dir", v->dir);
		json_open(b, "read_by", '[');
		for (size_t k = 0; k < v->n_kid; k++)
			json_str(b, NULL, g->v[v->kid[k]].name);
		json_close(b, ']');
		json_open(b, "egress", '[');
		for (size_t k = 0; k < v->n_egress; k++)
			json_str(b, NULL, v->egress[k]);
		json_close(b, ']');
		json_close(b, '}');
		buf_byte(b, '\n');
	}
}

static int
as_svg(struct graph *g)
{
	char name[] = "/tmp/dassie-graph.XXXXXX";
	struct buf b = BUF_INIT, svg = BUF_INIT;
	struct err err = ERR_INIT;
	int fd = mkstemp(name), rc = -1;

	if (fd < 0) {
		err_set(&err, errno, "cannot make a temporary file:");
		return talk_err(&err);
	}
	as_dot(g, &b);
	if (fs_write_all(fd, b.s, b.n, &err) == 0)
		rc = capture((const char *const[]){ "dot", "-Tsvg", name, NULL }, &svg, SVG_MAX, &err);
	close(fd);
	unlink(name);
	buf_release(&b);
	if (rc == 0)
		return show_out(&svg, EXIT_DONE);
	buf_release(&svg);
	if (rc == -1)
		return talk_err(&err);
	if (rc == -2)
		talk("there is no 'dot', which draws it: install graphviz, or take --dot or --mermaid");
	else
		talk("'dot -Tsvg' failed with status %d: 'dassie graph --dot | dot -Tsvg' shows why", rc);
	return EXIT_WORLD;
}

static int
show_graph(struct graph *g, int form)
{
	struct buf b = BUF_INIT;

	if (form == 's')
		return as_svg(g);
	(form == 'd' ? as_dot : form == 'm' ? as_mermaid : form == 'j' ? as_json : as_text)(g, &b);
	return show_out(&b, EXIT_DONE);
}

int
verb_graph(int argc, char **argv)
{
	static const struct option options[] = { { "dot", no_argument, NULL, 'd' }, { "mermaid", no_argument, NULL, 'm' },
		{ "svg", no_argument, NULL, 's' }, { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct graph g = { .x = INDEX_INIT };
	struct err err = ERR_INIT;
	int c, form = 't', status = EXIT_DONE, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return show_usage(usage, c == 'h');
		form = c;
	}
	if (optind != argc)
		return show_usage(usage, false);
	rc = state_find(NULL, &err);
	if (rc == 0) {
		status = respec();
		rc = load(&g, &err);
	}
	if (rc == 0)
		rc = show_graph(&g, form);
	for (size_t i = 0; i < g.n; i++)
		free(g.v[i].kid);
	free(g.v);
	index_release(&g.x);
	arena_release(&g.a);
	return rc < 0 ? show_err(&err) : rc > status ? rc : status;
}
