/* s3ops.h: what the operations of the S3 client share. */
#ifndef RUNTIME_S3OPS_H
#define RUNTIME_S3OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct s3_call;
struct s3_how;

/* The headers that an object is written with.  how may be NULL. */
void s3_call_how(struct s3_call *c, const struct s3_how *how);

#endif
