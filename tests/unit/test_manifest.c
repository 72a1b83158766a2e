/* test_manifest.c: commits: order, look-up, what lies below a directory, differences, damage. */
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../base/manifest.h"
#include "tap.h"

static struct oid
commit_of(const char *const *path, const char *content)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	struct oid id, file;

	manifest_head(&b);
	for (; *path; path++, content++) {
		sha256_bytes(content, 1, &file);
		manifest_line(&b, *content == 'x' ? 'x' : 'f', 1, &file, *path);
	}
	ok(manifest_store(&b, &id, &err) == 0, "stored: %s", err.text);
	buf_release(&b);
	return id;
}

static int
note(void *ctx, const struct entry *old, const struct entry *new_)
{
	buf_fmt(ctx, "%c%s ", old && new_ ? '~' : new_ ? '+' : '-', (old ? old : new_)->path);
	return 0;
}

static void
differences(const struct manifest *a, const struct manifest *b)
{
	struct buf text = BUF_INIT;

	manifest_diff(a, b, note, &text);
	is_str(text.s, "~a -a-b +a.b ~a/y ", "changed, gone, new, in path order");
	buf_reset(&text);
	manifest_diff(a, a, note, &text);
	is_str(text.s, "", "nothing between equal ones");
	buf_release(&text);
}

static void
lookups(const struct manifest *m)
{
	size_t lo, hi;

	ok(manifest_find(m, "a/x") && !manifest_find(m, "a/") && !manifest_find(m, "a/xx"), "exact paths only");
	ok(manifest_below(m, "a", &lo, &hi) && hi - lo == 2 && lo == 2, "below 'a': not 'a-b' and not 'a0'");
	ok(!manifest_below(m, "a/x", &lo, &hi), "nothing below a file");
	ok(manifest_below(m, "", &lo, &hi) && lo == 0 && hi == m->n, "the root is everything");
}

static void
damage(const struct oid *id)
{
	struct manifest m;
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX];

	layout_commit(path, id);
	fs_replace(path, "dassie-commit 1\n", 16, 0444, &err);
	ok(manifest_load(&m, id, &err) == -1 && strstr(err.text, "damaged"), "%s", err.text);
	unlink(path);
	ok(manifest_load(&m, id, &err) == -1 && strstr(err.text, "not there"), "%s", err.text);
	manifest_empty_id((struct oid *)id);
	ok(manifest_load(&m, id, &err) == 0 && m.n == 0, "the empty commit needs no file");
}

int
main(void)
{
	static const char *const one[] = { "a", "a-b", "a/x", "a/y", "a0", NULL };
	static const char *const two[] = { "a", "a.b", "a/x", "a/y", "a0", NULL };
	char dir[] = "/tmp/dassie-manifest.XXXXXX";
	struct manifest a = MANIFEST_INIT, b = MANIFEST_INIT;
	struct err err = ERR_INIT;
	struct oid id_a, id_b;

	if (!mkdtemp(dir) || chdir(dir) < 0 || fs_mkdirs(DIR_COMMITS, &err) < 0)
		return 1;
	id_a = commit_of(one, "12345");
	id_b = commit_of(two, "x23x5");
	ok(manifest_load(&a, &id_a, &err) == 0 && manifest_load(&b, &id_b, &err) == 0 && a.n == 5, "loaded");
	lookups(&a);
	differences(&a, &b);
	damage(&id_a);
	manifest_release(&a);
	manifest_release(&b);
	fs_remove_tree(dir, &err);
	return done();
}
