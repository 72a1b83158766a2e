/* The index: what is put twice is there once, its size and speed, and what it says of files that are not its own. */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "../../base/conf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../runtime/provenance.h"
#include "../../runtime/result.h"

enum { DATUMS = 10000 };

static struct err err;
static struct oid spec, step;

static void
hash_of(struct oid *ret, const char *what, int i)
{
	char text[64];

	snprintf(text, sizeof text, "%s %d", what, i);
	sha256_bytes(text, strlen(text), ret);
}

static int64_t
ask(const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t v = -1;
	int on = 1;

	if (sqlite3_open_v2(FILE_DB, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
	    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	    sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static void
change(const char *sql)
{
	sqlite3 *db = NULL;

	ok(sqlite3_open(FILE_DB, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "set up: %s", sql);
	sqlite3_close(db);
}

static int
put_head(struct prov *p, const char *job, const char *state)
{
	const struct prov_run run = { "run1", 1000, "host", "user", "make", "0.1" };
	const struct prov_git git = { "0123456789abcdef0123456789abcdef01234567", "main", true, "--- a\n+++ b\n" };
	struct prov_code code = { "total.awk", false, { { 7 } } };
	struct prov_input input = { "books", { { 8 } } };
	struct conf c = CONF_INIT;

	c.pipeline = "count";
	c.spec = "count:\n  run: wc\n";
	c.salt = "";
	const struct prov_job j = { .id = job, .run = "run1", .pipeline = "count", .state = state, .started = 2000, .finished = 3000,
	    .total = DATUMS, .processed = DATUMS, .has_commit = true, .commit = spec, .spec = spec, .step = step, .git = &git,
	    .code = &code, .n_code = 1, .input = &input, .n_input = 1 };
	return prov_put_run(p, &run, &err) < 0 || prov_put_version(p, &c, &spec, &step, "set -eu\nwc\n", &err) < 0 ||
	    prov_put_job(p, &j, &err) < 0 ? -1 : 0;
}

static int
put_results(struct prov *p, const char *job, int from, int to)
{
	char label[80], path[64];
	struct attempt a = { .started = 1795330000123456789, .ended = 1795330000125456789, .utime_us = 900, .stime_us = 1200,
	    .maxrss_kb = 3100, .in_bytes = 2000, .out_bytes = 2000 };
	struct result_input in = { "books", "books", path, 'f', { { 0 } } };
	struct result_output out = { path, 2000, { { 0 } }, 'f' };
	struct result r = RESULT_INIT;

	r.pipeline = "count";
	r.job = job;
	r.run = "run1";
	r.host = "host";
	r.command = "/bin/sh";
	r.state = "success";
	r.class = "";
	r.label = label;
	r.attempt = &a, r.n_attempt = 1;
	r.input = &in, r.n_input = 1;
	r.output = &out, r.n_output = 1;
	for (int i = from; i < to; i++) {
		hash_of(&r.key, "key", i);
		hash_of(&in.id, "in", i);
		hash_of(&out.id, "out", i);
		snprintf(path, sizeof path, "d%03d/file%05d.txt", i / 100, i);
		snprintf(label, sizeof label, "books:/%s", path);
		if (prov_put_result(p, &r, &spec, &err) < 0)
			return -1;
	}
	return 0;
}

static double
cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int64_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (int64_t)st.st_size;
}

static void
test_write(void)
{
	struct prov *p = NULL;
	int64_t per_datum;
	double t = cpu_ms();

	ok(prov_begin(&p, &err) == 0 && put_head(p, "job1", "success") == 0 && put_results(p, "job1", 0, DATUMS) == 0 &&
	    prov_commit(p, &err) == 0, "a job of %d datums goes in %s", DATUMS, err.text);
	t = cpu_ms() - t;
	per_datum = (size_of(FILE_DB) + size_of(FILE_DB "-wal")) / DATUMS;
	printf("# %.0f ms CPU, %lld bytes a datum\n", t, (long long)per_datum);
	ok(per_datum <= 450, "a datum costs %lld bytes, at most 450", (long long)per_datum);
	ok(ask("SELECT count(*) FROM datum") == DATUMS && ask("SELECT count(*) FROM attempt") == DATUMS, "all are there");
	ok(prov_duration("count") == 2000000, "an attempt takes 2 ms on the average");
	ok(prov_duration("other") == 0, "of an unknown pipeline nothing is known");
}

static void
test_twice(void)
{
	struct prov *p = NULL;
	struct oid id;

	hash_of(&id, "commit", 1);
	for (int i = 0; i < 2; i++)
		ok(prov_begin(&p, &err) == 0 && put_head(p, "job1", "success") == 0 && put_results(p, "job1", 0, 100) == 0 &&
		    prov_put_commit(p, "count", &id, 5000 + (uint64_t)i, "job1", 1, 2, &err) == 0 && prov_commit(p, &err) == 0,
		    "the same job again %s", err.text);
	ok(ask("SELECT count(*) FROM job") == 1 && ask("SELECT count(*) FROM attempt") == DATUMS &&
	    ask("SELECT count(*) FROM input") == DATUMS && ask("SELECT count(*) FROM output") == DATUMS, "adds nothing");
	ok(ask("SELECT count(*) FROM commits") == 1, "nor does a commit that is the newest already");
	ok(ask("SELECT ran FROM job") == DATUMS, "nor are attempts counted twice");
	ok(ask("SELECT count(*) FROM text") == 3, "script, spec and diff are kept once");
}

static void
test_abort(void)
{
	struct prov *p = NULL;
	struct oid back;

	ok(prov_begin(&p, &err) == 0 && put_results(p, "job2", 0, 10) == 0, "a second job begins");
	prov_abort(p);
	prov_abort(NULL);
	ok(ask("SELECT count(*) FROM job") == 1, "and leaves nothing when it is given up");
	ok(prov_begin(&p, &err) == 0 && put_results(p, "job0", DATUMS, DATUMS + 1) == 0 && prov_commit(p, &err) == 0,
	    "a result of a job that nobody put");
	ok(ask("SELECT count(*) FROM job WHERE state = 'killed' AND name = 'job0'") == 1, "which was killed, then");
	ok(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") == 0 && ask("SELECT count(*) FROM pragma_foreign_key_check") == 0, "every reference leads somewhere");
	for (int i = 0; i < 3; i++) {
		hash_of(&back, "commit", 1 + i % 2);
		ok(prov_begin(&p, &err) == 0 && prov_put_commit(p, "count", &back, 6000 + (uint64_t)i, "", 1, 2, &err) == 0 &&
		    prov_commit(p, &err) == 0, "commit %d", i);
	}
	ok(ask("SELECT count(*) FROM commits") == 3, "going back to an old commit is a change, too");
}

static void
test_refused(void)
{
	struct prov *p = NULL;
	FILE *f;

	change("PRAGMA user_version = 999");
	ok(prov_begin(&p, &err) < 0 && strstr(err.text, "newer dassie"), "a newer database is refused: %s", err.text);
	ok(ask("SELECT count(*) FROM attempt") == DATUMS + 1, "and left as it is");
	change("PRAGMA user_version = 1; PRAGMA application_id = 12");
	ok(prov_begin(&p, &err) < 0 && strstr(err.text, "not dassie's"), "another's database is refused: %s", err.text);
	f = fopen(FILE_DB, "w");
	ok(f && fputs("this is no database at all, whatever its name may say; and it is long enough to hold a header of one", f) >= 0 &&
	    fclose(f) == 0, "a file that is no database");
	ok(prov_begin(&p, &err) < 0 && strstr(err.text, "damaged") && strstr(err.text, "move it away"), "is told: %s", err.text);
	ok(prov_duration("count") == 0, "and nothing is known from it");
	unlink(FILE_DB);
	err = (struct err)ERR_INIT;
	ok(prov_begin(&p, &err) == 0 && put_head(p, "job1", "success") == 0 && prov_commit(p, &err) == 0,
	    "with the file away, all goes on, whatever log it left %s", err.text);
	ok(ask("SELECT count(*) FROM job") == 1, "from the beginning");
	ok(truncate(FILE_DB, 0) == 0 && prov_begin(&p, &err) == 0 && put_head(p, "job1", "success") == 0 && prov_commit(p, &err) == 0,
	    "an empty file is a database without tables %s", err.text);
}

int
main(void)
{
	char dir[] = "/tmp/dassie-test-XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) < 0 || mkdir(DIR_STATE, 0700) < 0 || mkdir(DIR_LOCK, 0700) < 0)
		return 99;
	hash_of(&spec, "spec", 0);
	hash_of(&step, "step", 0);
	test_write();
	test_twice();
	test_abort();
	test_refused();
	if (chdir("/") < 0 || fs_remove_tree(dir, &err) < 0)
		return 99;
	return done();
}
