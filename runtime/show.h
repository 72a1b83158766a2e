/* show.h: how queries put things for a person: names that cannot harm a terminal, times, sizes, columns. */
#ifndef RUNTIME_SHOW_H
#define RUNTIME_SHOW_H

#include "../base/buf.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { SHORT_HEX = 12 };                                  /* digits of a short id */

/* A name on one line: control characters as \n \t \x1b, and where it is for a terminal also bytes that are not UTF-8. */
void show_name(struct buf *b, const char *s);
void show_id(struct buf *b, const struct oid *id);        /* SHORT_HEX digits */
void show_ago(struct buf *b, uint64_t ns);                /* "3 min ago" */
void show_when(struct buf *b, uint64_t ns);               /* "2026-11-22 07:00:59Z", "-" for 0 */
void show_span(struct buf *b, uint64_t ns);               /* "0.4 s", "3 min 20 s" */
void show_size(struct buf *b, uint64_t bytes);            /* "712 B", "1.4 MB" */
void show_files(struct buf *b, uint64_t n, uint64_t bytes);      /* "2 files (1.5 kB)" */
void show_count(struct buf *b, uint64_t n, const char *one, const char *many);   /* "1 file", "2 files" */

/* Escape sequences, "" where stdout is no terminal that wants colour. */
enum show_color { SHOW_PLAIN, SHOW_BOLD, SHOW_DIM, SHOW_RED, SHOW_GREEN, SHOW_YELLOW };
const char *show_color(enum show_color c);
/* Columns of the terminal, 80 where there is none. */
size_t show_columns(void);
/* How many columns the text takes, escape sequences not counted. */
size_t show_width(const char *s, size_t n);

/* A table: cells are appended to `cell`, each ended by show_cell(); a row by show_row(). Columns are as wide as their
 * widest cell; the last one is not padded. */
struct table {
	struct buf cell;
	size_t *end; size_t n, cap;      /* where each cell ends in `cell` */
	size_t columns;
	bool right[16];                  /* columns of numbers */
};

#define TABLE_INIT { .cell = BUF_INIT }

void show_cell(struct table *t);
void show_row(struct table *t);
void show_table(struct buf *b, const struct table *t, const char *indent);
void table_release(struct table *t);

/* Write b to stdout and release it. Returns the exit status, EXIT_WORLD if that failed. */
int show_out(struct buf *b, int status);

/* Tell it. A wrong argument (err_set() with SHOW_USAGE for errno) gives EXIT_USAGE, anything else EXIT_WORLD. */
enum { SHOW_USAGE = -2 };
int show_err(const struct err *err);

/* "usage: …" to stdout with status 0 (asked for), else to stderr with EXIT_USAGE. */
int show_usage(const char *text, bool asked);

#endif
