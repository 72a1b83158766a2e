/* sha256.h: SHA-256 (FIPS 180-4) by libcrypto, which uses the CPU's SHA instructions.
 * An oid is the name of a content: commits, objects, datum keys, step and spec hashes. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { OID_SIZE = 32, OID_HEX = 64 };

struct oid { unsigned char b[OID_SIZE]; };

struct sha256 { uint64_t opaque[16]; };   /* room for the library's context, checked when compiling sha256.c */

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t n);
void sha256_final(struct sha256 *h, struct oid *ret_id);
void sha256_bytes(const void *p, size_t n, struct oid *ret_id);

/* HMAC-SHA256 (RFC 2104). */
void sha256_hmac(const void *key, size_t n_key, const void *p, size_t n, struct oid *ret_mac);

/* A field: its length as 8 bytes, big-endian, then its bytes; no two field lists hash the same bytes. */
void sha256_field(struct sha256 *h, const void *p, size_t n);
void sha256_field_str(struct sha256 *h, const char *s);
void sha256_field_oid(struct sha256 *h, const struct oid *id);
void sha256_field_u64(struct sha256 *h, uint64_t v);      /* as 8 bytes, big-endian */

/* From the current offset to the end of file.  ret_size may be NULL. */
int sha256_fd(int fd, struct oid *ret_id, uint64_t *ret_size, struct err *err);

void oid_hex(const struct oid *id, char ret_hex[OID_HEX + 1]);   /* lower case */
enum { OID_BASE64 = 44 };
void oid_base64(const struct oid *id, char ret[OID_BASE64 + 1]);  /* as S3 writes checksums: RFC 4648, section 4 */
bool oid_parse(const char *hex, struct oid *ret_id);             /* exactly 64 lower-case digits, then NUL */
int oid_cmp(const struct oid *a, const struct oid *b);
bool oid_eq(const struct oid *a, const struct oid *b);

#endif
