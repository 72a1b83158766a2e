/* REPO[@COMMIT][:PATH]: what is one, what is not; and which commit is meant. */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../base/manifest.h"
#include "../../base/ref.h"
#include "../../runtime/provenance.h"
#include "../../runtime/query.h"
#include "../../runtime/repoarg.h"

static void
good(const char *arg, const char *repo, const char *commit, unsigned back, const char *path)
{
	const char *why = "?";
	struct repoarg r;

	if (!ok(repoarg_parse(&r, arg, &why), "'%s' is one (%s)", arg, why))
		return;
	is_str(r.repo, repo, "its repo");
	is_str(r.commit, commit, "its commit");
	ok(r.back == back, "%u back, want %u", r.back, back);
	if (path)
		is_str(r.path ? r.path : "(none)", path, "its path");
	else
		ok(!r.path, "it has no path");
}

static void
bad(const char *arg)
{
	const char *why = NULL;
	struct repoarg r;

	ok(!repoarg_parse(&r, arg, &why) && why, "'%s' is none: %s", arg, why ? why : "?");
}

static void
test_parse(void)
{
	good("books", "books", "", 0, NULL);
	good("books:", "books", "", 0, "");
	good("books:/", "books", "", 0, "");
	good("books:/a b/c", "books", "", 0, "a b/c");
	good("books:a:b@c^", "books", "", 0, "a:b@c^");
	good("books:\xff\n", "books", "", 0, "\xff\n");
	good("books@abcd", "books", "abcd", 0, NULL);
	good("books@abcd:x", "books", "abcd", 0, "x");
	good("books@^", "books", "", 1, NULL);
	good("books@^^", "books", "", 2, NULL);
	good("books@^3:x", "books", "", 3, "x");
	good("books@^^2", "books", "", 3, NULL);
	good("books@^0", "books", "", 0, NULL);
	good("books^", "books", "", 1, NULL);
	good("books^2:x", "books", "", 2, "x");
	good("books@abcd^", "books", "abcd", 1, NULL);
	good("books@master", "books", "", 0, NULL);
	good("books@master^2:x", "books", "", 2, "x");
	good("books@HEAD", "books", "", 0, NULL);
	good("books@", "books", "", 0, NULL);
	bad("");
	bad(":x");
	bad("@abcd");
	bad("-books");
	bad("boo ks:x");
	bad("out/total/x");
	good("books@xyz", "books", "", 0, NULL);
	good("books@abc^2", "books", "", 2, NULL);
	bad("books@a/b");
	bad("books@-a");
	bad("books@abcd^x");
	bad("books@^99999999999");
	bad("books@0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0");
	bad("a123456789012345678901234567890123456789012345678901234567890123456789:x");
}

static struct err err;
static struct oid commit[3];

/* Three commits of "books", the first of them the newest again; the ref says so. */
static bool
make_history(void)
{
	static const unsigned order[] = { 0, 1, 2, 0 };
	struct clock clock = CLOCK_INIT;
	struct ref ref = REF_INIT;
	struct prov *p = NULL;
	char path[LAYOUT_MAX];

	for (unsigned i = 0; i < 3; i++) {
		struct buf b = BUF_INIT;
		struct oid id = { { 1 } };

		manifest_head(&b);
		manifest_line(&b, 'f', i, &id, "a");
		if (manifest_store(&b, &commit[i], &err) < 0)
			return false;
		buf_release(&b);
	}
	if (prov_begin(&p, &err) < 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (prov_put_commit(p, "books", &commit[order[i]], 1000 + i, "", 1, 1, &err) < 0)
			return false;
	if (prov_commit(p, &err) < 0 || clock_lock(&clock, &err) < 0)
		return false;
	ref.id = commit[0];
	bool moved = ref_move(&clock, layout_ref(path, "books"), &ref, &err) == 0;
	clock_unlock(&clock);
	return moved;
}

static void
means(struct query *q, const char *arg, const struct oid *want)
{
	const char *why = "?";
	struct repoarg r;
	struct oid id;
	int rc;

	err.text[0] = '\0';
	rc = repoarg_parse(&r, arg, &why) ? repoarg_commit(&r, q, &id, &err) : -2;
	if (want)
		ok(rc == 0 && oid_eq(&id, want), "'%s' is that commit %s", arg, err.text);
	else
		ok(rc == -1 && err.text[0], "'%s' is none: %s", arg, err.text);
}

static void
test_commit(void)
{
	struct query *q = NULL;
	char hex[OID_HEX + 1], arg[OID_HEX + 32];

	if (!ok(make_history() && query_open(&q, &err) == 1, "a history %s", err.text))
		return;
	means(q, "books", &commit[0]);
	means(q, "books@^", &commit[2]);
	means(q, "books@^2", &commit[1]);
	means(q, "books@^3", &commit[0]);
	means(q, "books@^4", NULL);
	means(q, "books@^1000000", NULL);
	for (int i = 0; i < 3; i++) {
		oid_hex(&commit[i], hex);
		snprintf(arg, sizeof arg, "books@%s", hex);
		means(q, arg, &commit[i]);
		snprintf(arg, sizeof arg, "books@%.12s:a", hex);
		means(q, arg, &commit[i]);
	}
	oid_hex(&commit[2], hex);
	snprintf(arg, sizeof arg, "books@%.12s^", hex);
	means(q, arg, &commit[1]);
	means(q, "books@00000000", NULL);
	means(q, "other", NULL);
	means(q, "other@^", NULL);
	query_close(q);
	/* Without an index there is the newest, and what lies in .dassie/commits. */
	means(NULL, "books", &commit[0]);
	snprintf(arg, sizeof arg, "books@%.12s", hex);
	means(NULL, arg, &commit[2]);
	means(NULL, "books@^", NULL);
}

int
main(void)
{
	static const char *const dirs[] = { DIR_STATE, DIR_LOCK, DIR_REFS, DIR_COMMITS };
	char dir[] = "/tmp/dassie-test-XXXXXX";

	test_parse();
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 99;
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (mkdir(dirs[i], 0700) < 0)
			return 99;
	test_commit();
	if (chdir("/") < 0 || fs_remove_tree(dir, &err) < 0)
		return 99;
	return done();
}
