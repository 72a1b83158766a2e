/* The verb `plan` in a project made for it, and the files of base/plan.h there and back. */
#include "../../base/plan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/conf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/jobfile.h"
#include "../../base/layout.h"
#include "../../base/manifest.h"
#include "../../base/spool.h"
#include "../../compiler/planmk.h"
#include "../../compiler/verbs.h"
#include "tap.h"

static const char odd[] = "a b%\n#$'\"\xff\xc3\xa9";
static struct oid step;

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	printf("Bail out! %s\n", err->text);
	exit(2);
}

static void
commit(struct oid *ret, const char *const *path, size_t n)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct oid id;

	manifest_head(&b);
	for (size_t i = 0; i < n; i++) {
		sha256_bytes(path[i], strlen(path[i]), &id);
		manifest_line(&b, i % 2 ? 'x' : 'f', i + 10, &id, path[i]);
	}
	must(manifest_store(&b, ret, &err), &err);
	buf_release(&b);
}

/* The project: repos books and words, pipeline p over this tree. */
static void
project(struct conf_input *in, bool every_job, const char *job)
{
	static const char *const books[] = { odd, "d/x", "d/y", "z" }, *const words[] = { "w1", "w2", "w3" };
	struct conf c = CONF_INIT;
	struct open_input input[2] = { { .repo = "books", .dir = "data/my books", .asof = 7 }, { .repo = "words", .dir = "-" } };
	struct open_job o = { .pipeline = "p", .job = job, .run = "run 1", .started = 99, .input = input, .n_input = 2, .step = step };
	static int accept[] = { 3, 4 };
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;

	commit(&input[0].commit, books, 4);
	commit(&input[1].commit, words, 3);
	c.pipeline = "p";
	c.script = ".dassie/steps/p-1.sh";
	c.salt = "s a";
	c.input = in;
	c.tries = 3;
	c.accept = accept;
	c.n_accept = 2;
	c.every_job = every_job;
	conf_write(&b, &c);
	must(fs_replace(".dassie/steps/p.conf", b.s, b.n, 0644, &err), &err);
	spec_hash(&step, &c.decides, &o.spec);
	must(open_job_write(&o, &err), &err);
	buf_release(&b);
}

static struct conf_input
pfs(const char *name, const char *repo, const char *glob)
{
	return (struct conf_input){ .kind = CONF_PFS, .name = name, .repo = repo, .branch = "master", .glob = glob, .join_on = "", .group_by = "", .trigger = "" };
}

static int
plan(const char *option)
{
	char verb[] = "plan", pipeline[] = "p", slots[] = "--slots=2", last[64];
	char *argv[] = { verb, pipeline, slots, last, NULL };

	snprintf(last, sizeof last, "%s", option);
	return verb_plan(4, argv);
}

static char *
slurp(const char *path)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;

	must(fs_read(path, &b, &err), &err);
	buf_str(&b, "");
	return buf_detach(&b);
}

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void
is_set(const char *job, const char *total, const char *missing)
{
	char path[64], want[64], *text;

	snprintf(path, sizeof path, ".dassie/plan/p.%s.set", job);
	snprintf(want, sizeof want, "dassie-set 2\ntotal %s\nmissing %s\n", total, missing);
	text = slurp(path);
	text[strlen(want) < strlen(text) ? strlen(want) : strlen(text)] = '\0';
	is_str(text, want, "%s of %s are missing in job %s", missing, total, job);
	free(text);
}

/* What the set of a job without a P.job says becomes the last successful job. */
static void
succeed(const char *job)
{
	const struct job_part one = { .number = 8 }, two[] = { { 3, 5, step, 'x' }, { 7, 6, step, 'f' } };
	struct jobfile back = JOBFILE_INIT;
	struct job_writers w;
	struct spool to = SPOOL_INIT;
	struct arena a = ARENA_INIT;
	struct err err = ERR_INIT;
	struct recfile f;
	struct rec r;
	struct oid key, first, got;
	char path[64];
	uint64_t n = 0;

	snprintf(path, sizeof path, ".dassie/plan/p.%s.set", job);
	must(recfile_open(&f, path, "set", 2, &err), &err);
	must(jobfile_open(&to, "p", &err), &err);
	jobfile_put_head(&to.b, job, &step, &step, 9);
	while (recfile_next(&f, &r)) {
		if (!rec_is(&r, "datum", 3))
			continue;
		rec_get_oid(&r, 1, &key);
		if (n == 0)
			first = key;
		jobfile_put_datum(&to.b, &key, n++, r.f[2]);
	}
	jobfile_put_writers(&to.b, &one, 1);
	jobfile_put_writers(&to.b, two, 2);
	must(jobfile_close(&to, "p", &err), &err);
	recfile_release(&f);
	if (!ok(jobfile_read(&back, "p", &err) == 1, "P.job comes back"))
		return;
	is_str(back.job, job, "its job");
	ok(oid_eq(&back.commit, &step) && oid_eq(&back.spec, &step) && back.next == 9, "its head");
	jobfile_key(&back, 0, &got);
	ok(back.n_datum == n && oid_eq(&got, &first) && jobfile_number(&back, n - 1) == n - 1, "its datums");
	is_str(jobfile_label(&back, 0, &a), "a:/a b%\n#$'\"\xff\xc3\xa9 b:/w1", "a label");
	job_writers_begin(&w, &back);
	ok(job_writers_next(&w) == 1 && w.n == 1 && w.part->number == 8 && !w.part->kind, "a path with one writer");
	ok(job_writers_next(&w) == 1 && w.n == 2 && w.part[1].number == 7 && w.part[1].size == 6 && w.part[0].kind == 'x' &&
	    oid_eq(&w.part[1].id, &step), "a path with two");
	ok(job_writers_next(&w) == 0, "and no more");
	job_writers_release(&w);
	jobfile_release(&back);
	arena_release(&a);
}

/* Every datum of the plan has the key that its contents have; offsets of the sub-make's file find it. */
static void
read_plan(const char *path, size_t want_datums, size_t want_matches)
{
	struct plan_head h;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct err err = ERR_INIT;
	struct recfile f;
	struct oid key;
	size_t n = 0, matches = 0, at, wrong = 0;
	char mk_name[64], offset[64], *mk;
	int rc;

	snprintf(mk_name, sizeof mk_name, "%s.mk", path);
	mk = slurp(mk_name);
	must(recfile_open(&f, path, "plan", 1, &err), &err);
	must(plan_head_read(&h, &f, &err), &err);
	is_str(h.pipeline, "p", "pipeline");
	is_str(h.run, "run 1", "run");
	ok(h.tries == 3 && h.n_accept == 2 && h.accept[1] == 4, "tries and exit codes");
	ok(h.n_input == 2 && strcmp(h.input[0].dir, "data/my books") == 0 && h.input[0].asof == 7, "inputs");
	for (at = f.pos; (rc = plan_datum_read(&d, &f, &err)) == 1; at = f.pos) {
		plan_datum_key(&h, &d, &key);
		wrong += !oid_eq(&key, &d.key);
		snprintf(offset, sizeof offset, " %s %zu 1\n", path, at);
		wrong += count(mk, offset) != 1;
		matches += d.n_match;
		n++;
	}
	is_u64((uint64_t)rc, 0, "read to the end");
	is_u64(wrong, 0, "keys and offsets fit");
	is_u64(n, want_datums, "datums in the plan");
	is_u64(matches, want_matches, "matches in it");
	plan_datum_release(&d);
	plan_head_release(&h);
	recfile_release(&f);
	free(mk);
}

/* P.job has the datums of the set in another order, and lacks one. */
static void
rearrange(const char *job)
{
	static const unsigned order[] = { 5, 6, 7, 8, 0, 1, 2, 4 };
	struct spool to = SPOOL_INIT;
	struct oid key[9], zero = { { 0 } };
	struct jobfile last = JOBFILE_INIT;
	struct err err = ERR_INIT;

	must(jobfile_read(&last, "p", &err), &err);
	for (size_t i = 0; i < 9; i++)
		jobfile_key(&last, i, &key[i]);
	must(jobfile_open(&to, "p", &err), &err);
	jobfile_put_head(&to.b, job, &zero, &zero, 100);
	for (size_t i = 0; i < 8; i++)
		jobfile_put_datum(&to.b, &key[order[i]], 50 + i, "l");
	must(jobfile_close(&to, "p", &err), &err);
	jobfile_release(&last);
}

static void
stretches(void)
{
	struct conf_input kids[] = { pfs("a", "books", "/*"), pfs("b", "words", "/*") };
	struct conf_input cross = { .kind = CONF_CROSS, .kids = kids, .n_kids = 2 };
	struct conf_input twice[] = { cross, cross }, un = { .kind = CONF_UNION, .kids = twice, .n_kids = 2 };
	char *set, *datum;

	rearrange("j2b");
	project(&cross, false, "j2c");
	plan("--chunk=64");
	is_set("j2c", "9", "1");
	set = slurp(".dassie/plan/p.j2c.set");
	datum = strstr(set, "\ndatum ");
	ok(datum && strchr(datum + 1, '\n'), "one is new");
	if (datum)
		memmove(datum + 7, strchr(datum + 1, '\n'), strlen(strchr(datum + 1, '\n')) + 1);
	is_str(strstr(set, "last"), "last j2b\nsame 4 3\ndatum \nsame 7 1\nsame 0 4\n", "the rest are stretches, in the order of now");
	free(set);
	project(&un, false, "j2d");
	plan("--chunk=64");
	is_set("j2d", "9", "1");
}

static void
incremental(void)
{
	struct conf_input kids[] = { pfs("a", "books", "/*"), pfs("b", "words", "/*") };
	struct conf_input cross = { .kind = CONF_CROSS, .kids = kids, .n_kids = 2 };
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX], *set;
	struct oid key;

	project(&cross, false, "j1");
	is_u64((uint64_t)plan("--dry"), 0, "--dry is fine");
	ok(access(".dassie/plan/p.j1", F_OK) < 0 && access(".dassie/plan/p.j1.set", F_OK) < 0, "and writes nothing");
	is_u64((uint64_t)plan("--chunk=64"), 0, "a plan is made");
	is_set("j1", "9", "9");
	read_plan(".dassie/plan/p.j1", 9, 18);
	/* A result on disk is not in the plan of the next job; P.job makes the rest known. */
	set = slurp(".dassie/plan/p.j1.set");
	ok(strstr(set, " a:/a%20b%25%0A#$'\"\xff\xc3\xa9%20b:/w1\n") != NULL, "a label with odd bytes");
	ok(strstr(set, " a:/d/%20b:/w3\n") != NULL, "a label of a directory");
	memmove(set, strstr(set, "\ndatum ") + 7, 64);
	set[64] = '\0';
	oid_parse(set, &key);
	free(set);
	must(fs_mkdirs_for(layout_datum(path, &key), &err), &err);
	must(fs_replace(path, "x", 1, 0444, &err), &err);
	project(&cross, false, "j2");
	plan("--chunk=64");
	is_set("j2", "9", "8");
	succeed("j2");
	project(&cross, false, "j3");
	plan("--chunk=64");
	is_set("j3", "9", "0");
	set = slurp(".dassie/plan/p.j3.set");
	ok(strstr(set, "\nlast j2\nsame 0 9\n") != NULL, "the set is one stretch of P.job");
	free(set);
	stretches();
	project(&cross, true, "j4");
	plan("--chunk=64");
	is_set("j4", "9", "9");
	must(fs_replace(".dassie/plan/p.job", "dassie-job 2\n", 13, 0644, &err), &err);
	project(&cross, false, "j5");
	plan("--chunk=64");
	is_set("j5", "9", "8");
}

static void
collapse(void)
{
	struct conf_input kids[] = { pfs("a", "books", "/z"), pfs("a", "books", "/?"), pfs("a", "words", "/w*") };
	struct conf_input un = { .kind = CONF_UNION, .kids = kids, .n_kids = 3 };
	struct conf_input g = { .kind = CONF_GROUP, .kids = kids + 2, .n_kids = 1 };
	char *text;

	project(&un, false, "j6");
	plan("--chunk=1");
	is_set("j6", "5", "5");
	kids[2] = pfs("words", "words", "/w(?)");
	kids[2].group_by = "k$1";
	project(&g, false, "j7");
	plan("--chunk=1");
	is_set("j7", "3", "3");
	text = slurp(".dassie/plan/p.j7");
	is_u64(count(text, "\nvar PACH_DATUM_words_GROUP_BY k"), 3, "what was grouped on reaches the command");
	free(text);
}

static void
refusals(void)
{
	struct conf_input in = pfs("a", "books", "/*");
	struct err err = ERR_INIT;
	struct open_job o;

	project(&in, false, "j8");
	must(open_job_read(&o, "p", &err), &err);
	ok(o.n_input == 2 && o.started == 99 && strcmp(o.input[0].dir, "data/my books") == 0, "P.open comes back");
	o.spec = step;
	must(open_job_write(&o, &err), &err);
	open_job_release(&o);
	is_u64((uint64_t)plan("--chunk=1"), EXIT_FAILED, "a spec that changed meanwhile: 1");
	unlink(".dassie/plan/p.open");
	is_u64((uint64_t)plan("--chunk=1"), EXIT_WORLD, "no job under way: 3");
	is_u64((uint64_t)plan("--chunk=0"), EXIT_USAGE, "a chunk of nothing: 2");
}

static void
chunk_sizes(void)
{
	is_u64(planmk_chunk(0, 2, 256), 1, "nothing");
	is_u64(planmk_chunk(39, 2, 256), 1, "fewer than 20 chunks a slot");
	is_u64(planmk_chunk(400, 2, 256), 10, "20 chunks a slot");
	is_u64(planmk_chunk(400, 2, 4), 4, "at most what was asked for");
	is_u64(planmk_chunk(15000, 1, 1000), 256, "at most 256");
	is_u64(planmk_chunk(100000, 2, 256), 40, "and what make can hold");
	is_u64(planmk_chunk(1000000, 64, 256), 40, "of a part of a large plan");
}

static void
makefile(void)
{
	struct planmk_datum v[3] = { { .at = 100 }, { .at = 200 }, { .at = 300 } };
	struct planmk p = { "p", "j9", 7, 1, 2, 0, false, v, 3 };
	struct err err = ERR_INIT;
	char *text;

	v[0].key = v[1].key = v[2].key = step;
	v[1].key.b[0] = 1;
	v[2].key.b[0] = 2;
	must(planmk_write(&p, &err), &err);
	text = slurp(".dassie/plan/p.j9.mk");
	ok(strstr(text, "\n.PHONY: datums\n.PRECIOUS datums:") != NULL, "default target and .PRECIOUS");
	is_u64(count(text, " &:\n\t+@'$(DASSIE_DATUM)' .dassie/plan/p.j9 "), 3, "three chunks");
	is_u64(count(text, ".dassie/datums/"), 6, "each datum in the list and in its chunk");
	ok(strstr(text, "/plan/p.j9 200 1\n") && strstr(text, "/plan/p.j9 300 1\n"), "offsets and counts");
	free(text);
}

/* One datum more than a part holds. */
static void
parts(void)
{
	size_t n = PLANMK_PART + 1;
	struct planmk_datum *v = calloc(n, sizeof *v);
	struct planmk p = { "p", "j10", n, 2, 256, 0, false, v, n };
	struct err err = ERR_INIT;
	char *text;

	for (size_t i = 0; i < n; i++) {
		memcpy(v[i].key.b, &i, sizeof i);
		v[i].at = i;
	}
	must(planmk_write(&p, &err), &err);
	text = slurp(".dassie/plan/p.j10.mk");
	ok(strstr(text, "\n.NOTPARALLEL:\n.PHONY: part.1 part.2\ndatums: part.1 part.2\npart.1 part.2:\n\t+@'$(MAKE)' -f .dassie/plan/p.j10.$@.mk\n")
	    != NULL, "the file of a large plan runs its parts");
	free(text);
	text = slurp(".dassie/plan/p.j10.part.2.mk");
	is_u64(count(text, " &:\n"), 1, "what is left is in the last part");
	ok(strstr(text, "/plan/p.j10 100000 1\n") != NULL, "with its offset");
	free(text);
	free(v);
}

int
main(void)
{
	char dir[] = "/tmp/test_plan.XXXXXX";
	struct err err = ERR_INIT;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	must(fs_mkdirs(DIR_PLAN, &err), &err);
	must(fs_mkdirs(DIR_STEPS, &err), &err);
	must(fs_mkdirs(DIR_COMMITS, &err), &err);
	sha256_bytes("step", 4, &step);
	incremental();
	collapse();
	refusals();
	chunk_sizes();
	makefile();
	parts();
	if (chdir("/") == 0)
		must(fs_remove_tree(dir, &err), &err);
	return done();
}
