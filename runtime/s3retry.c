/* s3retry.c: tables and arithmetic. */
#include "s3retry.h"

#include <string.h>

enum { CAPACITY = 500, CAP_MS = 20000, BASE_MS = 100, THROTTLE_MS = 500, AFTER_MOST_MS = 300000 };

enum s3_class
s3_classify(enum http_fault fault, int status, const char *code)
{
	static const struct { const char *code; enum s3_class class; } known[] = {
		{ "SlowDown", S3_THROTTLE }, { "Throttling", S3_THROTTLE }, { "ThrottlingException", S3_THROTTLE },
		{ "RequestLimitExceeded", S3_THROTTLE }, { "TooManyRequests", S3_THROTTLE }, { "BandwidthLimitExceeded", S3_THROTTLE },
		{ "InternalError", S3_TRANSIENT }, { "ServiceUnavailable", S3_TRANSIENT }, { "RequestTimeout", S3_TRANSIENT },
		{ "BadDigest", S3_TRANSIENT }, { "XAmzContentSHA256Mismatch", S3_TRANSIENT }, { "XAmzContentChecksumMismatch", S3_TRANSIENT },
		{ "IncompleteBody", S3_TRANSIENT }, { "OperationAborted", S3_TRANSIENT }, { "ConditionalRequestConflict", S3_TRANSIENT },
		{ "PriorRequestNotComplete", S3_TRANSIENT }, { "RequestTimeTooSkewed", S3_CLOCK }, { "PermanentRedirect", S3_REGION },
		{ "TemporaryRedirect", S3_REGION }, { "AuthorizationHeaderMalformed", S3_REGION },
		{ "IllegalLocationConstraintException", S3_REGION }, { "ExpiredToken", S3_TOKEN }, { "TokenRefreshRequired", S3_TOKEN },
		{ "ExpiredTokenException", S3_TOKEN },
	};

	if (fault == HTTP_FAULT_TIMEOUT)
		return S3_TIMEOUT;
	if (fault)
		return http_fault_passes(fault) ? S3_TRANSIENT : S3_FINAL;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(code, known[i].code) == 0)
			return known[i].class;
	if (status == 429 || status == 503 || status == 509)
		return S3_THROTTLE;
	if (status == 408 || status == 500 || status == 502 || status == 504)
		return S3_TRANSIENT;
	if (status == 301 || status == 302 || status == 307 || status == 308)
		return S3_REGION;
	return S3_FINAL;
}

void
s3_pace_init(struct s3_pace *p, unsigned most)
{
	*p = (struct s3_pace){ .tokens = CAPACITY, .most = most, .window = most };
}

bool
s3_pace_again(struct s3_pace *p, enum s3_class class, unsigned tries, bool known, uint64_t after_ms, double random, uint64_t *ret_ms)
{
	unsigned cost = class == S3_TIMEOUT ? 10 : class == S3_THROTTLE ? 2 : 5;
	uint64_t longest = (class == S3_THROTTLE ? THROTTLE_MS : BASE_MS);

	if (class != S3_TRANSIENT && class != S3_TIMEOUT && class != S3_THROTTLE)
		return false;
	if (tries >= (!known ? S3_TRIES_UNKNOWN : class == S3_TIMEOUT ? S3_TRIES_SLOW : S3_TRIES) || p->tokens < cost)
		return false;
	p->tokens -= cost;
	for (unsigned i = 1; i < tries && longest < CAP_MS; i++)
		longest *= 2;
	if (longest > CAP_MS)
		longest = CAP_MS;
	*ret_ms = (uint64_t)((double)longest * random);
	if (after_ms > AFTER_MOST_MS)
		after_ms = AFTER_MOST_MS;
	if (*ret_ms < after_ms)
		*ret_ms = after_ms + (uint64_t)(BASE_MS * random);
	return true;
}

void
s3_pace_good(struct s3_pace *p)
{
	if (p->tokens < CAPACITY)
		p->tokens++;
	if (p->window < p->most && ++p->good >= p->window) {
		p->window++;
		p->good = 0;
	}
}

bool
s3_pace_slow(struct s3_pace *p, uint64_t now_ms)
{
	if (p->halved && now_ms < p->halved + 1000)
		return false;
	p->halved = now_ms ? now_ms : 1;
	p->good = 0;
	if (p->window == 1)
		return false;
	p->window /= 2;
	return true;
}
