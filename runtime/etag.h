/* etag.h: is this the ETag that S3 gives a file: the MD5 of its bytes, or, of one sent in parts, the MD5 of the parts' MD5s, "-", their
 * number?  Of encrypted ones (aws:kms) it is neither: then no file has it. */
#ifndef RUNTIME_ETAG_H
#define RUNTIME_ETAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* part_size: what a file of this size is sent in. False also if the file cannot be read. */
bool etag_is_of(const char *etag, const char *file, uint64_t size, uint64_t part_size);

/* What S3 calls an object made of parts with these ETags: hex[i] of n.  False if they are no MD5s. */
enum { ETAG_MAX = 48 };
bool etag_of_parts(const char *(*hex)(const void *ctx, size_t i), const void *ctx, size_t n, char ret[ETAG_MAX]);

#endif
