/* mem.c: there is no way to go on without memory, and none of the callers would find one:
 * a sentence and the status for "the world", then the kernel cleans up.
 *
 * Blocks of an arena double up to a megabyte.  One that needs more is of a thousand pipelines or a million datums and gets two
 * megabytes a time: a large page of the CPU, where the kernel has one to give, costs a fifth of 512 small ones. */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "err.h"

enum { FIRST = 1024, BLOCK = 1024 * 1024, LARGE = 2 * 1024 * 1024, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	bool mapped;
	_Alignas(ALIGN) char data[];
};

static _Noreturn void
out_of_memory(void)
{
	static const char text[] = "dassie: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(EXIT_WORLD);
	_exit(EXIT_WORLD);
}

void *
xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *
xrealloc(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

char *
xmemdup(const void *p, size_t n)
{
	char *s = xmalloc(n + 1);

	if (n)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s));
}

void *
grow(void *v, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap : 16;

	if (n < *cap)
		return v;
	while (want <= n) {
		if (want > SIZE_MAX / 2 / size)
			out_of_memory();
		want *= 2;
	}
	*cap = want;
	return xrealloc(v, want * size);
}

static struct arena_block *
large_block(void)
{
	struct arena_block *b = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		out_of_memory();
	madvise(b, LARGE, MADV_HUGEPAGE);       /* a wish */
	b->size = LARGE - sizeof *b;
	b->mapped = true;
	return b;
}

/* For n bytes, after one of `last`. */
static struct arena_block *
new_block(size_t last, size_t n)
{
	struct arena_block *b;
	size_t size = last ? 2 * last : FIRST;

	if (size > BLOCK && n <= LARGE - sizeof *b)
		return large_block();
	if (size > BLOCK || size < n)
		size = n;
	b = xcalloc(1, sizeof *b + size);
	b->size = size;
	return b;
}

static void *
take(struct arena *a, size_t n, size_t align)
{
	struct arena_block *b = a->head;
	size_t at = b ? (b->used + align - 1) / align * align : 0;

	if (!b || at > b->size || b->size - at < n) {
		b = new_block(b ? b->size : 0, n);
		b->next = a->head;
		a->head = b;
		at = 0;
	}
	b->used = at + n;
	return b->data + at;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return take(a, n, ALIGN);
}

char *
arena_dup(struct arena *a, const char *s, size_t n)
{
	char *p = take(a, n + 1, 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *
arena_str(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s));
}

char *
arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		BUG("bad format");
	p = take(a, (size_t)n + 1, 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void
arena_reset(struct arena *a)
{
	struct arena_block *b = a->head;

	if (!b)
		return;
	arena_release(&(struct arena){ b->next });
	b->next = NULL;
	memset(b->data, 0, b->used);
	b->used = 0;
}

void
arena_release(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		if (b->mapped)
			munmap(b, LARGE);
		else
			free(b);
	}
}
