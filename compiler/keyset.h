/* keyset.h: which place a datum key has in an array of things that begin with their key. */
#ifndef COMPILER_KEYSET_H
#define COMPILER_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oid;

struct keyset {
	uint32_t *slot;             /* index + 1, 0: free */
	size_t n, mask;
	size_t stride;              /* bytes of an array element */
};

#define KEYSET_NONE UINT32_MAX

/* Ready for about `expect` keys; it grows. */
void keyset_init(struct keyset *k, size_t stride, size_t expect);
void keyset_release(struct keyset *k);

/* The index of an equal key in `array`, or KEYSET_NONE. */
uint32_t keyset_find(const struct keyset *k, const void *array, const struct oid *key);
/* array[i] is new and different from all that are in. */
void keyset_add(struct keyset *k, const void *array, uint32_t i);

#endif
