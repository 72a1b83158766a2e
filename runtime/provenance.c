/* provenance.c: writes the index. One writer at a time by the database's lock, one transaction a job, and every row
 * is found by its own name before it is made, so that a job that was killed after its transaction can be put again.
 *
 * Ten thousand results go through here in a quarter of a second: statements are prepared once, and what is the same
 * from result to result (job, version, host, input names) is looked up once. */
#include "provenance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "journal.h"
#include "migrations.h"
#include "pushed.h"
#include "result.h"

enum sql {
	REPO_FIND, REPO_NEW, TEXT_FIND, TEXT_NEW, RUN_FIND, RUN_NEW, RUN_SET, VERSION_FIND, VERSION_NEW, VERSION_SET,
	GIT_FIND, GIT_NEW, SET_FIND, SET_NEW, SET_FILE, JOB_FIND, JOB_NEW, JOB_SET, JOB_RAN, JOB_INPUT_DROP, JOB_INPUT,
	COMMIT_SAME, COMMIT_NEW, COMMIT_DROP, OUTPUT_DROP, PLACE_FIND, PLACE_NEW, NAME_FIND, NAME_NEW, DATUM_FIND, DATUM_NEW, ATTEMPT_NEW,
	FAILURE_NEW, INPUT_NEW, OUTPUT_NEW, EGRESS_NEW, N_SQL
};

static const char *const sql_text[N_SQL] = {
	[REPO_FIND] = "SELECT id FROM repo WHERE name = ?1",
	[REPO_NEW] = "INSERT INTO repo(name) VALUES(?1)",
	[TEXT_FIND] = "SELECT id FROM text WHERE hash = ?1",
	[TEXT_NEW] = "INSERT INTO text(hash, body) VALUES(?1, ?2)",
	[RUN_FIND] = "SELECT id FROM run WHERE name = ?1",
	[RUN_NEW] = "INSERT INTO run(name) VALUES(?1)",
	[RUN_SET] = "UPDATE run SET started = ?2, host = ?3, user = ?4, command = ?5, program = ?6 WHERE id = ?1",
	[VERSION_FIND] = "SELECT id FROM version WHERE repo = ?1 AND spec = ?2",
	[VERSION_NEW] = "INSERT INTO version(repo, spec) VALUES(?1, ?2)",
	[VERSION_SET] = "UPDATE version SET step = ?2, script = ?3, conf = ?4, salt = ?5 WHERE id = ?1",
	[GIT_FIND] = "SELECT id FROM git WHERE hash = ?1",
	[GIT_NEW] = "INSERT INTO git(hash, head, branch, dirty, diff) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SET_FIND] = "SELECT id FROM code_set WHERE hash = ?1",
	[SET_NEW] = "INSERT INTO code_set(hash) VALUES(?1)",
	[SET_FILE] = "INSERT OR IGNORE INTO code_file(code_set, path, exec, hash) VALUES(?1, ?2, ?3, ?4)",
	[JOB_FIND] = "SELECT id FROM job WHERE name = ?1",
	[JOB_NEW] = "INSERT INTO job(name, run, repo, started, version, state) VALUES(?1, ?2, ?3, ?4, ?5, 'killed')",
	[JOB_SET] = "UPDATE job SET run = ?2, repo = ?3, started = ?4, version = ?5, git = ?6, code_set = ?7, state = ?8,"
	    " reason = ?9, finished = ?10, total = ?11, processed = ?12, skipped = ?13, failed = ?14, recovered = ?15,"
	    " output = ?16 WHERE id = ?1",
	[JOB_RAN] = "UPDATE job SET ran = ran + ?2, ran_us = ran_us + ?3 WHERE id = ?1",
	[JOB_INPUT_DROP] = "DELETE FROM job_input WHERE job = ?1",
	[JOB_INPUT] = "INSERT OR REPLACE INTO job_input(job, repo, hash) VALUES(?1, ?2, ?3)",
	[COMMIT_SAME] = "SELECT hash = ?3 FROM commits WHERE repo = ?1 AND time <= ?2 ORDER BY time DESC LIMIT 1",
	[COMMIT_NEW] = "INSERT OR REPLACE INTO commits(repo, time, hash, job, files, bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[COMMIT_DROP] = "DELETE FROM commits WHERE hash = ?1",
	[OUTPUT_DROP] = "UPDATE job SET output = NULL WHERE output = ?1",
	[PLACE_FIND] = "SELECT id FROM place WHERE host = ?1 AND command = ?2",
	[PLACE_NEW] = "INSERT INTO place(host, command) VALUES(?1, ?2)",
	[NAME_FIND] = "SELECT id FROM input_name WHERE name = ?1 AND repo = ?2",
	[NAME_NEW] = "INSERT INTO input_name(name, repo) VALUES(?1, ?2)",
	[DATUM_FIND] = "SELECT id FROM datum WHERE substr(key, 1, 6) = substr(?1, 1, 6) AND key = ?1",
	[DATUM_NEW] = "INSERT INTO datum(key, version, label) VALUES(?1, ?2, ?3)",
	[ATTEMPT_NEW] = "INSERT OR IGNORE INTO attempt VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
	[FAILURE_NEW] = "INSERT OR IGNORE INTO failure(job, datum, class) VALUES(?1, ?2, ?3)",
	[INPUT_NEW] = "INSERT OR IGNORE INTO input(datum, n, name, path, kind, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[OUTPUT_NEW] = "INSERT OR IGNORE INTO output(datum, n, path, kind, size, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[EGRESS_NEW] = "INSERT OR REPLACE INTO egress VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
};

/* A job of this transaction, and what its new attempts took: the planner sizes chunks by it. */
struct seen_job { char *name; int64_t id, ran, ran_us; };
struct seen_name { char *name, *repo; int64_t id; };

struct prov {
	struct sqlite3 *db;
	int lock;
	bool quiet;                     /* what is put comes from the journal */
	struct buf journal;
	sqlite3_stmt *st[N_SQL];
	struct seen_job *job; size_t n_job, cap_job;
	struct seen_name *name; size_t n_name, cap_name;
	char *version_repo; struct oid version_spec; int64_t version_id;
	char *host, *command; int64_t place_id;
};

static int
fail(struct prov *p, struct err *err)
{
	return db_fail(p->db, sqlite3_extended_errcode(p->db), "write", err);
}


static sqlite3_stmt *
prepare(struct prov *p, enum sql which, const char *types, va_list *ap)
{
	sqlite3_stmt **st = &p->st[which];

	if (!*st && sqlite3_prepare_v3(p->db, sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK)
		return NULL;
	return db_bind(*st, types, ap) == SQLITE_OK ? *st : NULL;
}

static int
put(struct prov *p, struct err *err, enum sql which, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	sqlite3_stmt *st = prepare(p, which, types, &ap);
	va_end(ap);
	if (!st || sqlite3_step(st) != SQLITE_DONE) {
		fail(p, err);
		if (st)
			sqlite3_reset(st);
		return -1;
	}
	sqlite3_reset(st);
	return 0;
}

/* Row number of what the statement finds, 0 if it finds nothing. */
static int
vfind(struct prov *p, int64_t *ret, struct err *err, enum sql which, const char *types, va_list *ap)
{
	sqlite3_stmt *st = prepare(p, which, types, ap);
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;

	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(p, err);
	if (st)
		sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : -1;
}

static int
find(struct prov *p, int64_t *ret, struct err *err, enum sql which, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	int rc = vfind(p, ret, err, which, types, &ap);
	va_end(ap);
	return rc;
}

/* Row number of a thing that has a name, made if need be. Both statements take the same values, the first fewer of them.
 * 1 made, 0 was there, -1. */
static int
intern(struct prov *p, int64_t *ret, struct err *err, enum sql find_it, enum sql make_it, const char *types, ...)
{
	va_list ap, again;
	int rc;

	va_start(ap, types);
	va_copy(again, ap);
	rc = vfind(p, ret, err, find_it, types, &ap);
	if (rc == 0 && *ret == 0) {
		sqlite3_stmt *st = prepare(p, make_it, types, &again);

		if (st && sqlite3_step(st) == SQLITE_DONE) {
			*ret = sqlite3_last_insert_rowid(p->db);
			rc = 1;
		} else {
			rc = fail(p, err);
		}
		if (st)
			sqlite3_reset(st);
	}
	va_end(again);
	va_end(ap);
	return rc;
}

static int
repo_id(struct prov *p, const char *name, int64_t *ret, struct err *err)
{
	return intern(p, ret, err, REPO_FIND, REPO_NEW, "s", name) < 0 ? -1 : 0;
}

static int
text_id(struct prov *p, const char *text, int64_t *ret, struct err *err)
{
	struct oid id;
	int rc;

	*ret = 0;
	if (!text)
		return 0;
	sha256_bytes(text, strlen(text), &id);
	rc = intern(p, ret, err, TEXT_FIND, TEXT_NEW, "hs", &id, text);
	if (rc == 1)
		journal_text(&p->journal, text);
	return rc < 0 ? -1 : 0;
}

static void
release(struct prov *p)
{
	for (int i = 0; i < N_SQL; i++)
		sqlite3_finalize(p->st[i]);
	for (size_t i = 0; i < p->n_job; i++)
		free(p->job[i].name);
	for (size_t i = 0; i < p->n_name; i++) {
		free(p->name[i].name);
		free(p->name[i].repo);
	}
	free(p->job);
	free(p->name);
	free(p->version_repo);
	free(p->host);
	free(p->command);
	buf_release(&p->journal);
	db_close(p->db);
	if (p->lock >= 0)
		close(p->lock);
	free(p);
}

int
prov_begin(struct prov **ret, struct err *err)
{
	struct prov *p = xcalloc(1, sizeof *p);

	p->lock = lock_take(LOCK_DATABASE, false, false, err);
	if (p->lock < 0 || db_open_write(&p->db, err) < 0) {
		release(p);
		return -1;
	}
	*ret = p;
	return 0;
}

int
prov_rebuild(struct prov **ret, struct err *err)
{
	if (prov_begin(ret, err) < 0)
		return -1;
	(*ret)->quiet = true;
	return 0;
}

void
prov_abort(struct prov *p)
{
	struct err ignored = ERR_INIT;

	if (!p)
		return;
	for (int i = 0; i < N_SQL; i++)
		sqlite3_reset(p->st[i]);
	db_exec(p->db, "ROLLBACK", &ignored);
	release(p);
}

int
prov_commit(struct prov *p, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < p->n_job && rc == 0; i++)
		if (p->job[i].ran)
			rc = put(p, err, JOB_RAN, "iii", p->job[i].id, p->job[i].ran, p->job[i].ran_us);
	if (rc == 0)
		rc = db_exec(p->db, "COMMIT", err);
	if (rc < 0) {
		prov_abort(p);
		return -1;
	}
	/* As much of the log as nobody reads goes into the database; the rest the next time. */
	sqlite3_busy_timeout(p->db, 0);
	sqlite3_wal_checkpoint_v2(p->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	rc = p->quiet ? 0 : journal_append(&p->journal, err);
	release(p);
	return rc;
}

struct sqlite3 *
prov_database(struct prov *p)
{
	return p->db;
}

int
prov_put_run(struct prov *p, const struct prov_run *run, struct err *err)
{
	int64_t id;

	if (intern(p, &id, err, RUN_FIND, RUN_NEW, "s", run->id) < 0)
		return -1;
	journal_run(&p->journal, run);
	return put(p, err, RUN_SET, "iissss", id, (int64_t)run->started, run->host, run->user, run->command, run->version);
}

static int
version_id(struct prov *p, const char *pipeline, const struct oid *spec, int64_t *ret, struct err *err)
{
	int64_t repo;

	if (p->version_repo && strcmp(p->version_repo, pipeline) == 0 && oid_eq(&p->version_spec, spec)) {
		*ret = p->version_id;
		return 0;
	}
	if (repo_id(p, pipeline, &repo, err) < 0 || intern(p, ret, err, VERSION_FIND, VERSION_NEW, "ih", repo, spec) < 0)
		return -1;
	free(p->version_repo);
	p->version_repo = xstrdup(pipeline);
	p->version_spec = *spec;
	p->version_id = *ret;
	return 0;
}

int
prov_put_version(struct prov *p, const struct conf *c, const struct oid *spec, const struct oid *step,
                 const char *script_text, struct err *err)
{
	int64_t id, script, conf;

	if (version_id(p, c->pipeline, spec, &id, err) < 0 || text_id(p, script_text, &script, err) < 0 ||
	    text_id(p, c->spec, &conf, err) < 0)
		return -1;
	journal_version(&p->journal, c->pipeline, spec, step, c->salt, script_text, c->spec);
	return put(p, err, VERSION_SET, "ihrrs", id, step, script, conf, c->salt);
}

static int
git_id(struct prov *p, const struct prov_git *g, int64_t *ret, struct err *err)
{
	struct sha256 h;
	struct oid id;
	int64_t diff = 0;

	*ret = 0;
	if (!g || !g->commit || !*g->commit)
		return 0;
	const char *branch = g->branch ? g->branch : "", *text = g->diff && *g->diff ? g->diff : NULL;
	sha256_init(&h);
	sha256_field_str(&h, g->commit);
	sha256_field_str(&h, branch);
	sha256_field_u64(&h, g->dirty);
	sha256_field_str(&h, text ? text : "");
	sha256_final(&h, &id);
	if (text_id(p, text, &diff, err) < 0)
		return -1;
	return intern(p, ret, err, GIT_FIND, GIT_NEW, "hssir", &id, g->commit, branch, (int64_t)g->dirty, diff) < 0 ? -1 : 0;
}

static int
code_id(struct prov *p, const struct prov_code *code, size_t n, int64_t *ret, struct err *err)
{
	struct sha256 h;
	struct oid id;
	int rc;

	*ret = 0;
	if (n == 0)
		return 0;
	sha256_init(&h);
	for (size_t i = 0; i < n; i++) {
		sha256_field_str(&h, code[i].path);
		sha256_field_u64(&h, code[i].exec);
		sha256_field_oid(&h, &code[i].id);
	}
	sha256_final(&h, &id);
	rc = intern(p, ret, err, SET_FIND, SET_NEW, "h", &id);
	for (size_t i = 0; rc == 1 && i < n; i++)
		if (put(p, err, SET_FILE, "isih", *ret, code[i].path, (int64_t)code[i].exec, &code[i].id) < 0)
			return -1;
	return rc < 0 ? -1 : 0;
}

/* The job's row. One that nobody has put yet was killed, until it is. */
static int
job_id(struct prov *p, const char *name, const char *run, const char *pipeline, uint64_t started, int64_t version,
       struct seen_job **ret, struct err *err)
{
	int64_t id, run_id, repo;

	for (size_t i = p->n_job; i-- > 0; )
		if (strcmp(p->job[i].name, name) == 0) {
			*ret = &p->job[i];
			return 0;
		}
	if (intern(p, &run_id, err, RUN_FIND, RUN_NEW, "s", run ? run : "") < 0 || repo_id(p, pipeline, &repo, err) < 0 ||
	    intern(p, &id, err, JOB_FIND, JOB_NEW, "siiir", name, run_id, repo, (int64_t)started, version) < 0)
		return -1;
	GROW(p->job, p->n_job, p->cap_job);
	p->job[p->n_job] = (struct seen_job){ xstrdup(name), id, 0, 0 };
	*ret = &p->job[p->n_job++];
	return 0;
}

int
prov_put_job(struct prov *p, const struct prov_job *j, struct err *err)
{
	struct seen_job *job;
	int64_t run, repo, version, git, code, in;

	if (version_id(p, j->pipeline, &j->spec, &version, err) < 0 || repo_id(p, j->pipeline, &repo, err) < 0 ||
	    git_id(p, j->git, &git, err) < 0 || code_id(p, j->code, j->n_code, &code, err) < 0 ||
	    intern(p, &run, err, RUN_FIND, RUN_NEW, "s", j->run) < 0 ||
	    job_id(p, j->id, j->run, j->pipeline, j->started, version, &job, err) < 0)
		return -1;
	if (put(p, err, JOB_SET, "iiiiirrssiiiiiih", job->id, run, repo, (int64_t)j->started, version, git, code, j->state,
	        j->reason ? j->reason : "", (int64_t)j->finished, (int64_t)j->total, (int64_t)j->processed,
	        (int64_t)j->skipped, (int64_t)j->failed, (int64_t)j->recovered, j->has_commit ? &j->commit : NULL) < 0 ||
	    put(p, err, JOB_INPUT_DROP, "i", job->id) < 0)
		return -1;
	journal_job(&p->journal, j);
	for (size_t i = 0; i < j->n_input; i++)
		if (repo_id(p, j->input[i].repo, &in, err) < 0 ||
		    put(p, err, JOB_INPUT, "iih", job->id, in, &j->input[i].commit) < 0)
			return -1;
	return 0;
}

static int
place_id(struct prov *p, const char *host, const char *command, int64_t *ret, struct err *err)
{
	host = host ? host : "";
	command = command ? command : "";
	if (p->host && strcmp(p->host, host) == 0 && strcmp(p->command, command) == 0) {
		*ret = p->place_id;
		return 0;
	}
	if (intern(p, ret, err, PLACE_FIND, PLACE_NEW, "ss", host, command) < 0)
		return -1;
	free(p->host);
	free(p->command);
	p->host = xstrdup(host);
	p->command = xstrdup(command);
	p->place_id = *ret;
	return 0;
}

static int
name_id(struct prov *p, const char *name, const char *repo, int64_t *ret, struct err *err)
{
	int64_t r;

	for (size_t i = 0; i < p->n_name; i++)
		if (strcmp(p->name[i].name, name) == 0 && strcmp(p->name[i].repo, repo) == 0) {
			*ret = p->name[i].id;
			return 0;
		}
	if (repo_id(p, repo, &r, err) < 0 || intern(p, ret, err, NAME_FIND, NAME_NEW, "si", name, r) < 0)
		return -1;
	GROW(p->name, p->n_name, p->cap_name);
	p->name[p->n_name++] = (struct seen_name){ xstrdup(name), xstrdup(repo), *ret };
	return 0;
}

static int
put_attempts(struct prov *p, const struct result *r, struct seen_job *job, int64_t datum, struct err *err)
{
	int64_t place;

	if (place_id(p, r->host, r->command, &place, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_attempt; i++) {
		const struct attempt *a = &r->attempt[i];
		int64_t us = a->ended > a->started ? (int64_t)((a->ended - a->started) / 1000) : 0;

		if (put(p, err, ATTEMPT_NEW, "iiiiiiiiiiiiiis", job->id, datum, (int64_t)i + 1, (int64_t)(a->started / 1000), us,
		        (int64_t)a->exit, (int64_t)a->signal, (int64_t)a->utime_us, (int64_t)a->stime_us,
		        (int64_t)a->maxrss_kb, (int64_t)a->in_bytes, (int64_t)a->out_bytes, (int64_t)a->log, place,
		        a->class && a->class[0] ? a->class : NULL) < 0)
			return -1;
		/* An attempt that was there already has been counted. */
		if (sqlite3_changes(p->db) > 0) {
			job->ran++;
			job->ran_us += us;
		}
	}
	return 0;
}

static int
put_files(struct prov *p, const struct result *r, int64_t datum, struct err *err)
{
	int64_t name;

	for (size_t i = 0; i < r->n_input; i++) {
		const struct result_input *in = &r->input[i];

		if (name_id(p, in->name, in->repo, &name, err) < 0 ||
		    put(p, err, INPUT_NEW, "iiisch", datum, (int64_t)i, name, in->path, in->kind, &in->id) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->n_output; i++) {
		const struct result_output *out = &r->output[i];

		if (put(p, err, OUTPUT_NEW, "iiscih", datum, (int64_t)i, out->path, out->kind, (int64_t)out->size, &out->id) < 0)
			return -1;
	}
	return 0;
}

int
prov_put_result(struct prov *p, const struct result *r, const struct oid *spec, struct err *err)
{
	uint64_t started = r->n_attempt > 0 ? r->attempt[0].started : 0;
	struct seen_job *job;
	int64_t version, datum;

	if (version_id(p, r->pipeline, spec, &version, err) < 0 ||
	    job_id(p, r->job, r->run, r->pipeline, started, version, &job, err) < 0 ||
	    intern(p, &datum, err, DATUM_FIND, DATUM_NEW, "his", &r->key, version, r->label) < 0)
		return -1;
	if (put_attempts(p, r, job, datum, err) < 0 || put_files(p, r, datum, err) < 0)
		return -1;
	if (strcmp(r->state, "recovered") == 0)
		return put(p, err, FAILURE_NEW, "iis", job->id, datum, r->state);
	if (strcmp(r->state, "failed") == 0)
		return put(p, err, FAILURE_NEW, "iis", job->id, datum, r->class ? r->class : "");
	return 0;
}

int
prov_put_commit(struct prov *p, const char *repo, const struct oid *id, uint64_t when, const char *job,
                uint64_t files, uint64_t bytes, struct err *err)
{
	int64_t r, by = 0, same;

	if (repo_id(p, repo, &r, err) < 0 || (job && *job && find(p, &by, err, JOB_FIND, "s", job) < 0) ||
	    find(p, &same, err, COMMIT_SAME, "iih", r, (int64_t)when, id) < 0)
		return -1;
	/* A history is of changes: what is the newest already is no news. */
	if (same)
		return 0;
	journal_commit(&p->journal, repo, id, when, job, files, bytes);
	return put(p, err, COMMIT_NEW, "iihrii", r, (int64_t)when, id, by, (int64_t)files, (int64_t)bytes);
}

int
prov_put_egress(struct prov *p, const struct pushed *v, struct err *err)
{
	int64_t repo;

	if (repo_id(p, v->pipeline, &repo, err) < 0)
		return -1;
	journal_egress(&p->journal, v);
	return put(p, err, EGRESS_NEW, "isiihssiiiiii", repo, v->url, (int64_t)v->started, (int64_t)v->finished, &v->commit,
	    v->failed ? "failed" : "done", v->reason, (int64_t)v->put, (int64_t)v->put_bytes, (int64_t)v->gone, (int64_t)v->same,
	    (int64_t)v->left, (int64_t)v->left_bytes);
}

int
prov_forget_commit(struct prov *p, const struct oid *id, struct err *err)
{
	journal_forgot(&p->journal, id);
	return put(p, err, COMMIT_DROP, "h", id) < 0 ? -1 : put(p, err, OUTPUT_DROP, "h", id);
}

void
prov_longest(const char *pipeline, unsigned most, struct buf *ret)
{
	static const char sql[] = "SELECT max(us), label FROM attempt JOIN datum ON datum.id = attempt.datum WHERE job ="
	    " (SELECT id FROM job WHERE ran > 0 AND repo = (SELECT id FROM repo WHERE name = ?1) ORDER BY started DESC LIMIT 1)"
	    " GROUP BY attempt.datum ORDER BY 1 DESC LIMIT ?2";
	struct err ignored = ERR_INIT;
	struct sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;

	if (db_open_read(&db, &ignored) != 1)
		return;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_bind_text(st, 1, pipeline, -1, SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_int64(st, 2, most) == SQLITE_OK)
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *label = (const char *)sqlite3_column_text(st, 1);

			rec_word(ret, "took");
			rec_u64(ret, (uint64_t)sqlite3_column_int64(st, 0) * 1000u);
			rec_str(ret, label ? label : "");
			rec_end(ret);
		}
	sqlite3_finalize(st);
	db_close(db);
}

uint64_t
prov_duration(const char *pipeline)
{
	static const char sql[] = "SELECT sum(ran_us), sum(ran) FROM (SELECT ran_us, ran FROM job WHERE ran > 0 AND"
	    " repo = (SELECT id FROM repo WHERE name = ?1) ORDER BY started DESC LIMIT 4)";
	struct err ignored = ERR_INIT;
	struct sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	uint64_t ns = 0;

	if (db_open_read(&db, &ignored) != 1)
		return 0;
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_bind_text(st, 1, pipeline, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_int64(st, 1) > 0)
		ns = (uint64_t)(sqlite3_column_int64(st, 0) / sqlite3_column_int64(st, 1)) * 1000u;
	sqlite3_finalize(st);
	db_close(db);
	return ns;
}
