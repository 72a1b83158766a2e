/* sha256.c: libcrypto's low-level SHA-256.  The EVP interface would do the same work, but pulls most of
 * the library into a static program and costs an allocation a hash; a datum hashes a dozen small things. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sha256.h"

#include <errno.h>
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>

#include "err.h"

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "struct sha256 is too small");

enum { CHUNK = 128 * 1024 };

static SHA256_CTX *
ctx(struct sha256 *h)
{
	return (SHA256_CTX *)(void *)h->opaque;
}

void
sha256_init(struct sha256 *h)
{
	SHA256_Init(ctx(h));
}

void
sha256_update(struct sha256 *h, const void *p, size_t n)
{
	SHA256_Update(ctx(h), p, n);
}

void
sha256_final(struct sha256 *h, struct oid *ret_id)
{
	SHA256_Final(ret_id->b, ctx(h));
}

void
sha256_bytes(const void *p, size_t n, struct oid *ret_id)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, p, n);
	sha256_final(&h, ret_id);
}

void
sha256_hmac(const void *key, size_t n_key, const void *p, size_t n, struct oid *ret_mac)
{
	unsigned char inner[64] = { 0 }, outer[64];
	struct oid id;
	struct sha256 h;

	if (n_key > sizeof inner) {
		sha256_bytes(key, n_key, &id);
		memcpy(inner, id.b, sizeof id.b);
	} else if (n_key) {
		memcpy(inner, key, n_key);
	}
	for (size_t i = 0; i < sizeof inner; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	sha256_init(&h);
	sha256_update(&h, inner, sizeof inner);
	sha256_update(&h, p, n);
	sha256_final(&h, &id);
	sha256_init(&h);
	sha256_update(&h, outer, sizeof outer);
	sha256_update(&h, id.b, sizeof id.b);
	sha256_final(&h, ret_mac);
}

static void
put_u64(unsigned char b[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		b[i] = (unsigned char)v;
}

void
sha256_field(struct sha256 *h, const void *p, size_t n)
{
	unsigned char len[8];

	put_u64(len, n);
	sha256_update(h, len, sizeof len);
	sha256_update(h, p, n);
}

void
sha256_field_str(struct sha256 *h, const char *s)
{
	sha256_field(h, s, strlen(s));
}

void
sha256_field_oid(struct sha256 *h, const struct oid *id)
{
	sha256_field(h, id->b, OID_SIZE);
}

void
sha256_field_u64(struct sha256 *h, uint64_t v)
{
	unsigned char b[8];

	put_u64(b, v);
	sha256_field(h, b, sizeof b);
}

int
sha256_fd(int fd, struct oid *ret_id, uint64_t *ret_size, struct err *err)
{
	static _Thread_local char chunk[CHUNK];
	struct sha256 h;
	uint64_t size = 0;

	sha256_init(&h);
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "read:");
		if (n == 0)
			break;
		sha256_update(&h, chunk, (size_t)n);
		size += (uint64_t)n;
	}
	sha256_final(&h, ret_id);
	if (ret_size)
		*ret_size = size;
	return 0;
}

void
oid_hex(const struct oid *id, char ret_hex[OID_HEX + 1])
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < OID_SIZE; i++) {
		ret_hex[2 * i] = digit[id->b[i] >> 4];
		ret_hex[2 * i + 1] = digit[id->b[i] & 15];
	}
	ret_hex[OID_HEX] = '\0';
}

/* Value + 1 of a lower-case digit, 0 for everything else: hashes are half of what is read of our files, and
 * comparisons in place of a table are mispredicted at every second digit. */
static const unsigned char hex_value[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

bool
oid_parse(const char *hex, struct oid *ret_id)
{
	const unsigned char *s = (const unsigned char *)hex;
	struct oid id;

	for (size_t i = 0; i < OID_SIZE; i++, s += 2) {
		unsigned hi = hex_value[s[0]], lo = hi ? hex_value[s[1]] : 0;

		if (!lo)
			return false;
		id.b[i] = (unsigned char)((hi - 1) << 4 | (lo - 1));
	}
	if (*s)
		return false;
	*ret_id = id;
	return true;
}

int
oid_cmp(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, OID_SIZE);
}

bool
oid_eq(const struct oid *a, const struct oid *b)
{
	return memcmp(a->b, b->b, OID_SIZE) == 0;
}

void
oid_base64(const struct oid *id, char ret[OID_BASE64 + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *p = ret;

	for (size_t i = 0; i < sizeof id->b; i += 3) {
		bool whole = i + 2 < sizeof id->b;
		unsigned v = (unsigned)id->b[i] << 16 | (unsigned)id->b[i + 1] << 8 | (whole ? id->b[i + 2] : 0u);

		*p++ = digits[v >> 18];
		*p++ = digits[v >> 12 & 63];
		*p++ = digits[v >> 6 & 63];
		*p++ = whole ? digits[v & 63] : '=';
	}
	*p = '\0';
}
