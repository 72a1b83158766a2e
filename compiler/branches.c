/* branches.c: a repo's own commits go to one branch of it: a pipeline's to its output_branch, a source's to master, or, where
 * an input has a trigger move master after another branch, to that one, as people commit to `staging`.  That one has the repo's name; every other one is called REPO@BRANCH, has a ref of its own, and moves by `dassie branch` or by a trigger.  To
 * all that reads, it is a repo without a folder: its commits are those of the repo, and contents come from the store. */
#include "branches.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/layout.h"
#include "../base/mem.h"
#include "check.h"
#include "diag.h"
#include "graph.h"
#include "spec.h"

enum { CHAIN_MAX = 1000 };

static bool
given(const struct str *t)
{
	return t->s && *t->s;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(pipeline_name(*(struct pipeline *const *)a), pipeline_name(*(struct pipeline *const *)b));
}

static int
name_is(const void *name, const void *p)
{
	return strcmp(name, pipeline_name(*(struct pipeline *const *)p));
}

static bool
is_pipeline(const struct specset *s, const char *name)
{
	for (size_t i = 0; i < s->n_pipeline; i++)
		if (!strcmp(pipeline_name(&s->pipeline[i]), name))
			return true;
	return false;
}

static const char *
source_branch(const struct specset *s, const char *repo)
{
	for (size_t i = 0; i < s->n_staged; i++)
		if (!strcmp(s->staged[i].repo, repo))
			return s->staged[i].branch;
	return "master";
}

/* A trigger that moves a source's master: the branch that it follows is where the source's commits go. */
static void
stage_sources(struct specset *s, const struct input *in)
{
	const struct pfs *p = in->pfs;
	const char *word;
	size_t n = 0;
	const struct input *member = p || in->cron ? NULL : input_members(in, &n, &word);

	for (size_t i = 0; i < n; i++)
		stage_sources(s, &member[i]);
	if (!p || !p->trigger || !given(&p->repo) || !given(&p->branch) || strcmp(p->branch.s, "master") != 0 || !given(&p->trigger->branch) ||
	    !strcmp(p->trigger->branch.s, "master") || !layout_branch_ok(p->trigger->branch.s))
		return;
	if (strcmp(source_branch(s, p->repo.s), "master") != 0 || is_pipeline(s, p->repo.s))
		return;
	GROW(s->staged, s->n_staged, s->cap_staged);
	s->staged[s->n_staged++] = (struct staged){ p->repo.s, p->trigger->branch.s };
}

bool
branches_begin(struct specset *s)
{
	bool ok = true;

	s->branching = arena_alloc(s->a, (s->n_pipeline + 1) * sizeof *s->branching);
	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct str *b = &s->pipeline[i].output_branch;

		if (!given(b) || !strcmp(b->s, "master"))
			continue;
		if (!layout_branch_ok(b->s))
			ok = diag_error(s->d, b->at, "'%s' cannot be a branch's name: letters, digits, '_' and '-', the first a letter or digit, at most %d",
			    b->s, NAME_MAX_BRANCH);
		s->branching[s->n_branching++] = &s->pipeline[i];
	}
	for (size_t i = 0; i < s->n_pipeline; i++)
		if (s->pipeline[i].input)
			stage_sources(s, s->pipeline[i].input);
	if (s->n_branching)
		qsort(s->branching, s->n_branching, sizeof *s->branching, by_name);
	return ok;
}

const char *
branches_own(const struct specset *s, const char *repo)
{
	struct pipeline **p = s->n_branching ? bsearch(repo, s->branching, s->n_branching, sizeof *s->branching, name_is) : NULL;

	return p ? (*p)->output_branch.s : source_branch(s, repo);
}

static struct source *
add(struct specset *s, const struct pipeline *p, const struct str *repo, const char *branch)
{
	struct source *src;

	GROW(s->source, s->n_source, s->cap_source);
	src = &s->source[s->n_source++];
	*src = (struct source){ .name = arena_fmt(s->a, "%s@%s", repo->s, branch), .dir = "-", .at = repo->at, .ticks = true, .of = repo, .by = p };
	return src;
}

static bool
is_taken(const struct specset *s, const char *name)
{
	for (size_t i = 0; i < s->n_source; i++)
		if (!strcmp(s->source[i].name, name))
			return true;
	return false;
}

/* As Pachyderm calls the branch of a trigger: PIPELINE-trigger-N. */
static const char *
trigger_branch(struct specset *s, const struct pipeline *p, const struct pfs *pfs)
{
	for (unsigned n = 1;; n++) {
		const char *name = arena_fmt(s->a, "%s-trigger-%u", pipeline_name(p), n);

		if (!is_taken(s, arena_fmt(s->a, "%s@%s", pfs->repo.s, name)))
			return name;
	}
}

static bool
check_trigger(struct specset *s, const struct pfs *pfs, const char *branch, const char *own, struct span at)
{
	const struct trigger *t = pfs->trigger;
	const char *follows = given(&t->branch) ? t->branch.s : "master";

	if (!given(&t->rate_limit_spec) && !given(&t->cron_spec) && !t->size.v && !t->commits.v)
		return diag_error(s->d, at, "a trigger says when the branch moves: 'size', 'commits', 'rate_limit_spec' or 'cron_spec'");
	if (t->size.v < 0 || t->commits.v < 0)
		return diag_error(s->d, t->size.v < 0 ? t->size.at : t->commits.at, "a trigger's %s is more than nothing", t->size.v < 0 ? "size" : "commits");
	if (!layout_branch_ok(follows))
		return diag_error(s->d, t->branch.at, "'%s' cannot be a branch's name: letters, digits, '_' and '-'", follows);
	if (!strcmp(branch, own))
		return diag_error(s->d, given(&pfs->branch) ? pfs->branch.at : at, "the commits of '%s' go to its branch '%s', so no trigger can move that; "
		    "leave 'branch' out, or write 'output_branch: %s' in '%s'", pfs->repo.s, own, strcmp(follows, own) ? follows : "staging", pfs->repo.s);
	return true;
}

bool
branches_read(struct specset *s, struct pipeline *p, struct pfs *pfs, struct span at)
{
	const char *own = branches_own(s, pfs->repo.s), *follows = pfs->trigger && given(&pfs->trigger->branch) ? pfs->trigger->branch.s : "master";
	const char *branch = given(&pfs->branch) ? pfs->branch.s : "master";
	struct source *src;

	/* A branch that follows itself: `branch` is what people took for the one that is followed. */
	if (pfs->trigger && (!given(&pfs->branch) || !strcmp(branch, follows)))
		branch = trigger_branch(s, p, pfs);

	pfs->reads = pfs->repo;
	if (!layout_branch_ok(branch))
		return diag_error(s->d, pfs->branch.at, "'%s' cannot be a branch's name: letters, digits, '_' and '-', the first a letter or digit, at most %d",
		    branch, NAME_MAX_BRANCH);
	if (pfs->trigger && !check_trigger(s, pfs, branch, own, at))
		return false;
	if (!strcmp(branch, own) || !layout_name_ok(pfs->repo.s))
		return true;
	src = add(s, p, &pfs->repo, branch);
	pfs->reads.s = src->name;
	if (!pfs->trigger)
		return true;
	src->trigger = pfs->trigger;
	src->follows = pfs->repo.s;
	if (strcmp(follows, own) != 0) {
		src->follows = arena_fmt(s->a, "%s@%s", pfs->repo.s, follows);
		add(s, p, &pfs->repo, follows);
	}
	return true;
}

static bool
same_text(const struct str *a, const struct str *b)
{
	return !strcmp(a->s ? a->s : "", b->s ? b->s : "");
}

bool
branches_merge(struct specset *s, struct source *into, const struct source *from)
{
	const struct trigger *a = into->trigger, *b = from->trigger;

	if (b && !a) {
		into->trigger = b;
		into->follows = from->follows;
	} else if (a && b && (strcmp(into->follows, from->follows) || !same_text(&a->rate_limit_spec, &b->rate_limit_spec) ||
	    !same_text(&a->cron_spec, &b->cron_spec) || a->size.v != b->size.v || a->commits.v != b->commits.v || a->all.v != b->all.v)) {
		diag_error(s->d, from->at, "the branch '%s' has another trigger in another input; give one of them a 'branch' of its own", from->name);
		diag_note(s->d, into->at, "the other input");
		return false;
	}
	return true;
}

/* Behind those that it follows. */
static bool
rank(struct specset *s, struct source *src, size_t *n)
{
	struct source *chain[CHAIN_MAX];
	size_t depth = 0;

	for (; src && src->trigger && !src->ranked; src = (struct source *)graph_source(s, src->follows)) {
		for (size_t i = 0; i < depth; i++)
			if (chain[i] == src)
				return diag_error(s->d, src->at, "branches that follow each other in a circle: %s and %s", src->name, src->follows);
		if (depth == CHAIN_MAX)
			return diag_error(s->d, src->at, "more than %d branches that follow each other", CHAIN_MAX);
		chain[depth++] = src;
	}
	while (depth) {
		chain[--depth]->ranked = true;
		s->triggered[(*n)++] = chain[depth];
	}
	return true;
}

static bool
has_head(const struct source *src)
{
	char path[LAYOUT_MAX];

	return access(layout_ref(path, src->name), F_OK) == 0;
}

bool
branches_end(struct specset *s)
{
	bool ok = true;

	s->triggered = arena_alloc(s->a, (s->n_source + 1) * sizeof *s->triggered);
	for (size_t i = 0; i < s->n_source; i++) {
		struct source *src = &s->source[i], *base;

		if (!src->of)
			continue;
		base = (struct source *)graph_source(s, src->of->s);
		if (base)
			base->branched = true;
		if (src->trigger)
			ok &= rank(s, src, &s->n_triggered);
		else if (!has_head(src))
			diag_warn(s->d, src->at, "the branch '%s' of '%s' is empty until 'dassie branch %s --head COMMIT' gives it a commit",
			    src->name + strlen(src->of->s) + 1, src->of->s, src->name);
	}
	return ok;
}
