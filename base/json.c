/* json.c: no tree is built: the text grows in a buf, and its last byte says whether a comma is due.
 * A file name need not be UTF-8 while JSON must be: such bytes become U+FFFD, and a member NAME_bytes
 * beside it has the exact ones in hex, so that nothing is lost to a program that cares. */
#include "json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "sha256.h"

/* Bytes of the UTF-8 character at p, 0 if there is none (RFC 3629: no overlong forms, no surrogates). */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
	    p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static void
escape_ascii(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"': buf_str(b, "\\\""); break;
	case '\\': buf_str(b, "\\\\"); break;
	case '\n': buf_str(b, "\\n"); break;
	case '\t': buf_str(b, "\\t"); break;
	case '\r': buf_str(b, "\\r"); break;
	default:
		if (c < 0x20 || c == 0x7f)
			buf_fmt(b, "\\u%04x", c);
		else
			buf_byte(b, (char)c);
	}
}

/* The string in quotes; false if it was not UTF-8. */
static bool
put_string(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = strlen(s);
	bool clean = true;

	buf_byte(b, '"');
	while (n > 0) {
		size_t len = utf8_len(p, n);

		if (len == 1)
			escape_ascii(b, *p);
		else if (len > 1)
			buf_add(b, p, len);
		else {
			buf_str(b, "\xef\xbf\xbd");
			clean = false;
			len = 1;
		}
		p += len;
		n -= len;
	}
	buf_byte(b, '"');
	return clean;
}

static void
start(struct buf *b, const char *name)
{
	char last = b->n > 0 ? b->s[b->n - 1] : '\n';

	if (last != '{' && last != '[' && last != '\n')
		buf_byte(b, ',');
	if (name) {
		put_string(b, name);
		buf_byte(b, ':');
	}
}

void
json_open(struct buf *b, const char *name, char bracket)
{
	start(b, name);
	buf_byte(b, bracket);
}

void
json_close(struct buf *b, char bracket)
{
	buf_byte(b, bracket);
}

static void
put_hex_twin(struct buf *b, const char *name, const char *s)
{
	static const char digit[] = "0123456789abcdef";

	start(b, NULL);
	buf_fmt(b, "\"%s_bytes\":\"", name);
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		buf_byte(b, digit[*p >> 4]);
		buf_byte(b, digit[*p & 15]);
	}
	buf_byte(b, '"');
}

void
json_str(struct buf *b, const char *name, const char *s)
{
	if (!s) {
		json_no_value(b, name);
		return;
	}
	start(b, name);
	if (!put_string(b, s) && name)
		put_hex_twin(b, name, s);
}

void
json_i64(struct buf *b, const char *name, int64_t v)
{
	start(b, name);
	buf_fmt(b, "%lld", (long long)v);
}

void
json_bool(struct buf *b, const char *name, bool v)
{
	start(b, name);
	buf_str(b, v ? "true" : "false");
}

void
json_no_value(struct buf *b, const char *name)
{
	start(b, name);
	buf_str(b, "null");
}

void
json_oid(struct buf *b, const char *name, const struct oid *id)
{
	char hex[OID_HEX + 1];

	oid_hex(id, hex);
	json_str(b, name, hex);
}

void
json_time(struct buf *b, const char *name, uint64_t ns)
{
	char text[32];

	if (ns == 0) {
		json_no_value(b, name);
		return;
	}
	time_rfc3339(text, ns);
	json_str(b, name, text);
}

void
time_rfc3339(char ret[32], uint64_t ns)
{
	time_t t = (time_t)(ns / 1000000000u);
	unsigned ms = (unsigned)(ns / 1000000u % 1000u);
	struct tm tm;
	size_t n = gmtime_r(&t, &tm) ? strftime(ret, 32, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

	snprintf(ret + n, 32 - n, ".%03uZ", ms);
}

uint64_t
time_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
