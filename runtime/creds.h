/* creds.h: whose key requests are signed with: AWS's chain, each step told.  Order: the profile that the spec names, alone; else
 * the environment's keys; its web identity; the profile (AWS_PROFILE, "default"); the container; the instance.  A profile gives, in this
 * order: a role (source_profile, credential_source, web identity), SSO's cache, keys of the credentials file, credential_process,
 * keys of the config file.  On top of it a role that the spec names. */
#ifndef RUNTIME_CREDS_H
#define RUNTIME_CREDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http;

struct creds {
	char *id, *secret, *token;        /* token NULL: none */
	uint64_t got, expires;            /* ns; expires 0: unknown or never */
	char *from;                       /* "profile 'x' in '/home/u/.aws/credentials'" */
};

#define CREDS_INIT { 0 }

/* Is it time for new ones?  Five minutes before they expire, for short-lived ones a tenth of their life. */
bool creds_stale(const struct creds *c, uint64_t now);
/* ISO 8601 with Z or an offset, as in credentials; 0: that is no time. */
uint64_t creds_time(const char *s);

struct creds_ask {
	struct http *http;
	const char *profile, *profile_from;      /* "x", "egress.profile"; NULL: not said */
	const char *role_arn, *external_id;      /* of the spec; NULL */
	const char *region;                      /* for STS; NULL: unknown */
	const char *endpoint;                    /* of S3 where it is not Amazon's: STS is asked there too; NULL */
	int64_t clock_s;                         /* added to the clock */
};

struct creds_chain;

/* Texts are copied. */
struct creds_chain *creds_chain_new(const struct creds_ask *ask);
void creds_chain_free(struct creds_chain *c);
/* The clock is off by so much. */
void creds_chain_clock(struct creds_chain *c, int64_t clock_s);
/* Credentials for now: looked for at the first call, and again when they are about to expire (files are read anew).  They live
 * until the next call.  -1: none, err says which steps were tried and what each lacked. */
int creds_get(struct creds_chain *c, const struct creds **ret, struct err *err);
/* The server says that they are no good any more: look again.  1 there are others now, 0 the same ones, -1 none. */
int creds_renew(struct creds_chain *c, struct err *err);
/* "https://sts.eu-west-1.amazonaws.com", or where else STS is asked. */
const char *creds_sts_endpoint(const struct creds_chain *c);

#endif
