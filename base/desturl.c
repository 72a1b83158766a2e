/* desturl.c: a URL is split, not interpreted: keys of S3 are bytes, so their prefix stands as it is written; elsewhere
 * there is a path in a URL, so %XX is decoded.  Both halves read it here, so that what was checked is what is used. */
#include "desturl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mem.h"
#include "percent.h"

enum { BUCKET_MAX = 255 };      /* 63 today; those of the first years keep their names */

static const struct { const char *scheme; enum dest_kind kind; } schemes[] = {
	{ "s3", DEST_S3 }, { "s3a", DEST_S3 }, { "s3n", DEST_S3 }, { "minio", DEST_S3 }, { "gs", DEST_S3 }, { "gcs", DEST_S3 },
	{ "file", DEST_FILE }, { "https", DEST_HTTP }, { "http", DEST_HTTP }, { "sftp", DEST_SFTP },
};

__attribute__((format(printf, 2, 3)))
static bool
wrong(char msg[DESTURL_MSG], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, DESTURL_MSG, fmt, ap);
	va_end(ap);
	return false;
}

static bool
find_scheme(struct desturl *u, const char *text, size_t n, char msg[DESTURL_MSG])
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (strlen(schemes[i].scheme) == n && strncasecmp(schemes[i].scheme, text, n) == 0) {
			u->scheme = schemes[i].scheme;
			u->kind = schemes[i].kind;
			return true;
		}
	return wrong(msg, "'%.*s://' is not a place that egress can write to; there are s3://, minio://, gs://, file://, https:// and sftp://",
	    (int)n, text);
}

/* "a=1&b=2", decoded. */
static bool
split_query(struct desturl *u, char *s, struct arena *a, char msg[DESTURL_MSG])
{
	size_t n = 1;

	for (const char *p = s; *p; p++)
		n += *p == '&';
	u->query = arena_alloc(a, n * sizeof *u->query);
	for (char *next; s && *s; s = next) {
		char *eq, *amp = strchr(s, '&');

		next = amp ? amp + 1 : NULL;
		if (amp)
			*amp = '\0';
		eq = strchr(s, '=');
		if (eq)
			*eq = '\0';
		if (!percent_decode(s) || (eq && !percent_decode(eq + 1)))
			return wrong(msg, "'%s' has a %% that is not followed by two hexadecimal digits", s);
		if (*s)
			u->query[u->n_query++] = (struct dest_query){ s, eq ? eq + 1 : "" };
	}
	return true;
}

/* "/a//b/" is "a//b/": one '/' at the end, none at the beginning; "" stays "". */
static const char *
key_prefix(struct arena *a, const char *s)
{
	size_t n;

	s += strspn(s, "/");
	for (n = strlen(s); n > 0 && s[n - 1] == '/'; n--)
		;
	return n ? arena_fmt(a, "%.*s/", (int)n, s) : "";
}

static bool
take_bucket(struct desturl *u, const char *rest, struct arena *a, char msg[DESTURL_MSG])
{
	size_t n = strcspn(rest, "/");

	if (n == 0)
		return wrong(msg, "this URL has no bucket; write %s%s/BUCKET/PREFIX", u->host[0] ? "minio://" : u->scheme,
		    u->host[0] ? u->host : ":/");
	u->bucket = arena_dup(a, rest, n);
	u->prefix = key_prefix(a, rest + n);
	if (strchr(u->bucket, ':') || strstr(u->bucket, ".amazonaws.com"))
		return wrong(msg, "'%s' is an endpoint, not a bucket; write %s://BUCKET/PREFIX?endpoint=https://%s", u->bucket, u->scheme,
		    u->bucket);
	if (strchr(u->bucket, '@'))
		return wrong(msg, "credentials do not belong into a spec; name a profile with 'profile', or leave them to the environment");
	if (n > BUCKET_MAX || u->bucket[strspn(u->bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		return wrong(msg, "'%s' cannot be a bucket's name: letters, digits, '.', '-' and '_'", u->bucket);
	return true;
}

static bool
take_folder(struct desturl *u, char *rest, struct arena *a, char msg[DESTURL_MSG])
{
	size_t n;

	if (strncmp(rest, "localhost/", 10) == 0)
		rest += 9;
	if (!percent_decode(rest))
		return wrong(msg, "a %% in a file URL is followed by two hexadecimal digits; write %%25 for a %%");
	if (*rest != '/' && strncmp(rest, "./", 2) != 0 && strncmp(rest, "../", 3) != 0)
		return wrong(msg, "'%.*s' would be a host; write file:///%s, or file://./%s for a folder of the project", (int)strcspn(rest, "/"),
		    rest, rest, rest);
	rest += strncmp(rest, "./", 2) == 0 ? 2 : 0;
	for (n = strlen(rest); n > 1 && rest[n - 1] == '/'; n--)
		;
	if (n == 0 || (n == 1 && *rest == '/'))
		return wrong(msg, "this URL has no folder; write file:///FOLDER, or file://./FOLDER for one of the project");
	u->prefix = arena_dup(a, rest, n);
	return true;
}

static bool
take_host(struct desturl *u, char *rest, struct arena *a, char msg[DESTURL_MSG])
{
	size_t n = strcspn(rest, "/");
	const char *at;

	if (n == 0 || rest[0] == ':')
		return wrong(msg, "this URL has no host; write %s://HOST/PATH", u->scheme);
	u->host = arena_dup(a, rest, n);
	at = strrchr(u->host, '@');
	if (at && (u->kind != DEST_SFTP || memchr(u->host, ':', (size_t)(at - u->host))))
		return wrong(msg, "a password does not belong into a spec; curl reads ~/.netrc, and ssh has its keys and its agent");
	if (u->kind == DEST_S3)
		return true;
	if (!percent_decode(rest + n))
		return wrong(msg, "a %% in a URL's path is followed by two hexadecimal digits; write %%25 for a %%");
	u->prefix = arena_fmt(a, "/%s", key_prefix(a, rest + n));
	return true;
}

bool
desturl_parse(struct desturl *u, const char *text, struct arena *a, char msg[DESTURL_MSG])
{
	const char *colon = strstr(text, "://");
	char *rest, *query;

	*u = (struct desturl){ .host = "", .bucket = "", .prefix = "", .scheme = "" };
	if (!colon)
		return wrong(msg, "'%s' is no URL; write s3://BUCKET/PREFIX or file:///FOLDER", text);
	if (!find_scheme(u, text, (size_t)(colon - text), msg))
		return false;
	rest = arena_str(a, colon + 3);
	query = strchr(rest, '?');
	if (query)
		*query++ = '\0';
	if (query && (u->kind == DEST_HTTP || u->kind == DEST_SFTP))
		return wrong(msg, "a %s URL of an egress has no '?…': a key in it would be a secret in the spec", u->scheme);
	if (query && !split_query(u, query, a, msg))
		return false;
	if (u->kind == DEST_FILE)
		return take_folder(u, rest, a, msg);
	if (u->kind == DEST_S3 && strcmp(u->scheme, "minio"))
		return take_bucket(u, rest, a, msg);
	if (!take_host(u, rest, a, msg))
		return false;
	if (u->kind != DEST_S3)
		return true;
	rest += strcspn(rest, "/");
	return take_bucket(u, rest + (*rest == '/'), a, msg);
}

const char *
desturl_query(const struct desturl *u, const char *key)
{
	const char *found = NULL;

	for (size_t i = 0; i < u->n_query; i++)
		if (strcmp(u->query[i].key, key) == 0)
			found = u->query[i].value;
	return found;
}

bool
desturl_yes(const char *value)
{
	return !*value || strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 || strcasecmp(value, "yes") == 0;
}
