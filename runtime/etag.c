/* etag.c: the file is read once. */
#include "etag.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/md5.h"

static void
add_hex(struct buf *b, const unsigned char md5[MD5_SIZE])
{
	for (int i = 0; i < MD5_SIZE; i++)
		buf_fmt(b, "%02x", md5[i]);
}

static int
of_parts(int fd, uint64_t size, uint64_t part_size, struct buf *ret)
{
	struct buf all = BUF_INIT;
	struct err no = ERR_INIT;
	unsigned char md5[MD5_SIZE];
	uint64_t n = 0;
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && at < size; at += part_size, n++) {
		rc = md5_range(fd, at, size - at < part_size ? size - at : part_size, md5, &no);
		buf_add(&all, md5, sizeof md5);
	}
	md5_bytes(all.s, all.n, md5);
	add_hex(ret, md5);
	buf_fmt(ret, "-%llu", (unsigned long long)n);
	buf_release(&all);
	return rc;
}

bool
etag_is_of(const char *etag, const char *file, uint64_t size, uint64_t part_size)
{
	const char *dash = strchr(etag, '-');
	struct buf have = BUF_INIT;
	struct err no = ERR_INIT;
	unsigned char md5[MD5_SIZE];
	int fd, rc;
	bool same;

	/* Another number of parts: it was not we who sent it so. */
	if ((dash ? (size_t)(dash - etag) : strlen(etag)) != 2 * MD5_SIZE ||
	    (dash && strtoull(dash + 1, NULL, 10) != (size + part_size - 1) / part_size))
		return false;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (dash) {
		rc = of_parts(fd, size, part_size, &have);
	} else {
		rc = md5_range(fd, 0, size, md5, &no);
		add_hex(&have, md5);
	}
	close(fd);
	same = rc == 0 && strcmp(have.s, etag) == 0;
	buf_release(&have);
	return same;
}

static bool
parse_md5(const char *hex, unsigned char ret[MD5_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(hex) != 2 * MD5_SIZE || strspn(hex, digits) != 2 * MD5_SIZE)
		return false;
	for (int i = 0; i < MD5_SIZE; i++)
		ret[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) << 4 | (strchr(digits, hex[2 * i + 1]) - digits));
	return true;
}

bool
etag_of_parts(const char *(*hex)(const void *ctx, size_t i), const void *ctx, size_t n, char ret[ETAG_MAX])
{
	struct buf all = BUF_INIT, text = BUF_INIT;
	unsigned char md5[MD5_SIZE];
	bool good = n > 0;

	for (size_t i = 0; good && i < n; i++) {
		good = parse_md5(hex(ctx, i), md5);
		buf_add(&all, md5, sizeof md5);
	}
	if (good) {
		md5_bytes(all.s, all.n, md5);
		add_hex(&text, md5);
		snprintf(ret, ETAG_MAX, "%s-%zu", text.s, n);
	}
	buf_release(&all);
	buf_release(&text);
	return good;
}
