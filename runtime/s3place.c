/* s3place.c: endpoints and addresses: https://BUCKET.s3.REGION.amazonaws.com/KEY, or ENDPOINT/BUCKET/KEY. */
#include "s3call.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
ends(const char *s, size_t n, const char *tail)
{
	size_t len = strlen(tail);

	return n >= len && strncasecmp(s + n - len, tail, len) == 0;
}

bool
s3_place_parse(struct s3_place *p, const char *url)
{
	bool tls = strncasecmp(url, "https://", 8) == 0;
	const char *host = url + (tls ? 8 : 7), *usual = tls ? ":443" : ":80";
	size_t n, path;

	if (!tls && strncasecmp(url, "http://", 7) != 0)
		return false;
	n = strcspn(host, "/");
	if (!n || memchr(host, '@', n) || strpbrk(host, "?# \t\r\n"))
		return false;
	path = strlen(host + n);
	while (path && host[n + path - 1] == '/')
		path--;
	s3_place_release(p);
	p->tls = tls;
	p->path = xmemdup(host + n, path);
	if (ends(host, n, usual))
		n -= strlen(usual);
	p->host = xmemdup(host, n);
	n = strcspn(p->host, ":");
	p->amazon = ends(p->host, n, ".amazonaws.com") || ends(p->host, n, ".amazonaws.com.cn");
	return true;
}

void
s3_place_amazon(struct s3_place *p, const char *region)
{
	char url[300];

	snprintf(url, sizeof url, "https://s3.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) ? "" : ".cn");
	s3_place_parse(p, url);
}

void
s3_place_release(struct s3_place *p)
{
	free(p->host);
	free(p->path);
	p->host = p->path = NULL;
}

char *
s3_place_words(const struct s3_place *p)
{
	struct buf b = BUF_INIT;

	buf_fmt(&b, "http%s://%s%s", p->tls ? "s" : "", p->host, p->path);
	return buf_detach(&b);
}

/* A name that can be part of a host name; with dots in it no wildcard certificate fits. */
static bool
host_like(const char *bucket, bool tls)
{
	size_t n = strlen(bucket);

	for (size_t i = 0; i < n; i++)
		if (!(islower((unsigned char)bucket[i]) || isdigit((unsigned char)bucket[i]) || (bucket[i] == '-' && i && i + 1 < n) || (bucket[i] == '.' && !tls)))
			return false;
	return n >= 3 && n <= 63;
}

void
s3_place_of(const struct s3 *s, struct arena *a, const char *key, const char **ret_host, const char **ret_path)
{
	const struct s3_place *p = &s->place;
	bool virtual = s->addressing == S3_VIRTUAL || (s->addressing == S3_AUTO && p->amazon && host_like(s->bucket, p->tls));

	if (virtual) {
		*ret_host = arena_fmt(a, "%s.%s", s->bucket, p->host);
		*ret_path = arena_fmt(a, "%s/%s", p->path, key ? key : "");
	} else {
		*ret_host = p->host;
		*ret_path = arena_fmt(a, "%s/%s%s%s", p->path, s->bucket, key ? "/" : "", key ? key : "");
	}
}
