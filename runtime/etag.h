/* etag.h: is this the ETag that S3 gives a file: the MD5 of its bytes, or, of one sent in parts, the MD5 of the parts' MD5s, "-", their
 * number?  Of encrypted ones (aws:kms) it is neither: then no file has it. */
#ifndef RUNTIME_ETAG_H
#define RUNTIME_ETAG_H

#include <stdbool.h>
#include <stdint.h>

/* part_size: what a file of this size is sent in. False also if the file cannot be read. */
bool etag_is_of(const char *etag, const char *file, uint64_t size, uint64_t part_size);

#endif
