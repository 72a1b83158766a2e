/* md5.c: by libcrypto; a file of its own, so that programs which need no MD5 do not link it. */
#include "md5.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "err.h"
#include "mem.h"

enum { PIECE = 256 * 1024 };

static int
update_range(EVP_MD_CTX *ctx, int fd, uint64_t offset, uint64_t n, struct err *err)
{
	char *piece = xmalloc(PIECE);
	int rc = 0;

	while (rc == 0 && n > 0) {
		ssize_t got = pread(fd, piece, n < PIECE ? (size_t)n : PIECE, (off_t)offset);

		if (got > 0) {
			EVP_DigestUpdate(ctx, piece, (size_t)got);
			offset += (uint64_t)got;
			n -= (uint64_t)got;
		} else if (got == 0 || errno != EINTR) {
			rc = err_set(err, got == 0 ? EIO : errno, "read:");
		}
	}
	free(piece);
	return rc;
}

int
md5_range(int fd, uint64_t offset, uint64_t n, unsigned char ret[MD5_SIZE], struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc;

	if (!ctx || EVP_DigestInit_ex(ctx, EVP_md5(), NULL) != 1)
		rc = err_set(err, 0, "libcrypto has no MD5 here");
	else
		rc = update_range(ctx, fd, offset, n, err);
	if (rc == 0)
		EVP_DigestFinal_ex(ctx, ret, NULL);
	EVP_MD_CTX_free(ctx);
	return rc;
}

void
md5_bytes(const void *p, size_t n, unsigned char ret[MD5_SIZE])
{
	EVP_Digest(p, n, ret, NULL, EVP_md5(), NULL);
}
