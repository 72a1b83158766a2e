/* s3object.c: one object at a time: put, head, get, delete; and many keys deleted by one request. */
#include "s3call.h"

#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "s3ops.h"
#include "xml.h"

/* --- what an object is written with ------------------------------------------------------------------------------------------------ */

static const char *
metadata(struct s3_call *c, const char *value)
{
	struct buf b = BUF_INIT;
	const char *s = value;

	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			break;
	if (!*s)
		return value;
	sigv4_encode(&b, value, strlen(value), true);
	s = arena_str(&c->a, b.s);
	buf_release(&b);
	return s;
}

static void
tags(struct s3_call *c, const struct s3_how *how)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < how->n_tag; i++) {
		buf_str(&b, i ? "&" : "");
		sigv4_encode(&b, how->tag[i].name, strlen(how->tag[i].name), false);
		buf_byte(&b, '=');
		sigv4_encode(&b, how->tag[i].value, strlen(how->tag[i].value), false);
	}
	s3_call_header(c, "x-amz-tagging", b.s);
	buf_release(&b);
}

static const char *
copy(struct s3_call *c, const char *s)
{
	return s ? arena_str(&c->a, s) : NULL;
}

void
s3_call_how(struct s3_call *c, const struct s3_how *how)
{
	if (!how)
		return;
	c->how = (struct s3_how){ .sse = copy(c, how->sse), .kms_key = copy(c, how->kms_key), .acl = copy(c, how->acl),
		.storage_class = copy(c, how->storage_class), .n_tag = how->n_tag };
	s3_call_header(c, "content-type", how->content_type);
	s3_call_header(c, "cache-control", how->cache_control);
	s3_call_header(c, "x-amz-server-side-encryption", how->sse);
	s3_call_header(c, "x-amz-server-side-encryption-aws-kms-key-id", how->kms_key);
	s3_call_header(c, "x-amz-acl", how->acl);
	s3_call_header(c, "x-amz-storage-class", how->storage_class);
	for (size_t i = 0; i < how->n_meta; i++)
		s3_call_header(c, arena_fmt(&c->a, "x-amz-meta-%s", how->meta[i].name), metadata(c, how->meta[i].value));
	if (how->n_tag)
		tags(c, how);
	if (how->if_absent)
		s3_call_header(c, "if-none-match", "*");
}

/* --- one object ------------------------------------------------------------------------------------------------------------------- */

void
s3_put(struct s3 *s, const char *key, const struct s3_bytes *bytes, const struct s3_how *how, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_PUT_OBJECT, "PUT", key, done, ctx);

	s3_call_how(c, how);
	s3_call_bytes(c, bytes);
	c->checksum = true;
	s3_call_start(c);
}

void
s3_head(struct s3 *s, const char *key, const char *version_id, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_HEAD_OBJECT, "HEAD", key, done, ctx);

	if (version_id && *version_id)
		s3_call_query(c, "versionId", version_id);
	s3_call_header(c, "x-amz-checksum-mode", "ENABLED");
	s3_call_start(c);
}

void
s3_get(struct s3 *s, const char *key, const char *version_id, bool (*sink)(void *ctx, const void *p, size_t n), s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_GET_OBJECT, "GET", key, done, ctx);

	if (version_id && *version_id)
		s3_call_query(c, "versionId", version_id);
	s3_call_header(c, "x-amz-checksum-mode", "ENABLED");
	c->sink = sink;
	s3_call_start(c);
}

void
s3_delete(struct s3 *s, const char *key, s3_done *done, void *ctx)
{
	s3_call_start(s3_call_new(s, S3_DELETE_OBJECT, "DELETE", key, done, ctx));
}

void
s3_make_bucket(struct s3 *s, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_CREATE_BUCKET, "PUT", NULL, done, ctx);
	const char *xml = "";

	/* us-east-1 is the one that must not be named. */
	if (strcmp(s->region, "us-east-1"))
		xml = arena_fmt(&c->a, "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>%s"
		    "</LocationConstraint></CreateBucketConfiguration>", s->region);
	s3_call_bytes(c, &(struct s3_bytes){ .p = xml, .size = strlen(xml) });
	s3_call_start(c);
}

/* --- many ------------------------------------------------------------------------------------------------------------------------- */

/* Keys with bytes that XML cannot hold go alone; the last one that comes back answers for all. */
struct many {
	size_t left;
	enum s3_failure failure;
	char *text, *code;
	int status;
	void (*each_failed)(void *ctx, const char *key, const char *text);
	s3_done *done;
	void *ctx;
};

struct single { struct many *m; char key[]; };

static void
note_failure(struct many *m, enum s3_failure failure, int status, const char *code, const char *text, const char *key)
{
	if (m->failure == S3_FINE) {
		m->failure = failure;
		m->status = status;
		m->code = xstrdup(code);
		m->text = xstrdup(text);
	}
	if (key && m->each_failed)
		m->each_failed(m->ctx, key, text);
}

static void
one_less(struct many *m)
{
	struct s3_answer out = { .failure = m->failure, .status = m->status, .code = m->code ? m->code : "", .text = m->text ? m->text : "",
		.etag = "", .version_id = "", .upload_id = "", .checksum_sha256 = "", .last_modified = "", .dassie_commit = "", .dassie_datum = "",
		.dassie_pipeline = "" };

	if (--m->left)
		return;
	m->done(m->ctx, &out);
	free(m->code);
	free(m->text);
	free(m);
}

static void
single_done(void *ctx, const struct s3_answer *a)
{
	struct single *one = ctx;

	if (a->failure)
		note_failure(one->m, a->failure, a->status, a->code, a->text, one->key);
	one_less(one->m);
	free(one);
}

static void
batch_done(void *ctx, const struct s3_answer *a)
{
	if (a->failure)
		note_failure(ctx, a->failure, a->status, a->code, a->text, NULL);
	one_less(ctx);
}

/* Quiet: only what was refused is listed. */
static enum s3_taken
take_deleted(struct s3_call *c, const struct http_answer *a)
{
	const struct xml *root = xml_parse(&c->a, a->body, a->n_body);
	struct many *m = c->ctx;

	if (!root)
		return a->n_body ? S3_TAKE_BAD : S3_TAKEN;
	if (strcmp(root->name, "Error") == 0) {
		c->inner_code = xml_text(root, "Code");
		c->inner_message = xml_text(root, "Message");
		return S3_TAKE_ERROR;
	}
	for (const struct xml *e = root->kids; e; e = e->next) {
		const char *code = xml_text(e, "Code");
		struct s3_why w = { .op = S3_DELETE_OBJECT, .bucket = c->s->bucket, .key = xml_text(e, "Key"), .setting = c->s->setting, .xml = true,
			.endpoint = c->s->endpoint, .region = c->s->region, .region_from = c->s->region_from,
			.status = strcmp(code, "AccessDenied") ? a->status : 403, .code = code, .message = xml_text(e, "Message") };
		struct buf b = BUF_INIT;

		if (strcmp(e->name, "Error"))
			continue;
		s3_why(&b, &w);
		note_failure(m, w.status == 403 ? S3_REFUSED : S3_INVALID, w.status, code, b.s, w.key);
		buf_release(&b);
	}
	return S3_TAKEN;
}

static bool
fits_xml(const char *key)
{
	for (; *key; key++)
		if ((unsigned char)*key < ' ' || *key == 0x7f || (unsigned char)*key == 0xef)
			return false;
	return true;
}

static void
xml_escape(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_str(b, "&amp;");
		else if (*s == '<')
			buf_str(b, "&lt;");
		else if (*s == '>')
			buf_str(b, "&gt;");
		else
			buf_byte(b, *s);
	}
}

static void
start_batch(struct s3 *s, struct many *m, struct buf *xml)
{
	struct s3_call *c = s3_call_new(s, S3_DELETE_OBJECTS, "POST", NULL, batch_done, m);
	struct s3_bytes bytes = { .size = xml->n };

	bytes.p = arena_dup(&c->a, xml->s, xml->n);
	s3_call_query(c, "delete", NULL);
	s3_call_header(c, "content-type", "application/xml");
	s3_call_bytes(c, &bytes);
	c->checksum = true;
	c->take = take_deleted;
	m->left++;
	s3_call_start(c);
}

void
s3_delete_many(struct s3 *s, const char *const *key, size_t n, void (*each_failed)(void *ctx, const char *key, const char *text), s3_done *done,
    void *ctx)
{
	struct many *m = xcalloc(1, sizeof *m);
	struct buf xml = BUF_INIT;
	size_t listed = 0;

	m->each_failed = each_failed;
	m->done = done;
	m->ctx = ctx;
	buf_str(&xml, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
	for (size_t i = 0; i < n; i++) {
		if (fits_xml(key[i])) {
			buf_str(&xml, "<Object><Key>");
			xml_escape(&xml, key[i]);
			buf_str(&xml, "</Key></Object>");
			listed++;
		} else {
			struct single *one = xmalloc(sizeof *one + strlen(key[i]) + 1);

			one->m = m;
			memcpy(one->key, key[i], strlen(key[i]) + 1);
			m->left++;
			s3_delete(s, key[i], single_done, one);
		}
	}
	buf_str(&xml, "</Delete>");
	if (listed || !m->left)
		start_batch(s, m, &xml);
	buf_release(&xml);
}
