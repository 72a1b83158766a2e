/* migrations.h: opening .dassie/provenance.db, in the version this program knows, and what goes wrong with it in words. */
#ifndef RUNTIME_MIGRATIONS_H
#define RUNTIME_MIGRATIONS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct sqlite3;
struct sqlite3_stmt;

/* To write: made if it is not there; the caller holds the database's lock. On success a transaction is open and the
 * tables are of the newest version. */
int db_open_write(struct sqlite3 **ret, struct err *err);

/* To read. 1 open; 0 there is no database, or nothing in it; -1 error. An older one is brought up to date first. */
int db_open_read(struct sqlite3 **ret, struct err *err);

void db_close(struct sqlite3 *db);                     /* legal on NULL; never checkpoints */

/* What the connection says of its last call, as a sentence with the way out. Returns -1. */
int db_fail(struct sqlite3 *db, int code, const char *doing, struct err *err);

/* One or more statements without rows. */
int db_exec(struct sqlite3 *db, const char *sql, struct err *err);

/* Bind as many values as the statement asks for: s text, i int64_t, r row number (0 is NULL), h struct oid * (NULL
 * is NULL), c a char. They are not copied: they are the caller's until the step. Returns SQLite's code. */
int db_bind(struct sqlite3_stmt *st, const char *types, va_list *ap);

#endif
