/* s3answer.c: what comes back either ends a request, or teaches the client something (the bucket's region or host, the clock, fresh
 * credentials) and sends it again, as it does those that were sent before that was learnt; or it is tried once more, later. */
#include "s3call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/talk.h"

enum { MAX_MOVES = 4, SKEW_TOLD_S = 900 };

static const int64_t SECOND = 1000000000;

static void
tell(struct s3 *s, const char *text)
{
	if (s->tell)
		s->tell(s->ctx, text);
	else
		talk("%s", text);
}

static void
move_to_region(struct s3 *s, const char *region)
{
	struct buf b = BUF_INIT;

	buf_fmt(&b, "bucket '%s' is in %s, not in %s (from %s): going on there; set %s.region: %s", s->bucket, region, s->region, s->region_from,
	    s->setting, region);
	/* A region that was only assumed is nobody's mistake. */
	if (strcmp(s->region_from, "the default") == 0) {
		buf_reset(&b);
		buf_fmt(&b, "bucket '%s' is in %s", s->bucket, region);
	}
	tell(s, b.s);
	buf_release(&b);
	s3_remember(&s->region, region);
	s3_remember(&s->bucket_region, region);
	s->region_from = "the bucket itself";
	if (s->place.amazon) {
		s3_place_amazon(&s->place, region);
		free(s->endpoint);
		s->endpoint = s3_place_words(&s->place);
	}
}

/* A server that names another address for the bucket, never one without encryption for one with. */
static bool
move_to_host(struct s3_call *c, const char *location)
{
	struct s3 *s = c->s;
	struct s3_place place = { 0 };
	struct buf b = BUF_INIT;
	const char *end_of_host;

	if (!location)
		return false;
	end_of_host = strstr(location, "://");
	if (!end_of_host)
		return false;
	end_of_host += 3;
	end_of_host += strcspn(end_of_host, "/");
	if (!s3_place_parse(&place, arena_dup(&c->a, location, (size_t)(end_of_host - location))))
		return false;
	/* BUCKET.host says the same as host. */
	if (strncmp(place.host, s->bucket, strlen(s->bucket)) == 0 && place.host[strlen(s->bucket)] == '.')
		memmove(place.host, place.host + strlen(s->bucket) + 1, strlen(place.host + strlen(s->bucket) + 1) + 1);
	if ((s->place.tls && !place.tls) || strcmp(place.host, s->place.host) == 0) {
		s3_place_release(&place);
		return false;
	}
	free(place.path);
	place.path = xstrdup(s->place.path);
	buf_fmt(&b, "bucket '%s' is not at %s (from %s): the server sends us to ", s->bucket, s->endpoint, s->endpoint_from);
	s3_place_release(&s->place);
	s->place = place;
	free(s->endpoint);
	s->endpoint = s3_place_words(&s->place);
	buf_fmt(&b, "%s; set %s.endpoint", s->endpoint, s->setting);
	s->endpoint_from = "a redirect";
	tell(s, b.s);
	buf_release(&b);
	return true;
}

/* True: there is somewhere else to ask, or somebody has moved us already. */
static bool
find_region(struct s3_call *c, const struct http_answer *a, const struct s3_refusal *r)
{
	struct s3 *s = c->s;
	const char *region = *r->region ? r->region : NULL;

	if (c->moves++ == MAX_MOVES)
		return false;
	if (strcmp(c->sent_region, s->region) || strcmp(c->sent_host, s->place.host))
		return true;
	if (region && strcmp(region, s->region)) {
		move_to_region(s, region);
		return true;
	}
	if (move_to_host(c, http_header(a, "Location")))
		return true;
	region = region ? NULL : s3_ask_region(s);
	if (!region || strcmp(region, s->region) == 0)
		return false;
	move_to_region(s, region);
	return true;
}

static bool
set_clock(struct s3_call *c, const struct s3_refusal *r)
{
	struct s3 *s = c->s;
	char text[200];

	if (c->clocks++ == 2 || !r->skew_s)
		return false;
	if (c->sent_clock != s->clock_s)
		return true;
	s->clock_s -= r->skew_s;
	creds_chain_clock(s->chain, s->clock_s);
	snprintf(text, sizeof text, "this machine's clock is %lld s %s the server's: signing by the server's; set it: timedatectl set-ntp true",
	    (long long)(r->skew_s < 0 ? -r->skew_s : r->skew_s), r->skew_s < 0 ? "behind" : "ahead of");
	if (!s->clock_told)
		tell(s, text);
	s->clock_told = true;
	return true;
}

static bool
new_token(struct s3_call *c)
{
	struct err err = ERR_INIT;

	return c->tokens++ == 0 && creds_renew(c->s->chain, &err) == 1;
}

static uint64_t
retry_after_ms(const struct http_answer *a)
{
	const char *ms = http_header(a, "x-amz-retry-after"), *s = http_header(a, "Retry-After");

	return ms ? strtoull(ms, NULL, 10) : s ? strtoull(s, NULL, 10) * 1000 : 0;
}

static uint64_t
now_ms(void)
{
	return time_now_ns() / 1000000;
}

static void
slow_down(struct s3 *s)
{
	if (s3_pace_slow(&s->pace, now_ms()) && !s->slow_told) {
		tell(s, "the server asks to slow down: fewer requests at a time");
		s->slow_told = true;
	}
}

static bool
token_expired(struct s3 *s)
{
	const struct creds *creds;
	struct err err = ERR_INIT;

	return creds_get(s->chain, &creds, &err) == 0 && creds->expires && time_now_ns() + (uint64_t)(s->clock_s * SECOND) >= creds->expires;
}

/* Codes say more than statuses; where there is neither body nor code, headers have to do. */
static enum s3_class
class_of(struct s3_call *c, const struct http_answer *a, const struct s3_refusal *r)
{
	enum s3_class class = s3_classify(a->fault, c->inner_code ? 0 : a->status, r->code);

	if (c->inner_code && class == S3_FINAL && strncmp(c->inner_code, "Internal", 8) == 0)
		class = S3_TRANSIENT;
	if (class != S3_FINAL || a->fault)
		return class;
	if (*r->region && strcmp(r->region, c->sent_region) && (a->status == 400 || a->status == 403))
		return S3_REGION;
	if (a->status == 403 && !*r->code && (r->skew_s > SKEW_TOLD_S || r->skew_s < -SKEW_TOLD_S))
		return S3_CLOCK;
	if (a->status == 403 && token_expired(c->s))
		return S3_TOKEN;
	return class;
}

static enum s3_failure
failure_of(const struct s3_call *c, const struct http_answer *a, const char *code, enum s3_class class)
{
	if (a->fault == HTTP_FAULT_LOCAL)
		return S3_LOCAL;
	if (class == S3_TRANSIENT || class == S3_TIMEOUT || class == S3_THROTTLE)
		return S3_EXHAUSTED;
	if (a->fault)
		return S3_REFUSED;
	if (strcmp(code, "NoSuchUpload") == 0)
		return S3_GONE;
	if (a->status == 404 && strcmp(code, "NoSuchBucket") && (c->op == S3_HEAD_OBJECT || c->op == S3_GET_OBJECT))
		return S3_ABSENT;
	if (a->status == 401 || a->status == 403 || a->status == 404 || class == S3_REGION || (a->status == 400 && class == S3_TOKEN))
		return S3_REFUSED;
	return S3_INVALID;
}

static void
end_refused(struct s3_call *c, const struct http_answer *a, const struct s3_refusal *r, enum s3_class class)
{
	struct s3_answer out = { .failure = failure_of(c, a, r->code, class) };
	struct buf b = BUF_INIT;
	struct oid sha256;

	s3_call_fill(c, a, &out, &sha256);
	out.code = arena_str(&c->a, r->code);
	if (out.failure != S3_ABSENT)
		s3_explain(c, a, r, &b);
	out.text = b.s ? arena_str(&c->a, b.s) : "";
	buf_release(&b);
	s3_call_end(c, &out);
}

/* HEAD does not say why: the same question with an answer's body. */
static bool
ask_aloud(struct s3_call *c, const struct http_answer *a, const struct s3_refusal *r)
{
	if (c->op != S3_HEAD_OBJECT || strcmp(c->method, "HEAD") || a->status < 400 || a->status == 404 || *r->code)
		return false;
	c->method = "GET";
	c->tries--;
	s3_call_header(c, "range", "bytes=0-0");
	return true;
}

static void
refused(struct s3_call *c, const struct http_answer *a)
{
	struct s3 *s = c->s;
	struct s3_refusal r;
	enum s3_class class;
	uint64_t ms = 0;

	s3_refusal_read(c, a, &r);
	class = class_of(c, a, &r);
	if (class == S3_THROTTLE)
		slow_down(s);
	if ((class == S3_REGION && find_region(c, a, &r)) || (class == S3_CLOCK && set_clock(c, &r)) || (class == S3_TOKEN && new_token(c)) ||
	    (class == S3_FINAL && !a->fault && ask_aloud(c, a, &r)))
		s3_call_again(c, 0);
	else if (s3_pace_again(&s->pace, class, c->tries, s->answered, retry_after_ms(a), s->random(), &ms))
		s3_call_again(c, ms);
	else
		end_refused(c, a, &r, class);
	s3_pump(s);
}

static void
damaged(struct s3_call *c, const struct http_answer *a)
{
	struct s3_answer out = { .failure = S3_DAMAGED };
	struct oid sha256;

	s3_call_fill(c, a, &out, &sha256);
	out.text = arena_fmt(&c->a, "%s: the server has other bytes than were sent: its checksum is '%s'", s3_call_words(c), out.checksum_sha256);
	s3_call_end(c, &out);
}

static void
fine(struct s3_call *c, const struct http_answer *a)
{
	struct s3_answer out = { .failure = S3_FINE };
	struct oid sha256;

	s3_pace_good(&c->s->pace);
	s3_call_fill(c, a, &out, &sha256);
	s3_call_end(c, &out);
}

/* What cannot be read is treated as an answer that was cut short. */
static void
unreadable(struct s3_call *c, const struct http_answer *a)
{
	struct http_answer cut = *a;

	cut.fault = HTTP_FAULT_TRUNCATED;
	cut.text = "its XML is not whole";
	refused(c, &cut);
}

static bool
wrong_checksum(struct s3_call *c, const struct http_answer *a)
{
	const char *sum = http_header(a, "x-amz-checksum-sha256");

	return c->checksum && sum && strcmp(sum, s3_call_base64(c, &c->hash));
}

void
s3_call_answered(void *ctx, const struct http_answer *a)
{
	struct s3_call *c = ctx;
	struct s3 *s = c->s;

	s->running--;
	c->inner_code = c->inner_message = NULL;
	if (!a->fault)
		s->answered = true;
	if (c->sink && !c->etag[0] && a->status == 200)
		snprintf(c->etag, sizeof c->etag, "%s", s3_call_unquoted(c, s3_header(a, "ETag")));
	if (a->fault || a->status < 200 || a->status > 299) {
		refused(c, a);
		return;
	}
	if (wrong_checksum(c, a)) {
		damaged(c, a);
		return;
	}
	switch (c->take(c, a)) {
	case S3_TAKEN:
		fine(c, a);
		break;
	case S3_TAKE_MORE:
		s3_pace_good(&s->pace);
		c->tries = 0;
		s3_call_in_line(c);
		s3_pump(s);
		break;
	case S3_TAKE_ERROR:
		refused(c, a);
		break;
	case S3_TAKE_BAD:
		unreadable(c, a);
		break;
	case S3_TAKE_DAMAGED:
		damaged(c, a);
		break;
	}
}
