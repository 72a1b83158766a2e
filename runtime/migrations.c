/* migrations.c: the database's tables, as a list of numbered steps that is only ever added to.
 *
 * PRAGMA user_version counts the steps that were taken, application_id says that the file is ours. All steps run
 * in the writer's own transaction, so a killed migration never was. A database with more steps than we know belongs
 * to a newer dassie and is left alone.
 *
 * Rows are small on purpose (a datum that ran costs some 300 bytes): hashes are 32-byte blobs, names are rows of
 * their own and referred to by number, and the key index holds six bytes of a key, which is enough to find it by.
 * Times are nanoseconds since 1970 in run, job and commits, and microseconds in attempt. */
#include "migrations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sqlite3.h>

#include "../base/err.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/sha256.h"

enum { APPLICATION = 0x64617373, PATIENCE_MS = 120 * 1000 };   /* "dass" */

static const char *const step[] = {
	/* 1 */
	"CREATE TABLE repo(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE text(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body TEXT NOT NULL);"
	"CREATE TABLE run(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, started INTEGER, host TEXT, user TEXT,"
	" command TEXT, program TEXT);"
	"CREATE TABLE version(id INTEGER PRIMARY KEY, repo INTEGER NOT NULL REFERENCES repo, spec BLOB NOT NULL, step BLOB,"
	" script INTEGER REFERENCES text, conf INTEGER REFERENCES text, salt TEXT, UNIQUE(repo, spec));"
	"CREATE TABLE git(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, head TEXT NOT NULL, branch TEXT NOT NULL,"
	" dirty INTEGER NOT NULL, diff INTEGER REFERENCES text);"
	"CREATE TABLE code_set(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE);"
	"CREATE TABLE code_file(code_set INTEGER NOT NULL REFERENCES code_set, path TEXT NOT NULL, exec INTEGER NOT NULL,"
	" hash BLOB NOT NULL, PRIMARY KEY(code_set, path)) WITHOUT ROWID;"
	"CREATE TABLE job(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, run INTEGER NOT NULL REFERENCES run,"
	" repo INTEGER NOT NULL REFERENCES repo, version INTEGER REFERENCES version, git INTEGER REFERENCES git,"
	" code_set INTEGER REFERENCES code_set, state TEXT NOT NULL, reason TEXT, started INTEGER NOT NULL, finished INTEGER,"
	" total INTEGER, processed INTEGER, skipped INTEGER, failed INTEGER, recovered INTEGER, output BLOB,"
	" ran INTEGER NOT NULL DEFAULT 0, ran_us INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX job_repo ON job(repo, started);"
	"CREATE TABLE job_input(job INTEGER NOT NULL REFERENCES job, repo INTEGER NOT NULL REFERENCES repo, hash BLOB NOT NULL,"
	" PRIMARY KEY(job, repo)) WITHOUT ROWID;"
	"CREATE TABLE commits(repo INTEGER NOT NULL REFERENCES repo, time INTEGER NOT NULL, hash BLOB NOT NULL,"
	" job INTEGER REFERENCES job, files INTEGER, bytes INTEGER, PRIMARY KEY(repo, time, hash)) WITHOUT ROWID;"
	"CREATE TABLE place(id INTEGER PRIMARY KEY, host TEXT NOT NULL, command TEXT NOT NULL, UNIQUE(host, command));"
	"CREATE TABLE input_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL, repo INTEGER NOT NULL REFERENCES repo,"
	" UNIQUE(name, repo));"
	"CREATE TABLE datum(id INTEGER PRIMARY KEY, key BLOB NOT NULL, version INTEGER NOT NULL REFERENCES version,"
	" label TEXT NOT NULL);"
	"CREATE INDEX datum_key ON datum(substr(key, 1, 6));"
	"CREATE TABLE attempt(job INTEGER NOT NULL REFERENCES job, datum INTEGER NOT NULL REFERENCES datum, n INTEGER NOT NULL,"
	" started INTEGER, us INTEGER, exit INTEGER, signal INTEGER, utime_us INTEGER, stime_us INTEGER, maxrss_kb INTEGER,"
	" in_bytes INTEGER, out_bytes INTEGER, log INTEGER, place INTEGER REFERENCES place,"
	" PRIMARY KEY(job, datum, n)) WITHOUT ROWID;"
	"CREATE TABLE failure(job INTEGER NOT NULL REFERENCES job, datum INTEGER NOT NULL REFERENCES datum, class TEXT,"
	" PRIMARY KEY(job, datum)) WITHOUT ROWID;"
	"CREATE TABLE input(datum INTEGER NOT NULL REFERENCES datum, n INTEGER NOT NULL, name INTEGER NOT NULL REFERENCES input_name,"
	" path TEXT NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(datum, n)) WITHOUT ROWID;"
	"CREATE TABLE output(datum INTEGER NOT NULL REFERENCES datum, n INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,"
	" size INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(datum, n)) WITHOUT ROWID;"
	/* For people with a shell and a question. */
	"CREATE VIEW ran AS SELECT repo.name AS pipeline, job.name AS job, lower(hex(datum.key)) AS datum, datum.label,"
	" attempt.n AS attempt, strftime('%Y-%m-%dT%H:%M:%fZ', attempt.started / 1e6, 'unixepoch') AS started,"
	" attempt.us / 1e6 AS seconds, attempt.exit, attempt.signal, attempt.utime_us / 1e6 AS user_seconds,"
	" attempt.stime_us / 1e6 AS system_seconds, attempt.maxrss_kb, attempt.in_bytes, attempt.out_bytes, place.host,"
	" place.command FROM attempt JOIN datum ON datum.id = attempt.datum JOIN job ON job.id = attempt.job"
	" JOIN repo ON repo.id = job.repo LEFT JOIN place ON place.id = attempt.place;",
	/* Why an attempt did not succeed. */
	"ALTER TABLE attempt ADD COLUMN class TEXT;",
	/* Pushes; times in nanoseconds since 1970, remaining: files that did not get there */
	"CREATE TABLE egress(repo INTEGER NOT NULL REFERENCES repo, url TEXT NOT NULL, started INTEGER NOT NULL, finished INTEGER,"
	" hash BLOB NOT NULL, state TEXT NOT NULL, reason TEXT, put INTEGER, put_bytes INTEGER, deleted INTEGER, unchanged INTEGER,"
	" remaining INTEGER, remaining_bytes INTEGER, PRIMARY KEY(repo, started, url)) WITHOUT ROWID;",
	/* The ledger of ticks (ledger.h). Instants are seconds since 1970, decided, began and ended nanoseconds. */
	"CREATE TABLE schedule(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, print TEXT NOT NULL, upto INTEGER NOT NULL);"
	"CREATE TABLE tick(schedule INTEGER NOT NULL REFERENCES schedule, at INTEGER NOT NULL, decision TEXT NOT NULL,"
	" cause TEXT NOT NULL, decided INTEGER NOT NULL, many INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL DEFAULT '',"
	" run TEXT NOT NULL DEFAULT '', began INTEGER, ended INTEGER, PRIMARY KEY(schedule, at)) WITHOUT ROWID;"
	"CREATE INDEX tick_open ON tick(state) WHERE state IN ('waiting', 'running');",
};

enum { NEWEST = sizeof step / sizeof *step };

#define WAY_OUT "move it away (mv " FILE_DB " somewhere): make goes on without it, and 'dassie fsck --rebuild' makes it again " \
	"from the files"

int
db_fail(struct sqlite3 *db, int code, const char *doing, struct err *err)
{
	const char *why = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
	int num = db ? sqlite3_system_errno(db) : 0;

	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, 0, "database '%s' is damaged: %s; " WAY_OUT, FILE_DB, why);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, 0, "cannot %s the database '%s': another process keeps it busy for minutes now; try again",
		    doing, FILE_DB);
	case SQLITE_FULL:
		return err_set(err, ENOSPC, "cannot %s the database '%s': the disk is full; make room and run make again",
		    doing, FILE_DB);
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_IOERR:
		if (num)
			return err_set(err, num, "cannot %s the database '%s': %s:", doing, FILE_DB, why);
		break;
	}
	return err_set(err, num, "cannot %s the database '%s': %s", doing, FILE_DB, why);
}

int
db_exec(struct sqlite3 *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(db, rc, "write", err);
}

void
db_close(struct sqlite3 *db)
{
	if (db && sqlite3_close(db) != SQLITE_OK)
		BUG("a statement of the database was left open");
}

static int
bind_one(sqlite3_stmt *st, int i, char type, va_list *ap)
{
	const struct oid *id;
	int64_t v;
	char c[1];

	switch (type) {
	case 's':
		return sqlite3_bind_text(st, i, va_arg(*ap, const char *), -1, SQLITE_STATIC);
	case 'i':
		return sqlite3_bind_int64(st, i, va_arg(*ap, int64_t));
	case 'r':
		v = va_arg(*ap, int64_t);
		return v ? sqlite3_bind_int64(st, i, v) : sqlite3_bind_null(st, i);
	case 'h':
		id = va_arg(*ap, const struct oid *);
		return id ? sqlite3_bind_blob(st, i, id->b, OID_SIZE, SQLITE_STATIC) : sqlite3_bind_null(st, i);
	case 'c':
		c[0] = (char)va_arg(*ap, int);
		return sqlite3_bind_text(st, i, c, 1, SQLITE_TRANSIENT);
	}
	BUG("unknown type of an SQL value");
}

int
db_bind(struct sqlite3_stmt *st, const char *types, va_list *ap)
{
	int want = sqlite3_bind_parameter_count(st), rc = SQLITE_OK;

	for (int i = 1; i <= want && rc == SQLITE_OK; i++)
		rc = bind_one(st, i, types[i - 1], ap);
	return rc;
}

static int
pragma_i64(struct sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : db_fail(db, rc, "read", err);
}

/* How many steps the file has behind it; 0 is an empty file. */
static int
version_of(struct sqlite3 *db, int *ret, struct err *err)
{
	int64_t version, app, tables;

	if (pragma_i64(db, "PRAGMA user_version", &version, err) < 0 || pragma_i64(db, "PRAGMA application_id", &app, err) < 0 ||
	    pragma_i64(db, "SELECT count(*) FROM sqlite_master", &tables, err) < 0)
		return -1;
	if (tables > 0 && app != APPLICATION)
		return err_set(err, 0, "'%s' is a database, but not dassie's; " WAY_OUT, FILE_DB);
	if (version > NEWEST)
		return err_set(err, 0, "database '%s' was written by a newer dassie (its format is %lld, this one knows %d): "
		    "use that dassie, or " WAY_OUT, FILE_DB, (long long)version, NEWEST);
	if (version < 0 || (version > 0) != (tables > 0))
		return err_set(err, 0, "database '%s' is damaged: %lld tables in format %lld; " WAY_OUT, FILE_DB,
		    (long long)tables, (long long)version);
	*ret = (int)version;
	return 0;
}

/* WAL needs shared memory, which network file systems do not have, whatever they answer. */
static bool
on_network(void)
{
	static const long net[] = { 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x73757245,
	    0x00c36400, 0x0bd00bd0, 0x47504653, 0x65735546 };   /* NFS SMB CIFS SMB2 9P AFS CODA CEPH LUSTRE GPFS FUSE */
	struct statfs st;

	if (statfs(DIR_STATE, &st) < 0)
		return false;
	for (size_t i = 0; i < sizeof net / sizeof *net; i++)
		if ((unsigned long)st.f_type == (unsigned long)net[i])
			return true;
	return false;
}

/* Readers and writers alike: only prov_commit() checkpoints, and a closed connection leaves the log where it is
 * (before SQLite 3.51.3 two connections that checkpointed at once could damage a database). */
static int
open_quiet(struct sqlite3 **ret, const char *name, int flags, struct err *err)
{
	struct sqlite3 *db = NULL;
	int on = 1, rc = sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, PATIENCE_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		db_fail(db, rc, "open", err);
		sqlite3_close(db);
		return -1;
	}
	sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	*ret = db;
	return 0;
}

static int
set_journal(struct sqlite3 *db, struct err *err)
{
	sqlite3_stmt *st = NULL;
	bool wal = false;
	int rc = SQLITE_ERROR;

	if (!on_network()) {
		rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &st, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_step(st);
		wal = rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
		sqlite3_finalize(st);
		if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_FULL)
			return db_fail(db, rc, "write", err);
	}
	if (!wal && db_exec(db, "PRAGMA journal_mode=TRUNCATE", err) < 0)
		return -1;
	return db_exec(db, "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;"
	    "PRAGMA journal_size_limit=1048576", err);
}

static int
migrate(struct sqlite3 *db, struct err *err)
{
	int version;
	char sql[96];

	if (version_of(db, &version, err) < 0)
		return -1;
	if (version == NEWEST)
		return 0;
	for (int i = version; i < NEWEST; i++)
		if (db_exec(db, step[i], err) < 0)
			return err_wrap(err, "cannot bring the database to format %d", i + 1);
	snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION, NEWEST);
	return db_exec(db, sql, err);
}

int
db_open_write(struct sqlite3 **ret, struct err *err)
{
	struct sqlite3 *db = NULL;
	int version;

	if (open_quiet(&db, FILE_DB, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err) < 0)
		return -1;
	/* Look before changing anything: the file may be another's. */
	if (version_of(db, &version, err) < 0 || set_journal(db, err) < 0 || db_exec(db, "BEGIN IMMEDIATE", err) < 0 ||
	    migrate(db, err) < 0) {
		db_close(db);
		return -1;
	}
	*ret = db;
	return 0;
}

/* A reader cannot migrate under its own connection; a writer that comes and goes can. */
static int
bring_up_to_date(struct err *err)
{
	struct sqlite3 *db = NULL;
	int lock = lock_take(LOCK_DATABASE, false, false, err), rc = -1;

	if (lock < 0)
		return -1;
	if (db_open_write(&db, err) == 0)
		rc = db_exec(db, "COMMIT", err);
	db_close(db);
	close(lock);
	return rc;
}

int
db_open_read(struct sqlite3 **ret, struct err *err)
{
	struct sqlite3 *db = NULL;
	struct stat st;
	int version = 0;

	if (stat(FILE_DB, &st) < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read the database '%s':", FILE_DB);
	if (access(FILE_DB, R_OK) < 0)
		return err_set(err, errno, "cannot read the database '%s':", FILE_DB);
	/* WAL wants to write its index beside the file. Where we may not, nobody else can be writing as us: read the file alone. */
	bool alone = access(DIR_STATE, W_OK) < 0 && access(FILE_DB "-shm", W_OK) < 0;
	if (open_quiet(&db, alone ? "file:" FILE_DB "?immutable=1" : FILE_DB, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err) < 0)
		return -1;
	if (version_of(db, &version, err) < 0) {
		db_close(db);
		return -1;
	}
	if (version == NEWEST) {
		*ret = db;
		return 1;
	}
	db_close(db);
	if (version == 0)
		return 0;
	return bring_up_to_date(err) < 0 ? -1 : db_open_read(ret, err);
}
