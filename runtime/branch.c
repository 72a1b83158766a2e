/* branch.c: the verb `branch`: heads of branches, to look at and to move.
 *
 * The branch that a repo's own commits go to (a source's master, a pipeline's output_branch) moves by those alone; the others are
 * refs of their own, REPO@BRANCH.  What a head names is kept: its contents must be in the store, so those that still
 * lie in the source are taken into it first. */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "content.h"
#include "query.h"
#include "repoarg.h"
#include "show.h"
#include "state.h"
#include "store.h"
#include "trigger.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie branch [--json] [REPO]\n"
    "       dassie branch REPO@NAME --head COMMIT\n"
    "       dassie branch REPO@NAME --delete\n\n"
    "The branches of repos and their heads; with --head a branch is made or moved.  COMMIT is the beginning of a commit's\n"
    "id, or a branch of the repo, with ^ or ^N for those before: staging, master^, 9fb3c0.  What reads the branch is\n"
    "made anew by the next make.\n\n"
    "        --head COMMIT   make the branch, or move it there\n"
    "        --delete        forget the branch; its commits stay as long as others need them\n"
    "        --json          one object a line\n";

struct asked {
	const char *name, *head;
	bool del, json;
	char repo[NAME_MAX_REPO + 1];
	const char *branch;         /* in name; NULL: all of them */
};

static bool
parse(struct asked *a, int argc, char **argv, int *ret)
{
	static const struct option options[] = { { "head", required_argument, NULL, 'H' }, { "delete", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int c;

	*ret = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return *ret = show_usage(usage, c == 'h'), false;
		a->json |= c == 'j';
		a->del |= c == 'd';
		if (c == 'H')
			a->head = optarg;
	}
	if (optind + 1 < argc || (a->head && a->del))
		return *ret = show_usage(usage, false), false;
	a->name = argv[optind];
	if (a->name) {
		size_t n = layout_repo_len(a->name);

		snprintf(a->repo, sizeof a->repo, "%.*s", (int)(n < sizeof a->repo ? n : 0), a->name);
		a->branch = a->name[n] ? a->name + n + 1 : NULL;
		if (!layout_name_ok(a->repo) || (a->branch && !layout_branch_ok(a->branch)))
			return talk("'%s' is no branch: REPO@NAME, of letters, digits, '_' and '-'", a->name), false;
	}
	if (!a->branch && (a->head || a->del))
		return talk("say which branch: dassie branch REPO@NAME %s", a->del ? "--delete" : "--head COMMIT"), false;
	if (a->branch && !a->head && !a->del)
		return talk("say what to do: dassie branch %s --head COMMIT, or --delete", a->name), false;
	return true;
}

/* The branch that the repo's own commits go to; of the arena. */
static const char *
own_branch(const struct index *x, const char *repo, struct arena *a)
{
	struct conf c = CONF_INIT;
	struct err ignored = ERR_INIT;
	const struct index_source *src = index_find_source(x, repo);
	const char *text = src && src->branch ? src->branch : "master";

	if (index_find(x, repo) && conf_read(&c, repo, &ignored) == 0) {
		if (c.branch && *c.branch)
			text = arena_str(a, c.branch);
		conf_release(&c);
	}
	return text;
}

static const struct index_trigger *
trigger_of(const struct index *x, const char *name)
{
	size_t n = layout_repo_len(name);

	for (size_t i = 0; i < x->n_trigger; i++)
		if (!strncmp(x->trigger[i].repo, name, n) && !x->trigger[i].repo[n] && !strcmp(x->trigger[i].branch, name + n + 1))
			return &x->trigger[i];
	return NULL;
}

/* Who reads it, the first. */
static const char *
reader_of(const struct index *x, const char *name)
{
	for (size_t i = 0; i < x->n_pipeline; i++)
		for (size_t k = 0; k < x->pipeline[i].n_reads; k++)
			if (!strcmp(x->pipeline[i].reads[k], name))
				return x->pipeline[i].name;
	return NULL;
}

/* --- the list -------------------------------------------------------------------------------------------------- */

static void
trigger_text(struct buf *b, const struct index_trigger *t)
{
	const char *sep = t->all ? " and " : " or ", *with = "";

	buf_fmt(b, "follows %s: ", t->follows);
	if (t->commits) {
		buf_fmt(b, "%llu commits", (unsigned long long)t->commits);
		with = sep;
	}
	if (t->size) {
		buf_str(b, with);
		show_size(b, t->size);
		with = sep;
	}
	if (*t->rate) {
		buf_fmt(b, "%sat most %s", with, t->rate);
		with = sep;
	}
	if (*t->cron)
		buf_fmt(b, "%sat %s", with, t->cron);
}

static void
list_row(struct buf *b, struct table *t, const struct index *x, const char *name, const char *own, const struct ref *r, bool json)
{
	const struct index_trigger *tr = own ? NULL : trigger_of(x, name);
	size_t n = layout_repo_len(name);
	struct oid empty;

	manifest_empty_id(&empty);
	if (json) {
		char repo[NAME_MAX_REPO + 1];

		snprintf(repo, sizeof repo, "%.*s", (int)n, name);
		json_open(b, NULL, '{');
		json_str(b, "repo", repo);
		json_str(b, "branch", own ? own : name + n + 1);
		json_bool(b, "own", own);
		json_oid(b, "head", &r->id);
		json_time(b, "moved", r->asof ? r->asof : r->stamp);
		if (tr)
			json_str(b, "follows", tr->follows);
		json_close(b, '}');
		buf_byte(b, '\n');
		return;
	}
	buf_fmt(&t->cell, "%.*s@%s", (int)n, name, own ? own : name + n + 1);
	show_cell(t);
	if (oid_eq(&r->id, &empty))
		buf_str(&t->cell, "(empty)");
	else
		show_id(&t->cell, &r->id);
	show_cell(t);
	show_ago(&t->cell, r->asof ? r->asof : r->stamp);
	show_cell(t);
	if (own)
		buf_str(&t->cell, index_find(x, name) ? "what the pipeline writes" : "what the source has");
	else if (tr)
		trigger_text(&t->cell, tr);
	show_cell(t);
	show_row(t);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All refs of branches, of one repo or of all, sorted. */
static int
branch_refs(const char *repo, struct arena *a, char ***ret, size_t *ret_n, struct err *err)
{
	DIR *d = opendir(DIR_REFS);
	struct dirent *e;
	char **v = NULL;
	size_t cap = 0;

	*ret_n = 0;
	*ret = NULL;
	if (!d)
		return err_set(err, errno, "cannot read '%s':", DIR_REFS);
	while ((e = readdir(d))) {
		size_t n = layout_repo_len(e->d_name);

		if (e->d_name[0] == '.' || !e->d_name[n] || !layout_branch_ok(e->d_name + n + 1))
			continue;
		if (*repo && (strncmp(repo, e->d_name, n) != 0 || repo[n]))
			continue;
		GROW(v, *ret_n, cap);
		v[(*ret_n)++] = arena_str(a, e->d_name);
	}
	closedir(d);
	if (*ret_n)
		qsort(v, *ret_n, sizeof *v, by_text);
	*ret = v;
	return 0;
}

static int
list(const struct asked *a, const struct index *x, struct arena *ar, struct err *err)
{
	struct buf b = BUF_INIT;
	struct table t = TABLE_INIT;
	char **v, path[LAYOUT_MAX], last[NAME_MAX_REPO + 1] = "", repo[NAME_MAX_REPO + 1];
	size_t n;
	int rc = branch_refs(a->repo, ar, &v, &n, err);

	for (size_t i = 0; rc >= 0 && i < n; i++) {
		struct ref r;

		snprintf(repo, sizeof repo, "%.*s", (int)layout_repo_len(v[i]), v[i]);
		if (strcmp(repo, last) != 0 && (rc = ref_read(layout_ref(path, repo), &r, err)) == 1) {
			list_row(&b, &t, x, repo, own_branch(x, repo, ar), &r, a->json);
			ref_release(&r);
		}
		snprintf(last, sizeof last, "%s", repo);
		if (rc >= 0 && (rc = ref_read(layout_ref(path, v[i]), &r, err)) == 1) {
			list_row(&b, &t, x, v[i], NULL, &r, a->json);
			ref_release(&r);
		}
	}
	if (rc >= 0 && n == 0 && !a->json)
		talk("no branches%s%s but the one that commits go to; 'dassie branch REPO@NAME --head COMMIT' makes one", *a->repo ? " of " : "", a->repo);
	show_table(&b, &t, "");
	table_release(&t);
	free(v);
	rc = rc < 0 ? -1 : show_out(&b, EXIT_DONE);
	buf_release(&b);
	return rc;
}

/* --- the head -------------------------------------------------------------------------------------------------- */

/* Every content of the commit is in the store, or goes there now from where it lies. */
static int
keep_contents(const char *repo, const struct oid *id, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct buf path = BUF_INIT;
	struct oid got;
	uint64_t size;
	int rc = manifest_load(&m, id, err);

	for (size_t i = 0; rc >= 0 && i < m.n; i++) {
		if (store_has(&m.v[i].id, m.v[i].size))
			continue;
		buf_reset(&path);
		rc = content_find(repo, &m.v[i], &path, err);
		if (rc == 0)
			rc = err_set(err, SHOW_USAGE, "the content of '%s' in that commit is kept nowhere any more: with 'keep: true' in 'repos' the old contents of "
			    "a source are kept", m.v[i].path);
		if (rc == 1 && (rc = store_copy(path.s, &got, &size, err)) == 0 && !oid_eq(&got, &m.v[i].id))
			rc = err_set(err, 0, "'%s' changed while it was read", path.s);
	}
	buf_release(&path);
	manifest_release(&m);
	return rc < 0 ? -1 : 0;
}

static int
find_commit(const struct asked *a, struct arena *ar, struct oid *ret, struct err *err)
{
	const char *text = strchr(a->head, '@') ? a->head : arena_fmt(ar, "%s@%s", a->repo, a->head);
	struct query *q = NULL;
	struct repoarg r;
	int rc = content_arg(&r, text, err);

	if (rc == 0 && strcmp(r.repo, a->repo) != 0)
		rc = err_set(err, SHOW_USAGE, "a branch of '%s' cannot have a commit of '%s'", a->repo, r.repo);
	if (rc == 0 && r.path)
		rc = err_set(err, SHOW_USAGE, "'%s': a head is a whole commit, without a path", a->head);
	if (rc == 0 && (rc = query_open(&q, err)) >= 0)
		rc = repoarg_commit(&r, q, ret, err);
	query_close(q);
	return rc;
}

static int
check_movable(const struct asked *a, const struct index *x, struct arena *ar, struct err *err)
{
	const char *own;

	if (!index_find(x, a->repo) && !index_find_source(x, a->repo))
		return err_set(err, SHOW_USAGE, "the specs have no repo '%s'; 'dassie graph' shows what there is", a->repo);
	own = own_branch(x, a->repo, ar);
	if (strcmp(own, a->branch) == 0)
		return err_set(err, SHOW_USAGE, "'%s' is the branch that %s commits to; only make moves it", a->name, index_find(x, a->repo) ? "the pipeline" : "the source");
	return 0;
}

static int
move(const struct asked *a, const struct index *x, struct arena *ar, struct err *err)
{
	struct oid id;
	struct buf b = BUF_INIT;
	int lock, rc;

	if (check_movable(a, x, ar, err) < 0 || find_commit(a, ar, &id, err) < 0 || keep_contents(a->repo, &id, err) < 0)
		return -1;
	lock = lock_take(a->name, false, false, err);
	if (lock < 0)
		return -1;
	rc = branch_move(a->name, &id, err);
	close(lock);
	if (rc < 0)
		return -1;
	show_id(&b, &id);
	talk("%s %s %s%s%s", a->name, rc ? "is now" : "is already", b.s, rc && reader_of(x, a->name) ? "; make updates what reads it: " : "",
	    rc && reader_of(x, a->name) ? reader_of(x, a->name) : "");
	buf_release(&b);
	return EXIT_DONE;
}

static int
forget(const struct asked *a, const struct index *x, struct arena *ar, struct err *err)
{
	char path[LAYOUT_MAX], state[LAYOUT_MAX];
	const char *reader = reader_of(x, a->name);
	int lock, rc = 0;

	if (check_movable(a, x, ar, err) < 0)
		return -1;
	if (reader)
		return err_set(err, SHOW_USAGE, "pipeline '%s' reads '%s': change its spec first", reader, a->name);
	lock = lock_take(a->name, false, false, err);
	if (lock < 0)
		return -1;
	snprintf(state, sizeof state, "%s/%s", DIR_BRANCHES, a->name);
	if (unlink(layout_ref(path, a->name)) < 0)
		rc = errno == ENOENT ? err_set(err, SHOW_USAGE, "there is no branch '%s'", a->name) : err_set(err, errno, "cannot remove '%s':", path);
	else if (unlink(state) < 0 && errno != ENOENT)
		rc = err_set(err, errno, "cannot remove '%s':", state);
	close(lock);
	return rc < 0 ? -1 : EXIT_DONE;
}

int
verb_branch(int argc, char **argv)
{
	struct asked a = { .name = NULL };
	struct index x = INDEX_INIT;
	struct arena ar = ARENA_INIT;
	struct err err = ERR_INIT;
	int gc = -1, rc;

	if (!parse(&a, argc, argv, &rc))
		return rc;
	rc = state_find(NULL, &err);
	if (rc == 0 && (rc = index_read(&x, &err)) == 0)
		rc = err_set(&err, 0, "'%s' is not there or damaged: 'dassie compile' makes it", FILE_INDEX);
	if (rc == 1 && (gc = lock_take(LOCK_GC, true, false, &err)) >= 0)
		rc = a.head ? move(&a, &x, &ar, &err) : a.del ? forget(&a, &x, &ar, &err) : list(&a, &x, &ar, &err);
	if (gc >= 0)
		close(gc);
	index_release(&x);
	arena_release(&ar);
	return rc < 0 ? show_err(&err) : rc;
}
