/* ledger.c: the key (schedule, instant) is the table's, so two crons that decide at once cannot both: the second one's row is
 * ignored.  The journal is written behind the transaction, like that of provenance.c. */
#include "ledger.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "journal.h"
#include "migrations.h"

enum sql { SCHEDULE_NEW, SCHEDULE_SET, TICK_NEW, TICK_WANT, TICK_MOVE, TICK_REPLAY, TICK_ROW, N_SQL };

#define OF_NAME "(SELECT id FROM schedule WHERE name = ?1)"

#define ROWS "SELECT schedule.name, at, decision, cause, decided, many, state, run, began, ended FROM tick" \
	" JOIN schedule ON schedule.id = tick.schedule WHERE "

static const char *const sql_text[N_SQL] = {
	[SCHEDULE_NEW] = "INSERT OR IGNORE INTO schedule(name, print, upto) VALUES(?1, '', 0)",
	[SCHEDULE_SET] = "UPDATE schedule SET print = ?2, upto = ?3 WHERE name = ?1",
	[TICK_NEW] = "INSERT OR IGNORE INTO tick(schedule, at, decision, cause, decided, many, state) VALUES(" OF_NAME ", ?2, ?3, ?4, ?5, ?6, ?7)",
	[TICK_WANT] = "INSERT INTO tick(schedule, at, decision, cause, decided, state) VALUES(" OF_NAME ", ?2, 'ran', ?3, ?4, 'waiting')"
	    " ON CONFLICT DO UPDATE SET decision = 'ran', cause = ?3, decided = ?4, state = 'waiting', many = 1"
	    " WHERE state NOT IN ('waiting', 'running', 'success')",
	[TICK_MOVE] = "UPDATE tick SET state = ?4, run = ?5, began = ?6, ended = ?7 WHERE schedule = " OF_NAME " AND at = ?2 AND state = ?3",
	[TICK_REPLAY] = "INSERT OR REPLACE INTO tick(schedule, at, decision, cause, decided, many, state, run, began, ended)"
	    " VALUES(" OF_NAME ", ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[TICK_ROW] = ROWS "schedule.name = ?1 AND at = ?2",
};

struct ledger {
	struct sqlite3 *db;
	int lock;
	struct buf journal;
	sqlite3_stmt *st[N_SQL];
};

static void
release(struct ledger *l)
{
	for (int i = 0; i < N_SQL; i++)
		sqlite3_finalize(l->st[i]);
	buf_release(&l->journal);
	db_close(l->db);
	if (l->lock >= 0)
		close(l->lock);
	free(l);
}

int
ledger_begin(struct ledger **ret, struct err *err)
{
	struct ledger *l = xcalloc(1, sizeof *l);

	l->lock = lock_take(LOCK_DATABASE, false, false, err);
	if (l->lock < 0 || db_open_write(&l->db, err) < 0) {
		release(l);
		return -1;
	}
	*ret = l;
	return 0;
}

void
ledger_abort(struct ledger *l)
{
	struct err ignored = ERR_INIT;

	if (!l)
		return;
	for (int i = 0; i < N_SQL; i++)
		sqlite3_reset(l->st[i]);
	db_exec(l->db, "ROLLBACK", &ignored);
	release(l);
}

int
ledger_commit(struct ledger *l, struct err *err)
{
	int rc;

	for (int i = 0; i < N_SQL; i++)
		sqlite3_reset(l->st[i]);
	if (db_exec(l->db, "COMMIT", err) < 0) {
		ledger_abort(l);
		return -1;
	}
	sqlite3_busy_timeout(l->db, 0);
	sqlite3_wal_checkpoint_v2(l->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	rc = journal_append(&l->journal, err);
	release(l);
	return rc;
}

static sqlite3_stmt *
prepare(struct ledger *l, enum sql which, const char *types, va_list *ap)
{
	sqlite3_stmt **st = &l->st[which];

	if (*st)
		sqlite3_reset(*st);
	else if (sqlite3_prepare_v3(l->db, sql_text[which], -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK)
		return NULL;
	return db_bind(*st, types, ap) == SQLITE_OK ? *st : NULL;
}

/* How many rows it changed, or -1. */
static int
put(struct ledger *l, struct err *err, enum sql which, const char *types, ...)
{
	sqlite3_stmt *st;
	va_list ap;

	va_start(ap, types);
	st = prepare(l, which, types, &ap);
	va_end(ap);
	if (!st || sqlite3_step(st) != SQLITE_DONE)
		return db_fail(l->db, sqlite3_extended_errcode(l->db), "write", err);
	sqlite3_reset(st);
	return sqlite3_changes(l->db);
}

static const char *
text_of(struct arena *a, sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return arena_str(a, s ? s : "");
}

static struct ledger_tick
tick_of(struct arena *a, sqlite3_stmt *st)
{
	return (struct ledger_tick){ .schedule = text_of(a, st, 0), .at = sqlite3_column_int64(st, 1), .decision = text_of(a, st, 2),
		.cause = text_of(a, st, 3), .decided = (uint64_t)sqlite3_column_int64(st, 4), .many = sqlite3_column_int64(st, 5),
		.state = text_of(a, st, 6), .run = text_of(a, st, 7), .began = (uint64_t)sqlite3_column_int64(st, 8),
		.ended = (uint64_t)sqlite3_column_int64(st, 9) };
}

static void
write_tick(struct buf *b, const struct ledger_tick *t)
{
	rec_word(b, "tick");
	rec_str(b, t->schedule);
	rec_i64(b, t->at);
	rec_str(b, t->decision);
	rec_str(b, t->cause);
	rec_u64(b, t->decided);
	rec_i64(b, t->many);
	rec_str(b, t->state);
	rec_str(b, t->run ? t->run : "");
	rec_u64(b, t->began);
	rec_u64(b, t->ended);
	rec_end(b);
}

int
ledger_put_schedule(struct ledger *l, const struct ledger_schedule *s, struct err *err)
{
	if (put(l, err, SCHEDULE_NEW, "s", s->name) < 0 || put(l, err, SCHEDULE_SET, "ssi", s->name, s->print, s->upto) < 0)
		return -1;
	rec_word(&l->journal, "schedule");
	rec_str(&l->journal, s->name);
	rec_str(&l->journal, s->print);
	rec_i64(&l->journal, s->upto);
	rec_end(&l->journal);
	return 0;
}

int
ledger_decide(struct ledger *l, const struct ledger_tick *t, struct err *err)
{
	int rc = put(l, err, TICK_NEW, "sissiis", t->schedule, t->at, t->decision, t->cause, (int64_t)t->decided, t->many, t->state);

	if (rc > 0)
		write_tick(&l->journal, t);
	return rc;
}

int
ledger_want(struct ledger *l, const struct ledger_tick *t, struct err *err)
{
	struct ledger_tick now = *t;
	int rc;

	if (put(l, err, SCHEDULE_NEW, "s", t->schedule) < 0)
		return -1;
	rc = put(l, err, TICK_WANT, "sisi", t->schedule, t->at, t->cause, (int64_t)t->decided);
	now.decision = "ran";
	now.state = "waiting";
	now.many = 1;
	if (rc > 0)
		write_tick(&l->journal, &now);
	return rc;
}

/* The row as it is now goes into the journal. */
static int
write_row(struct ledger *l, const struct ledger_tick *t, struct err *err, ...)
{
	struct arena a = ARENA_INIT;
	struct ledger_tick row;
	sqlite3_stmt *st;
	va_list ap;
	int rc;

	va_start(ap, err);
	st = prepare(l, TICK_ROW, "si", &ap);
	va_end(ap);
	rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	if (rc == SQLITE_ROW) {
		row = tick_of(&a, st);
		row.schedule = t->schedule;
		write_tick(&l->journal, &row);
	}
	if (st)
		sqlite3_reset(st);
	arena_release(&a);
	return rc == SQLITE_ROW ? 0 : db_fail(l->db, sqlite3_extended_errcode(l->db), "read", err);
}

int
ledger_move(struct ledger *l, const struct ledger_tick *t, const char *from, struct err *err)
{
	int rc = put(l, err, TICK_MOVE, "sisssii", t->schedule, t->at, from, t->state, t->run ? t->run : "", (int64_t)t->began, (int64_t)t->ended);

	return rc > 0 ? write_row(l, t, err, t->schedule, t->at) : rc;
}

int
ledger_replay(struct sqlite3 *db, const struct rec *r, struct err *err)
{
	struct ledger l = { .db = db, .lock = -1 };
	int64_t at = 0, many = 1;
	uint64_t decided = 0, began = 0, ended = 0;
	int rc = 0;

	if (rec_is(r, "schedule", 4) && rec_get_i64(r, 3, &at)) {
		rc = put(&l, err, SCHEDULE_NEW, "s", r->f[1]);
		if (rc >= 0)
			rc = put(&l, err, SCHEDULE_SET, "ssi", r->f[1], r->f[2], at);
	} else if (rec_is(r, "tick", 11) && rec_get_i64(r, 2, &at) && rec_get_u64(r, 5, &decided) && rec_get_i64(r, 6, &many) &&
	    rec_get_u64(r, 9, &began) && rec_get_u64(r, 10, &ended)) {
		rc = put(&l, err, SCHEDULE_NEW, "s", r->f[1]);
		if (rc >= 0)
			rc = put(&l, err, TICK_REPLAY, "sissiissii", r->f[1], at, r->f[3], r->f[4], (int64_t)decided, many, r->f[7], r->f[8],
			    (int64_t)began, (int64_t)ended);
	}
	for (int i = 0; i < N_SQL; i++)
		sqlite3_finalize(l.st[i]);
	return rc < 0 ? -1 : 0;
}

/* Questions. */

#define OF_PIPELINE "(?1 = '' OR schedule.name = ?1 OR substr(schedule.name, 1, length(?1) + 1) = ?1 || '/')"

/* What an answer has, row by row; nothing where there is no database. */
static int
each_row(void (*take)(void *list, sqlite3_stmt *st), void *list, struct err *err, const char *sql, const char *types, ...)
{
	struct sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	va_list ap;
	int rc = db_open_read(&db, err);

	if (rc <= 0)
		return rc;
	rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	va_start(ap, types);
	if (rc == SQLITE_OK)
		rc = db_bind(st, types, &ap);
	va_end(ap);
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		take(list, st);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		db_fail(db, rc, "read", err);
	sqlite3_finalize(st);
	db_close(db);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* The list that was gathered, in the arena. */
static void *
keep(struct arena *a, void *list, size_t n, size_t size)
{
	void *ret = arena_alloc(a, (n + 1) * size);

	if (n)
		memcpy(ret, list, n * size);
	free(list);
	return ret;
}

struct ticks { struct arena *arena; struct ledger_tick *v; size_t n, cap; };

static void
take_tick(void *list, sqlite3_stmt *st)
{
	struct ticks *t = list;

	GROW(t->v, t->n, t->cap);
	t->v[t->n++] = tick_of(t->arena, st);
}

static int
keep_ticks(struct ticks *t, int rc, struct ledger_tick **ret, size_t *ret_n)
{
	*ret = keep(t->arena, t->v, t->n, sizeof *t->v);
	*ret_n = t->n;
	return rc;
}

int
ledger_open_ticks(struct arena *a, const char *pipeline, struct ledger_tick **ret, size_t *ret_n, struct err *err)
{
	struct ticks t = { .arena = a };

	return keep_ticks(&t, each_row(take_tick, &t, err, ROWS "state IN ('waiting', 'running') AND " OF_PIPELINE " ORDER BY at, schedule.name", "s",
	    pipeline ? pipeline : ""), ret, ret_n);
}

int
ledger_history(struct arena *a, const char *pipeline, uint64_t limit, struct ledger_tick **ret, size_t *ret_n, struct err *err)
{
	struct ticks t = { .arena = a };

	return keep_ticks(&t, each_row(take_tick, &t, err, ROWS OF_PIPELINE " ORDER BY at DESC, schedule.name LIMIT ?2", "si",
	    pipeline ? pipeline : "", limit ? (int64_t)limit : (int64_t)-1), ret, ret_n);
}

int
ledger_between(struct arena *a, const char *schedule, int64_t from, int64_t to, struct ledger_tick **ret, size_t *ret_n, struct err *err)
{
	struct ticks t = { .arena = a };

	return keep_ticks(&t, each_row(take_tick, &t, err, ROWS "schedule.name = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at", "sii",
	    schedule, from, to), ret, ret_n);
}

struct schedules { struct arena *arena; struct ledger_schedule *v; size_t n, cap; };

static void
take_schedule(void *list, sqlite3_stmt *st)
{
	struct schedules *s = list;

	GROW(s->v, s->n, s->cap);
	s->v[s->n++] = (struct ledger_schedule){ text_of(s->arena, st, 0), text_of(s->arena, st, 1), sqlite3_column_int64(st, 2) };
}

int
ledger_schedules(struct arena *a, struct ledger_schedule **ret, size_t *ret_n, struct err *err)
{
	struct schedules s = { .arena = a };
	int rc = each_row(take_schedule, &s, err, "SELECT name, print, upto FROM schedule ORDER BY name", "");

	*ret = keep(a, s.v, s.n, sizeof *s.v);
	*ret_n = s.n;
	return rc;
}
