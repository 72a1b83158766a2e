/* mem.h: allocation that ends the program, with status 3 and a sentence, when memory is out. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xmemdup(const void *p, size_t n);   /* n bytes and a NUL after them */

/* Grow array *v of `size`-byte elements so that index n exists; *cap in elements. */
void *grow(void *v, size_t n, size_t *cap, size_t size);
#define GROW(v, n, cap) ((v) = grow((v), (n), &(cap), sizeof *(v)))

/* An arena: everything lives until arena_release(). */
struct arena_block;
struct arena { struct arena_block *head; };
#define ARENA_INIT { 0 }

void *arena_alloc(struct arena *a, size_t n);          /* zeroed, aligned for anything */
char *arena_dup(struct arena *a, const char *s, size_t n); /* n bytes and a NUL */
char *arena_str(struct arena *a, const char *s);
char *arena_fmt(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Empty it, and keep a block for what comes next. */
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

#endif
