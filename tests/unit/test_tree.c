/* Trees of job after job, each merged into what the last one left, against a tree made from nothing each time; and
 * what such a job says of order, conflicts and differences. */
#include "../../runtime/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../base/spool.h"
#include "../../runtime/result.h"
#include "../../runtime/roster.h"
#include "../../runtime/store.h"
#include "tap.h"

enum { DATUMS = 12, OUTPUTS = 3, CONTENTS = 3 };

/* What a datum writes is decided by its name. */
struct datum { const char *name; struct result_output out[OUTPUTS]; size_t n; };

struct flat { const char *path; size_t datum; const struct result_output *o; };

static struct oid content[CONTENTS];
static const char *const text[CONTENTS] = { "one\n", "two two\n", "" };

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	printf("Bail out! %s\n", err->text);
	exit(2);
}

static void
writes(struct datum *d, const char *path, unsigned c, char kind)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->out[i].path, path) == 0)
			return;
	d->out[d->n++] = (struct result_output){ path, strlen(text[c]), content[c], kind };
}

static void
key_of(const struct datum *d, struct oid *ret)
{
	sha256_bytes(d->name, strlen(d->name), ret);
}

static size_t
find_old(const struct jobfile *last, const struct datum *d)
{
	struct oid key, have;
	size_t i = 0;

	key_of(d, &key);
	for (; i < last->n_datum; i++) {
		jobfile_key(last, i, &have);
		if (oid_eq(&have, &key))
			break;
	}
	return i;
}

static void
put_set(const struct jobfile *last, const struct datum *const *d, size_t n)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	rec_head(&b, "set", 2);
	buf_fmt(&b, "total %zu\nmissing 0\nlast %s\n", n, last->job ? last->job : "-");
	for (size_t i = 0; i < n; i++) {
		size_t old = find_old(last, d[i]);
		struct oid key;

		if (old < last->n_datum) {
			buf_fmt(&b, "same %zu 1\n", old);
			continue;
		}
		key_of(d[i], &key);
		rec_word(&b, "datum");
		rec_oid(&b, &key);
		rec_str(&b, d[i]->name);
		rec_end(&b);
	}
	must(fs_replace(".dassie/plan/p.j.set", b.s, b.n, 0644, &err), &err);
	buf_release(&b);
}

static const struct datum *
named(const struct datum *const *d, const char *name)
{
	while (strcmp((*d)->name, name))
		d++;
	return *d;
}

struct made { int rc; bool conflict; struct oid commit; struct tree tree; struct err err; };

/* A job of these datums after the one before it. */
static void
job(struct made *m, const struct datum *const *d, size_t n, bool concat)
{
	struct roster r = ROSTER_INIT;
	struct recfile last = RECFILE_INIT;
	struct spool to = SPOOL_INIT;
	static unsigned count;
	char name[32];

	*m = (struct made){ .tree = TREE_INIT, .err = ERR_INIT };
	must(roster_last(&r, "p", &m->err), &m->err);
	put_set(&r.last, d, n);
	if (r.last.job && manifest_view(&last, &r.last.commit, &m->err) != 1)
		exit(2);
	if (roster_read(&r, "p", "j", &m->err) != 1)
		exit(2);
	for (size_t i = 0; i < r.n_fresh; i++) {
		const struct datum *from = named(d, r.fresh[i].label);
		struct result res = RESULT_INIT;

		res.output = (struct result_output *)(uintptr_t)from->out;
		res.n_output = from->n;
		tree_add(&m->tree, &res, roster_number(&r, i));
	}
	m->rc = tree_make(&m->tree, &r, &last, concat, &m->commit, &m->conflict, &m->err);
	if (m->rc == 0) {
		snprintf(name, sizeof name, "job%u", count++);
		must(jobfile_open(&to, "p", &m->err), &m->err);
		jobfile_put_head(&to.b, name, &m->commit, &content[0], roster_number(&r, r.n_fresh));
		must(roster_put(&r, &to, &m->err), &m->err);
		must(spool_copy(&to, m->tree.writers.s, m->tree.writers.n, &m->err), &m->err);
		must(jobfile_close(&to, "p", &m->err), &m->err);
	}
	recfile_release(&last);
	roster_release(&r);
}

static int
by_path(const void *va, const void *vb)
{
	const struct flat *a = va, *b = vb;
	int order = strcmp(a->path, b->path);

	return order ? order : a->datum < b->datum ? -1 : 1;
}

static bool
one_path(struct buf *b, const struct flat *v, size_t n, bool concat, struct err *err)
{
	struct oid part[DATUMS], id = v->o->id;
	uint64_t size = v->o->size;
	char kind = v->o->kind;

	for (size_t i = 0; i < n; i++) {
		part[i] = v[i].o->id;
		if (!concat && (!oid_eq(&part[i], &id) || v[i].o->kind != kind))
			return false;
	}
	for (size_t i = 1; i < n; i++)
		if (v[i].o->kind == 'x')
			kind = 'x';
	if (n > 1 && concat)
		must(store_concat(part, n, &id, &size, err), err);
	manifest_line(b, kind, size, &id, v->path);
	return true;
}

/* The tree from nothing; false if it is none. */
static bool
model(struct buf *b, const struct datum *const *d, size_t n, bool concat)
{
	struct flat v[DATUMS * OUTPUTS];
	struct err err = ERR_INIT;
	size_t k = 0, hi;

	for (size_t i = 0; i < n; i++)
		for (size_t o = 0; o < d[i]->n; o++)
			v[k++] = (struct flat){ d[i]->out[o].path, i, &d[i]->out[o] };
	if (k)
		qsort(v, k, sizeof *v, by_path);
	for (size_t i = 0; i < k; i++)
		for (size_t o = 0; o < k; o++) {
			size_t len = strlen(v[i].path);

			if (strncmp(v[o].path, v[i].path, len) == 0 && v[o].path[len] == '/')
				return false;
		}
	manifest_head(b);
	for (size_t lo = 0; lo < k; lo = hi) {
		for (hi = lo + 1; hi < k && strcmp(v[hi].path, v[lo].path) == 0; hi++)
			;
		if (!one_path(b, v + lo, hi - lo, concat, &err))
			return false;
	}
	return true;
}

static int
count_diff(void *ctx, const struct entry *old, const struct entry *new_)
{
	(void)old;
	(void)new_;
	++*(size_t *)ctx;
	return 0;
}

/* The difference that was noted is the one that the two manifests have. */
static bool
diff_fits(const struct tree_diff *d, const struct oid *commit)
{
	static const struct oid none;
	struct manifest a = MANIFEST_INIT, b = MANIFEST_INIT;
	struct err err = ERR_INIT;
	size_t want = 0, have = 0, wrong = 0;

	if (!oid_eq(&d->from, &none))
		must(manifest_load(&a, &d->from, &err), &err);
	must(manifest_load(&b, commit, &err), &err);
	manifest_diff(&a, &b, count_diff, &want);
	manifest_diff(&d->old, &d->new_, count_diff, &have);
	for (size_t i = 0; i < d->new_.n; i++) {
		const struct entry *e = manifest_find(&b, d->new_.v[i].path);

		wrong += !e || !oid_eq(&e->id, &d->new_.v[i].id) || e->kind != d->new_.v[i].kind || e->size != d->new_.v[i].size;
	}
	for (size_t i = 0; i < d->old.n; i++)
		wrong += !manifest_find(&a, d->old.v[i].path);
	manifest_release(&a);
	manifest_release(&b);
	return want == have && !wrong;
}

static bool
writers_fit(size_t n)
{
	struct roster r = ROSTER_INIT;
	struct job_writers w;
	struct err err = ERR_INIT;
	size_t paths = 0, unknown = 0;

	must(roster_last(&r, "p", &err), &err);
	job_writers_begin(&w, &r.last);
	for (; job_writers_next(&w) == 1; paths++)
		for (size_t i = 0; i < w.n; i++) {
			size_t k = 0;

			while (k < r.last.n_datum && jobfile_number(&r.last, k) != w.part[i].number)
				k++;
			unknown += k == r.last.n_datum;
		}
	job_writers_release(&w);
	roster_release(&r);
	return paths == n && !unknown;
}

static unsigned
chance(unsigned n)
{
	static uint64_t s = 88172645463325252u;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return (unsigned)(s >> 33) % n;
}

/* Some datums come, some go, some change places, the merge changes: what is left in the end must be the model's tree. */
static void
at_random(void)
{
	static const char *const path[] = { "a", "a b", "a!", "a-b", "a.b", "a/b", "a/b/c", "a%", ("a\x7f" "b"), "ab", "b\xff", "b", "b\xc3\xa9",
		"b/%-", "b/\n" };
	static char name[4096][8];
	static struct datum all[4096];
	const struct datum *now[DATUMS] = { NULL }, *was[DATUMS];
	size_t n = 0, n_was, made_n = 0, trees = 0, conflicts = 0, wrong = 0, wrong_diff = 0, wrong_writers = 0;

	for (unsigned round = 0; round < 3000; round++) {
		bool concat = round / 40 % 2;
		struct buf want = BUF_INIT, have = BUF_INIT;
		struct made m;
		char at[LAYOUT_MAX];

		memcpy(was, now, sizeof was);
		n_was = n;
		for (unsigned k = chance(3); k > 0 && n > 0; k--) {
			size_t gone = chance((unsigned)n);

			now[gone] = now[--n];
		}
		if (n < DATUMS && made_n < 4096) {
			struct datum *d = &all[made_n];
			size_t place = chance((unsigned)n + 1);

			snprintf(name[made_n], sizeof name[0], "d%zu", made_n);
			d->name = name[made_n++];
			for (unsigned k = chance(OUTPUTS + 1); k > 0; k--)
				writes(d, path[chance(15)], chance(CONTENTS), chance(4) ? 'f' : 'x');
			memmove(now + place + 1, now + place, (n++ - place) * sizeof *now);
			now[place] = d;
		}
		job(&m, now, n, concat);
		if (model(&want, now, n, concat)) {
			trees++;
			wrong += m.rc != 0 || fs_read(layout_commit(at, &m.commit), &have, &m.err) != 1 || have.n != want.n ||
			    memcmp(have.s, want.s, want.n) != 0;
			wrong_diff += m.rc == 0 && !diff_fits(&m.tree.diff, &m.commit);
			wrong_writers += m.rc == 0 && !writers_fit(m.tree.files);
		} else {
			conflicts++;
			wrong += m.rc == 0 || !m.conflict;
			memcpy(now, was, sizeof now);
			n = n_was;
		}
		tree_release(&m.tree);
		buf_release(&want);
		buf_release(&have);
	}
	ok(trees > 500 && conflicts > 500, "%zu trees and %zu conflicts were tried", trees, conflicts);
	is_u64(wrong, 0, "each is what the datums make from nothing");
	is_u64(wrong_diff, 0, "each difference is that of the manifests");
	is_u64(wrong_writers, 0, "each path has its writers in P.job");
}

static void
forget(void)
{
	unlink(".dassie/plan/p.job");
}

static void
in_datum_order(void)
{
	struct datum a = { .name = "a" }, b = { .name = "b" }, c = { .name = "c" };
	struct made m;
	struct oid want;

	writes(&a, "x", 0, 'f');
	writes(&b, "x", 1, 'f');
	writes(&c, "x", 0, 'f');
	forget();
	job(&m, (const struct datum *const[]){ &a, &b }, 2, true);
	sha256_bytes("one\ntwo two\n", 12, &want);
	ok(m.tree.diff.new_.n == 1 && oid_eq(&m.tree.diff.new_.v[0].id, &want), "two datums, one path: together in their order");
	tree_release(&m.tree);
	job(&m, (const struct datum *const[]){ &b, &a }, 2, true);
	sha256_bytes("two two\none\n", 12, &want);
	ok(m.tree.diff.new_.n == 1 && oid_eq(&m.tree.diff.new_.v[0].id, &want), "they change places");
	tree_release(&m.tree);
	job(&m, (const struct datum *const[]){ &c, &b, &a }, 3, true);
	sha256_bytes("one\ntwo two\none\n", 16, &want);
	ok(m.tree.diff.new_.n == 1 && oid_eq(&m.tree.diff.new_.v[0].id, &want), "a new one before them");
	tree_release(&m.tree);
	job(&m, (const struct datum *const[]){ &c }, 1, true);
	ok(m.tree.diff.new_.n == 1 && oid_eq(&m.tree.diff.new_.v[0].id, &content[0]), "one of them is left");
	is_str(m.tree.writers.s, "by 2\n", "and is the writer, by its number");
	tree_release(&m.tree);
	job(&m, NULL, 0, true);
	manifest_empty_id(&want);
	ok(m.rc == 0 && oid_eq(&m.commit, &want) && m.tree.diff.old.n == 1, "none is left");
	tree_release(&m.tree);
	job(&m, (const struct datum *const[]){ &a }, 1, true);
	ok(m.rc == 0 && m.tree.files == 1 && m.tree.bytes == 4, "after an empty tree");
	tree_release(&m.tree);
}

static void
complains(const struct datum *a, const struct datum *b, const char *want)
{
	struct made m;

	forget();
	job(&m, (const struct datum *const[]){ a }, 1, false);
	tree_release(&m.tree);
	job(&m, (const struct datum *const[]){ a, b }, 2, false);
	ok(m.rc < 0 && m.conflict, "a conflict");
	is_str(m.err.text, want, "which says it all");
	tree_release(&m.tree);
}

static void
conflicts(void)
{
	struct datum a = { .name = "in:/a 1" }, b = { .name = "in:/b" }, c = { .name = "in:/c" }, d = { .name = "in:/d" };

	writes(&a, "x y", 0, 'f');
	writes(&b, "x y", 1, 'f');
	writes(&c, "x y/z", 0, 'f');
	writes(&c, "x y.z", 0, 'f');
	writes(&d, "x y", 0, 'x');
	complains(&a, &b, "two datums wrote 'x y' with different content: in:/a 1 and in:/b; give each its own name, "
	    "or say 'merge: concat' to put them together");
	complains(&a, &d, "two datums wrote 'x y' with different content: in:/a 1 and in:/d; give each its own name, "
	    "or say 'merge: concat' to put them together");
	complains(&a, &c, "'x y' is a file of datum in:/a 1 and a directory of datum in:/c");
	complains(&c, &a, "'x y' is a file of datum in:/a 1 and a directory of datum in:/c");
}

int
main(void)
{
	char dir[] = "/tmp/test_tree.XXXXXX";
	struct err err = ERR_INIT;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	must(fs_mkdirs(DIR_PLAN, &err), &err);
	must(fs_mkdirs(DIR_COMMITS, &err), &err);
	must(fs_mkdirs(DIR_OBJECTS, &err), &err);
	for (unsigned i = 0; i < CONTENTS; i++) {
		uint64_t size;

		must(fs_replace("content", text[i], strlen(text[i]), 0644, &err), &err);
		must(store_copy("content", &content[i], &size, &err), &err);
	}
	at_random();
	in_datum_order();
	conflicts();
	if (chdir("/") == 0)
		must(fs_remove_tree(dir, &err), &err);
	return done();
}
