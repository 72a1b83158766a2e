/* place.c: two egresses are the same place if the same file comes to lie under the same name there: what else is said (who
 * pushes, how fast, encrypted how) may change, and nothing has to be sent again for it. */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "ignore.h"

static bool
take_text(struct place *p, const struct conf_set *s)
{
	const struct { const char *key; const char **to; } text[] = {
		{ "region", &p->region }, { "profile", &p->profile }, { "role_arn", &p->role_arn }, { "external_id", &p->external_id },
		{ "endpoint", &p->endpoint }, { "addressing", &p->addressing }, { "sse", &p->sse }, { "kms_key", &p->kms_key },
		{ "acl", &p->acl }, { "storage_class", &p->storage_class }, { "content_type", &p->content_type },
		{ "cache_control", &p->cache_control }, { "layout", &p->layout },
	};

	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		if (!strcmp(s->key, text[i].key)) {
			*text[i].to = s->value;
			return true;
		}
	return false;
}

static void
take_number(struct place *p, const struct conf_set *s)
{
	uint64_t v = strtoull(s->value, NULL, 10);

	if (!strcmp(s->key, "delete"))
		p->delete_ = v;
	else if (!strcmp(s->key, "verify"))
		p->verify = v;
	else if (!strcmp(s->key, "requester_pays"))
		p->requester_pays = v;
	else if (!strcmp(s->key, "concurrency"))
		p->concurrency = (unsigned)v;
	else if (!strcmp(s->key, "part_size"))
		p->part_size = v;
	else if (!strcmp(s->key, "bandwidth"))
		p->bandwidth = v;
}

static void
take_settings(struct place *p, const struct conf_egress *e)
{
	struct buf include = BUF_INIT, exclude = BUF_INIT;

	p->tag = arena_alloc(&p->arena, (e->n_with + 1) * sizeof *p->tag);
	p->meta = arena_alloc(&p->arena, (e->n_with + 1) * sizeof *p->meta);
	for (size_t i = 0; i < e->n_with; i++) {
		const struct conf_set *s = &e->with[i];

		if (!strncmp(s->key, "tags.", 5))
			p->tag[p->n_tag++] = (struct place_pair){ s->key + 5, s->value };
		else if (!strncmp(s->key, "metadata.", 9))
			p->meta[p->n_meta++] = (struct place_pair){ s->key + 9, s->value };
		else if (!strcmp(s->key, "include"))
			buf_fmt(&include, "%s\n", s->value);
		else if (!strcmp(s->key, "exclude"))
			buf_fmt(&exclude, "%s\n", s->value);
		else if (!take_text(p, s))
			take_number(p, s);
	}
	buf_byte(&include, '\0');
	buf_add(&include, exclude.s ? exclude.s : "", exclude.n);
	sha256_bytes(include.s, include.n, &p->filter);
	include.n -= exclude.n + 1;
	p->include = include.n ? ignore_parse(include.s, include.n, NULL, 0) : NULL;
	p->exclude = exclude.n ? ignore_parse(exclude.s, exclude.n, NULL, 0) : NULL;
	buf_release(&include);
	buf_release(&exclude);
}

/* Google's S3 is found under another name; minio's in its URL. */
static void
find_endpoint(struct place *p)
{
	const char *secure = desturl_query(&p->to, "secure"), *plain = desturl_query(&p->to, "disableSSL");
	bool https = secure ? desturl_yes(secure) : plain && !desturl_yes(plain);

	if (p->to.kind != DEST_S3)
		return;
	if (!plain)
		plain = desturl_query(&p->to, "disable_https");
	if (!strcmp(p->to.scheme, "minio"))
		p->endpoint = arena_fmt(&p->arena, "%s://%s", https ? "https" : "http", p->to.host);
	else if (!p->endpoint && p->to.scheme[0] == 'g')
		p->endpoint = "https://storage.googleapis.com";
	else if (p->endpoint && !strstr(p->endpoint, "://"))
		p->endpoint = arena_fmt(&p->arena, "%s://%s", plain && desturl_yes(plain) ? "http" : "https", p->endpoint);
}

int
place_folder(struct place *p, struct err *err)
{
	char *here;

	p->folder = p->to.prefix;
	if (p->to.kind != DEST_FILE || p->folder[0] == '/')
		return 0;
	here = getcwd(NULL, 0);
	if (!here)
		return err_set(err, 0, "the current directory has no name any more");
	p->folder = arena_fmt(&p->arena, "%s/%s", here, p->to.prefix);
	free(here);
	return 0;
}

static void
find_id(struct place *p)
{
	struct sha256 h;
	struct oid id;
	char hex[OID_HEX + 1];

	sha256_init(&h);
	sha256_field_str(&h, "dassie-place 1");
	sha256_field_u64(&h, p->to.kind);
	sha256_field_str(&h, p->to.kind == DEST_HTTP ? p->to.scheme : "");
	sha256_field_str(&h, p->endpoint ? p->endpoint : "");
	sha256_field_str(&h, p->to.host);
	sha256_field_str(&h, p->to.bucket);
	sha256_field_str(&h, p->folder);
	sha256_field_str(&h, p->layout);
	sha256_final(&h, &id);
	oid_hex(&id, hex);
	snprintf(p->id, sizeof p->id, "%.16s", hex);
}

int
place_init(struct place *p, const struct conf *c, size_t i, struct err *err)
{
	char msg[DESTURL_MSG];

	*p = (struct place)PLACE_INIT;
	p->pipeline = c->pipeline;
	p->url = c->egress[i].url;
	if (!desturl_parse(&p->to, p->url, &p->arena, msg))
		return err_set(err, 0, "%s", msg);
	take_settings(p, &c->egress[i]);
	if (!p->layout)
		p->layout = "{path}";
	find_endpoint(p);
	if (place_folder(p, err) < 0)
		return -1;
	find_id(p);
	return 0;
}

void
place_release(struct place *p)
{
	ignore_free(p->include);
	ignore_free(p->exclude);
	arena_release(&p->arena);
	*p = (struct place)PLACE_INIT;
}

bool
place_wants(const struct place *p, const char *path)
{
	return (!p->include || ignore_covers(p->include, path)) && !(p->exclude && ignore_covers(p->exclude, path));
}

char *
place_base(const struct place *p, const struct oid *commit, uint64_t when, struct arena *a)
{
	time_t t = (time_t)(when / 1000000000);
	char date[16], hex[OID_HEX + 1], *ret;
	struct buf b = BUF_INIT;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(date, sizeof date, "%Y-%m-%d", &tm);
	oid_hex(commit, hex);
	for (const char *s = p->layout; *s; s++) {
		const char *word = !strncmp(s, "{date}", 6) ? date : !strncmp(s, "{commit}", 8) ? hex :
		    !strncmp(s, "{pipeline}", 10) ? p->pipeline : !strncmp(s, "{path}", 6) ? "" : NULL;

		if (word)
			buf_str(&b, word);
		else
			buf_byte(&b, *s);
		if (word)
			s = strchr(s, '}');
	}
	ret = arena_dup(a, b.n ? b.s : "", b.n);
	buf_release(&b);
	return ret;
}

char *
place_file(char ret[LAYOUT_MAX], const struct place *p, const char *suffix)
{
	snprintf(ret, LAYOUT_MAX, "%s/%s-%s%s", DIR_EGRESS, p->pipeline, p->id, suffix);
	return ret;
}

char *
place_manifest(const struct place *p, const char *base, struct arena *a)
{
	const char *slash = strrchr(base, '/');

	return arena_fmt(a, "%.*s.dassie-%s.json", slash ? (int)(slash + 1 - base) : 0, base, p->pipeline);
}
