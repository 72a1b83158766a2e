/* secret.c: a line a secret, the same in two files. */
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "rec.h"

enum { NAME_MAX_SECRET = 253 };

void
secret_uses_add(struct secret_uses *u, const struct secret_use *one)
{
	GROW(u->v, u->n, u->cap);
	u->v[u->n++] = *one;
}

void
secret_uses_write(struct buf *b, const struct secret_uses *u)
{
	for (size_t i = 0; i < u->n; i++) {
		rec_word(b, "secret");
		rec_str(b, u->v[i].name);
		rec_str(b, u->v[i].key);
		rec_str(b, u->v[i].env);
		rec_str(b, u->v[i].mount);
		rec_end(b);
	}
}

int
secret_uses_read(struct secret_uses *u, struct arena *a, const struct rec *r)
{
	struct secret_use one;

	if (!rec_is(r, "secret", 5))
		return 0;
	one = (struct secret_use){ arena_dup(a, r->f[1], r->len[1]), arena_dup(a, r->f[2], r->len[2]), arena_dup(a, r->f[3], r->len[3]),
		arena_dup(a, r->f[4], r->len[4]) };
	if (!secret_name_ok(one.name) || (*one.env ? !secret_name_ok(one.key) : one.mount[0] != '/'))
		return -1;
	secret_uses_add(u, &one);
	return 1;
}

void
secret_uses_release(struct secret_uses *u)
{
	free(u->v);
	*u = (struct secret_uses)SECRET_USES_INIT;
}

bool
secret_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && !name[n] && n <= NAME_MAX_SECRET && strcmp(name, ".") != 0 && strncmp(name, "..", 2) != 0;
}
