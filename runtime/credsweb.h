/* credsweb.h: credentials from services on the way: the container's, the instance's (IMDSv2), and SSO's portal. */
#ifndef RUNTIME_CREDSWEB_H
#define RUNTIME_CREDSWEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct awsconf;
struct creds;
struct err;
struct http;

/* Each: 1 found (all of ret, from too), 0 not there: err says why, in words for the list of steps; -1 there, but failed. */
int creds_container(struct http *h, struct creds *ret, struct err *err);
/* At most a second in all. */
int creds_instance(struct http *h, struct creds *ret, struct err *err);
/* The token that `aws sso login` left in ~/.aws/sso/cache.  0: the profile has no SSO settings. */
int creds_sso(struct http *h, const struct awsconf *conf, const char *profile, struct creds *ret, struct err *err);
/* {"AccessKeyId": …, "SecretAccessKey": …, "Token" or "SessionToken": …, "Expiration": …}: of containers, instances and
 * credential_process.  0, or -1: keys are missing. */
int creds_from_json(const char *p, size_t n, struct creds *ret, struct err *err);

#endif
