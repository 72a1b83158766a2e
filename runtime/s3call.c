/* s3call.c: one request: its parts, its place in the line, its signature.  It waits until the window of s3retry.h has room; each time it
 * is sent it is signed anew, for the region, host, clock and credentials that are known by then.  What comes back is s3answer.c's.
 * A call that waits for its next try stands in no line: a timer puts it back. */
#include "s3call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"

enum { MORE_HEADERS = 10 };          /* host, dates, hashes, token, payer, range, authorization */

static const int64_t SECOND = 1000000000;
static const char EMPTY_HASH[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static enum s3_taken
take_nothing(struct s3_call *c, const struct http_answer *a)
{
	(void)c;
	(void)a;
	return S3_TAKEN;
}

struct s3_call *
s3_call_new(struct s3 *s, enum s3_op op, const char *method, const char *key, s3_done *done, void *ctx)
{
	struct s3_call *c = xcalloc(1, sizeof *c);

	c->s = s;
	c->op = op;
	c->method = method;
	c->key = key ? arena_str(&c->a, key) : NULL;
	c->fd = -1;
	c->take = take_nothing;
	c->done = done;
	c->ctx = ctx;
	return c;
}

static void
call_free(struct s3_call *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->header);
	free(c->sent_region);
	free(c->sent_host);
	arena_release(&c->a);
	free(c);
}

void
s3_calls_drop(struct s3 *s)
{
	for (struct s3_call *c = s->first, *next; c; c = next) {
		next = c->next;
		call_free(c);
	}
	s->first = NULL;
	s->last = &s->first;
}

void
s3_call_query(struct s3_call *c, const char *name, const char *value)
{
	if (c->n_query == S3_QUERIES)
		BUG("too many query parameters");
	c->query[c->n_query++] = (struct sigv4_pair){ name, value ? arena_str(&c->a, value) : NULL };
}

/* A header is a line: what would end it is not sent. */
void
s3_call_header(struct s3_call *c, const char *name, const char *value)
{
	char *copy;

	if (!value)
		return;
	copy = arena_str(&c->a, value);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	GROW(c->header, c->n_header, c->cap_header);
	c->header[c->n_header++] = (struct sigv4_pair){ arena_str(&c->a, name), copy };
}

void
s3_call_bytes(struct s3_call *c, const struct s3_bytes *b)
{
	c->has_body = true;
	c->path = b->path ? arena_str(&c->a, b->path) : NULL;
	c->p = b->p ? b->p : "";
	c->offset = b->offset;
	c->size = b->size;
	if (b->sha256) {
		c->hash = *b->sha256;
		c->hashed = true;
	}
}

const char *
s3_call_base64(struct s3_call *c, const struct oid *id)
{
	char *s = arena_alloc(&c->a, OID_BASE64 + 1);

	oid_base64(id, s);
	return s;
}

/* --- the end of a call -------------------------------------------------------------------------------------------------------------- */

const char *
s3_header(const struct http_answer *a, const char *name)
{
	const char *s = http_header(a, name);

	return s ? s : "";
}

const char *
s3_call_unquoted(struct s3_call *c, const char *s)
{
	size_t n = strlen(s);

	return n > 1 && s[0] == '"' && s[n - 1] == '"' ? arena_dup(&c->a, s + 1, n - 2) : s;
}

void
s3_call_fill(struct s3_call *c, const struct http_answer *a, struct s3_answer *out, struct oid *sha256)
{
	const char *length = s3_header(a, "Content-Length"), *range = http_header(a, "Content-Range");

	out->status = a->status;
	out->tries = c->tries;
	out->etag = c->op == S3_COMPLETE_UPLOAD ? c->etag : s3_call_unquoted(c, s3_header(a, "ETag"));
	out->version_id = s3_header(a, "x-amz-version-id");
	out->checksum_sha256 = s3_header(a, "x-amz-checksum-sha256");
	out->last_modified = s3_header(a, "Last-Modified");
	out->dassie_commit = s3_header(a, "x-amz-meta-dassie-commit");
	out->dassie_datum = s3_header(a, "x-amz-meta-dassie-datum");
	out->dassie_pipeline = s3_header(a, "x-amz-meta-dassie-pipeline");
	if (oid_parse(s3_header(a, "x-amz-meta-dassie-sha256"), sha256))
		out->dassie_sha256 = sha256;
	if (range && strchr(range, '/'))
		length = strchr(range, '/') + 1;
	out->size = strtoull(length, NULL, 10);
	out->code = out->text = "";
	out->upload_id = c->more && c->op == S3_CREATE_UPLOAD ? c->more : "";
}

void
s3_call_end(struct s3_call *c, struct s3_answer *out)
{
	struct s3 *s = c->s;

	if (out->failure == S3_FINE || !c->failed || !c->failed(c, out)) {
		if (c->done)
			c->done(c->ctx, out);
	}
	call_free(c);
	s3_pump(s);
}

static void
end_local(struct s3_call *c, enum s3_failure failure, const char *text)
{
	struct http_answer none = { 0 };
	struct s3_answer out = { .failure = failure };
	struct oid sha256;

	s3_call_fill(c, &none, &out, &sha256);
	out.text = text;
	s3_call_end(c, &out);
}

const char *
s3_call_words(struct s3_call *c)
{
	return arena_fmt(&c->a, "%s 's3://%s%s%s'", s3_operations[c->op].name, c->s->bucket, c->key ? "/" : "", c->key ? c->key : "");
}

/* --- sending -------------------------------------------------------------------------------------------------------------------------- */

/* A server that does not know ranges sends all of it again. */
static void
on_begin(void *ctx, int status)
{
	struct s3_call *c = ctx;

	c->skip = status == 206 ? 0 : c->delivered;
}

static bool
on_sink(void *ctx, const void *p, size_t n)
{
	struct s3_call *c = ctx;

	if (c->skip) {
		size_t drop = c->skip < n ? (size_t)c->skip : n;

		c->skip -= drop;
		p = (const char *)p + drop;
		n -= drop;
	}
	if (n && !c->sink(c->ctx, p, n))
		return false;
	c->delivered += n;
	return true;
}

/* The file's hash, where nobody knew it.  Its bytes are in the page cache afterwards, for the sending. */
static int
hash_body(struct s3_call *c, struct err *err)
{
	enum { CHUNK = 256 << 10 };
	struct sha256 h;
	char *chunk;
	uint64_t at = 0;

	if (c->hashed || !c->has_body)
		return 0;
	if (!c->path) {
		sha256_bytes(c->p, c->size, &c->hash);
		c->hashed = true;
		return 0;
	}
	chunk = xmalloc(CHUNK);
	sha256_init(&h);
	while (at < c->size) {
		size_t want = c->size - at < CHUNK ? (size_t)(c->size - at) : CHUNK;
		ssize_t n = pread(c->fd, chunk, want, (off_t)(c->offset + at));

		if (n <= 0)
			break;
		sha256_update(&h, chunk, (size_t)n);
		at += (uint64_t)n;
	}
	free(chunk);
	if (at < c->size)
		return err_set(err, 0, "cannot read '%s': it is shorter than it was", c->path);
	sha256_final(&h, &c->hash);
	c->hashed = true;
	return 0;
}

static int
open_body(struct s3_call *c, struct err *err)
{
	if (c->path && c->fd < 0 && (c->fd = open(c->path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_set(err, errno, "cannot open '%s':", c->path);
	return hash_body(c, err);
}

void
s3_remember(char **slot, const char *value)
{
	free(*slot);
	*slot = xstrdup(value);
}

/* Signed headers as lines.  host is one of them. */
static size_t
sign(struct s3_call *c, const struct creds *creds, const char *host, const char *path, const char **line, struct buf *target)
{
	struct s3 *s = c->s;
	struct sigv4_scope scope = { s->region, "s3", "" };
	struct sigv4_pair *pair = arena_alloc(&c->a, (c->n_header + MORE_HEADERS) * sizeof *pair);
	char hash[OID_HEX + 1];
	struct sigv4_request r = { .method = c->method, .path = path, .query = c->query, .n_query = c->n_query, .header = pair, .payload_hash = EMPTY_HASH };
	struct buf authorization = BUF_INIT;
	size_t n = 0;

	if (c->has_body) {
		oid_hex(&c->hash, hash);
		r.payload_hash = hash;
	}
	sigv4_date(scope.date, time_now_ns() + (uint64_t)(s->clock_s * SECOND));
	pair[n++] = (struct sigv4_pair){ "host", host };
	pair[n++] = (struct sigv4_pair){ "x-amz-date", scope.date };
	pair[n++] = (struct sigv4_pair){ "x-amz-content-sha256", r.payload_hash };
	if (creds->token)
		pair[n++] = (struct sigv4_pair){ "x-amz-security-token", creds->token };
	if (s->requester_pays)
		pair[n++] = (struct sigv4_pair){ "x-amz-request-payer", "requester" };
	if (c->checksum)
		pair[n++] = (struct sigv4_pair){ "x-amz-checksum-sha256", s3_call_base64(c, &c->hash) };
	for (size_t i = 0; i < c->n_header; i++)
		pair[n++] = c->header[i];
	if (c->delivered && c->etag[0]) {
		pair[n++] = (struct sigv4_pair){ "range", arena_fmt(&c->a, "bytes=%llu-", (unsigned long long)c->delivered) };
		pair[n++] = (struct sigv4_pair){ "if-match", arena_fmt(&c->a, "\"%s\"", c->etag) };
	}
	r.n_header = n;
	sigv4_target(target, &r);
	sigv4_authorization(&authorization, &r, &scope, &(struct sigv4_key){ creds->id, creds->secret });
	for (size_t i = 0; i < n; i++)
		line[i] = arena_fmt(&c->a, "%s: %s", pair[i].name, pair[i].value);
	line[n++] = arena_fmt(&c->a, "Authorization: %s", authorization.s);
	buf_release(&authorization);
	return n;
}

static void
transmit(struct s3_call *c, const struct creds *creds)
{
	struct s3 *s = c->s;
	const char **line = arena_alloc(&c->a, (c->n_header + MORE_HEADERS) * sizeof *line), *host, *path;
	struct http_request r = HTTP_REQUEST_INIT;
	struct buf url = BUF_INIT;

	s3_place_of(s, &c->a, c->key, &host, &path);
	buf_fmt(&url, "http%s://%s", s->place.tls ? "s" : "", host);
	r.n_header = sign(c, creds, host, path, line, &url);
	r.method = c->method;
	r.url = url.s;
	r.header = line;
	if (c->has_body) {
		r.body.p = c->path ? NULL : c->p;
		r.body.fd = c->fd;
		r.body.offset = c->offset;
		r.body.n = c->size;
	}
	r.sink = c->sink ? on_sink : NULL;
	r.began = on_begin;
	/* What may not be done twice without our knowing of it: that would be two uploads, or one that is not there any more. */
	r.fresh = c->op == S3_CREATE_UPLOAD || c->op == S3_COMPLETE_UPLOAD;
	r.done = s3_call_answered;
	r.ctx = c;
	s3_remember(&c->sent_region, s->region);
	s3_remember(&c->sent_host, s->place.host);
	c->sent_clock = s->clock_s;
	c->tries++;
	http_start(s->http, &r);
	buf_release(&url);
}

static void
no_credentials(struct s3_call *c, const struct err *err)
{
	struct s3_why w = { .op = c->op, .bucket = c->s->bucket, .key = c->key, .no_credentials = err->text };
	struct buf b = BUF_INIT;
	char *text;

	s3_why(&b, &w);
	text = arena_str(&c->a, b.s);
	buf_release(&b);
	end_local(c, S3_REFUSED, text);
}

static void
launch(struct s3_call *c)
{
	const struct creds *creds;
	struct err err = ERR_INIT;

	if (c->before)
		c->before(c);
	if (s3_creds(c->s, &creds, &err) < 0) {
		c->s->running--;
		no_credentials(c, &err);
	} else if (open_body(c, &err) < 0) {
		c->s->running--;
		err_wrap(&err, "%s", s3_call_words(c));
		end_local(c, S3_LOCAL, arena_str(&c->a, err.text));
	} else {
		transmit(c, creds);
	}
}

/* Not re-entered: what ends in here is answered for by the loop outside. */
void
s3_pump(struct s3 *s)
{
	while (s->first && s->running < s->pace.window) {
		struct s3_call *c = s->first;

		s->first = c->next;
		if (!s->first)
			s->last = &s->first;
		c->next = NULL;
		s->running++;
		launch(c);
	}
}

void
s3_call_in_line(struct s3_call *c)
{
	struct s3 *s = c->s;

	*s->last = c;
	s->last = &c->next;
}

static void
later(void *ctx)
{
	struct s3_call *c = ctx;

	s3_call_in_line(c);
	s3_pump(c->s);
}

void
s3_call_again(struct s3_call *c, uint64_t ms)
{
	http_after(c->s->http, ms, later, c);
}

/* Never at once: done() may not be called by the function that starts a request. */
static void
start_timer(void *ctx)
{
	s3_pump(ctx);
}

void
s3_call_start(struct s3_call *c)
{
	s3_call_in_line(c);
	http_after(c->s->http, 0, start_timer, c->s);
}
