/* keyset.c: open addressing with linear probing, at most half full; a key is a hash already, so its first bytes
 * say where to look. */
#include "keyset.h"

#include <stdlib.h>
#include <string.h>

#include "../base/mem.h"
#include "../base/sha256.h"

void
keyset_init(struct keyset *k, size_t stride, size_t expect)
{
	size_t size = 64;

	while (size < 2 * expect)
		size *= 2;
	*k = (struct keyset){ .slot = xcalloc(size, sizeof *k->slot), .mask = size - 1, .stride = stride };
}

void
keyset_release(struct keyset *k)
{
	free(k->slot);
	*k = (struct keyset){ 0 };
}

static const struct oid *
key_at(const struct keyset *k, const void *array, uint32_t i)
{
	return (const struct oid *)(const void *)((const char *)array + (size_t)i * k->stride);
}

static size_t
home(const struct keyset *k, const struct oid *key)
{
	uint64_t h;

	memcpy(&h, key->b, sizeof h);
	return h & k->mask;
}

uint32_t
keyset_find(const struct keyset *k, const void *array, const struct oid *key)
{
	for (size_t s = home(k, key); k->slot[s]; s = (s + 1) & k->mask)
		if (oid_eq(key_at(k, array, k->slot[s] - 1), key))
			return k->slot[s] - 1;
	return KEYSET_NONE;
}

static void
put(struct keyset *k, const void *array, uint32_t i)
{
	size_t s = home(k, key_at(k, array, i));

	while (k->slot[s])
		s = (s + 1) & k->mask;
	k->slot[s] = i + 1;
}

static void
widen(struct keyset *k, const void *array)
{
	size_t was = k->mask + 1;
	uint32_t *old = k->slot;

	k->slot = xcalloc(was * 2, sizeof *k->slot);
	k->mask = was * 2 - 1;
	for (size_t s = 0; s < was; s++)
		if (old[s])
			put(k, array, old[s] - 1);
	free(old);
}

void
keyset_add(struct keyset *k, const void *array, uint32_t i)
{
	if (2 * (k->n + 1) > k->mask + 1)
		widen(k, array);
	put(k, array, i);
	k->n++;
}
