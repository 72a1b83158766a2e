/* md5.h: MD5 (RFC 1321), for one thing only: it is what S3's listings tell of an object's content, as its ETag. */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { MD5_SIZE = 16 };

/* Of n bytes of a file, from offset. */
int md5_range(int fd, uint64_t offset, uint64_t n, unsigned char ret[MD5_SIZE], struct err *err);
void md5_bytes(const void *p, size_t n, unsigned char ret[MD5_SIZE]);

#endif
