/* rec.h: the one syntax of dassie's text files.
 *
 * A file is lines; a line is fields with one blank between them; the first field says
 * what the line is.  In a field the bytes 0x00-0x20, 0x7f and '%' are written %XX (upper
 * case); an empty field is "%-".  Bytes from 0x80 on stand as they are, so any file name
 * survives and UTF-8 stays readable; a line's word is never escaped.  The first line is "dassie-KIND VERSION".
 * A sealed file ends with "sha256 HEX", the SHA-256 of all bytes before that line. */
#ifndef BASE_REC_H
#define BASE_REC_H

#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Writing: into a buf. */
void rec_head(struct buf *b, const char *kind, unsigned version);
void rec_word(struct buf *b, const char *word);           /* starts a line */
void rec_str(struct buf *b, const char *s);               /* a field more */
void rec_bytes(struct buf *b, const void *p, size_t n);
void rec_u64(struct buf *b, uint64_t v);
void rec_i64(struct buf *b, int64_t v);
void rec_oid(struct buf *b, const struct oid *id);
void rec_end(struct buf *b);                              /* ends the line */
void rec_seal(struct buf *b);                             /* ends the file */
void rec_put_seal(struct buf *b, const struct oid *id);   /* the same where the hash is known */

/* Reading: the text is split and unescaped in place. */
enum { REC_FIELDS = 32 };

struct rec {
	char *f[REC_FIELDS];        /* f[0] is the line's word; NUL-terminated */
	size_t len[REC_FIELDS];     /* bytes of each (a field may hold NUL) */
	size_t n;                   /* fields; what is past REC_FIELDS stays unsplit in the last */
	size_t at;                  /* byte offset of the line in the file */
};

struct recfile {
	char *text;
	size_t n, pos;
	size_t mapped;              /* bytes mapped, 0 if `text` is not ours to unmap */
	struct oid seal;            /* of a sealed one: the hash of all of it */
};

#define RECFILE_INIT { 0 }

/* 1 open and of this kind; 0 not there; -1 error (unreadable, another kind, a newer
 * version: the sentence says which).  The mapping is private: nothing is written back. */
int recfile_open(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err);
/* The same, and the seal must fit: else -1 ("… is damaged"). */
int recfile_open_sealed(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err);
/* The whole file, whatever it is: the caller checks it. */
int recfile_map(struct recfile *f, const char *path, struct err *err);
/* Text to be looked at as it is, not with recfile_next(): mapped for reading only, which spares a copy of every page.
 * The sealed one is of this kind and fits its seal; pos is behind its first line, n before its seal. */
int recfile_view(struct recfile *f, const char *path, struct err *err);
int recfile_view_sealed(struct recfile *f, const char *path, const char *kind, unsigned version, struct err *err);
/* Lines out of memory that the caller keeps (text is changed). */
void recfile_memory(struct recfile *f, char *text, size_t n);
bool recfile_next(struct recfile *f, struct rec *r);      /* false at the end */
void recfile_seek(struct recfile *f, size_t pos);
void recfile_release(struct recfile *f);

size_t rec_unescape(char *s, size_t n);                   /* a field's bytes, in place; how many they are then */
bool rec_is(const struct rec *r, const char *word, size_t fields);  /* word, and at least so many fields with it */
bool rec_get_u64(const struct rec *r, size_t i, uint64_t *ret);
bool rec_get_i64(const struct rec *r, size_t i, int64_t *ret);
bool rec_get_oid(const struct rec *r, size_t i, struct oid *ret);
/* Fields i and on, each a number from 0 to max, appended to *v (on the heap, *n of them): also those that a line of more than
 * REC_FIELDS leaves unsplit.  False if one is none; *v is the caller's in any case. */
bool rec_get_ints(const struct rec *r, size_t i, int max, int **v, size_t *n);

#endif
