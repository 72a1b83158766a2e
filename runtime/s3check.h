/* s3check.h: the pre-flight: does a destination let us do what egress will ask of it?  `dassie egress --check`, and every egress
 * before its first upload. */
#ifndef RUNTIME_S3CHECK_H
#define RUNTIME_S3CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http;
struct s3;
struct s3_how;

struct s3_check {
	const char *prefix;                /* "" or what keys begin with: the probe lies under it */
	const struct s3_how *how;          /* as the objects will be written */
	bool list, multipart, delete;      /* what will be needed beside PutObject */
};

/* Runs h until done.  say(ctx, line) for each thing found out, good ones too: "credentials  profile 'x' in …", "identity     arn:…",
 * "region       eu-west-1 (from egress.region)", "put          ok".  The probe object and upload are removed again; a probe that cannot be
 * removed is told, and is a failure only if `delete`.  0: all will work; -1: err has the explanation of the first that does not. */
int s3_check(struct s3 *s, struct http *h, const struct s3_check *what, void (*say)(void *ctx, const char *line), void *ctx,
    struct err *err);

#endif
