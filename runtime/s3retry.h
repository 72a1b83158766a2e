/* s3retry.h: which failures may pass, how long to wait, and how much at a time.  Pure: time and chance are arguments.
 *
 * Waits: anything from 0 to min(20 s, base * 2^tries) ("full jitter", AWS architecture blog), base 100 ms, under throttling 500 ms,
 * at least what Retry-After says.  A budget a run, as the SDKs have it: 500 tokens, a retry costs 5 (a timeout 10, a throttled one 2),
 * each success gives 1 back; so a server that is down is not asked for ever.  Under throttling the number of requests at a time is
 * halved, and grows by one when as many as it allows have gone well. */
#ifndef RUNTIME_S3RETRY_H
#define RUNTIME_S3RETRY_H

#include "http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum s3_class {
	S3_FINAL,        /* will not pass */
	S3_TRANSIENT,
	S3_TIMEOUT,
	S3_THROTTLE,
	S3_CLOCK,        /* our clock is wrong */
	S3_REGION,       /* another region, or another host, is asked */
	S3_TOKEN,        /* credentials have expired */
};

/* status 0 and a fault, or a status and S3's code ("" if there is none). */
enum s3_class s3_classify(enum http_fault fault, int status, const char *code);

struct s3_pace {
	unsigned tokens;
	unsigned most, window;   /* requests at a time */
	unsigned good;           /* successes since the window last changed */
	uint64_t halved;         /* when, ms */
};

enum { S3_TRIES = 10, S3_TRIES_SLOW = 4, S3_TRIES_UNKNOWN = 3 };    /* of time-outs, each a minute; where no answer ever came from the server */

void s3_pace_init(struct s3_pace *p, unsigned most);
/* After `tries` tries (from 1): true and how long to wait, or false: enough.  random: in [0, 1).  after_ms: Retry-After, 0 none. */
bool s3_pace_again(struct s3_pace *p, enum s3_class class, unsigned tries, bool known, uint64_t after_ms, double random, uint64_t *ret_ms);
void s3_pace_good(struct s3_pace *p);
/* Throttled at now_ms.  True if that changed the window (it does once a second at most). */
bool s3_pace_slow(struct s3_pace *p, uint64_t now_ms);

#endif
