/* leaf.c: a glob over a commit.  Directories are not in a manifest; they are where a path differs from the one before
 * it, so one pass over the sorted paths visits every file and every directory once. */
#include "node.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/key.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "glob.h"

struct leaf {
	struct node *n;
	const struct manifest *m;
	struct arena *a;
	struct glob *glob;
	unsigned input;
	bool regex, slash, folders; /* of glob_is_regex() */
	const char **name;          /* of its captures */
	struct buf path;            /* "/a/b/c.csv": the entry at hand */
	struct buf text;
};

static const char *
expand(struct leaf *l, const char *template)
{
	if (!template || !template[0])
		return NULL;
	buf_reset(&l->text);
	glob_expand(l->glob, template, &l->text);
	return arena_dup(l->a, l->text.s, l->text.n);
}

static void
add_vars(struct leaf *l, struct dmatch *m)
{
	const struct glob_name *name;
	size_t n = glob_names(l->glob, &name), len;
	struct dvar *v = n ? arena_alloc(l->a, n * sizeof *v) : NULL;
	const char *s;

	for (size_t i = 0; i < n; i++) {
		v[i].name = l->name[i];
		v[i].value = glob_capture(l->glob, name[i].number, &s, &len) ? arena_dup(l->a, s, len) : "";
	}
	m->var = v;
	m->n_var = (unsigned)n;
}

static struct dmatch *
add(struct leaf *l)
{
	const struct conf_input *in = l->n->in;
	struct dmatch *m;

	GROW(l->n->match, l->n->n_match, l->n->cap_match);
	m = &l->n->match[l->n->n_match++];
	*m = (struct dmatch){ .input = l->input, .empty = in->empty, .outer = in->outer };
	m->join_on = expand(l, in->join_on);
	m->group_by = expand(l, in->group_by);
	if (l->regex)
		add_vars(l, m);
	return m;
}

static void
add_file(struct leaf *l, const struct entry *e)
{
	struct dmatch *m = add(l);

	m->path = e->path;
	m->id = &e->id;
	m->size = e->size;
	m->kind = e->kind;
}

/* The first n bytes of an entry's path; 0 is the root. */
static void
add_dir(struct leaf *l, const char *path, size_t n)
{
	struct dmatch *m = add(l);
	struct oid *id = arena_alloc(l->a, sizeof *id);
	size_t lo, hi;

	m->path = arena_dup(l->a, path, n);
	m->kind = 'd';
	m->id = id;
	manifest_below(l->m, m->path, &lo, &hi);
	key_dir_hash(l->m, lo, hi, id);
}

/* The entry's path as far as n bytes: a folder's, or all of it. */
static int
matches(struct leaf *l, size_t n, bool folder, struct err *err)
{
	if (!l->regex)
		return glob_match(l->glob, l->path.s, n + 1, err);
	if (folder != l->folders)
		return 0;
	return glob_match(l->glob, l->path.s + !l->slash, n + l->slash + folder, err);
}

static int
visit(struct leaf *l, const struct entry *e, size_t shared, struct err *err)
{
	size_t n = strlen(e->path);
	const char *slash = e->path + shared;
	int rc;

	buf_reset(&l->path);
	buf_byte(&l->path, '/');
	buf_add(&l->path, e->path, n);
	while ((slash = memchr(slash, '/', n - (size_t)(slash - e->path)))) {
		size_t len = (size_t)(slash - e->path);

		rc = matches(l, len, true, err);
		if (rc < 0)
			return rc;
		if (rc)
			add_dir(l, e->path, len);
		slash++;
	}
	rc = matches(l, n, false, err);
	if (rc == 1)
		add_file(l, e);
	return rc < 0 ? rc : 0;
}

/* How far b's directories are those of a, the entry before it: bytes up to and with the last common '/'. */
static size_t
shared_dirs(const char *a, const char *b)
{
	size_t last = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '/')
			last = i + 1;
	return last;
}

/* The first entry that does not sort before these n bytes; with `after`, that does not begin with them either. */
static size_t
bound(const struct manifest *m, const char *prefix, size_t n, bool after)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strncmp(m->v[mid].path, prefix, n);

		if (order < 0 || (after && order == 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int
search(struct leaf *l, struct err *err)
{
	size_t n, lo, hi;
	const char *prefix = glob_prefix(l->glob, &n);
	int rc = 0;

	if (glob_is_root(l->glob)) {
		/* Captures of "/" are empty; the match says so. */
		rc = l->m->n ? glob_match(l->glob, "/", 1, err) : 0;
		if (rc == 1)
			add_dir(l, "", 0);
		return rc < 0 ? rc : 0;
	}
	/* A glob is clean, so its prefix begins with '/' unless its first character is special. */
	if (n > 0) {
		prefix++;
		n--;
	}
	lo = bound(l->m, prefix, n, false);
	hi = bound(l->m, prefix, n, true);
	for (size_t i = lo; rc == 0 && i < hi; i++)
		rc = visit(l, &l->m->v[i], i > lo ? shared_dirs(l->m->v[i - 1].path, l->m->v[i].path) : 0, err);
	return rc;
}

static struct glob *
leaf_glob(const struct conf_input *in, struct err *err)
{
	char msg[GLOB_MSG];
	struct glob *g;
	size_t at;

	if (in->kind == CONF_CRON)
		return glob_new("/*", err);
	if (!in->match || !*in->match)
		return glob_new(in->glob, err);
	g = glob_regex(in->match, false, msg, &at);
	if (!g)
		err_set(err, 0, "regex '%s', byte %zu: %s", in->match, at + 1, msg);
	return g;
}

/* The names outlive the pattern. */
static void
keep_names(struct leaf *l)
{
	const struct glob_name *name;
	size_t n = glob_names(l->glob, &name);

	l->name = arena_alloc(l->a, (n + 1) * sizeof *l->name);
	for (size_t i = 0; i < n; i++)
		l->name[i] = arena_str(l->a, name[i].name);
}

int
leaf_fill(struct node *n, const struct manifest *m, unsigned input, struct arena *a, struct err *err)
{
	struct leaf l = { .n = n, .m = m, .a = a, .input = input };
	int rc = 0;

	l.glob = leaf_glob(n->in, err);
	if (l.glob)
		l.regex = glob_is_regex(l.glob, &l.slash, &l.folders);
	if (l.regex)
		keep_names(&l);
	if (!l.glob || search(&l, err) < 0)
		rc = -2;
	n->count = n->n_match;
	glob_free(l.glob);
	buf_release(&l.path);
	buf_release(&l.text);
	return rc;
}
