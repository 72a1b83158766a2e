/* json.h: JSON (RFC 8259) out, never in.  Bytes that are not UTF-8 are written as U+FFFD, and the member
 * gets a twin "NAME_bytes" with the exact bytes in hex (json_str does that by itself). */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct oid;

/* Commas are placed by looking at the last byte, so calls can be nested freely. name NULL: an array's element. */
void json_open(struct buf *b, const char *name, char bracket);    /* '{' or '[' */
void json_close(struct buf *b, char bracket);                     /* '}' or ']' */
void json_str(struct buf *b, const char *name, const char *s);    /* s NULL: null */
void json_i64(struct buf *b, const char *name, int64_t v);
void json_bool(struct buf *b, const char *name, bool v);
void json_no_value(struct buf *b, const char *name);
void json_oid(struct buf *b, const char *name, const struct oid *id);
void json_time(struct buf *b, const char *name, uint64_t ns);     /* RFC 3339 UTC with milliseconds; 0: null */

/* "2026-11-22T07:00:59.123Z" */
void time_rfc3339(char ret[32], uint64_t ns);
uint64_t time_now_ns(void);                                       /* wall clock */

#endif
