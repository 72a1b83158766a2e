/* egress.c: what can be wrong with an egress is found here, before anything has run: a push is the end of what may be hours.
 *
 * What a place can do follows from its scheme; a table says which setting is for which.  In P.conf each setting is a line by its
 * name in the spec; what the URL's query says is written as the setting that it is. */
#include "egress.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/desturl.h"
#include "../base/mem.h"
#include "fields.h"
#include "print.h"
#include "spec.h"
#include "suggest.h"

enum {
	S3 = 1 << DEST_S3, FOLDER = 1 << DEST_FILE, WEB = 1 << DEST_HTTP, SSH = 1 << DEST_SFTP,
	TAGS_MAX = 10, TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256, META_MAX = 1800, CONCURRENCY_MAX = 256,
};

#define PART_MIN ((int64_t)5 << 20)
#define PART_MAX ((int64_t)5 << 30)

/* Which schemes a setting is for; those that are not here are for all. */
static const struct { const char *field; unsigned schemes; } meant_for[] = {
	{ "region", S3 }, { "profile", S3 }, { "role_arn", S3 }, { "external_id", S3 }, { "endpoint", S3 }, { "addressing", S3 },
	{ "requester_pays", S3 }, { "sse", S3 }, { "kms_key", S3 }, { "acl", S3 }, { "storage_class", S3 }, { "tags", S3 },
	{ "metadata", S3 }, { "part_size", S3 }, { "content_type", S3 | WEB }, { "cache_control", S3 | WEB },
	{ "concurrency", S3 | WEB | SSH }, { "bandwidth", S3 | WEB | SSH }, { "verify", S3 | FOLDER },
};

/* What Pachyderm (by gocloud.dev) reads from a query, and the setting that it is; NULL: nothing comes of it here, or scheme() does. */
static const struct { const char *key, *field; unsigned schemes; } queries[] = {
	{ "region", "region", S3 }, { "endpoint", "endpoint", S3 }, { "profile", "profile", S3 }, { "ssetype", "sse", S3 },
	{ "kmskeyid", "kms_key", S3 }, { "use_path_style", "addressing", S3 }, { "s3ForcePathStyle", "addressing", S3 },
	{ "disableSSL", NULL, S3 }, { "disable_https", NULL, S3 }, { "secure", NULL, S3 }, { "hostname_immutable", NULL, S3 },
	{ "awssdk", NULL, S3 }, { "create_dir", NULL, FOLDER }, { "metadata", NULL, FOLDER }, { "no_tmp_dir", NULL, FOLDER },
};

enum { N_MEANT = sizeof meant_for / sizeof *meant_for, N_QUERIES = sizeof queries / sizeof *queries };

struct checking {
	struct specset *s;
	const struct egress *e;
	const struct str *url;
	struct desturl to;
};

static bool
given(const struct str *t)
{
	return t->s && *t->s;
}

/* Where a field stands in the file. */
static struct span
place_of(const struct egress *e, const struct field *f)
{
	const char *m = (const char *)e + f->off;

	switch (f->kind) {
	case FK_STR:
		return ((const struct str *)(const void *)m)->at;
	case FK_STRS:
		return ((const struct strs *)(const void *)m)->at;
	case FK_PAIRS:
		return ((const struct pairs *)(const void *)m)->at;
	default:
		return ((const struct num *)(const void *)m)->at;
	}
}

static bool
is_setting(const struct field *f)
{
	return f->kind != FK_OBJ && strcmp(f->name, "URL") != 0;
}

static bool
check_schemes(struct checking *c)
{
	bool ok = true;

	for (size_t i = 0; i < egress_table.n; i++) {
		const struct field *f = &egress_table.field[i];

		if (!is_setting(f) || !print_given(f, c->e))
			continue;
		for (size_t k = 0; k < N_MEANT; k++)
			if (!strcmp(meant_for[k].field, f->name) && !(meant_for[k].schemes & 1u << c->to.kind))
				ok = diag_error(c->s->d, place_of(c->e, f), "'%s' means nothing for %s://: it is for %s", f->name, c->to.scheme,
				    meant_for[k].schemes & FOLDER ? "s3:// and file://" : meant_for[k].schemes & SSH ? "s3://, https:// and sftp://" :
				    meant_for[k].schemes & WEB ? "s3:// and https://" : "s3://");
	}
	return ok;
}

static bool
check_query(struct checking *c)
{
	const char *known[N_QUERIES];
	bool ok = true;
	size_t n = 0;

	for (size_t i = 0; i < N_QUERIES; i++)
		if (queries[i].schemes & 1u << c->to.kind)
			known[n++] = queries[i].key;
	for (size_t i = 0; i < c->to.n_query; i++) {
		size_t k = 0;

		while (k < n && strcmp(known[k], c->to.query[i].key))
			k++;
		if (k == n)
			ok = diag_error(c->s->d, c->url->at, "unknown '%s' in the URL's query%s", c->to.query[i].key,
			    did_you_mean(c->s->a, c->to.query[i].key, known, n));
	}
	for (size_t i = 0; i < N_QUERIES; i++) {
		const char *value = desturl_query(&c->to, queries[i].key);
		const struct field *f = value && queries[i].field ? field_find(&egress_table, queries[i].field) : 0;

		if (f && print_given(f, c->e))
			ok = diag_error(c->s->d, place_of(c->e, f), "'%s' is in the URL's query, too", f->name);
	}
	return ok;
}

static bool
check_word(struct checking *c, const struct str *t, const char *field, const char *const *word, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		if (!given(t) || !strcmp(t->s, word[i]))
			return true;
	for (size_t i = 0; i < n; i++)
		buf_fmt(&b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", word[i]);
	diag_error(c->s->d, t->at, "'%s' is %s, not '%s'%s", field, b.s, t->s, did_you_mean(c->s->a, t->s, word, n));
	buf_release(&b);
	return false;
}

static bool
check_words(struct checking *c)
{
	static const char *const addressing[] = { "auto", "path", "virtual" }, *const sse[] = { "AES256", "aws:kms", "aws:kms:dsse" };
	static const char *const acl[] = { "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read",
	    "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write" };
	static const char *const storage[] = { "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR",
	    "DEEP_ARCHIVE", "REDUCED_REDUNDANCY", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW" };
	const struct egress *e = c->e;
	bool ok = check_word(c, &e->addressing, "addressing", addressing, sizeof addressing / sizeof *addressing);

	ok &= check_word(c, &e->sse, "sse", sse, sizeof sse / sizeof *sse);
	ok &= check_word(c, &e->acl, "acl", acl, sizeof acl / sizeof *acl);
	/* Other stores have classes of their own. */
	if (!given(&e->endpoint) && !desturl_query(&c->to, "endpoint") && !strncmp(c->to.scheme, "s3", 2))
		ok &= check_word(c, &e->storage_class, "storage_class", storage, sizeof storage / sizeof *storage);
	return ok;
}

static bool
check_together(struct checking *c)
{
	const struct egress *e = c->e;
	const char *sse = e->sse.s ? e->sse.s : desturl_query(&c->to, "ssetype");
	bool ok = true;

	if (given(&e->kms_key) && (!sse || strncmp(sse, "aws:kms", 7)))
		ok = diag_error(c->s->d, e->kms_key.at, "'kms_key' is the key of 'sse: aws:kms', and %s%s%s", sse ? "this is 'sse: " : "no 'sse' is given",
		    sse ? sse : "", sse ? "'" : "");
	if (given(&e->external_id) && !given(&e->role_arn))
		ok = diag_error(c->s->d, e->external_id.at, "'external_id' is told to the owner of a role: give 'role_arn', too");
	if (given(&e->role_arn) && strncmp(e->role_arn.s, "arn:", 4))
		ok = diag_error(c->s->d, e->role_arn.at, "'role_arn' is arn:aws:iam::ACCOUNT:role/NAME, not '%s'", e->role_arn.s);
	if (given(&e->endpoint) && c->to.host[0])
		ok = diag_error(c->s->d, e->endpoint.at, "'endpoint' is in the URL already: '%s'", c->to.host);
	else if (given(&e->endpoint) && strncmp(e->endpoint.s, "http://", 7) && strncmp(e->endpoint.s, "https://", 8))
		ok = diag_error(c->s->d, e->endpoint.at, "'endpoint' is https://HOST or http://HOST:PORT, not '%s'", e->endpoint.s);
	return ok;
}

static bool
check_numbers(struct checking *c)
{
	const struct egress *e = c->e;
	bool ok = true;

	if (e->concurrency.set && (e->concurrency.v < 1 || e->concurrency.v > CONCURRENCY_MAX))
		ok = diag_error(c->s->d, e->concurrency.at, "'concurrency' is a number of transfers: 1 to %d", CONCURRENCY_MAX);
	if (e->part_size.set && (e->part_size.v < PART_MIN || e->part_size.v > PART_MAX))
		ok = diag_error(c->s->d, e->part_size.at, "'part_size' is 5Mi to 5Gi: S3 takes no others");
	if (e->bandwidth.set && e->bandwidth.v < 1)
		ok = diag_error(c->s->d, e->bandwidth.at, "'bandwidth' is a number of bytes a second, such as 10M");
	return ok;
}

/* What HTTP allows in a header's name, in lower case. */
static bool
header_name(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")];
}

static bool
header_value(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			return false;
	return true;
}

static bool
check_pairs(struct checking *c)
{
	const struct pairs *tags = &c->e->tags, *meta = &c->e->metadata;
	size_t total = 0;
	bool ok = true;

	if (tags->n > TAGS_MAX)
		ok = diag_error(c->s->d, tags->v[TAGS_MAX].key.at, "an object has at most %d tags", TAGS_MAX);
	for (size_t i = 0; i < tags->n; i++)
		if (!*tags->v[i].key.s || strlen(tags->v[i].key.s) > TAG_KEY_MAX || strlen(tags->v[i].val.s) > TAG_VALUE_MAX)
			ok = diag_error(c->s->d, tags->v[i].key.at, "a tag has a name of 1 to %d characters and a value of at most %d", TAG_KEY_MAX,
			    TAG_VALUE_MAX);
	for (size_t i = 0; i < meta->n; i++) {
		const struct pair *p = &meta->v[i];

		total += strlen(p->key.s) + strlen(p->val.s);
		if (!header_name(p->key.s) || !header_value(p->val.s))
			ok = diag_error(c->s->d, p->key.at, "metadata is sent as headers: a name of letters, digits, '-', '_' and '.', a value of ASCII");
		else if (!strncmp(p->key.s, "dassie-", 7))
			ok = diag_error(c->s->d, p->key.at, "metadata 'dassie-…' is dassie's own");
	}
	if (total > META_MAX)
		ok = diag_error(c->s->d, meta->at, "'metadata' is %zu bytes; S3 takes 2048 in all, some of them are dassie's: at most %d", total, META_MAX);
	if (given(&c->e->content_type) && !header_value(c->e->content_type.s))
		ok = diag_error(c->s->d, c->e->content_type.at, "'content_type' is sent as a header: ASCII on one line");
	if (given(&c->e->cache_control) && !header_value(c->e->cache_control.s))
		ok = diag_error(c->s->d, c->e->cache_control.at, "'cache_control' is sent as a header: ASCII on one line");
	return ok;
}

/* Text and {date}, {commit}, {pipeline}; {path} at the end, so that what is new in an output is new there. */
static bool
check_layout(struct checking *c)
{
	static const char *const known[] = { "path", "date", "commit", "pipeline" };
	const struct str *t = &c->e->layout;
	size_t n = given(t) ? strlen(t->s) : 0;

	if (!n)
		return true;
	if (n < 6 || strcmp(t->s + n - 6, "{path}"))
		return diag_error(c->s->d, t->at, "'layout' ends in {path}: {path}, {date}/{path} or {commit}/{path}, not '%s'", t->s);
	for (const char *p = strchr(t->s, '{'); p; p = strchr(p + 1, '{')) {
		size_t len = strcspn(p + 1, "}"), k = 0;
		const char *word = arena_dup(c->s->a, p + 1, len);

		while (k < 4 && strcmp(word, known[k]))
			k++;
		if (k == 4 || !p[len + 1])
			return diag_error(c->s->d, t->at, "'layout' knows {path}, {date}, {commit} and {pipeline}, not '{%s}'%s", word,
			    did_you_mean(c->s->a, word, known, 4));
		if (k == 0 && p[6])
			return diag_error(c->s->d, t->at, "'layout' has {path} once, at its end");
	}
	if (t->s[0] == '/' || strstr(t->s, "//") || strstr(t->s, "../") || !strncmp(t->s, "./", 2) || strstr(t->s, "/./"))
		return diag_error(c->s->d, t->at, "'layout' is below the URL: no '/' at its beginning, no '//', no '.' and '..'");
	return true;
}

static bool
check_patterns(struct checking *c, const struct strs *list, const char *name)
{
	bool ok = true;

	for (size_t i = 0; i < list->n; i++)
		if (!*list->v[i].s || list->v[i].s[0] == '#' || strchr(list->v[i].s, '\n'))
			ok = diag_error(c->s->d, list->v[i].at, "'%s' is a list of patterns as in .gitignore, such as *.csv or /raw/", name);
	return ok;
}

static bool
check_one(struct specset *s, const struct pipeline *p, const struct egress *e)
{
	struct checking c = { .s = s, .e = e, .url = egress_url(e) };
	char msg[DESTURL_MSG];
	bool ok;

	if (given(&e->url) && e->object_storage && given(&e->object_storage->url))
		return diag_error(s->d, e->url.at, "an egress goes to one place: 'URL' or 'object_storage', not both; several are a list");
	if (!given(c.url))
		return diag_error(s->d, p->egress.at, "an egress must say where to: write 'egress: s3://BUCKET/PREFIX'");
	if (!desturl_parse(&c.to, c.url->s, s->a, msg))
		return diag_error(s->d, c.url->at, "%s", msg);
	ok = check_schemes(&c);
	ok &= check_query(&c);
	ok &= check_words(&c);
	ok &= check_together(&c);
	ok &= check_numbers(&c);
	ok &= check_pairs(&c);
	ok &= check_layout(&c);
	ok &= check_patterns(&c, &e->include, "include");
	return check_patterns(&c, &e->exclude, "exclude") && ok;
}

bool
egress_check(struct specset *s, const struct pipeline *p)
{
	const struct egress *e = p->egress.v;
	bool ok = true;

	for (size_t i = 0; !p->broken && p->egress.set && i < p->egress.n; i++)
		ok &= check_one(s, p, &e[i]);
	return ok;
}

struct place { const char *text; const struct pipeline *p; struct span at; };

static int
by_place(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;
	int order = strcmp(a->text, b->text);

	return order ? order : a->at.off < b->at.off ? -1 : a->at.off > b->at.off;
}

/* Where its files come to lie, as text: equal for two that may write one key. */
static const char *
place_text(struct specset *s, const struct pipeline *p, const struct egress *e)
{
	const struct str *url = egress_url(e);
	const char *layout = given(&e->layout) ? e->layout.s : "{path}", *endpoint = given(&e->endpoint) ? e->endpoint.s : 0;
	struct desturl to;
	char msg[DESTURL_MSG];

	if (p->broken || !given(url) || !desturl_parse(&to, url->s, s->a, msg))
		return 0;
	if (!endpoint)
		endpoint = desturl_query(&to, "endpoint");
	return arena_fmt(s->a, "%s %s %s %s %s %s%s", to.scheme, to.host, endpoint ? endpoint : "", to.bucket, to.prefix, layout,
	    strstr(layout, "{pipeline}") ? pipeline_name(p) : "");
}

void
egress_check_places(struct specset *s)
{
	struct place *v;
	size_t n = 0;

	for (size_t i = 0; i < s->n_pipeline; i++)
		n += s->pipeline[i].egress.n;
	v = xcalloc(n + 1, sizeof *v);
	n = 0;
	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct egress *e = s->pipeline[i].egress.v;

		for (size_t k = 0; k < s->pipeline[i].egress.n; k++) {
			v[n].text = place_text(s, &s->pipeline[i], &e[k]);
			v[n].p = &s->pipeline[i];
			v[n].at = egress_url(&e[k])->at;
			n += v[n].text != 0;
		}
	}
	qsort(v, n, sizeof *v, by_place);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(v[i].text, v[i - 1].text))
			continue;
		if (v[i].p == v[i - 1].p)
			diag_error(s->d, v[i].at, "pipeline '%s' pushes to this place twice", pipeline_name(v[i].p));
		else
			diag_warn(s->d, v[i].at, "pipeline '%s' pushes to the same place: files of one name overwrite each other there; "
			    "'layout: \"{pipeline}/{path}\"' keeps them apart", pipeline_name(v[i - 1].p));
		diag_note(s->d, v[i - 1].at, "first here");
	}
	free(v);
}

static void
add_with(struct specset *s, struct conf_egress *c, size_t *cap, const char *key, const char *value)
{
	struct conf_set *old = c->with;

	if (c->n_with == *cap) {
		*cap = *cap ? 2 * *cap : 8;
		c->with = arena_alloc(s->a, *cap * sizeof *c->with);
		if (c->n_with)
			memcpy(c->with, old, c->n_with * sizeof *old);
	}
	c->with[c->n_with++] = (struct conf_set){ key, value };
}

static void
add_setting(struct specset *s, const struct egress *e, const struct field *f, struct conf_egress *c, size_t *cap)
{
	const void *m = (const char *)e + f->off;
	const struct strs *strs = m;
	const struct pairs *pairs = m;
	const struct num *num = m;

	if (f->kind == FK_STR && given(m))
		add_with(s, c, cap, f->name, ((const struct str *)m)->s);
	for (size_t i = 0; f->kind == FK_STRS && i < strs->n; i++)
		add_with(s, c, cap, f->name, strs->v[i].s);
	for (size_t i = 0; f->kind == FK_PAIRS && i < pairs->n; i++)
		add_with(s, c, cap, arena_fmt(s->a, "%s.%s", f->name, pairs->v[i].key.s), pairs->v[i].val.s);
	if ((f->kind == FK_INT || f->kind == FK_SIZE) || (f->kind == FK_BOOL && num->v))
		add_with(s, c, cap, f->name, arena_fmt(s->a, "%lld", (long long)num->v));
}

/* What the query says, as settings. */
static void
add_queries(struct specset *s, const struct desturl *to, struct conf_egress *c, size_t *cap)
{
	for (size_t i = 0; i < N_QUERIES; i++) {
		const char *value = desturl_query(to, queries[i].key);

		if (!value || !queries[i].field)
			continue;
		if (!strcmp(queries[i].field, "addressing"))
			value = desturl_yes(value) ? "path" : "auto";
		add_with(s, c, cap, queries[i].field, value);
	}
}

void
egress_conf(struct specset *s, const struct pipeline *p, struct conf *c)
{
	const struct egress *e = p->egress.v;
	struct desturl to;
	char msg[DESTURL_MSG];

	c->egress = arena_alloc(s->a, (p->egress.n + 1) * sizeof *c->egress);
	for (size_t i = 0; i < p->egress.n; i++) {
		struct conf_egress *one = &c->egress[c->n_egress];
		size_t cap = 0;

		if (!given(egress_url(&e[i])) || !desturl_parse(&to, egress_url(&e[i])->s, s->a, msg))
			continue;
		c->n_egress++;
		one->url = egress_url(&e[i])->s;
		add_queries(s, &to, one, &cap);
		for (size_t k = 0; k < egress_table.n; k++)
			if (is_setting(&egress_table.field[k]) && print_given(&egress_table.field[k], &e[i]))
				add_setting(s, &e[i], &egress_table.field[k], one, &cap);
	}
}
