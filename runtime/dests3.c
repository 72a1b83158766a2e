/* dests3.c: s3://, minio://, gs://: a bucket, over s3.h.  What is larger than two parts goes in parts, several of them at a time;
 * its upload is noted before the first part is sent, and each part when it is there, so that a killed push goes on with the next. */
#include "dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "../base/talk.h"
#include "etag.h"
#include "http.h"
#include "place.h"
#include "s3.h"
#include "s3check.h"

/* Small files are many at a time, so that the way there and back is cheap; the parts of a large one need not be. */
enum { CONCURRENCY = 32, PARTS = 8, AHEAD = 4, META = 4 };

struct bucket {
	struct dest d;
	struct http *http;
	struct s3 *s3;
	unsigned parts;                     /* of one file at a time */
	struct s3_pair *meta, *tag;         /* META of dassie's own first */
	struct buf key;
};

/* A put, and where it goes in parts, how far that is. */
struct sending {
	struct bucket *b;
	const struct dest_put *put;
	char *key, *upload_id;
	uint64_t part_size;
	struct s3_part *part;               /* by number; size 0: not there yet */
	struct oid *hash;
	unsigned n, next, under_way, there;
	bool again;                         /* the upload was gone, and is begun anew */
	enum s3_failure failure;
	struct buf text;
};

/* One part under way. */
struct piece { struct sending *s; unsigned i; };

static const char *
full_key(struct bucket *b, const char *key)
{
	buf_reset(&b->key);
	buf_fmt(&b->key, "%s%s", b->d.place->to.prefix, key);
	return b->key.s;
}

static enum dest_failure
failure_of(enum s3_failure f)
{
	return f == S3_FINE ? DEST_FINE : f == S3_REFUSED || f == S3_EXHAUSTED ? DEST_STOP : DEST_ONE;
}

/* How the object is to be written; hex is room for its hash. */
static struct s3_how
how_of(struct bucket *b, const struct dest_put *put, char hex[OID_HEX + 1])
{
	const struct place *p = b->d.place;
	struct s3_how how = { .content_type = put->content_type, .cache_control = p->cache_control, .sse = p->sse, .kms_key = p->kms_key,
		.acl = p->acl, .storage_class = p->storage_class, .meta = b->meta, .n_meta = p->n_meta, .tag = b->tag, .n_tag = p->n_tag };

	oid_hex(put->sha256, hex);
	b->meta[how.n_meta++] = (struct s3_pair){ "dassie-sha256", hex };
	b->meta[how.n_meta++] = (struct s3_pair){ "dassie-pipeline", p->pipeline };
	b->meta[how.n_meta++] = (struct s3_pair){ "dassie-commit", put->commit };
	if (*put->datum)
		b->meta[how.n_meta++] = (struct s3_pair){ "dassie-datum", put->datum };
	return how;
}

static void
sending_end(struct sending *s, const char *etag)
{
	struct dest_result r = { failure_of(s->failure), s->text.n ? s->text.s : "", etag };

	s->put->done(s->put->ctx, &r);
	buf_release(&s->text);
	free(s->key);
	free(s->upload_id);
	free(s->part);
	free(s->hash);
	free(s);
}

static void
note(struct sending *s, const struct s3_answer *a)
{
	if (s->failure != S3_FINE || a->failure == S3_FINE)
		return;
	s->failure = a->failure;
	buf_str(&s->text, *a->text ? a->text : "the upload is not there any more");
}

static void
put_done(void *ctx, const struct s3_answer *a)
{
	struct sending *s = ctx;

	note(s, a);
	sending_end(s, a->etag);
}

static void send_parts(struct sending *s);
static void begin(struct sending *s);

/* The upload that was begun once is gone (somebody tidied up): once more, from the beginning. */
static bool
begin_again(struct sending *s)
{
	if (s->failure != S3_GONE || s->again)
		return false;
	s->again = true;
	s->failure = S3_FINE;
	buf_reset(&s->text);
	free(s->upload_id);
	s->upload_id = NULL;
	memset(s->part, 0, s->n * sizeof *s->part);
	s->next = s->there = 0;
	begin(s);
	return true;
}

static const char *
part_etag(const void *ctx, size_t i)
{
	return ((const struct sending *)ctx)->part[i].etag;
}

/* Ceph's gateway does not say what it calls the whole: then it is worked out, so that it is known again in a listing. */
static void
finished(void *ctx, const struct s3_answer *a)
{
	struct sending *s = ctx;
	char etag[ETAG_MAX] = "";

	note(s, a);
	if (begin_again(s))
		return;
	if (s->failure == S3_FINE && !*a->etag)
		etag_of_parts(part_etag, s, s->n, etag);
	sending_end(s, *a->etag ? a->etag : etag);
}

static void
part_done(void *ctx, const struct s3_answer *a)
{
	struct piece *piece = ctx;
	struct sending *s = piece->s;
	struct s3_part *part = &s->part[piece->i];
	struct dest_part noted;

	s->under_way--;
	note(s, a);
	if (a->failure == S3_FINE) {
		snprintf(part->etag, sizeof part->etag, "%s", a->etag);
		part->sha256 = &s->hash[piece->i];
		s->there++;
		noted = (struct dest_part){ .number = part->number, .sha256 = *part->sha256 };
		memcpy(noted.etag, part->etag, sizeof noted.etag);
		if (s->b->d.notes.part)
			s->b->d.notes.part(s->b->d.notes.ctx, s->put, &noted);
	}
	free(piece);
	send_parts(s);
}

static uint64_t
size_of(const struct sending *s, unsigned i)
{
	uint64_t from = (uint64_t)i * s->part_size;

	return s->put->size - from < s->part_size ? s->put->size - from : s->part_size;
}

static void
send_part(struct sending *s, unsigned i)
{
	struct piece *piece = xcalloc(1, sizeof *piece);
	struct s3_bytes bytes = { .path = s->put->file, .offset = (uint64_t)i * s->part_size, .size = size_of(s, i) };

	*piece = (struct piece){ s, i };
	s->part[i].number = i + 1;
	s->part[i].size = bytes.size;
	s->under_way++;
	s3_part(s->b->s3, s->key, s->upload_id, i + 1, &bytes, &s->hash[i], part_done, piece);
}

static void
send_parts(struct sending *s)
{
	while (s->failure == S3_FINE && s->next < s->n && s->under_way < s->b->parts) {
		unsigned i = s->next++;

		if (!s->part[i].size)
			send_part(s, i);
	}
	if (s->under_way)
		return;
	if (s->failure == S3_FINE)
		s3_finish(s->b->s3, s->key, s->upload_id, s->part, s->n, finished, s);
	else if (!begin_again(s))
		sending_end(s, "");
}

static void
begun(void *ctx, const struct s3_answer *a)
{
	struct sending *s = ctx;

	note(s, a);
	if (s->failure != S3_FINE) {
		sending_end(s, "");
		return;
	}
	s->upload_id = xstrdup(a->upload_id);
	if (s->b->d.notes.begun)
		s->b->d.notes.begun(s->b->d.notes.ctx, s->put, s->upload_id, s->part_size, a->tries <= 1);
	send_parts(s);
}

static void
begin(struct sending *s)
{
	char hex[OID_HEX + 1];
	struct s3_how how = how_of(s->b, s->put, hex);

	if (s->b->d.notes.beginning)
		s->b->d.notes.beginning(s->b->d.notes.ctx, s->put);
	s3_begin(s->b->s3, s->key, &how, begun, s);
}

static void
take_parts(struct sending *s, const struct dest_upload *u)
{
	for (size_t i = 0; i < u->n_part; i++) {
		unsigned k = u->part[i].number - 1;

		if (u->part[i].number == 0 || u->part[i].number > s->n || s->part[k].size)
			continue;
		s->hash[k] = u->part[i].sha256;
		s->part[k] = (struct s3_part){ .number = k + 1, .sha256 = &s->hash[k], .size = size_of(s, k) };
		memcpy(s->part[k].etag, u->part[i].etag, sizeof s->part[k].etag);
		s->there++;
	}
	s->upload_id = xstrdup(u->id);
}

static void
send_in_parts(struct sending *s)
{
	const struct dest_upload *u = s->put->upload;

	s->part_size = u && u->part_size ? u->part_size : s3_part_size(s->put->size, s->b->d.place->part_size);
	s->n = (unsigned)((s->put->size + s->part_size - 1) / s->part_size);
	s->part = xcalloc(s->n, sizeof *s->part);
	s->hash = xcalloc(s->n, sizeof *s->hash);
	if (u)
		take_parts(s, u);
	if (u)
		send_parts(s);
	else
		begin(s);
}

static void
bucket_put(struct dest *d, const struct dest_put *put)
{
	struct bucket *b = (struct bucket *)d;
	struct sending *s = xcalloc(1, sizeof *s);
	struct s3_bytes bytes = { .path = put->file, .size = put->size, .sha256 = put->sha256 };
	char hex[OID_HEX + 1];
	struct s3_how how;

	s->b = b;
	s->put = put;
	s->key = xstrdup(full_key(b, put->key));
	if (put->size > 2 * s3_part_size(put->size, d->place->part_size)) {
		send_in_parts(s);
		return;
	}
	how = how_of(b, put, hex);
	s3_put(b->s3, s->key, &bytes, &how, put_done, s);
}

struct removal { dest_done *done; void *ctx; char **key; size_t n; };

static void
removed(void *ctx, const struct s3_answer *a)
{
	struct removal *v = ctx;
	struct dest_result r = { failure_of(a->failure), a->text, "" };

	v->done(v->ctx, &r);
	for (size_t i = 0; i < v->n; i++)
		free(v->key[i]);
	free(v->key);
	free(v);
}

static void
bucket_remove(struct dest *d, const char *const *key, size_t n, dest_done *done, void *ctx)
{
	struct bucket *b = (struct bucket *)d;
	struct removal *v = xcalloc(1, sizeof *v);

	*v = (struct removal){ done, ctx, xcalloc(n, sizeof *v->key), n };
	for (size_t i = 0; i < n; i++)
		v->key[i] = xstrdup(full_key(b, key[i]));
	s3_delete_many(b->s3, (const char *const *)v->key, n, NULL, removed, v);
}

static void
aborted(void *ctx, const struct s3_answer *a)
{
	struct removal *v = ctx;
	struct dest_result r = { failure_of(a->failure), a->text, "" };

	v->done(v->ctx, &r);
	free(v);
}

static void
bucket_abort(struct dest *d, const char *key, const char *upload_id, dest_done *done, void *ctx)
{
	struct bucket *b = (struct bucket *)d;
	struct removal *v = xcalloc(1, sizeof *v);

	*v = (struct removal){ .done = done, .ctx = ctx };
	s3_abort(b->s3, full_key(b, key), upload_id, aborted, v);
}

struct held {
	char *key;
	void (*each)(void *ctx, const char *upload_id, uint64_t began);
	dest_done *done;
	void *ctx;
};

static void
held_one(void *ctx, const struct s3_held *u)
{
	const struct held *h = ctx;

	/* The listing is by prefix. */
	if (!strcmp(u->key, h->key))
		h->each(h->ctx, u->upload_id, u->began);
}

static void
held_done(void *ctx, const struct s3_answer *a)
{
	struct held *h = ctx;
	struct dest_result r = { failure_of(a->failure), a->text, "" };

	h->done(h->ctx, &r);
	free(h->key);
	free(h);
}

static void
bucket_uploads(struct dest *d, const char *key, void (*each)(void *ctx, const char *upload_id, uint64_t began), dest_done *done, void *ctx)
{
	struct bucket *b = (struct bucket *)d;
	struct held *h = xcalloc(1, sizeof *h);

	*h = (struct held){ xstrdup(full_key(b, key)), each, done, ctx };
	s3_list_uploads(b->s3, h->key, held_one, held_done, h);
}

struct listing {
	struct bucket *b;
	bool (*each)(void *ctx, const struct dest_listed *l);
	void *ctx;
	bool over, failed;
	struct err *err;
};

static bool
list_one(void *ctx, const struct s3_object *o)
{
	struct listing *l = ctx;
	struct dest_listed f = { .key = o->key + strlen(l->b->d.place->to.prefix), .size = o->size, .etag = o->etag };

	return l->each(l->ctx, &f);
}

static void
list_done(void *ctx, const struct s3_answer *a)
{
	struct listing *l = ctx;

	l->over = true;
	if (a->failure == S3_FINE)
		return;
	l->failed = true;
	err_set(l->err, 0, "%s", a->text);
}

static int
bucket_list(struct dest *d, const char *prefix, bool (*each)(void *ctx, const struct dest_listed *l), void *ctx, struct err *err)
{
	struct bucket *b = (struct bucket *)d;
	struct listing l = { b, each, ctx, false, false, err };
	char *key = xstrdup(full_key(b, prefix));

	s3_list(b->s3, key, list_one, list_done, &l);
	while (!l.over)
		http_step(b->http, 1000);
	free(key);
	return l.failed ? -1 : 0;
}

static int
bucket_check(struct dest *d, void (*say)(void *ctx, const char *line), void *ctx, struct err *err)
{
	struct bucket *b = (struct bucket *)d;
	const struct place *p = d->place;
	char hex[OID_HEX + 1];
	struct oid none = { { 0 } };
	struct dest_put probe = { .key = "", .sha256 = &none, .content_type = "text/plain", .commit = "", .datum = "" };
	struct s3_how how = how_of(b, &probe, hex);
	struct s3_check what = { .prefix = p->to.prefix, .how = &how, .list = p->verify, .multipart = d->large, .delete = p->delete_ };

	/* The probe is of no commit. */
	how.n_meta = p->n_meta;
	return s3_check(b->s3, b->http, &what, say, ctx, err);
}

static void
bucket_step(struct dest *d, unsigned ms)
{
	http_step(((struct bucket *)d)->http, ms);
}

static uint64_t
bucket_moved(struct dest *d)
{
	uint64_t sent, received;

	http_moved(((struct bucket *)d)->http, &sent, &received);
	return sent;
}

static uint64_t
bucket_part_size(const struct dest *d, uint64_t size)
{
	return s3_part_size(size, d->place->part_size);
}

static void
bucket_free(struct dest *d)
{
	struct bucket *b = (struct bucket *)d;

	if (b->s3)
		s3_free(b->s3);
	if (b->http)
		http_free(b->http);
	free(b->meta);
	free(b->tag);
	buf_release(&b->key);
	free(b);
}

static const struct dest_ops bucket_ops = {
	.check = bucket_check, .put = bucket_put, .remove = bucket_remove, .list = bucket_list, .abort = bucket_abort, .uploads = bucket_uploads, .step = bucket_step,
	.moved = bucket_moved, .free = bucket_free,
};

static void
tell(void *ctx, const char *text)
{
	const struct bucket *b = ctx;

	talk("%s: %s", b->d.place->pipeline, text);
}

static struct s3_said
said(const struct place *p, const char *value, const char *query, const char *from)
{
	return (struct s3_said){ value, !value ? NULL : desturl_query(&p->to, query) ? "the egress's URL" : from };
}

static void
take_pairs(struct bucket *b, const struct place *p)
{
	b->meta = xcalloc(p->n_meta + META, sizeof *b->meta);
	b->tag = xcalloc(p->n_tag + 1, sizeof *b->tag);
	for (size_t i = 0; i < p->n_meta; i++)
		b->meta[i] = (struct s3_pair){ p->meta[i].name, p->meta[i].value };
	for (size_t i = 0; i < p->n_tag; i++)
		b->tag[i] = (struct s3_pair){ p->tag[i].name, p->tag[i].value };
}

struct dest *
dest_s3(const struct place *p, struct err *err)
{
	struct bucket *b = xcalloc(1, sizeof *b);
	struct http_options options = { .concurrency = p->concurrency ? p->concurrency : CONCURRENCY, .rate = p->bandwidth };
	bool minio = !strcmp(p->to.scheme, "minio"), google = p->to.scheme[0] == 'g';
	struct s3_target target = { .bucket = p->to.bucket, .region = said(p, p->region, "region", "egress.region"),
		.endpoint = said(p, p->endpoint, "endpoint", minio ? "the egress's URL" : google ? "gs://" : "egress.endpoint"),
		.profile = said(p, p->profile, "profile", "egress.profile"), .role_arn = said(p, p->role_arn, "role_arn", "egress.role_arn"),
		.external_id = p->external_id, .requester_pays = p->requester_pays, .setting = "egress", .keys = google ? S3_GOOGLE_KEYS : NULL, .tell = tell, .ctx = b,
		.addressing = !p->addressing ? (minio ? S3_PATH : S3_AUTO) : !strcmp(p->addressing, "path") ? S3_PATH :
		    !strcmp(p->addressing, "virtual") ? S3_VIRTUAL : S3_AUTO };

	b->d = (struct dest){ .ops = &bucket_ops, .place = p, .window = AHEAD * options.concurrency, .max_size = S3_MAX_OBJECT,
		.max_key = S3_MAX_KEY, .part_size = bucket_part_size };
	b->parts = p->concurrency ? p->concurrency : PARTS;
	take_pairs(b, p);
	b->http = http_new(&options, err);
	if (b->http)
		b->s3 = s3_new(b->http, &target, err);
	if (b->s3)
		return &b->d;
	bucket_free(&b->d);
	return NULL;
}
