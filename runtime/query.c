/* query.c: questions to the index. Each is one statement that is stepped to its end and reset before its answer is
 * used, so that no reader stands in a writer's way while somebody pages through a listing. */
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "migrations.h"
#include "pushed.h"
#include "result.h"

#define JOB_COLUMNS "SELECT job.id, job.name, run.name, repo.name, job.state, job.reason, job.started, job.finished, job.total," \
	" job.processed, job.skipped, job.failed, job.recovered, git.head, git.branch, git.dirty, job.output, version.spec," \
	" version.step FROM job JOIN run ON run.id = job.run JOIN repo ON repo.id = job.repo" \
	" LEFT JOIN version ON version.id = job.version LEFT JOIN git ON git.id = job.git"
#define THIS_KEY "(SELECT id FROM datum WHERE substr(key, 1, 6) = substr(?1, 1, 6) AND key = ?1)"

enum sql {
	Q_JOBS, Q_CODE, Q_JOB_INPUTS, Q_DIFF, Q_VERSION, Q_EXECUTIONS, Q_DATUM, Q_FAILURE, Q_ATTEMPTS,
	Q_INPUTS, Q_OUTPUTS, Q_KEYS, Q_BEFORE, Q_RAN, Q_WRITERS, Q_READERS, Q_COMMITS, Q_PUSHES, Q_CHECK, Q_FOREIGN,
	Q_RUN, Q_FAILED, N_Q
};

static const char *const sql_text[N_Q] = {
	[Q_JOBS] = JOB_COLUMNS " WHERE (?1 IS NULL OR repo.name = ?1) AND substr(job.name, 1, length(?2)) = ?2"
	    " ORDER BY job.started DESC, job.id DESC LIMIT ?3",
	[Q_CODE] = "SELECT path, exec, hash FROM code_file WHERE code_set = (SELECT code_set FROM job WHERE id = ?1) ORDER BY path",
	[Q_JOB_INPUTS] = "SELECT repo.name, hash FROM job_input JOIN repo ON repo.id = repo WHERE job = ?1 ORDER BY 1",
	[Q_DIFF] = "SELECT body FROM job JOIN git ON git.id = job.git JOIN text ON text.id = git.diff WHERE job.id = ?1",
	[Q_VERSION] = "SELECT step, s.body, c.body, salt FROM version JOIN repo ON repo.id = version.repo"
	    " LEFT JOIN text s ON s.id = script LEFT JOIN text c ON c.id = conf WHERE repo.name = ?1 AND spec = ?2",
	[Q_EXECUTIONS] = "SELECT name FROM job WHERE repo = (SELECT version.repo FROM datum JOIN version ON version.id = version"
	    " WHERE datum.id = " THIS_KEY ") AND EXISTS(SELECT 1 FROM attempt WHERE attempt.job = job.id AND"
	    " attempt.datum = " THIS_KEY ") ORDER BY started DESC, id DESC",
	[Q_DATUM] = "SELECT datum.id, datum.label, repo.name, version.spec, job.id, run.name FROM datum"
	    " JOIN version ON version.id = datum.version JOIN repo ON repo.id = version.repo, job JOIN run ON run.id = job.run"
	    " WHERE datum.id = " THIS_KEY " AND job.name = ?2",
	[Q_FAILURE] = "SELECT class FROM failure WHERE job = ?1 AND datum = ?2",
	[Q_ATTEMPTS] = "SELECT started, us, exit, signal, utime_us, stime_us, maxrss_kb, in_bytes, out_bytes, log, host, command, class"
	    " FROM attempt LEFT JOIN place ON place.id = place WHERE job = ?1 AND datum = ?2 ORDER BY n",
	[Q_INPUTS] = "SELECT input_name.name, repo.name, path, kind, hash FROM input JOIN input_name ON input_name.id = input.name"
	    " JOIN repo ON repo.id = input_name.repo WHERE datum = ?1 ORDER BY n",
	[Q_OUTPUTS] = "SELECT path, kind, size, hash FROM output WHERE datum = ?1 ORDER BY n",
	[Q_KEYS] = "SELECT key FROM datum WHERE substr(key, 1, 6) BETWEEN substr(?1, 1, 6) AND substr(?2, 1, 6)"
	    " AND key BETWEEN ?1 AND ?2 LIMIT 64",
	[Q_BEFORE] = "SELECT key FROM datum WHERE id < coalesce(" THIS_KEY ", 1 << 62) AND label = ?2 AND version IN"
	    " (SELECT version.id FROM version JOIN repo ON repo.id = repo WHERE repo.name = ?3) ORDER BY id DESC LIMIT 1",
	[Q_RAN] = "SELECT key FROM (SELECT DISTINCT datum AS d FROM attempt WHERE job = ?1) JOIN datum ON datum.id = d ORDER BY d",
	[Q_WRITERS] = "SELECT key FROM output JOIN datum ON datum.id = datum WHERE path = ?1 AND (?2 IS NULL OR hash = ?2) AND"
	    " version IN (SELECT version.id FROM version JOIN repo ON repo.id = repo WHERE repo.name = ?3)"
	    " ORDER BY datum.id DESC",
	[Q_READERS] = "SELECT key FROM input JOIN datum ON datum.id = datum WHERE path = ?1 AND hash = ?2 AND"
	    " name IN (SELECT input_name.id FROM input_name JOIN repo ON repo.id = repo WHERE repo.name = ?3)"
	    " GROUP BY datum.id ORDER BY datum.id DESC",
	[Q_COMMITS] = "SELECT hash, time, files, bytes, job.name FROM commits LEFT JOIN job ON job.id = commits.job"
	    " WHERE commits.repo = (SELECT id FROM repo WHERE name = ?1) ORDER BY time DESC",
	[Q_PUSHES] = "SELECT url, state, reason, max(started), finished, put, put_bytes, deleted, unchanged, remaining, remaining_bytes"
	    " FROM egress WHERE repo = (SELECT id FROM repo WHERE name = ?1) AND hash = ?2 GROUP BY url ORDER BY url",
	[Q_RUN] = JOB_COLUMNS " WHERE run.name = ?1 ORDER BY job.started, job.id",
	[Q_FAILED] = "SELECT key FROM failure JOIN datum ON datum.id = datum WHERE job = ?1 AND class <> 'recovered' ORDER BY datum.id",
	[Q_CHECK] = "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
	[Q_FOREIGN] = "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ': no such ' || \"parent\" FROM pragma_foreign_key_check",
};

struct query {
	struct sqlite3 *db;
	sqlite3_stmt *st[N_Q];
};

int
query_open(struct query **ret, struct err *err)
{
	struct sqlite3 *db = NULL;
	int rc = db_open_read(&db, err);

	*ret = NULL;
	if (rc != 1)
		return rc;
	*ret = xcalloc(1, sizeof **ret);
	(*ret)->db = db;
	return 1;
}

void
query_close(struct query *q)
{
	if (!q)
		return;
	for (int i = 0; i < N_Q; i++)
		sqlite3_finalize(q->st[i]);
	db_close(q->db);
	free(q);
}

/* A question, its first row not taken yet; NULL without a database (rc 0) or on an error (rc -1). */
static sqlite3_stmt *
ask(struct query *q, int *rc, struct err *err, enum sql which, const char *types, ...)
{
	va_list ap;
	int code;

	*rc = 0;
	if (!q)
		return NULL;
	va_start(ap, types);
	code = q->st[which] ? SQLITE_OK :
	    sqlite3_prepare_v3(q->db, sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, &q->st[which], NULL);
	if (code == SQLITE_OK)
		code = db_bind(q->st[which], types, &ap);
	va_end(ap);
	if (code == SQLITE_OK)
		return q->st[which];
	*rc = db_fail(q->db, code, "read", err);
	return NULL;
}

/* 1 a row, 0 no more (the statement is reset), -1. */
static int
next(struct query *q, sqlite3_stmt *st, struct err *err)
{
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		db_fail(q->db, code, "read", err);
	sqlite3_reset(st);
	return code == SQLITE_DONE ? 0 : -1;
}

/* At most one row is wanted. */
static int
only(struct query *q, sqlite3_stmt *st, struct err *err)
{
	int code = sqlite3_step(st);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		db_fail(q->db, code, "read", err);
	return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

static const char *
text(struct arena *a, sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s ? arena_dup(a, s, (size_t)sqlite3_column_bytes(st, i)) : NULL;
}

static bool
oid(sqlite3_stmt *st, int i, struct oid *ret)
{
	const void *p = sqlite3_column_blob(st, i);

	if (!p || sqlite3_column_bytes(st, i) != OID_SIZE)
		return false;
	memcpy(ret->b, p, OID_SIZE);
	return true;
}

static uint64_t
num(sqlite3_stmt *st, int i)
{
	return (uint64_t)sqlite3_column_int64(st, i);
}

static char
kind(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s ? *s : 'f';
}

/* An array in the arena that doubles: what it leaves behind is freed with the arena. */
static void *
more(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 8;
	void *wide = arena_alloc(a, *cap * size);
	if (n > 0)
		memcpy(wide, v, n * size);
	return wide;
}
#define MORE(a, v, n, cap) ((v) = more((a), (v), (n), &(cap), sizeof *(v)))

static void
job_row(struct arena *a, sqlite3_stmt *st, struct q_job *j)
{
	*j = (struct q_job){ .row = sqlite3_column_int64(st, 0), .id = text(a, st, 1), .run = text(a, st, 2),
	    .pipeline = text(a, st, 3), .state = text(a, st, 4), .reason = text(a, st, 5), .started = num(st, 6),
	    .finished = num(st, 7), .total = num(st, 8), .processed = num(st, 9), .skipped = num(st, 10),
	    .failed = num(st, 11), .recovered = num(st, 12), .head = text(a, st, 13), .branch = text(a, st, 14),
	    .dirty = num(st, 15) != 0 };
	if (!j->reason)
		j->reason = "";
	j->has_commit = oid(st, 16, &j->commit);
	j->has_spec = oid(st, 17, &j->spec);
	j->has_step = oid(st, 18, &j->step);
}

int
query_jobs(struct query *q, struct arena *a, const char *pipeline, const char *prefix, unsigned limit,
           struct q_job **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_JOBS, "ssi", pipeline, prefix, limit ? (int64_t)limit : INT64_C(-1));

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		job_row(a, st, &(*ret)[(*ret_n)++]);
	}
	return rc;
}

int
query_run(struct query *q, struct arena *a, const char *run, struct q_job **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_RUN, "s", run);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		job_row(a, st, &(*ret)[(*ret_n)++]);
	}
	return rc;
}

int
query_failed(struct query *q, struct arena *a, int64_t job, struct oid **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_FAILED, "i", job);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		oid(st, 0, &(*ret)[(*ret_n)++]);
	}
	return rc;
}

int
query_code(struct query *q, struct arena *a, int64_t job, struct q_code **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_CODE, "i", job);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		struct q_code *c = &(*ret)[(*ret_n)++];
		*c = (struct q_code){ .path = text(a, st, 0), .exec = num(st, 1) != 0 };
		oid(st, 2, &c->id);
	}
	return rc;
}

int
query_job_inputs(struct query *q, struct arena *a, int64_t job, struct q_input **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_JOB_INPUTS, "i", job);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		struct q_input *in = &(*ret)[(*ret_n)++];
		in->repo = text(a, st, 0);
		oid(st, 1, &in->commit);
	}
	return rc;
}

int
query_diff(struct query *q, struct arena *a, int64_t job, const char **ret, struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_DIFF, "i", job);

	*ret = "";
	if (!st)
		return rc;
	rc = only(q, st, err);
	if (rc == 1)
		*ret = text(a, st, 0);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

int
query_version(struct query *q, struct arena *a, const char *pipeline, const struct oid *spec, struct q_version *ret,
              struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_VERSION, "sh", pipeline, spec);

	*ret = (struct q_version){ 0 };
	if (!st)
		return rc;
	rc = only(q, st, err);
	if (rc == 1) {
		oid(st, 0, &ret->step);
		ret->script = text(a, st, 1);
		ret->spec = text(a, st, 2);
		ret->salt = text(a, st, 3);
	}
	sqlite3_reset(st);
	return rc;
}

int
query_executions(struct query *q, struct arena *a, const struct oid *key, const char ***ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_EXECUTIONS, "h", key);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		(*ret)[(*ret_n)++] = text(a, st, 0);
	}
	return rc;
}

static int
read_attempts(struct query *q, struct arena *a, int64_t job, int64_t datum, struct result *r, struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_ATTEMPTS, "ii", job, datum);

	while (st && (rc = next(q, st, err)) == 1) {
		GROW(r->attempt, r->n_attempt, r->cap_attempt);
		r->attempt[r->n_attempt++] = (struct attempt){ .started = num(st, 0) * 1000, .ended = (num(st, 0) + num(st, 1)) * 1000,
		    .exit = (int)num(st, 2), .signal = (int)num(st, 3), .utime_us = num(st, 4), .stime_us = num(st, 5),
		    .maxrss_kb = num(st, 6), .in_bytes = num(st, 7), .out_bytes = num(st, 8), .log = num(st, 9) != 0, .class = text(a, st, 12) };
		if (r->n_attempt == 1) {
			r->host = text(a, st, 10);
			r->command = text(a, st, 11);
		}
	}
	return rc;
}

static int
read_files(struct query *q, struct arena *a, int64_t datum, struct result *r, struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_INPUTS, "i", datum);

	while (st && (rc = next(q, st, err)) == 1) {
		GROW(r->input, r->n_input, r->cap_input);
		struct result_input *in = &r->input[r->n_input++];
		*in = (struct result_input){ .name = text(a, st, 0), .repo = text(a, st, 1), .path = text(a, st, 2), .kind = kind(st, 3) };
		oid(st, 4, &in->id);
	}
	if (rc < 0)
		return -1;
	st = ask(q, &rc, err, Q_OUTPUTS, "i", datum);
	while (st && (rc = next(q, st, err)) == 1) {
		GROW(r->output, r->n_output, r->cap_output);
		struct result_output *out = &r->output[r->n_output++];
		*out = (struct result_output){ .path = text(a, st, 0), .size = num(st, 2), .kind = kind(st, 1) };
		oid(st, 3, &out->id);
	}
	return rc;
}

/* "" and "success", or why the execution failed. */
static int
read_state(struct query *q, struct arena *a, int64_t job, int64_t datum, struct result *r, struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_FAILURE, "ii", job, datum);

	if (!st)
		return rc;
	rc = only(q, st, err);
	r->state = rc != 1 ? "success" : strcmp((const char *)sqlite3_column_text(st, 0), "recovered") ? "failed" : "recovered";
	r->class = rc == 1 && sqlite3_column_text(st, 0) ? text(a, st, 0) : "";
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

int
query_result(struct query *q, struct arena *a, const struct oid *key, const char *job, struct result *ret,
             struct oid *ret_spec, struct err *err)
{
	struct result r = RESULT_INIT;
	const char **by;
	int64_t datum = 0, job_id = 0;
	size_t n;
	int rc;

	if (!job) {
		if (query_executions(q, a, key, &by, &n, err) < 0)
			return -1;
		if (n == 0)
			return 0;
		job = by[0];
	}
	sqlite3_stmt *st = ask(q, &rc, err, Q_DATUM, "hs", key, job);
	if (!st)
		return rc;
	rc = only(q, st, err);
	if (rc == 1) {
		datum = sqlite3_column_int64(st, 0);
		job_id = sqlite3_column_int64(st, 4);
		r.key = *key;
		r.label = text(a, st, 1);
		r.pipeline = text(a, st, 2);
		r.run = text(a, st, 5);
		r.job = arena_str(a, job);
		r.boot = r.host = r.command = "";
		if (ret_spec)
			oid(st, 3, ret_spec);
	}
	sqlite3_reset(st);
	if (rc != 1)
		return rc;
	if (read_state(q, a, job_id, datum, &r, err) < 0 || read_attempts(q, a, job_id, datum, &r, err) < 0 ||
	    read_files(q, a, datum, &r, err) < 0) {
		result_release(&r);
		return -1;
	}
	/* The job exists and the datum does, but the one did not execute the other. */
	if (r.n_attempt == 0) {
		result_release(&r);
		return 0;
	}
	if (strcmp(r.state, "failed") == 0)
		r.n_output = 0;
	*ret = r;
	return 1;
}

static int
keys(struct query *q, struct arena *a, sqlite3_stmt *st, int rc, struct oid **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		if (oid(st, 0, &(*ret)[*ret_n]))
			++*ret_n;
	}
	return rc;
}

int
query_keys(struct query *q, struct arena *a, const char *hex, struct oid **ret, size_t *ret_n, struct err *err)
{
	char lo[OID_HEX + 1], hi[OID_HEX + 1];
	struct oid from, to;
	int rc = 0;

	*ret = NULL;
	*ret_n = 0;
	snprintf(lo, sizeof lo, "%s", hex);
	snprintf(hi, sizeof hi, "%s", hex);
	for (size_t i = strlen(lo); i < OID_HEX; i++) {
		lo[i] = '0', hi[i] = 'f';
		lo[i + 1] = hi[i + 1] = '\0';
	}
	if (!oid_parse(lo, &from) || !oid_parse(hi, &to))
		return 0;
	sqlite3_stmt *st = ask(q, &rc, err, Q_KEYS, "hh", &from, &to);
	return keys(q, a, st, rc, ret, ret_n, err);
}

int
query_before(struct query *q, const char *pipeline, const char *label, const struct oid *key, struct oid *ret,
             struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_BEFORE, "hss", key, label, pipeline);

	if (!st)
		return rc;
	rc = only(q, st, err);
	if (rc == 1 && !oid(st, 0, ret))
		rc = 0;
	sqlite3_reset(st);
	return rc;
}

int
query_ran(struct query *q, struct arena *a, int64_t job, struct oid **ret, size_t *ret_n, struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_RAN, "i", job);

	return keys(q, a, st, rc, ret, ret_n, err);
}

int
query_writers(struct query *q, struct arena *a, const char *pipeline, const char *path, const struct oid *id,
              struct oid **ret, size_t *ret_n, struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_WRITERS, "shs", path, id, pipeline);

	return keys(q, a, st, rc, ret, ret_n, err);
}

int
query_readers(struct query *q, struct arena *a, const char *repo, const char *path, const struct oid *id, struct oid **ret, size_t *ret_n,
              struct err *err)
{
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_READERS, "shs", path, id, repo);

	return keys(q, a, st, rc, ret, ret_n, err);
}

int
query_commits(struct query *q, struct arena *a, const char *repo, struct q_commit **ret, size_t *ret_n, struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_COMMITS, "s", repo);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		struct q_commit *c = &(*ret)[(*ret_n)++];
		*c = (struct q_commit){ .time = num(st, 1), .files = num(st, 2), .bytes = num(st, 3), .job = text(a, st, 4) };
		oid(st, 0, &c->id);
	}
	return rc;
}

int
query_pushes(struct query *q, struct arena *a, const char *pipeline, const struct oid *commit, struct pushed **ret, size_t *ret_n,
             struct err *err)
{
	size_t cap = 0;
	int rc;
	sqlite3_stmt *st = ask(q, &rc, err, Q_PUSHES, "sh", pipeline, commit);

	*ret = NULL;
	*ret_n = 0;
	while (st && (rc = next(q, st, err)) == 1) {
		MORE(a, *ret, *ret_n, cap);
		(*ret)[(*ret_n)++] = (struct pushed){ .pipeline = pipeline, .url = text(a, st, 0), .failed = strcmp(text(a, st, 1), "done") != 0,
			.reason = text(a, st, 2), .commit = *commit, .started = num(st, 3), .finished = num(st, 4), .put = num(st, 5),
			.put_bytes = num(st, 6), .gone = num(st, 7), .same = num(st, 8), .left = num(st, 9), .left_bytes = num(st, 10) };
	}
	return rc;
}

int
query_check(struct query *q, struct buf *ret, struct err *err)
{
	static const enum sql check[] = { Q_CHECK, Q_FOREIGN };
	int rc = 0;

	for (size_t i = 0; i < 2 && rc == 0; i++) {
		sqlite3_stmt *st = ask(q, &rc, err, check[i], "");

		while (st && (rc = next(q, st, err)) == 1) {
			const char *line = (const char *)sqlite3_column_text(st, 0);

			buf_str(ret, line ? line : "?");
			buf_byte(ret, '\n');
		}
	}
	return rc;
}
