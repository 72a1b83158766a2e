/* s3multi.c: an object in parts: begin, parts, finish or abort; and what lies there from before.
 *
 * The last step is the one that goes wrong in its own ways: S3 answers 200 and keeps the line open while it works, so the error comes
 * inside; and when its answer is lost, asking again says NoSuchUpload although all went well.  Then the object itself is looked at. */
#include "s3call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "s3ops.h"
#include "xml.h"

static const uint64_t MIB = 1 << 20;

uint64_t
s3_part_size(uint64_t size, uint64_t wish)
{
	uint64_t least = (size + S3_MAX_PARTS - 1) / S3_MAX_PARTS, part = wish ? wish : 8 * MIB;

	if (part < S3_MIN_PART)
		part = S3_MIN_PART;
	if (part < least)
		part = least;
	return (part + MIB - 1) / MIB * MIB;
}

static enum s3_taken
inner_error(struct s3_call *c, const struct xml *root)
{
	if (strcmp(root->name, "Error"))
		return S3_TAKEN;
	c->inner_code = xml_text(root, "Code");
	c->inner_message = xml_text(root, "Message");
	return S3_TAKE_ERROR;
}

/* --- begin, parts ----------------------------------------------------------------------------------------------------------------------- */

static enum s3_taken
take_upload_id(struct s3_call *c, const struct http_answer *a)
{
	const struct xml *root = xml_parse(&c->a, a->body, a->n_body);

	if (!root)
		return S3_TAKE_BAD;
	if (inner_error(c, root))
		return S3_TAKE_ERROR;
	c->more = arena_str(&c->a, xml_text(root, "UploadId"));
	return *(char *)c->more ? S3_TAKEN : S3_TAKE_BAD;
}

void
s3_begin(struct s3 *s, const char *key, const struct s3_how *how, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_CREATE_UPLOAD, "POST", key, done, ctx);

	s3_call_how(c, how);
	s3_call_query(c, "uploads", NULL);
	s3_call_header(c, "x-amz-checksum-algorithm", "SHA256");
	s3_call_bytes(c, &(struct s3_bytes){ .p = "" });
	c->take = take_upload_id;
	s3_call_start(c);
}

static enum s3_taken
take_part(struct s3_call *c, const struct http_answer *a)
{
	if (!*s3_header(a, "ETag"))
		return S3_TAKE_BAD;
	if (c->more)
		*(struct oid *)c->more = c->hash;
	return S3_TAKEN;
}

void
s3_part(struct s3 *s, const char *key, const char *upload_id, unsigned number, const struct s3_bytes *bytes, struct oid *ret_sha256,
    s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_UPLOAD_PART, "PUT", key, done, ctx);
	char digits[16];

	snprintf(digits, sizeof digits, "%u", number);
	s3_call_query(c, "partNumber", digits);
	s3_call_query(c, "uploadId", upload_id);
	s3_call_bytes(c, bytes);
	c->checksum = true;
	c->more = ret_sha256;
	c->take = take_part;
	s3_call_start(c);
}

/* --- finish ----------------------------------------------------------------------------------------------------------------------------- */

struct finish {
	char composite[64];               /* base64 of the hash of the parts' hashes, "-", their number */
	size_t n;
	uint64_t size;
};

static enum s3_taken
take_finished(struct s3_call *c, const struct http_answer *a)
{
	const struct xml *root = xml_parse(&c->a, a->body, a->n_body);
	const struct finish *f = c->more;
	const char *sum;

	if (!root)
		return S3_TAKE_BAD;
	if (inner_error(c, root))
		return S3_TAKE_ERROR;
	snprintf(c->etag, sizeof c->etag, "%s", s3_call_unquoted(c, xml_text(root, "ETag")));
	sum = xml_text(root, "ChecksumSHA256");
	return !*sum || strcmp(sum, f->composite) == 0 || strchr(sum, '-') == NULL ? S3_TAKEN : S3_TAKE_DAMAGED;
}

/* Was it finished by a request whose answer was lost? */
struct lost {
	struct finish f;
	s3_done *done;
	void *ctx;
	char *text;
	unsigned tries;
};

static void
looked(void *ctx, const struct s3_answer *a)
{
	struct lost *l = ctx;
	const char *dash = strrchr(a->etag, '-');
	struct s3_answer out = *a;

	out.tries = l->tries;
	if (a->failure || a->size != l->f.size || !dash || strtoull(dash + 1, NULL, 10) != l->f.n) {
		out.failure = S3_GONE;
		out.text = l->text;
		out.code = "NoSuchUpload";
	}
	l->done(l->ctx, &out);
	free(l->text);
	free(l);
}

static bool
finish_failed(struct s3_call *c, struct s3_answer *out)
{
	struct lost *l;

	if (out->failure != S3_GONE || c->tries < 2)
		return false;
	l = xcalloc(1, sizeof *l);
	*l = (struct lost){ *(struct finish *)c->more, c->done, c->ctx, xstrdup(out->text), c->tries };
	s3_head(c->s, c->key, NULL, looked, l);
	return true;
}

static void
list_of_parts(struct s3_call *c, struct finish *f, const struct s3_part *part, size_t n, struct buf *b)
{
	struct sha256 h;
	struct oid all;
	bool hashes = true;

	sha256_init(&h);
	buf_str(b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
	for (size_t i = 0; i < n; i++) {
		buf_fmt(b, "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag>", part[i].number, part[i].etag);
		if (part[i].sha256) {
			buf_fmt(b, "<ChecksumSHA256>%s</ChecksumSHA256>", s3_call_base64(c, part[i].sha256));
			sha256_update(&h, part[i].sha256->b, sizeof part[i].sha256->b);
		}
		hashes &= part[i].sha256 != NULL;
		buf_str(b, "</Part>");
		f->size += part[i].size;
	}
	buf_str(b, "</CompleteMultipartUpload>");
	sha256_final(&h, &all);
	f->n = n;
	if (hashes)
		snprintf(f->composite, sizeof f->composite, "%s-%zu", s3_call_base64(c, &all), n);
}

void
s3_finish(struct s3 *s, const char *key, const char *upload_id, const struct s3_part *part, size_t n, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_COMPLETE_UPLOAD, "POST", key, done, ctx);
	struct finish *f = arena_alloc(&c->a, sizeof *f);
	struct buf b = BUF_INIT;

	list_of_parts(c, f, part, n, &b);
	s3_call_query(c, "uploadId", upload_id);
	s3_call_header(c, "content-type", "application/xml");
	s3_call_bytes(c, &(struct s3_bytes){ .p = arena_dup(&c->a, b.s, b.n), .size = b.n });
	c->more = f;
	c->take = take_finished;
	c->failed = finish_failed;
	buf_release(&b);
	s3_call_start(c);
}

/* --- abort ------------------------------------------------------------------------------------------------------------------------------ */

static bool
abort_failed(struct s3_call *c, struct s3_answer *out)
{
	(void)c;
	if (out->failure == S3_GONE) {
		out->failure = S3_FINE;
		out->text = out->code = "";
	}
	return false;
}

void
s3_abort(struct s3 *s, const char *key, const char *upload_id, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, S3_ABORT_UPLOAD, "DELETE", key, done, ctx);

	s3_call_query(c, "uploadId", upload_id);
	c->failed = abort_failed;
	s3_call_start(c);
}
