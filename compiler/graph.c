/* graph.c: pipelines and sources by name, and the order of work.
 *
 * The order is a depth-first walk over inputs, pipelines by priority and else as the spec has them, so that it stays when
 * something is added at the end.  A pipeline met again while it is being walked closes a cycle, whose path lies on the walk's stack. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/suggest.h"
#include "branches.h"
#include "diag.h"
#include "spec.h"

void
graph_read(struct specset *s, struct pipeline *p, const struct str *repo)
{
	const struct str **v;
	size_t at = 0;

	while (at < p->n_reads && strcmp(p->reads[at]->s, repo->s) < 0)
		at++;
	if (at < p->n_reads && !strcmp(p->reads[at]->s, repo->s))
		return;
	v = arena_alloc(s->a, (p->n_reads + 1) * sizeof *v);
	for (size_t i = 0; i < p->n_reads; i++)
		v[i + (i >= at)] = p->reads[i];
	v[at] = repo;
	p->reads = v;
	p->n_reads++;
}

static int
pipeline_order(const void *pa, const void *pb)
{
	const struct pipeline *const *a = pa, *const *b = pb;
	int c = strcmp(pipeline_name(*a), pipeline_name(*b));

	return c ? c : *a < *b ? -1 : *a > *b;
}

static int
source_order(const void *pa, const void *pb)
{
	const struct source *a = pa, *b = pb;
	int c = strcmp(a->name, b->name);

	return c ? c : a->at.off < b->at.off ? -1 : a->at.off > b->at.off;
}

static int
pipeline_is(const void *name, const void *p)
{
	return strcmp(name, pipeline_name(*(struct pipeline *const *)p));
}

static int
source_is(const void *name, const void *p)
{
	return strcmp(name, ((const struct source *)p)->name);
}

struct pipeline *
graph_pipeline(const struct specset *s, const char *name)
{
	/* One whose name is wrong has none, and so has a repo: that is no clash. */
	struct pipeline **p = s->n_pipeline && *name ? bsearch(name, s->by_name, s->n_pipeline, sizeof *s->by_name, pipeline_is) : 0;

	return p ? *p : 0;
}

const struct source *
graph_source(const struct specset *s, const char *name)
{
	return s->n_source ? bsearch(name, s->source, s->n_source, sizeof *s->source, source_is) : 0;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Crons that say so may share the repo of their ticks, and inputs a branch. */
static bool
drop_same_ticks(struct specset *s)
{
	size_t n = 0;
	bool ok = true;

	for (size_t i = 0; i < s->n_source; i++)
		if (!n || !s->source[i].ticks || !s->source[n - 1].ticks || strcmp(s->source[i].name, s->source[n - 1].name))
			s->source[n++] = s->source[i];
		else if (s->source[i].of)
			ok &= branches_merge(s, &s->source[n - 1], &s->source[i]);
	s->n_source = n;
	return ok;
}

static bool
sort_names(struct specset *s)
{
	bool ok = true;

	s->by_name = arena_alloc(s->a, (s->n_pipeline + 1) * sizeof *s->by_name);
	for (size_t i = 0; i < s->n_pipeline; i++)
		s->by_name[i] = &s->pipeline[i];
	qsort(s->by_name, s->n_pipeline, sizeof *s->by_name, pipeline_order);
	if (s->n_source)
		qsort(s->source, s->n_source, sizeof *s->source, source_order);
	for (size_t i = 1; i < s->n_pipeline; i++) {
		const struct pipeline *p = s->by_name[i], *q = s->by_name[i - 1];

		if (!*pipeline_name(p) || strcmp(pipeline_name(p), pipeline_name(q)))
			continue;
		if (p->made.text && p->at.off == q->at.off) {
			ok = diag_error(s->d, p->id->name.at, "'%s' is made more than once: write every variable into the name", pipeline_name(p));
			diag_note(s->d, p->made.at, "%s", p->made.text);
			continue;
		}
		ok = diag_error(s->d, p->id->name.at, "pipeline '%s' is defined twice", pipeline_name(p));
		diag_note(s->d, q->id->name.at, "first here");
	}
	ok &= drop_same_ticks(s);
	for (size_t i = 0; i < s->n_source; i++) {
		const struct source *src = &s->source[i];
		const struct pipeline *p = graph_pipeline(s, src->name);

		if (i && !strcmp(src->name, src[-1].name)) {
			ok = diag_error(s->d, src->at, "repo '%s' is declared twice", src->name);
			diag_note(s->d, src[-1].at, "first here");
		}
		if (p) {
			ok = diag_error(s->d, p->id->name.at, "pipeline '%s' cannot be: a repo has this name, and a pipeline's output is a repo",
			    src->name);
			diag_note(s->d, src->at, "the repo");
		}
	}
	return ok;
}

/* Names that are there with at most so many slips. */
static const char *
near_name(struct specset *s, const char *name, unsigned most)
{
	const char **v = xcalloc(s->n_pipeline + s->n_source + 1, sizeof *v);
	const char *best, *text;
	size_t n = 0;

	for (size_t i = 0; i < s->n_source; i++)
		v[n++] = s->source[i].name;
	for (size_t i = 0; i < s->n_pipeline; i++)
		v[n++] = pipeline_name(&s->pipeline[i]);
	best = suggest_within(name, v, n, most);
	text = best ? arena_fmt(s->a, "; did you mean '%s'?", best) : "";
	free(v);
	return text;
}

/* A pipeline whose output, or a branch of it, is read. */
static struct pipeline *
pipeline_of(const struct specset *s, const char *read)
{
	char name[NAME_MAX_REPO + 1];
	size_t n = layout_repo_len(read);

	if (!read[n] || n > NAME_MAX_REPO)
		return graph_pipeline(s, read);
	memcpy(name, read, n);
	name[n] = 0;
	return graph_pipeline(s, name);
}

enum { SLIPS = 2, MISSING_SHOWN = 5, GUESSES = 4000000 };

/* A read of a repo that is neither declared nor a pipeline's. */
struct extra { const struct pipeline *p; const struct str *repo; };

static int
extra_order(const void *pa, const void *pb)
{
	const struct extra *a = pa, *b = pb;
	int c = strcmp(a->repo->s, b->repo->s);

	return c ? c : a->repo->at.off < b->repo->at.off ? -1 : a->repo->at.off > b->repo->at.off;
}

/* All reads of one such repo: the folder of its name.  Errors are told at each place, a folder that misses by tell_missing(). */
static bool
undeclared(struct specset *s, const struct extra *e, size_t n, bool *ret_missing)
{
	const struct str *repo = e->repo;
	bool there = is_folder(repo->s), ok = true;

	if (s->has_repos && !there) {
		const char *near = near_name(s, repo->s, 5);

		for (size_t i = 0; i < n; i++)
			ok = diag_error(s->d, e[i].repo->at, "unknown repo '%s': not in 'repos', no pipeline, no folder%s", repo->s, near);
	} else if (!layout_name_ok(repo->s)) {
		ok = diag_error(s->d, repo->at, "'%s' cannot be a repo's name: letters, digits, '_' and '-', the first a letter or digit, "
		    "at most %d", repo->s, NAME_MAX_REPO);
	} else if (!strcmp(repo->s, DIR_OUT)) {
		ok = diag_error(s->d, repo->at, "'%s' is where outputs go; name a pipeline or a source", repo->s);
	} else {
		*ret_missing = !there;
	}
	return ok;
}

/* Specs often come before their data: many folders that miss are one warning, but for what may be a slip of the pen. */
static void
tell_missing(struct specset *s, const struct extra *e, size_t n)
{
	const struct extra *first = 0;
	struct buf b = BUF_INIT;
	size_t alike = 0, shown = 0;

	for (size_t i = 0; i < n; i++) {
		const struct str *repo = e[i].repo;
		const char *near = n * (s->n_pipeline + s->n_source) < GUESSES ? near_name(s, repo->s, SLIPS) : "";

		if (*near || n == 1) {
			diag_warn(s->d, repo->at, "pipeline '%s' reads the folder '%s', which is not there%s", pipeline_name(e[i].p), repo->s, near);
			continue;
		}
		if (!first || repo->at.off < first->repo->at.off)
			first = &e[i];
		alike++;
		if (shown < MISSING_SHOWN)
			buf_fmt(&b, "%s'%s'", shown++ ? ", " : "", repo->s);
	}
	if (alike > shown)
		buf_fmt(&b, " and %zu more", alike - shown);
	if (alike == 1)
		diag_warn(s->d, first->repo->at, "pipeline '%s' reads the folder %s, which is not there", pipeline_name(first->p), b.s);
	else if (alike)
		diag_warn(s->d, first->repo->at, "%zu repos are neither a pipeline's nor a folder that is there: %s; put their data there, or say under "
		    "'repos' where it lies", alike, b.s);
	buf_release(&b);
}

static bool
resolve(struct specset *s)
{
	struct extra *extra = 0, *missing = 0;
	size_t n = 0, cap = 0, declared = s->n_source, n_missing = 0, cap_missing = 0;
	bool ok = true;

	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct pipeline *p = &s->pipeline[i];

		for (size_t k = 0; k < p->n_reads; k++) {
			if (graph_pipeline(s, p->reads[k]->s) || graph_source(s, p->reads[k]->s))
				continue;
			GROW(extra, n, cap);
			extra[n++] = (struct extra){ p, p->reads[k] };
		}
	}
	for (size_t i = 0; i < declared; i++) {
		const struct source *src = &s->source[i];

		if (!src->of || graph_pipeline(s, src->of->s) || graph_source(s, src->of->s))
			continue;
		GROW(extra, n, cap);
		extra[n++] = (struct extra){ src->by, src->of };
	}
	if (n)
		qsort(extra, n, sizeof *extra, extra_order);
	for (size_t i = 0, end; i < n; i = end) {
		const char *name = extra[i].repo->s;
		bool misses = false;

		for (end = i + 1; end < n && !strcmp(extra[end].repo->s, name); end++)
			;
		ok &= undeclared(s, &extra[i], end - i, &misses);
		if (!misses)
			continue;
		GROW(missing, n_missing, cap_missing);
		missing[n_missing++] = extra[i];
	}
	tell_missing(s, missing, n_missing);
	free(missing);
	for (size_t i = 0; i < n; i++) {
		const char *name = extra[i].repo->s;

		if (s->n_source > declared && !strcmp(name, s->source[s->n_source - 1].name))
			continue;
		GROW(s->source, s->n_source, s->cap_source);
		s->source[s->n_source++] = (struct source){ .name = name, .dir = name, .at = extra[i].repo->at };
	}
	free(extra);
	if (s->n_source)
		qsort(s->source, s->n_source, sizeof *s->source, source_order);
	return ok;
}

/* Every source that is declared and that nobody reads. */
static void
tell_unread(struct specset *s)
{
	bool *read = xcalloc(s->n_source + 1, sizeof *read);

	for (size_t i = 0; i < s->n_pipeline; i++)
		for (size_t k = 0; k < s->pipeline[i].n_reads; k++) {
			const struct source *src = graph_source(s, s->pipeline[i].reads[k]->s);

			if (src)
				read[src - s->source] = true;
		}
	for (size_t i = 0; i < s->n_source; i++)
		if (!read[i] && !s->source[i].branched && !s->source[i].of)
			diag_warn(s->d, s->source[i].at, "no pipeline reads the repo '%s'", s->source[i].name);
	free(read);
}

struct walk { struct pipeline *p; size_t next; };

/* The path of a cycle as data flows: from the pipeline that is met again, down the stack to it. */
static bool
tell_cycle(struct specset *s, const struct walk *stack, size_t depth, const struct pipeline *again, const struct str *at)
{
	struct buf b = BUF_INIT;
	size_t i = depth;

	if (stack[depth - 1].p == again)
		return diag_error(s->d, at->at, "pipeline '%s' reads its own output", pipeline_name(again));
	buf_str(&b, pipeline_name(again));
	do {
		i--;
		buf_fmt(&b, " -> %s", pipeline_name(stack[i].p));
	} while (stack[i].p != again);
	diag_error(s->d, at->at, "pipelines in a circle: %s", b.s);
	buf_release(&b);
	return false;
}

enum { UNSEEN, UNDER_WAY, ORDERED };

static bool
walk_from(struct specset *s, struct pipeline *root, struct walk *stack, size_t *n)
{
	size_t depth = 0;
	bool ok = true;

	if (root->state != UNSEEN)
		return true;
	root->state = UNDER_WAY;
	stack[depth++] = (struct walk){ root, 0 };
	while (depth) {
		struct walk *w = &stack[depth - 1];
		struct pipeline *to;

		if (w->next == w->p->n_reads) {
			w->p->state = ORDERED;
			s->order[(*n)++] = w->p;
			depth--;
			continue;
		}
		to = pipeline_of(s, w->p->reads[w->next++]->s);
		if (to && to->state == UNDER_WAY && !graph_source(s, pipeline_name(to)))
			ok = tell_cycle(s, stack, depth, to, w->p->reads[w->next - 1]);
		if (!to || to->state != UNSEEN)
			continue;
		to->state = UNDER_WAY;
		stack[depth++] = (struct walk){ to, 0 };
	}
	return ok;
}

static int
by_priority(const void *pa, const void *pb)
{
	const struct pipeline *a = *(struct pipeline *const *)pa, *b = *(struct pipeline *const *)pb;

	return a->priority.v > b->priority.v ? -1 : a->priority.v < b->priority.v ? 1 : a < b ? -1 : a > b;
}

bool
graph_build(struct specset *s)
{
	struct walk *stack = xcalloc(s->n_pipeline + 1, sizeof *stack);
	struct pipeline **first = xcalloc(s->n_pipeline + 1, sizeof *first);
	size_t n = 0;
	bool ok = sort_names(s);

	ok &= resolve(s);
	ok &= branches_end(s);
	if (ok && !s->d->errors)
		tell_unread(s);
	s->order = arena_alloc(s->a, (s->n_pipeline + 1) * sizeof *s->order);
	for (size_t i = 0; i < s->n_pipeline; i++)
		first[i] = &s->pipeline[i];
	qsort(first, s->n_pipeline, sizeof *first, by_priority);
	for (size_t i = 0; i < s->n_pipeline; i++)
		ok &= walk_from(s, first[i], stack, &n);
	free(first);
	free(stack);
	return ok;
}
