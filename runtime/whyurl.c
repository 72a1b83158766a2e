/* whyurl.c: a place's record says what lies below its URL now; of a layout with {commit} the commit stands in the URL itself; a
 * fetch's record what its source read. */
#include "whyurl.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/entries.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "fetched.h"
#include "place.h"
#include "placerec.h"
#include "show.h"

/* What of the URL is below the place, or NULL. */
static const char *
below(const struct place *p, const struct desturl *u, struct arena *a)
{
	const char *top = p->to.prefix, *name = u->prefix;
	size_t n;

	if (u->kind != p->to.kind || strcmp(u->bucket, p->to.bucket) || (*u->host && strcmp(u->host, p->to.host)))
		return NULL;
	if (u->kind == DEST_FILE) {
		struct place there = { .to = *u, .arena = ARENA_INIT };
		struct err no = ERR_INIT;

		if (place_folder(&there, &no) < 0)
			return NULL;
		name = arena_str(a, there.folder);
		arena_release(&there.arena);
		top = arena_fmt(a, "%s/", p->folder);
	}
	n = strlen(name);
	if (n > 1 && name[n - 1] == '/')
		name = arena_dup(a, name, n - 1);
	n = strlen(top);
	return strncmp(name, top, n) == 0 && name[n] ? name + n : NULL;
}

/* The entry of that path in the record.  1, 0, -1. */
static int
find_entry(const struct placerec *r, const char *path, struct url_file *ret, struct err *err)
{
	static const struct oid unknown;
	struct entries e;
	int rc = placerec_entries(r, r->base, &e, err);

	while (rc >= 0 && (rc = entries_next(&e, err)) == 1 && strcmp(e.e->path, path) < 0)
		;
	if (rc == 1)
		rc = strcmp(e.e->path, path) == 0 && !oid_eq(&e.e->id, &unknown);
	if (rc == 1)
		ret->id = e.e->id;
	entries_release(&e);
	return rc;
}

/* "LAYOUT with {commit}": what stands there in its stead, if that is a commit that has the file. */
static int
find_in_commit(const struct place *p, const char *rest, struct arena *a, struct url_file *ret)
{
	const char *at = strstr(p->layout, "{commit}");
	char hex[OID_HEX + 1];
	struct entries e;
	struct err gone = ERR_INIT;
	char *base;
	int rc = 0;

	if (!at || strlen(rest) < (size_t)(at - p->layout) + OID_HEX)
		return 0;
	memcpy(hex, rest + (at - p->layout), OID_HEX);
	hex[OID_HEX] = '\0';
	if (!oid_parse(hex, &ret->commit) || strstr(p->layout, "{date}"))
		return 0;
	base = place_base(p, &ret->commit, 0, a);
	if (strncmp(rest, base, strlen(base)) || entries_commit(&e, &ret->commit, &gone) < 0)
		return 0;
	ret->path = arena_str(a, rest + strlen(base));
	while (rc == 0 && entries_next(&e, &gone) == 1)
		if (!strcmp(e.e->path, ret->path)) {
			ret->id = e.e->id;
			rc = 1;
		}
	entries_release(&e);
	return rc;
}

static int
find_at(const struct place *p, const char *rest, const char *url, struct arena *a, struct url_file *ret, struct err *err)
{
	struct placerec r;
	int rc = placerec_read(&r, p, err);

	ret->repo = arena_str(a, p->pipeline);
	if (rc == 1 && strncmp(rest, r.base, strlen(r.base)) == 0) {
		ret->path = arena_str(a, rest + strlen(r.base));
		ret->commit = r.commit;
		rc = find_entry(&r, ret->path, ret, err);
	} else if (rc >= 0) {
		rc = 0;
	}
	if (rc == 0)
		rc = find_in_commit(p, rest, a, ret);
	if (rc == 0)
		rc = err_set(err, SHOW_USAGE, "'%s' is below what '%s' is pushed to, but no push that is on record has put it there: 'dassie egress "
		    "--verify --dry-run %s' lists what differs", url, p->pipeline, p->pipeline);
	placerec_release(&r);
	return rc;
}

static int
find_pushed(struct arena *a, const struct index *x, const char *url, const struct desturl *u, struct url_file *ret, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->n_pipeline; i++) {
		struct conf c = CONF_INIT;
		struct err gone = ERR_INIT;

		if (!x->pipeline[i].has_egress || conf_read(&c, x->pipeline[i].name, &gone) < 0)
			continue;
		for (size_t k = 0; rc <= 0 && k < c.n_egress; k++) {
			struct place p = PLACE_INIT;
			const char *rest = place_init(&p, &c, k, err) < 0 ? NULL : below(&p, u, a);

			if (rest)
				rc = find_at(&p, rest, url, a, ret, err);
			place_release(&p);
		}
		conf_release(&c);
	}
	return rc;
}

/* Does the source read what is at this URL, whether it was there or not? */
static bool
is_read_by(const struct index_source *s, const struct fetched *o, const char *url)
{
	for (size_t i = 0; i < s->n_from; i++)
		if (!strcmp(s->from[i], url))
			return true;
	return o->base && *o->base && strncmp(url, o->base, strlen(o->base)) == 0;
}

/* By the newest fetch of the source. */
static int
find_fetched(struct arena *a, const struct index_source *s, const char *url, struct url_file *ret, struct err *err)
{
	struct ref ref = REF_INIT;
	struct fetched o = FETCHED_INIT;
	struct buf one = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, s->name), &ref, err);

	if (rc == 1)
		rc = fetched_read(&o, s->name, &ref.id, err);
	for (size_t i = 0; rc == 1 && i < o.n && !ret->repo; i++) {
		buf_reset(&one);
		fetched_url(&one, &o, &o.v[i]);
		if (!strcmp(one.s, url))
			*ret = (struct url_file){ arena_str(a, s->name), arena_str(a, o.v[i].path), o.v[i].id, ref.id };
	}
	if (rc == 1 && !ret->repo)
		rc = is_read_by(s, &o, url) ? err_set(err, SHOW_USAGE, "source '%s' reads from there, but '%s' was not there when it was fetched last: "
		    "make fetches anew", s->name, url) : 0;
	buf_release(&one);
	fetched_release(&o);
	ref_release(&ref);
	return rc;
}

/* As sources of S3 are recorded, whatever the bucket was called by. */
static const char *
as_fetched(struct arena *a, const struct desturl *u, const char *url)
{
	const char *rest = strstr(url, "://") + 3;

	if (u->kind != DEST_S3)
		return url;
	if (*u->host)
		rest += strcspn(rest, "/") + 1;
	return arena_fmt(a, "s3://%s", rest);
}

/* What a source reads may be what another pipeline has pushed: then both have to say something, and the output is asked first. */
int
whyurl_find(struct arena *a, const struct index *x, const char *url, struct url_file *ret, struct err *err)
{
	struct err no = ERR_INIT, none = ERR_INIT;
	struct desturl u;
	char msg[DESTURL_MSG];
	int rc;

	if (!desturl_parse(&u, url, a, msg))
		return err_set(err, SHOW_USAGE, "%s", msg);
	rc = find_pushed(a, x, url, &u, ret, &no);
	if (rc == 1)
		return 1;
	url = as_fetched(a, &u, url);
	for (size_t i = 0; i < x->n_source; i++) {
		*ret = (struct url_file){ .repo = NULL };
		if (x->source[i].n_from && (rc = find_fetched(a, &x->source[i], url, ret, &none)) == 1)
			return 1;
	}
	if (!no.text[0] && !none.text[0])
		return 0;
	*err = no.text[0] ? no : none;
	return -1;
}
