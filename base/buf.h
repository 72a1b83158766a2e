/* buf.h: a byte string that grows; always NUL-terminated, so `s` is also a C string. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *s;
	size_t n;    /* bytes used, without the NUL */
	size_t cap;
};

#define BUF_INIT { 0, 0, 0 }

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_byte(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);                 /* decimal */
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_reserve(struct buf *b, size_t more);
void buf_reset(struct buf *b);                            /* empty, memory kept */
char *buf_detach(struct buf *b);                          /* caller frees; b is empty after */
void buf_release(struct buf *b);

#endif
