/* origin.c: what can be wrong with a source's URLs is found here, before anybody is asked for anything.
 *
 * An S3 source is one place, and every key below it a file; https sources are a list, each URL one file, called by the last part of
 * its path.  In the index each setting is a line by its name in the spec; what the URL's query says is written as the setting that
 * it is, and the endpoint as a whole URL. */
#include "origin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/desturl.h"
#include "../base/mem.h"
#include "../base/percent.h"
#include "fields.h"
#include "spec.h"
#include "suggest.h"

enum { IS_FOLDER = 1, IS_S3 = 2, IS_WEB = 4 };

/* What a query of s3:// may say, and the setting that it is; NULL: whether the endpoint speaks https. */
static const struct { const char *key, *field; } queries[] = {
	{ "region", "region" }, { "endpoint", "endpoint" }, { "profile", "profile" }, { "use_path_style", "addressing" },
	{ "s3ForcePathStyle", "addressing" }, { "disableSSL", NULL }, { "disable_https", NULL }, { "secure", NULL },
};

enum { N_QUERIES = sizeof queries / sizeof *queries };

static bool
is_s3(const char *url)
{
	static const char *const scheme[] = { "s3://", "s3a://", "s3n://", "minio://", "gs://", "gcs://" };

	for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++)
		if (!strncasecmp(url, scheme[i], strlen(scheme[i])))
			return true;
	return false;
}

static bool
is_web(const char *url)
{
	return !strncasecmp(url, "https://", 8) || !strncasecmp(url, "http://", 7);
}

bool
origin_is(const struct source *src)
{
	for (size_t i = 0; src->form && i < src->form->source.n; i++)
		if (strstr(src->form->source.v[i].s, "://"))
			return true;
	return false;
}

static const struct str *
text_of(const struct repo_form *f, const struct field *field)
{
	return (const struct str *)(const void *)((const char *)f + field->off);
}

/* The place of a setting that was given, or NULL. */
static const struct span *
given(const struct repo_form *f, const struct field *field)
{
	const char *m = (const char *)f + field->off;

	switch (field->kind) {
	case FK_STR:
		return text_of(f, field)->s ? &text_of(f, field)->at : NULL;
	case FK_STRS:
		return ((const struct strs *)(const void *)m)->set ? &((const struct strs *)(const void *)m)->at : NULL;
	default:
		return ((const struct num *)(const void *)m)->set ? &((const struct num *)(const void *)m)->at : NULL;
	}
}

/* All but source and keep are S3's. */
static bool
check_settings(struct specset *s, const struct repo_form *f, int kind)
{
	bool ok = true;

	for (size_t i = 0; i < repo_table.n; i++) {
		const struct field *field = &repo_table.field[i];
		const struct span *at = given(f, field);

		if (at && kind != IS_S3 && strcmp(field->name, "source") && strcmp(field->name, "keep"))
			ok = diag_error(s->d, *at, "'%s' means nothing for %s: it is for s3://%s", field->name,
			    kind == IS_FOLDER ? "a folder" : "https://", kind == IS_FOLDER && strstr(field->name, "clude") ?
			    "; in a folder, .dassieignore says what is no data" : "");
	}
	return ok;
}

static bool
check_patterns(struct specset *s, const struct strs *list, const char *name)
{
	bool ok = true;

	for (size_t i = 0; i < list->n; i++)
		if (!*list->v[i].s || list->v[i].s[0] == '#' || strchr(list->v[i].s, '\n'))
			ok = diag_error(s->d, list->v[i].at, "'%s' is a list of patterns as in .gitignore, such as *.csv or /raw/", name);
	return ok;
}

static bool
check_query(struct specset *s, const struct repo_form *f, const struct desturl *to, const struct str *url)
{
	const char *known[N_QUERIES];
	bool ok = true;

	for (size_t i = 0; i < N_QUERIES; i++)
		known[i] = queries[i].key;
	for (size_t i = 0; i < to->n_query; i++) {
		const struct field *field;
		size_t k = 0;

		while (k < N_QUERIES && strcmp(known[k], to->query[i].key))
			k++;
		if (k == N_QUERIES) {
			ok = diag_error(s->d, url->at, "unknown '%s' in the URL's query%s", to->query[i].key,
			    did_you_mean(s->a, to->query[i].key, known, N_QUERIES));
			continue;
		}
		field = queries[k].field ? field_find(&repo_table, queries[k].field) : NULL;
		if (field && given(f, field))
			ok = diag_error(s->d, *given(f, field), "'%s' is in the URL's query, too", field->name);
	}
	return ok;
}

static bool
check_s3(struct specset *s, const struct repo_form *f)
{
	static const char *const addressing[] = { "auto", "path", "virtual" };
	const struct str *url = &f->source.v[0], *a = &f->addressing;
	char msg[DESTURL_MSG];
	struct desturl to;
	bool ok = true;

	if (f->source.n > 1)
		ok = diag_error(s->d, f->source.v[1].at, "a repo is one place in S3; make '%s' a repo of its own, and let the pipeline read both",
		    f->source.v[1].s);
	if (!desturl_parse(&to, url->s, s->a, msg))
		return diag_error(s->d, url->at, "%s", msg);
	ok &= check_query(s, f, &to, url);
	if (a->s && strcmp(a->s, "auto") && strcmp(a->s, "path") && strcmp(a->s, "virtual"))
		ok = diag_error(s->d, a->at, "'addressing' is auto, path or virtual, not '%s'%s", a->s, did_you_mean(s->a, a->s, addressing, 3));
	if (f->external_id.s && !f->role_arn.s)
		ok = diag_error(s->d, f->external_id.at, "'external_id' is told to the owner of a role: give 'role_arn', too");
	if (f->endpoint.s && (strchr(f->endpoint.s, '@') || strchr(f->endpoint.s, '?') || !*f->endpoint.s))
		ok = diag_error(s->d, f->endpoint.at, "'endpoint' is https://HOST[:PORT], not '%s'", f->endpoint.s);
	ok &= check_patterns(s, &f->include, "include");
	return check_patterns(s, &f->exclude, "exclude") && ok;
}

/* "data.csv" of https://host/a/data.csv?raw=1; NULL: no name that a file can have. */
static char *
web_name(struct specset *s, const char *url)
{
	const char *path = strstr(url, "://") + 3, *slash;
	size_t n;
	char *name;

	path += strcspn(path, "/?#");
	n = strcspn(path, "?#");
	for (slash = path + n; slash > path && slash[-1] != '/'; slash--)
		;
	name = arena_dup(s->a, slash, (size_t)(path + n - slash));
	if (!percent_decode(name) || !*name || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/') || strlen(name) > 255)
		return NULL;
	return name;
}

static bool
check_web(struct specset *s, const struct str *url)
{
	static const char *const secret[] = { "X-Amz-Signature=", "X-Goog-Signature=", "?sig=", "&sig=" };
	const char *host = strstr(url->s, "://") + 3;

	for (const char *p = url->s; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return diag_error(s->d, url->at, "a URL has no blanks and only ASCII; write %%%02X for its byte %zu", (unsigned char)*p,
			    (size_t)(p - url->s) + 1);
	if (!strcspn(host, "/?#:"))
		return diag_error(s->d, url->at, "this URL has no host; write https://HOST/PATH");
	if (memchr(host, '@', strcspn(host, "/?#")))
		return diag_error(s->d, url->at, "a password does not belong into a spec; write it into ~/.netrc, as for curl");
	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		if (strstr(url->s, secret[i]))
			return diag_error(s->d, url->at, "this URL is signed: that is a secret, and it expires; read it by s3:// and a 'profile'");
	if (strchr(host, '#'))
		return diag_error(s->d, url->at, "what is behind '#' is never sent; leave it out");
	if (!web_name(s, url->s))
		return diag_error(s->d, url->at, "a URL is one file, called by the last part of its path, and '%s' ends in none; an index is not "
		    "followed: list the files' URLs", url->s);
	return true;
}

static bool
check_webs(struct specset *s, const struct repo_form *f)
{
	bool ok = true;

	for (size_t i = 0; i < f->source.n; i++) {
		const struct str *url = &f->source.v[i];
		const char *name;

		if (!is_web(url->s)) {
			ok = diag_error(s->d, url->at, "a list of URLs is of https:// URLs, each a file; '%s' is none", url->s);
			continue;
		}
		if (!check_web(s, url)) {
			ok = false;
			continue;
		}
		name = web_name(s, url->s);
		for (size_t k = 0; k < i; k++)
			if (is_web(f->source.v[k].s) && web_name(s, f->source.v[k].s) && !strcmp(name, web_name(s, f->source.v[k].s))) {
				ok = diag_error(s->d, url->at, "'%s' would be the name of two files; make one of them a repo of its own", name);
				diag_note(s->d, f->source.v[k].at, "first here");
				break;
			}
	}
	return ok;
}

bool
origin_check(struct specset *s, const struct source *src)
{
	const struct repo_form *f = src->form;
	const struct str *first = &f->source.v[0];
	bool ok;

	if (!origin_is(src)) {
		ok = f->source.n == 1 || diag_error(s->d, f->source.v[1].at, "repo '%s': one folder is a repo; make '%s' a repo of its own, and let the "
		    "pipeline read both", src->name, f->source.v[1].s);
		return check_settings(s, f, IS_FOLDER) && ok;
	}
	if (is_s3(first->s)) {
		ok = check_s3(s, f);
		return check_settings(s, f, IS_S3) && ok;
	}
	if (is_web(first->s) || f->source.n > 1) {
		ok = check_webs(s, f);
		return check_settings(s, f, IS_WEB) && ok;
	}
	if (!strncasecmp(first->s, "file://", 7))
		return diag_error(s->d, first->at, "repo '%s': write the folder itself: %s", src->name, first->s + (strncmp(first->s + 7, "./", 2) ? 7 : 9));
	return diag_error(s->d, first->at, "repo '%s': '%s' is no source; there are folders, s3://, minio://, gs:// and https://", src->name, first->s);
}

/* --- the index -------------------------------------------------------------------------------------------------- */

static void
add_with(struct index_source *to, const char *key, const char *value)
{
	to->with[to->n_with++] = (struct conf_set){ key, value };
}

/* As a URL: minio's is in its own, Google's S3 is found under another name. */
static const char *
endpoint_of(struct specset *s, const struct repo_form *f, const struct desturl *u)
{
	const char *secure = desturl_query(u, "secure"), *plain = desturl_query(u, "disableSSL"), *e = f->endpoint.s;
	bool https;

	if (!plain)
		plain = desturl_query(u, "disable_https");
	https = secure ? desturl_yes(secure) : plain ? !desturl_yes(plain) : strcmp(u->scheme, "minio") != 0;
	if (!e)
		e = desturl_query(u, "endpoint");
	if (!strcmp(u->scheme, "minio"))
		e = u->host;
	else if (!e && u->scheme[0] == 'g')
		e = "storage.googleapis.com";
	return !e || strstr(e, "://") ? e : arena_fmt(s->a, "%s://%s", https ? "https" : "http", e);
}

static void
index_s3(struct specset *s, const struct repo_form *f, struct index_source *to)
{
	const char *endpoint;
	char msg[DESTURL_MSG];
	struct desturl u;

	to->with = arena_alloc(s->a, (repo_table.n + N_QUERIES + f->include.n + f->exclude.n) * sizeof *to->with);
	if (!desturl_parse(&u, f->source.v[0].s, s->a, msg))
		return;
	to->from[0] = arena_fmt(s->a, "s3://%s/%s", u.bucket, u.prefix);
	endpoint = endpoint_of(s, f, &u);
	if (endpoint)
		add_with(to, "endpoint", endpoint);
	for (size_t i = 0; i < N_QUERIES; i++) {
		const char *value = desturl_query(&u, queries[i].key);

		if (value && queries[i].field && strcmp(queries[i].field, "endpoint"))
			add_with(to, queries[i].field, strcmp(queries[i].field, "addressing") ? value : desturl_yes(value) ? "path" : "auto");
	}
	for (size_t i = 0; i < repo_table.n; i++) {
		const struct field *field = &repo_table.field[i];

		if (field->kind == FK_STR && strcmp(field->name, "endpoint") && text_of(f, field)->s)
			add_with(to, field->name, text_of(f, field)->s);
	}
	if (f->requester_pays.v)
		add_with(to, "requester_pays", "1");
	for (size_t i = 0; i < f->include.n; i++)
		add_with(to, "include", f->include.v[i].s);
	for (size_t i = 0; i < f->exclude.n; i++)
		add_with(to, "exclude", f->exclude.v[i].s);
}

void
origin_index(struct specset *s, const struct source *src, struct index_source *to)
{
	const struct repo_form *f = src->form;

	if (!f)
		return;
	to->n_from = f->source.n;
	to->from = arena_alloc(s->a, f->source.n * sizeof *to->from);
	for (size_t i = 0; i < f->source.n; i++)
		to->from[i] = f->source.v[i].s;
	if (is_s3(f->source.v[0].s)) {
		index_s3(s, f, to);
		return;
	}
	to->with = arena_alloc(s->a, f->source.n * sizeof *to->with);
	for (size_t i = 0; i < f->source.n; i++)
		add_with(to, "name", web_name(s, f->source.v[i].s));
}
