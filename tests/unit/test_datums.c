/* Datums of input trees: the vectors of Pachyderm's own iterator tests (fifty files /foo0 … /foo49), then directories,
 * order, names and limits. */
#include "../../compiler/datums.h"

#include <stdlib.h>

#include "../../base/buf.h"
#include "../../base/conf.h"
#include "../../base/err.h"
#include "../../base/key.h"
#include "../../base/manifest.h"
#include "../../base/mem.h"
#include "tap.h"

static struct manifest foo, tree, empty;
static struct arena paths_of;

/* A manifest in memory of paths, sorted, separated by blanks. */
static void
make_manifest(struct manifest *m, const char *paths)
{
	char *s = arena_str(&paths_of, paths), *word;
	size_t cap = 0;

	*m = (struct manifest)MANIFEST_INIT;
	while ((word = strsep(&s, " "))) {
		GROW(m->v, m->n, cap);
		m->v[m->n] = (struct entry){ .path = word, .size = m->n, .kind = 'f' };
		sha256_bytes(word, strlen(word), &m->v[m->n++].id);
	}
}

static void
make_foo(void)
{
	struct buf b = BUF_INIT;

	/* In byte order: 0 1 10 11 … 19 2 20 … 5 … 9. */
	for (int d = 0; d < 10; d++) {
		buf_fmt(&b, "%sfoo%d", d ? " " : "", d);
		for (int i = 0; d >= 1 && d <= 4 && i < 10; i++)
			buf_fmt(&b, " foo%d%d", d, i);
	}
	make_manifest(&foo, b.s);
	buf_release(&b);
}

static struct conf_input
pfs(const char *name, const char *glob, const char *join_on, const char *group_by)
{
	return (struct conf_input){ .kind = CONF_PFS, .name = name, .repo = name[0] == 't' ? "tree" : name[0] == 'n' ? "none" : "foo",
		.glob = glob, .join_on = join_on, .group_by = group_by };
}

static struct conf_input
node(enum conf_kind kind, struct conf_input *kids, size_t n)
{
	return (struct conf_input){ .kind = kind, .kids = kids, .n_kids = n };
}

/* All datums: files of a datum joined by '/', datums by blanks; "foo" left out. */
static char *
show(const struct conf_input *in, int *ret_rc)
{
	struct datums_repo repo[] = { { "foo", &foo }, { "tree", &tree }, { "none", &empty } };
	struct datums *d = NULL;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;

	*ret_rc = datums_new(&d, in, repo, 3, &err);
	buf_str(&b, "");
	if (*ret_rc < 0)
		buf_str(&b, err.text);
	for (uint64_t i = 0; d && i < datums_count(d); i++) {
		const struct dmatch *const *m;
		size_t n = datums_get(d, i, &m);

		for (size_t k = 0; k < n; k++) {
			const char *p = m[k]->path;

			buf_str(&b, k ? "/" : b.n ? " " : "");
			buf_str(&b, strncmp(p, "foo", 3) == 0 ? p + 3 : p);
			if (m[k]->kind == 'd')
				buf_byte(&b, '/');
		}
	}
	datums_free(d);
	return buf_detach(&b);
}

static void
check(const struct conf_input in, const char *want, const char *what)
{
	int rc;
	char *got = show(&in, &rc);

	is_str(got, want, "%s", what);
	free(got);
}

static void
crosses(void)
{
	struct conf_input two[] = { pfs("a", "/foo?1", NULL, NULL), pfs("b", "/foo*2", NULL, NULL) };
	struct conf_input none[] = { pfs("a", "/foo?1", NULL, NULL), pfs("b", "!(**)", NULL, NULL) };
	struct conf_input deep[] = { pfs("c", "/foo?1", NULL, NULL), node(CONF_CROSS, none, 2) };
	struct conf_input un[] = { pfs("c", "/foo2", NULL, NULL), node(CONF_UNION, two, 2) };
	struct conf_input empty_repo[] = { pfs("a", "/foo?1", NULL, NULL), pfs("n", "/", NULL, NULL) };

	check(node(CONF_CROSS, two, 2), "11/12 11/2 11/22 11/32 11/42 21/12 21/2 21/22 21/32 21/42 31/12 31/2 31/22 31/32 31/42 "
	    "41/12 41/2 41/22 41/32 41/42", "a cross of 4 and 5 paths");
	check(node(CONF_UNION, two, 2), "11 21 31 41 12 2 22 32 42", "a union of 4 and 5 paths");
	check(none[1], "", "!(**) matches nothing");
	check(node(CONF_CROSS, none, 2), "", "a cross with it is empty");
	check(node(CONF_CROSS, deep, 2), "", "a cross in a cross with it is empty");
	check(node(CONF_CROSS, empty_repo, 2), "", "a cross with an empty repo is empty");
	check(node(CONF_CROSS, un, 2), "11/2 21/2 31/2 41/2 12/2 2/2 22/2 32/2 42/2", "a cross over a union; children count by name");
}

static void
joins(void)
{
	struct conf_input inner[] = { pfs("a", "/foo(?)(?)", "$1$2", NULL), pfs("b", "/foo(?)(?)", "$2$1", NULL) };
	struct conf_input outer[] = { pfs("a", "/foo1(?)", "$1", NULL), pfs("b", "/foo(?)1", "$1", NULL) };
	struct conf_input left[] = { outer[0], outer[1] };
	struct conf_input many[] = { pfs("a", "/foo(1)(?)", "$1", NULL), pfs("b", "/foo(?)[01]", "$1", NULL) };
	struct conf_input no_key[] = { pfs("a", "/foo[12]", NULL, NULL), pfs("b", "/foo[34]", "", NULL) };

	check(node(CONF_JOIN, inner, 2), "11/11 12/21 13/31 14/41 21/12 22/22 23/32 24/42 31/13 32/23 33/33 34/43 41/14 42/24 43/34 44/44",
	    "a join makes 16 pairs");
	outer[0].outer = outer[1].outer = true;
	check(node(CONF_JOIN, outer, 2), "10 11/11 12/21 13/31 14/41 15 16 17 18 19", "a full outer join makes 10 datums");
	left[1].outer = true;
	check(node(CONF_JOIN, left, 2), "11/11 12/21 13/31 14/41", "an outer join on the side that lacks nothing");
	left[1].outer = false;
	left[0].outer = true;
	check(node(CONF_JOIN, left, 2), "10 11/11 12/21 13/31 14/41 15 16 17 18 19", "an outer join on the other side");
	check(node(CONF_JOIN, many, 2), "10/10 10/11 11/10 11/11 12/10 12/11 13/10 13/11 14/10 14/11 15/10 15/11 16/10 16/11 17/10 17/11 "
	    "18/10 18/11 19/10 19/11", "a key with several files on both sides");
	check(node(CONF_JOIN, no_key, 2), "1/3 1/4 2/3 2/4", "without join_on all have the key \"\"");
}

static void
groups(void)
{
	struct conf_input one[] = { pfs("a", "/foo(?)(?)", NULL, "$1") };
	struct conf_input two[] = { pfs("a", "/foo(?)(?)", NULL, "$1"), pfs("b", "/foo(?)(?)", NULL, "$2") };
	struct conf_input joined[] = { pfs("a", "/foo(?)(?)", "$1$2", "$1"), pfs("b", "/foo(?)(?)", "$2$1", "$2") };
	struct conf_input over[] = { node(CONF_JOIN, joined, 2) };
	struct conf_input by2[] = { pfs("g", "/foo(?)(?)", NULL, "$2") };
	struct conf_input un[] = { pfs("a", "/foo4(?)", NULL, NULL), node(CONF_GROUP, by2, 1) };
	struct conf_input absent[] = { pfs("a", "/foo[1-3]", NULL, NULL) };

	check(node(CONF_GROUP, one, 1), "10/11/12/13/14/15/16/17/18/19 20/21/22/23/24/25/26/27/28/29 30/31/32/33/34/35/36/37/38/39 "
	    "40/41/42/43/44/45/46/47/48/49", "four groups of ten");
	check(node(CONF_GROUP, two, 2), "10/20/30/40 10/11/12/13/14/15/16/17/18/19/11/21/31/41 20/21/22/23/24/25/26/27/28/29/12/22/32/42 "
	    "30/31/32/33/34/35/36/37/38/39/13/23/33/43 40/41/42/43/44/45/46/47/48/49/14/24/34/44 15/25/35/45 16/26/36/46 17/27/37/47 "
	    "18/28/38/48 19/29/39/49", "ten groups over two inputs");
	/* Within a datum the files are by input; the pairs were 11/11 12/21 13/31 14/41. */
	check(node(CONF_GROUP, over, 1), "11/12/13/14/11/21/31/41 21/22/23/24/12/22/32/42 31/32/33/34/13/23/33/43 41/42/43/44/14/24/34/44",
	    "a group over a join");
	check(node(CONF_UNION, un, 2), "40 41 42 43 44 45 46 47 48 49 10/20/30/40 11/21/31/41 12/22/32/42 13/23/33/43 14/24/34/44 15/25/35/45 "
	    "16/26/36/46 17/27/37/47 18/28/38/48 19/29/39/49", "a union with a group");
	check(node(CONF_GROUP, absent, 1), "1/2/3", "without group_by one datum");
}

static void
directories(void)
{
	static const char *const tab[][2] = {
		{ "/", "/" }, { "/*", "a-b/ a/ b/ top.csv" }, { "/*/*", "a-b/x a/1.csv a/2.csv b/c/" }, { "/*/*/*", "b/c/3.csv" },
		{ "/*.csv", "top.csv" }, { "/*/*.csv", "a/1.csv a/2.csv" }, { "/**", "a-b/ a-b/x a/ a/1.csv a/2.csv b/ b/c/ b/c/3.csv top.csv" },
		{ "/**.csv", "a/1.csv a/2.csv b/c/3.csv top.csv" }, { "/a", "a/" }, { "/top.csv", "top.csv" }, { "/nope", "" },
		{ "/{a,b}", "a/ b/" }, { "/!(a)", "a-b/ b/ top.csv" }, { "/!(a*|b)", "top.csv" }, { "/(a|b)/*", "a/1.csv a/2.csv b/c/" },
		{ "/a/[0-1].csv", "a/1.csv" }, { "/a/?.csv", "a/1.csv a/2.csv" }, { "/b/*/", "b/c/" }, { "b/**", "b/c/ b/c/3.csv" },
		{ "/b/c*", "b/c/" }, { "/a*", "a-b/ a/" },
	};
	struct conf_input cron = { .kind = CONF_CRON, .name = "tick", .repo = "tree" };

	for (size_t i = 0; i < sizeof tab / sizeof *tab; i++)
		check(pfs("t", tab[i][0], NULL, NULL), tab[i][1], tab[i][0]);
	check(pfs("n", "/", NULL, NULL), "", "/ of an empty commit");
	check(pfs("n", "/*", NULL, NULL), "", "/* of an empty commit");
	check(cron, "a-b/ a/ b/ top.csv", "a cron input is /* of its repo");
}

/* What a match says of a directory, and what it was joined on. */
static void
details(void)
{
	struct datums_repo repo[] = { { "tree", &tree } };
	struct conf_input in = pfs("t", "/(*)/(*)", "$2$1", "${1}");
	struct conf_input root = pfs("t", "/", "$0", NULL);
	struct datums *d = NULL;
	struct err err = ERR_INIT;
	const struct dmatch *const *m;
	const struct datums_input *name;
	struct oid want;

	in.empty = true;
	if (!ok(datums_new(&d, &in, repo, 1, &err) == 0 && datums_count(d) == 4, "four matches"))
		return;
	is_u64(datums_inputs(d, &name), 1, "one input");
	is_str(name[0].name, "t", "its name");
	is_u64(datums_get(d, 3, &m), 1, "one match");
	is_str(m[0]->join_on, "cb", "join_on is expanded");
	is_str(m[0]->group_by, "b", "group_by is expanded");
	key_dir_hash(&tree, 3, 4, &want);
	ok(m[0]->kind == 'd' && m[0]->empty && oid_eq(m[0]->id, &want), "a directory of which only names are shown has the hash of its files");
	datums_get(d, 1, &m);
	ok(m[0]->kind == 'f' && m[0]->size == 1 && oid_eq(m[0]->id, &tree.v[1].id), "a file has its own");
	datums_free(d);
	if (!ok(datums_new(&d, &root, repo, 1, &err) == 0 && datums_count(d) == 1, "the root is one datum"))
		return;
	datums_get(d, 0, &m);
	key_dir_hash(&tree, 0, tree.n, &want);
	is_str(m[0]->path, "", "its path");
	is_str(m[0]->join_on, "/", "$0 of it");
	ok(m[0]->kind == 'd' && oid_eq(m[0]->id, &want), "the root's hash is over all files");
	datums_free(d);
}

static void
limits(void)
{
	struct conf_input kids[4];
	struct conf_input cross = node(CONF_CROSS, kids, 4);
	struct conf_input join = node(CONF_JOIN, kids, 4);
	struct conf_input bad = pfs("a", "/[a", NULL, NULL), lost = pfs("a", "/*", NULL, NULL);
	char *got;
	int rc;

	for (int i = 0; i < 4; i++)
		kids[i] = pfs("a", "/*", NULL, NULL);
	got = show(&cross, &rc);
	ok(rc == -2 && strstr(got, "a 50 x a 50 x a 50 x a 50"), "a cross of 6,250,000 is refused with its factors: %s", got);
	free(got);
	got = show(&join, &rc);
	ok(rc == -2 && strstr(got, "the join (a 50"), "so is a join: %s", got);
	free(got);
	got = show(&bad, &rc);
	ok(rc == -2 && strstr(got, "'[' is not closed"), "a bad glob is told: %s", got);
	free(got);
	lost.repo = "elsewhere";
	got = show(&lost, &rc);
	ok(rc == -1 && strstr(got, "'elsewhere'"), "a repo without a commit is told: %s", got);
	free(got);
}

/* Members of a union may share a name; inputs are by name, then repo. */
static void
names(void)
{
	struct datums_repo repo[] = { { "foo", &foo }, { "tree", &tree } };
	struct conf_input kids[] = { pfs("x", "/foo1", NULL, NULL), pfs("x", "/top.csv", NULL, NULL), pfs("b", "/foo2", NULL, NULL) };
	struct conf_input un = node(CONF_UNION, kids, 3);
	struct datums *d = NULL;
	struct err err = ERR_INIT;
	const struct datums_input *in;
	const struct dmatch *const *m;

	kids[1].repo = "tree";
	if (!ok(datums_new(&d, &un, repo, 2, &err) == 0, "built"))
		return;
	is_u64(datums_inputs(d, &in), 3, "three inputs");
	ok(strcmp(in[0].name, "b") == 0 && strcmp(in[1].repo, "foo") == 0 && strcmp(in[2].repo, "tree") == 0, "in order");
	is_u64(datums_count(d), 3, "three datums");
	datums_get(d, 0, &m);
	is_str(m[0]->path, "foo2", "b comes first");
	datums_get(d, 2, &m);
	ok(strcmp(m[0]->path, "top.csv") == 0 && m[0]->input == 2, "x of tree is input 2");
	datums_free(d);
}

int
main(void)
{
	make_foo();
	make_manifest(&tree, "a-b/x a/1.csv a/2.csv b/c/3.csv top.csv");
	crosses();
	joins();
	groups();
	directories();
	details();
	limits();
	names();
	manifest_release(&foo);
	manifest_release(&tree);
	arena_release(&paths_of);
	return done();
}
