/* sts.h: AWS's Security Token Service, its query protocol of 2011-06-15: who am I, and temporary credentials. */
#ifndef RUNTIME_STS_H
#define RUNTIME_STS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct creds;
struct err;
struct http;

struct sts {
	struct http *http;
	const char *endpoint, *region;    /* "https://sts.amazonaws.com", "us-east-1" */
	int64_t clock_s;                  /* added to the clock */
};

struct sts_role { const char *arn, *external_id, *session, *duration; };    /* all but arn may be NULL */

/* ret gets id, secret, token, got, expires; not from. -1: err has the service's code and message. */
int sts_assume_role(const struct sts *s, const struct creds *by, const struct sts_role *role, struct creds *ret, struct err *err);
int sts_web_identity(const struct sts *s, const char *token, const struct sts_role *role, struct creds *ret, struct err *err);
/* The ARN is the caller's to free. */
int sts_who(const struct sts *s, const struct creds *by, char **ret_arn, struct err *err);

#endif
