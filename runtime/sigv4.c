/* sigv4.c: the four steps of the signature, each a function:
 *
 *   canonical request = method \n path \n query \n headers \n names of headers \n hash of the body
 *   string to sign    = AWS4-HMAC-SHA256 \n date \n day/region/service/aws4_request \n SHA-256 of the canonical request
 *   key               = HMAC chain over day, region, service, "aws4_request", begun with "AWS4" and the secret
 *   signature         = HMAC of the string under the key, in hex
 *
 * S3 signs the path as it is sent, every octet encoded once, with nothing folded; other services fold it. */
#include "sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../base/buf.h"
#include "../base/mem.h"
#include "../base/sha256.h"

void
sigv4_date(char ret[SIGV4_DATE], uint64_t ns)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(ret, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm);
}

static bool
unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void
sigv4_encode(struct buf *b, const char *s, size_t n, bool slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (unreserved(c) || (slash && c == '/')) {
			buf_byte(b, (char)c);
		} else {
			buf_byte(b, '%');
			buf_byte(b, hex[c >> 4]);
			buf_byte(b, hex[c & 15]);
		}
	}
}

/* --- path ------------------------------------------------------------------------------------------------------------------- */

/* RFC 3986, 5.2.4, and empty segments go too. */
static void
fold(struct buf *b, const char *path)
{
	size_t start = b->n;

	for (const char *s = path; *s;) {
		size_t n;

		s += strspn(s, "/");
		n = strcspn(s, "/");
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			while (b->n > start && b->s[--b->n] != '/')
				;
			b->s[b->n] = '\0';
		} else if (n && !(n == 1 && s[0] == '.')) {
			buf_byte(b, '/');
			buf_add(b, s, n);
		}
		s += n;
	}
	if (b->n == start || (*path && path[strlen(path) - 1] == '/'))
		buf_byte(b, '/');
}

static void
add_path(struct buf *b, const struct sigv4_request *r)
{
	struct buf folded = BUF_INIT;

	if (r->normalize) {
		fold(&folded, r->path);
		sigv4_encode(b, folded.s, folded.n, true);
	} else {
		sigv4_encode(b, r->path, strlen(r->path), true);
	}
	buf_release(&folded);
}

/* --- query and headers: sorted pairs ------------------------------------------------------------------------------------------ */

struct pair { char *name, *value; size_t order; };

static int
by_both(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;
	int c = strcmp(a->name, b->name);

	return c ? c : strcmp(a->value, b->value);
}

/* Values of one name stay in the order in which they are sent. */
static int
by_name(const void *x, const void *y)
{
	const struct pair *a = x, *b = y;
	int c = strcmp(a->name, b->name);

	return c ? c : (a->order > b->order) - (a->order < b->order);
}

static void
pairs_free(struct pair *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].value);
	}
	free(v);
}

static char *
encoded(const char *s)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "");
	if (s)
		sigv4_encode(&b, s, strlen(s), false);
	return buf_detach(&b);
}

static void
add_query(struct buf *b, const struct sigv4_request *r)
{
	struct pair *v = xcalloc(r->n_query + 1, sizeof *v);

	for (size_t i = 0; i < r->n_query; i++)
		v[i] = (struct pair){ encoded(r->query[i].name), encoded(r->query[i].value), i };
	qsort(v, r->n_query, sizeof *v, by_both);
	for (size_t i = 0; i < r->n_query; i++)
		buf_fmt(b, "%s%s=%s", i ? "&" : "", v[i].name, v[i].value);
	pairs_free(v, r->n_query);
}

static char *
lower(const char *s)
{
	char *t = xstrdup(s);

	for (char *p = t; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return t;
}

/* Blanks around it go, blanks in it become one. */
static char *
trimmed(const char *s)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "");
	for (s = s ? s : ""; *s; s++) {
		bool blank = strchr(" \t\r\n", *s) != NULL;

		if (!blank)
			buf_byte(&b, *s);
		else if (b.n && b.s[b.n - 1] != ' ')
			buf_byte(&b, ' ');
	}
	if (b.n && b.s[b.n - 1] == ' ')
		b.s[--b.n] = '\0';
	return buf_detach(&b);
}

static struct pair *
headers(const struct sigv4_request *r)
{
	struct pair *v = xcalloc(r->n_header + 1, sizeof *v);

	for (size_t i = 0; i < r->n_header; i++)
		v[i] = (struct pair){ lower(r->header[i].name), trimmed(r->header[i].value), i };
	qsort(v, r->n_header, sizeof *v, by_name);
	return v;
}

static bool
repeated(const struct pair *v, size_t i)
{
	return i > 0 && strcmp(v[i].name, v[i - 1].name) == 0;
}

static void
add_names(struct buf *b, const struct pair *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!repeated(v, i))
			buf_fmt(b, "%s%s", i ? ";" : "", v[i].name);
}

/* --- the steps -------------------------------------------------------------------------------------------------------------- */

void
sigv4_target(struct buf *b, const struct sigv4_request *r)
{
	add_path(b, r);
	if (r->n_query)
		buf_byte(b, '?');
	add_query(b, r);
}

void
sigv4_canonical(struct buf *b, const struct sigv4_request *r)
{
	struct pair *v = headers(r);

	buf_fmt(b, "%s\n", r->method);
	add_path(b, r);
	buf_byte(b, '\n');
	add_query(b, r);
	for (size_t i = 0; i < r->n_header; i++)
		if (repeated(v, i))
			buf_fmt(b, ",%s", v[i].value);
		else
			buf_fmt(b, "\n%s:%s", v[i].name, v[i].value);
	buf_str(b, "\n\n");
	add_names(b, v, r->n_header);
	buf_fmt(b, "\n%s", r->payload_hash);
	pairs_free(v, r->n_header);
}

static void
add_scope(struct buf *b, const struct sigv4_scope *s)
{
	buf_fmt(b, "%.8s/%s/%s/aws4_request", s->date, s->region, s->service);
}

void
sigv4_string_to_sign(struct buf *b, const struct sigv4_request *r, const struct sigv4_scope *s)
{
	struct buf canonical = BUF_INIT;
	char hex[OID_HEX + 1];
	struct oid hash;

	sigv4_canonical(&canonical, r);
	sha256_bytes(canonical.s, canonical.n, &hash);
	oid_hex(&hash, hex);
	buf_fmt(b, "AWS4-HMAC-SHA256\n%s\n", s->date);
	add_scope(b, s);
	buf_fmt(b, "\n%s", hex);
	buf_release(&canonical);
}

static void
signing_key(struct oid *ret, const struct sigv4_scope *s, const char *secret)
{
	const char *const part[] = { s->region, s->service, "aws4_request" };
	struct buf b = BUF_INIT;

	buf_fmt(&b, "AWS4%s", secret);
	sha256_hmac(b.s, b.n, s->date, 8, ret);
	memset(b.s, 0, b.n);
	buf_release(&b);
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		struct oid key = *ret;

		sha256_hmac(key.b, sizeof key.b, part[i], strlen(part[i]), ret);
	}
}

void
sigv4_authorization(struct buf *b, const struct sigv4_request *r, const struct sigv4_scope *s, const struct sigv4_key *k)
{
	struct buf text = BUF_INIT;
	struct pair *v = headers(r);
	char hex[OID_HEX + 1];
	struct oid key, mac;

	sigv4_string_to_sign(&text, r, s);
	signing_key(&key, s, k->secret);
	sha256_hmac(key.b, sizeof key.b, text.s, text.n, &mac);
	oid_hex(&mac, hex);
	buf_fmt(b, "AWS4-HMAC-SHA256 Credential=%s/", k->id);
	add_scope(b, s);
	buf_str(b, ", SignedHeaders=");
	add_names(b, v, r->n_header);
	buf_fmt(b, ", Signature=%s", hex);
	pairs_free(v, r->n_header);
	buf_release(&text);
}
