/* store.h: contents by SHA-256: .dassie/objects/ab/cd…, immutable, 0444. */
#ifndef RUNTIME_STORE_H
#define RUNTIME_STORE_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Take a regular file that nobody else holds into the store: hash it, rename it there.  A file with other
 * links (nlink > 1) is copied, never moved.  An object that is already there is success; path is gone either way.
 * ret_kind gets 'x' if the file's owner may execute it, else 'f'. */
int store_take(const char *path, char *ret_kind, struct oid *ret_id, uint64_t *ret_size, struct err *err);

/* Copy a file's bytes into the store (reflink where there is one); path stays. */
int store_copy(const char *path, struct oid *ret_id, uint64_t *ret_size, struct err *err);

/* Bytes that come one after the other.  store_begin() cannot fail; a file is made with the first bytes, or at the end.  After
 * store_end() and store_drop() it is as before store_begin(). */
struct store_in { int fd; char tmp[64]; struct sha256 sha; uint64_t size; };
void store_begin(struct store_in *in);
int store_add(struct store_in *in, const void *p, size_t n, struct err *err);
/* The SHA-256 of what came so far. */
void store_hash(const struct store_in *in, struct oid *ret_id);
int store_end(struct store_in *in, struct oid *ret_id, uint64_t *ret_size, struct err *err);
void store_drop(struct store_in *in);

bool store_has(const struct oid *id, uint64_t size);      /* there, with this size */

/* Hash the object again.  1 fits, 0 absent, -2 damaged, -1 error. */
int store_verify(const struct oid *id, uint64_t size, struct err *err);

/* One object out of the concatenation of several. */
int store_concat(const struct oid *part, size_t n, struct oid *ret_id, uint64_t *ret_size, struct err *err);

#endif
