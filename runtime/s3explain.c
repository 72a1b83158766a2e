/* s3explain.c: gathers what s3why.h wants to know: the answer's own words, and, once a client, who we are (STS) and where the bucket is
 * (Amazon names its region even to those it refuses). */
#include "s3call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../base/err.h"
#include "../base/json.h"
#include "sts.h"
#include "xml.h"

enum { PATIENCE_MS = 5000 };

static const int64_t SECOND = 1000000000;

/* "Sun, 22 Nov 2026 10:14:33 GMT"; 0: that is no date. */
static int64_t
http_date(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { 0 };
	char month[4];
	const char *at;

	if (!s || sscanf(s, "%*3s, %2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	at = strstr(months, month);
	if (!at || (at - months) % 3)
		return 0;
	tm.tm_mon = (int)(at - months) / 3;
	tm.tm_year -= 1900;
	return (int64_t)timegm(&tm);
}

static const char *
or_empty(const char *s)
{
	return s ? s : "";
}

/* HEAD has no body, and a redirect of some servers neither. */
void
s3_refusal_read(struct s3_call *c, const struct http_answer *a, struct s3_refusal *ret)
{
	const struct xml *root = a->n_body ? xml_parse(&c->a, a->body, a->n_body) : NULL;
	const char *location = http_header(a, "Location"), *region = http_header(a, "x-amz-bucket-region"), *id = http_header(a, "x-amz-request-id");
	int64_t date = http_date(http_header(a, "Date"));

	if (root && strcmp(root->name, "Error"))
		root = xml_kid(root, "Error");
	ret->code = c->inner_code ? c->inner_code : xml_text(root, "Code");
	ret->message = c->inner_message ? c->inner_message : xml_text(root, "Message");
	ret->region = region && *region ? region : xml_text(root, "Region");
	ret->request_id = id && *id ? id : xml_text(root, "RequestId");
	ret->host_id = http_header(a, "x-amz-id-2");
	if (!ret->host_id)
		ret->host_id = xml_text(root, "HostId");
	ret->region = arena_str(&c->a, ret->region);
	ret->request_id = arena_str(&c->a, ret->request_id);
	ret->host_id = arena_str(&c->a, ret->host_id);
	ret->xml = root || id || location || a->status / 100 == 2 || strcmp(c->method, "HEAD") == 0;
	ret->skew_s = date ? (int64_t)(time_now_ns() / (uint64_t)SECOND) + c->sent_clock - date : 0;
}

/* --- questions to others -------------------------------------------------------------------------------------------------------- */

struct heard { struct arena *a; const char *region; };

static void
hear(void *ctx, const struct http_answer *a)
{
	struct heard *h = ctx;
	const char *region = a->fault ? NULL : http_header(a, "x-amz-bucket-region");

	h->region = region && *region ? arena_str(h->a, region) : NULL;
}

const char *
s3_ask_region(struct s3 *s)
{
	struct heard h = { &s->a, NULL };
	struct http_request r = HTTP_REQUEST_INIT;
	struct buf url = BUF_INIT;
	const char *host, *path;

	if (s->region_asked)
		return s->bucket_region;
	s->region_asked = true;
	s3_place_of(s, &s->a, NULL, &host, &path);
	buf_fmt(&url, "http%s://%s", s->place.tls ? "s" : "", host);
	sigv4_encode(&url, path, strlen(path), true);
	r.method = "HEAD";
	r.url = url.s;
	r.total_ms = r.connect_ms = PATIENCE_MS;
	r.done = hear;
	r.ctx = &h;
	http_now(s->http, &r);
	buf_release(&url);
	if (h.region) {
		free(s->bucket_region);
		s->bucket_region = xstrdup(h.region);
	}
	return s->bucket_region;
}

const char *
s3_who(struct s3 *s)
{
	struct sts sts = { s->http, creds_sts_endpoint(s->chain), s->region, s->clock_s };
	const struct creds *creds;
	struct err err = ERR_INIT;
	char *arn = NULL;

	if (s->who_asked)
		return or_empty(s->who);
	if (creds_get(s->chain, &creds, &err) < 0)
		return "";
	s->who_asked = true;
	if (sts_who(&sts, creds, &arn, &err) == 0)
		s->who = arn;
	return or_empty(s->who);
}

/* --- the text ------------------------------------------------------------------------------------------------------------------- */

static const char *
proxy_variable(bool tls)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (getenv(names[i]) && *getenv(names[i]) && (tls || i != 0) && (!tls || i != 2))
			return names[i];
	return NULL;
}

/* Who was refused matters to rights, not to networks. */
static void
add_identity(struct s3_call *c, const struct http_answer *a, struct s3_why *w)
{
	const struct creds *creds;
	struct err err = ERR_INIT;

	if (creds_get(c->s->chain, &creds, &err) == 0) {
		w->credentials = creds->from;
		w->key_id = creds->id;
		w->expires = creds->expires;
	}
	if (!a->fault && (a->status == 403 || a->status == 401 || a->status == 400) && strcmp(or_empty(w->code), "SignatureDoesNotMatch") &&
	    strcmp(or_empty(w->code), "InvalidAccessKeyId") && strcmp(or_empty(w->code), "RequestTimeTooSkewed"))
		w->who = s3_who(c->s);
	if (c->s->place.amazon && a->status == 403 && !c->s->bucket_region)
		w->bucket_region = s3_ask_region(c->s);
}

void
s3_explain(struct s3_call *c, const struct http_answer *a, const struct s3_refusal *r, struct buf *b)
{
	struct s3 *s = c->s;
	struct s3_why w = { .op = c->op, .bucket = s->bucket, .key = c->key, .setting = s->setting, .endpoint = s->endpoint,
		.endpoint_from = s->endpoint_from, .amazon = s->place.amazon, .region = s->region, .region_from = s->region_from,
		.bucket_region = s->bucket_region ? s->bucket_region : *r->region ? r->region : NULL,
		.now = time_now_ns() + (uint64_t)(s->clock_s * SECOND), .skew_s = r->skew_s, .fault = a->fault, .fault_text = a->text, .proxy = proxy_variable(s->place.tls),
		.ca_bundle = http_trusted(s->http), .status = a->status, .code = r->code, .message = r->message, .request_id = r->request_id,
		.host_id = r->host_id, .xml = r->xml, .sse = c->how.sse, .kms_key = c->how.kms_key, .acl = c->how.acl,
		.storage_class = c->how.storage_class, .tags = c->how.n_tag > 0, .requester_pays = s->requester_pays, .tries = c->tries };

	add_identity(c, a, &w);
	s3_why(b, &w);
}
