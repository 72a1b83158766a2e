/* fetchs3.c: one listing, then what is new, side by side.  A prefix under which nothing lies may be the key of one object. */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/sha256.h"
#include "../base/talk.h"
#include "etag.h"
#include "http.h"
#include "ignore.h"
#include "s3.h"

enum { WINDOW = 64, TRIES = 3, MD5_HEX = 32 };

struct bucket {
	struct fetch *f;
	struct s3 *s3;
	const char *prefix;         /* "" or "a/b/" */
	const char *single;         /* the key of the only object, if it is one */
	struct ignore *include, *exclude;
	size_t next, flying;
	bool stop;                  /* it will fare no better with the next */
	char *failed;               /* why the listing did; of f->a */
	bool found;                 /* of the single one */
};

static void
tell(void *ctx, const char *text)
{
	const struct fetch *f = ctx;

	talk("%s: %s", f->shown, text);
}

static const char *
with(const struct fetch *f, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < f->src->n_with; i++)
		if (!strcmp(f->src->with[i].key, key))
			value = f->src->with[i].value;
	return value;
}

static struct ignore *
patterns(const struct fetch *f, const char *key)
{
	struct buf b = BUF_INIT;
	struct ignore *ig;

	for (size_t i = 0; i < f->src->n_with; i++)
		if (!strcmp(f->src->with[i].key, key))
			buf_fmt(&b, "%s\n", f->src->with[i].value);
	ig = b.n ? ignore_parse(b.s, b.n, NULL, 0) : NULL;
	buf_release(&b);
	return ig;
}

static int
open_bucket(struct bucket *b, struct fetch *f, struct err *err)
{
	const char *at = f->src->from[0] + strlen("s3://"), *addressing = with(f, "addressing"), *region = with(f, "region"),
	    *endpoint = with(f, "endpoint"), *profile = with(f, "profile"), *role = with(f, "role_arn");
	size_t n = strcspn(at, "/");
	char *setting = arena_fmt(&f->a, "repos.%s", f->src->name);
	struct s3_target t = {
		.bucket = arena_dup(&f->a, at, n), .region = { region, arena_fmt(&f->a, "%s.region", setting) },
		.endpoint = { endpoint, arena_fmt(&f->a, "%s.endpoint", setting) },
		.profile = { profile, arena_fmt(&f->a, "%s.profile", setting) },
		.role_arn = { role, arena_fmt(&f->a, "%s.role_arn", setting) }, .external_id = with(f, "external_id"),
		.addressing = !addressing || !strcmp(addressing, "auto") ? S3_AUTO : !strcmp(addressing, "path") ? S3_PATH : S3_VIRTUAL,
		.requester_pays = with(f, "requester_pays") != NULL, .setting = setting, .tell = tell, .ctx = f,
		.keys = endpoint && strstr(endpoint, "storage.googleapis.com") ? S3_GOOGLE_KEYS : NULL,
	};

	*b = (struct bucket){ .f = f, .prefix = at + n + (at[n] == '/'), .include = patterns(f, "include"), .exclude = patterns(f, "exclude") };
	f->base = f->src->from[0];
	b->s3 = s3_new(f->h, &t, err);
	return b->s3 ? 0 : -1;
}

static void
close_bucket(struct bucket *b)
{
	s3_free(b->s3);
	ignore_free(b->include);
	ignore_free(b->exclude);
}

static void
run(struct bucket *b)
{
	while (fetch_step(b->f))
		;
}

/* --- the listing ------------------------------------------------------------------------------------------------ */

static bool
wanted(const struct bucket *b, const char *path)
{
	return (!b->include || ignore_covers(b->include, path)) && !(b->exclude && ignore_covers(b->exclude, path));
}

/* What consoles make for an empty folder is no file. */
static bool
is_folder(const struct s3_object *o)
{
	size_t n = strlen(o->key);

	return n && o->key[n - 1] == '/' && o->size == 0;
}

/* What an egress of dassie writes beside the files: its manifest and its probe.  Who reads what another project pushes wants the
 * files, not something that is new with each push. */
static bool
is_dassies(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name);

	return strncmp(name, ".dassie-", 8) == 0 && (strcmp(name, ".dassie-probe") == 0 || (n > 13 && strcmp(name + n - 5, ".json") == 0));
}

static bool
listed(void *ctx, const struct s3_object *o)
{
	struct bucket *b = ctx;
	struct arena *a = &b->f->a;
	const char *path = o->key + strlen(b->prefix);
	struct remote *r;

	if (strncmp(o->key, b->prefix, strlen(b->prefix)) || !*path || is_folder(o) || is_dassies(path) || !wanted(b, path))
		return true;
	r = fetch_add(b->f, arena_str(a, path), o->key);
	if (r) {
		r->o.size = o->size;
		r->o.etag = arena_str(a, o->etag);
		r->o.modified = arena_str(a, o->last_modified);
	}
	return true;
}

static void
list_done(void *ctx, const struct s3_answer *a)
{
	struct bucket *b = ctx;

	if (a->failure != S3_FINE)
		b->failed = arena_str(&b->f->a, a->text[0] ? a->text : "there is no such bucket");
}

static void
head_done(void *ctx, const struct s3_answer *a)
{
	struct bucket *b = ctx;
	struct fetch *f = b->f;
	const char *slash = strrchr(b->single, '/');
	struct remote *r;

	if (a->failure != S3_FINE)
		return;
	r = fetch_add(f, arena_str(&f->a, slash ? slash + 1 : b->single), b->single);
	if (r) {
		b->found = true;
		r->o.size = a->size;
		r->o.etag = arena_str(&f->a, a->etag);
		r->o.modified = arena_str(&f->a, a->last_modified);
		r->o.url = arena_dup(&f->a, f->base, strlen(f->base) - 1);
	}
}

static int
list(struct bucket *b, struct err *err)
{
	struct fetch *f = b->f;
	size_t n = strlen(b->prefix);

	s3_list(b->s3, b->prefix, listed, list_done, b);
	run(b);
	if (b->failed)
		return err_set(err, 0, "%s", b->failed);
	if (f->n == 0 && f->bad.n == 0 && n && !b->include && !b->exclude) {
		b->single = arena_dup(&f->a, b->prefix, n - 1);
		s3_head(b->s3, b->single, NULL, head_done, b);
		run(b);
		if (!b->found)
			b->single = NULL;
	}
	return 0;
}

/* --- the objects ------------------------------------------------------------------------------------------------ */

/* The bytes come first: that is what fetch_bytes() is given. */
struct getting {
	struct incoming in;
	struct bucket *b;
	unsigned tries;
	struct oid before;          /* SHA-256 of what came at the last try */
};

static void start_next(struct bucket *b);
static void got(void *ctx, const struct s3_answer *a);

static void
ask(struct getting *g)
{
	struct bucket *b = g->b;
	struct remote *r = g->in.to;
	struct buf key = BUF_INIT;

	fetch_begin(&g->in, b->f, r);
	buf_fmt(&key, "%s%s", b->single ? "" : b->prefix, b->single ? b->single : r->o.path);
	s3_get(b->s3, key.s, NULL, fetch_bytes, got, g);
	buf_release(&key);
}

/* What came, against what the answer says of it: a SHA-256 of the whole, else dassie's own, else an ETag that is an MD5; of an object
 * that was sent in parts there may be none.  Encrypted by a key of KMS it has an ETag that is no MD5: then the same bytes come a
 * second time, and are right. */
static bool
is_whole(struct getting *g, const struct s3_answer *a)
{
	const char *sum = a->checksum_sha256;
	char have[OID_BASE64 + 1];
	struct oid id;
	bool again;

	store_hash(&g->in.in, &id);
	again = g->tries && oid_eq(&g->before, &id);
	g->before = id;
	oid_base64(&id, have);
	if (*sum && !strchr(sum, '-'))
		return strcmp(sum, have) == 0;
	if (a->dassie_sha256 && oid_eq(a->dassie_sha256, &id))
		return true;
	return strlen(a->etag) == MD5_HEX ? etag_is_of(a->etag, g->in.in.tmp, g->in.in.size, 1) || again : !a->dassie_sha256 || again;
}

static void
refused(struct getting *g, const struct s3_answer *a)
{
	struct bucket *b = g->b;

	fetch_drop(&g->in);
	if (a->failure == S3_ABSENT) {
		g->in.to->gone = true;
		talk("%s: '%s' was listed, and went before it was fetched", b->f->shown, g->in.to->o.path);
	} else if (!b->stop && a->text[0]) {
		complain(&b->f->bad, "%s", a->text);
	}
	b->stop |= a->failure == S3_REFUSED || a->failure == S3_EXHAUSTED || a->failure == S3_LOCAL;
}

static void
got(void *ctx, const struct s3_answer *a)
{
	struct getting *g = ctx;
	struct bucket *b = g->b;
	struct remote *r = g->in.to;

	if (a->failure != S3_FINE) {
		refused(g, a);
	} else if (g->in.in.size == 0 || is_whole(g, a)) {
		fetch_end(&g->in, a->etag[0] ? a->etag : r->o.etag, r->o.modified, a->version_id);
	} else {
		fetch_drop(&g->in);
		if (++g->tries < TRIES) {
			ask(g);
			return;
		}
		complain(&b->f->bad, "'%s' does not arrive as it was uploaded, %d times: its checksum is '%s'; look for a proxy on the way, or upload "
		    "it again", r->o.path, TRIES, *a->checksum_sha256 ? a->checksum_sha256 : a->etag);
	}
	free(g);
	b->flying--;
	start_next(b);
}

static void
start_next(struct bucket *b)
{
	struct fetch *f = b->f;

	for (; b->flying < WINDOW && b->next < f->n && !b->stop; b->next++) {
		struct remote *r = &f->v[b->next];
		struct getting *g;

		if (r->known || r->gone)
			continue;
		g = xcalloc(1, sizeof *g);
		g->b = b;
		g->in.to = r;
		b->flying++;
		ask(g);
	}
}

int
fetch_s3(struct fetch *f, struct err *err)
{
	struct bucket b;
	int rc = open_bucket(&b, f, err);

	if (rc == 0)
		rc = list(&b, err);
	if (rc == 0)
		rc = fetch_compare(f);
	if (rc == 0) {
		start_next(&b);
		run(&b);
	}
	close_bucket(&b);
	return rc;
}
