/* key.c: the fields of a key are small and many, so they are gathered in a block of memory and hashed in one
 * go; a call of the library for each would cost more than the hashing. */
#include "key.h"

#include <string.h>

#include "manifest.h"

struct gather {
	struct sha256 h;
	size_t n;
	unsigned char b[1024];
};

static void
gather_init(struct gather *g)
{
	sha256_init(&g->h);
	g->n = 0;
}

static void
gather_final(struct gather *g, struct oid *ret)
{
	sha256_update(&g->h, g->b, g->n);
	sha256_final(&g->h, ret);
}

/* The bytes that sha256_field() would hash. */
static void
field(struct gather *g, const void *p, size_t n)
{
	unsigned char *to;

	if (8 + n > sizeof g->b - g->n) {
		sha256_update(&g->h, g->b, g->n);
		g->n = 0;
		if (8 + n > sizeof g->b) {
			sha256_field(&g->h, p, n);
			return;
		}
	}
	to = g->b + g->n;
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
	if (n)
		memcpy(to + 8, p, n);
	g->n += 8 + n;
}

static void
field_str(struct gather *g, const char *s)
{
	field(g, s, strlen(s));
}

static void
field_u64(struct gather *g, uint64_t v)
{
	unsigned char b[8];

	for (int i = 0; i < 8; i++)
		b[i] = (unsigned char)(v >> (56 - 8 * i));
	field(g, b, sizeof b);
}

void
key_dir_hash(const struct manifest *m, size_t lo, size_t hi, struct oid *ret)
{
	struct gather g;

	gather_init(&g);
	for (size_t i = lo; i < hi; i++) {
		const struct entry *e = &m->v[i];

		field_str(&g, e->path);
		field(&g, &e->kind, 1);
		field(&g, e->id.b, OID_SIZE);
	}
	gather_final(&g, ret);
}

static void
match(struct gather *g, const struct key_match *m)
{
	char kind[2] = { m->kind, 'e' };

	field_str(g, m->path);
	field(g, kind, m->empty ? 2 : 1);
	field(g, m->id.b, OID_SIZE);
}

static size_t
same_input(const struct key_match *m, size_t n)
{
	size_t i = 1;

	while (i < n && (m[i].input == m[0].input || strcmp(m[i].input, m[0].input) == 0))
		i++;
	return i;
}

void
key_compute(const char *pipeline, const struct oid *step, const char *salt, const struct key_match *m, size_t n,
    const struct key_var *v, size_t nv, struct oid *ret)
{
	struct gather g;

	gather_init(&g);
	field_str(&g, "dassie-key 1");
	field_str(&g, pipeline);
	field(&g, step->b, OID_SIZE);
	field_str(&g, salt);
	while (n > 0) {
		size_t k = same_input(m, n);

		field_str(&g, m->input);
		field_u64(&g, k);
		for (size_t i = 0; i < k; i++)
			match(&g, &m[i]);
		m += k;
		n -= k;
	}
	field_u64(&g, nv);
	for (size_t i = 0; i < nv; i++) {
		field_str(&g, v[i].name);
		field_str(&g, v[i].value);
	}
	gather_final(&g, ret);
}
