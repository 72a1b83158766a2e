/* s3list.c: listings, page after page: objects, parts of an upload, uploads.  Keys come URL-encoded (encoding-type=url), since XML cannot
 * hold every byte that a key can; Amazon writes a blank as '+', others as %20, and both mean it. */
#include "s3call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xml.h"

struct pages {
	bool (*each_object)(void *ctx, const struct s3_object *o);
	void (*each_held)(void *ctx, const struct s3_held *h);
	const char *upload_id;
	size_t n_fixed;                   /* query parameters of every page */
};

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *
decoded(struct arena *a, const char *s, bool encoded)
{
	char *t, *p;

	if (!encoded)
		return s;
	t = p = arena_str(a, s);
	for (; *s; s++) {
		if (*s == '%' && digit(s[1]) >= 0 && digit(s[2]) >= 0) {
			*p++ = (char)(digit(s[1]) << 4 | digit(s[2]));
			s += 2;
		} else {
			*p++ = *s == '+' ? ' ' : *s;
		}
	}
	*p = '\0';
	return t;
}

static const char *
etag(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	return n > 1 && s[0] == '"' && s[n - 1] == '"' ? arena_dup(a, s + 1, n - 2) : s;
}

/* The next page's marker is a query parameter again; its text outlives the page in the call's arena. */
static enum s3_taken
next_page(struct s3_call *c, const char *name, const char *value, const char *name2, const char *value2)
{
	struct pages *p = c->more;

	if (!*value)
		return S3_TAKE_BAD;
	c->n_query = p->n_fixed;
	s3_call_query(c, name, value);
	if (name2)
		s3_call_query(c, name2, value2);
	return S3_TAKE_MORE;
}

static bool
truncated(const struct xml *root)
{
	return strcmp(xml_text(root, "IsTruncated"), "true") == 0;
}

/* NULL, and what to return instead. */
static const struct xml *
read_page(struct s3_call *c, const struct http_answer *a, struct arena *page, const char *name, enum s3_taken *ret)
{
	const struct xml *root = a->cut ? NULL : xml_parse(page, a->body, a->n_body);

	*ret = S3_TAKE_BAD;
	if (root && strcmp(root->name, "Error") == 0) {
		c->inner_code = arena_str(&c->a, xml_text(root, "Code"));
		c->inner_message = arena_str(&c->a, xml_text(root, "Message"));
		*ret = S3_TAKE_ERROR;
	}
	return root && strcmp(root->name, name) == 0 ? root : NULL;
}

/* --- objects ---------------------------------------------------------------------------------------------------------------------------- */

static bool
give_objects(struct s3_call *c, struct arena *page, const struct xml *root)
{
	bool encoded = strcmp(xml_text(root, "EncodingType"), "url") == 0;
	struct pages *p = c->more;

	for (const struct xml *x = root->kids; x; x = x->next) {
		struct s3_object o;

		if (strcmp(x->name, "Contents"))
			continue;
		o = (struct s3_object){ .key = decoded(page, xml_text(x, "Key"), encoded), .etag = etag(page, xml_text(x, "ETag")),
			.last_modified = xml_text(x, "LastModified"), .storage_class = xml_text(x, "StorageClass"),
			.size = strtoull(xml_text(x, "Size"), NULL, 10) };
		if (!p->each_object(c->ctx, &o))
			return false;
	}
	return true;
}

static enum s3_taken
take_objects(struct s3_call *c, const struct http_answer *a)
{
	struct arena page = ARENA_INIT;
	enum s3_taken taken;
	const struct xml *root = read_page(c, a, &page, "ListBucketResult", &taken);

	if (root) {
		taken = S3_TAKEN;
		if (truncated(root) && !*xml_text(root, "NextContinuationToken"))
			taken = S3_TAKE_BAD;
		else if (give_objects(c, &page, root) && truncated(root))
			taken = next_page(c, "continuation-token", xml_text(root, "NextContinuationToken"), NULL, NULL);
	}
	arena_release(&page);
	return taken;
}

static struct s3_call *
listing(struct s3 *s, enum s3_op op, const char *key, s3_done *done, void *ctx)
{
	struct s3_call *c = s3_call_new(s, op, "GET", key, done, ctx);

	c->more = arena_alloc(&c->a, sizeof(struct pages));
	return c;
}

static void
start(struct s3_call *c)
{
	struct pages *p = c->more;

	p->n_fixed = c->n_query;
	s3_call_start(c);
}

void
s3_list(struct s3 *s, const char *prefix, bool (*each)(void *ctx, const struct s3_object *o), s3_done *done, void *ctx)
{
	struct s3_call *c = listing(s, S3_LIST_OBJECTS, NULL, done, ctx);

	((struct pages *)c->more)->each_object = each;
	c->take = take_objects;
	s3_call_query(c, "list-type", "2");
	s3_call_query(c, "encoding-type", "url");
	if (prefix && *prefix)
		s3_call_query(c, "prefix", prefix);
	start(c);
}

/* --- parts and uploads ---------------------------------------------------------------------------------------------------------------------- */

static enum s3_taken
take_parts(struct s3_call *c, const struct http_answer *a)
{
	struct arena page = ARENA_INIT;
	enum s3_taken taken;
	const struct xml *root = read_page(c, a, &page, "ListPartsResult", &taken);
	struct pages *p = c->more;

	for (const struct xml *x = root ? root->kids : NULL; x; x = x->next)
		if (strcmp(x->name, "Part") == 0)
			p->each_held(c->ctx, &(struct s3_held){ .key = c->key, .upload_id = p->upload_id, .etag = etag(&page, xml_text(x, "ETag")),
			    .checksum_sha256 = xml_text(x, "ChecksumSHA256"), .initiated = "", .number = (unsigned)strtoul(xml_text(x, "PartNumber"), NULL, 10),
			    .size = strtoull(xml_text(x, "Size"), NULL, 10) });
	if (root)
		taken = truncated(root) ? next_page(c, "part-number-marker", xml_text(root, "NextPartNumberMarker"), NULL, NULL) : S3_TAKEN;
	arena_release(&page);
	return taken;
}

void
s3_list_parts(struct s3 *s, const char *key, const char *upload_id, void (*each)(void *ctx, const struct s3_held *p), s3_done *done, void *ctx)
{
	struct s3_call *c = listing(s, S3_LIST_PARTS, key, done, ctx);
	struct pages *p = c->more;

	p->each_held = each;
	p->upload_id = arena_str(&c->a, upload_id);
	c->take = take_parts;
	s3_call_query(c, "uploadId", upload_id);
	start(c);
}

static enum s3_taken
take_uploads(struct s3_call *c, const struct http_answer *a)
{
	struct arena page = ARENA_INIT;
	enum s3_taken taken;
	const struct xml *root = read_page(c, a, &page, "ListMultipartUploadsResult", &taken);
	bool encoded = strcmp(xml_text(root, "EncodingType"), "url") == 0;
	struct pages *p = c->more;

	for (const struct xml *x = root ? root->kids : NULL; x; x = x->next)
		if (strcmp(x->name, "Upload") == 0)
			p->each_held(c->ctx, &(struct s3_held){ .key = decoded(&page, xml_text(x, "Key"), encoded), .upload_id = xml_text(x, "UploadId"),
			    .etag = "", .checksum_sha256 = "", .initiated = xml_text(x, "Initiated"),
			    .began = creds_time(xml_text(x, "Initiated")) });
	if (root && truncated(root))
		taken = next_page(c, "key-marker", decoded(&page, xml_text(root, "NextKeyMarker"), encoded), "upload-id-marker",
		    xml_text(root, "NextUploadIdMarker"));
	else if (root)
		taken = S3_TAKEN;
	arena_release(&page);
	return taken;
}

void
s3_list_uploads(struct s3 *s, const char *prefix, void (*each)(void *ctx, const struct s3_held *u), s3_done *done, void *ctx)
{
	struct s3_call *c = listing(s, S3_LIST_UPLOADS, NULL, done, ctx);

	((struct pages *)c->more)->each_held = each;
	c->take = take_uploads;
	s3_call_query(c, "uploads", NULL);
	s3_call_query(c, "encoding-type", "url");
	if (prefix && *prefix)
		s3_call_query(c, "prefix", prefix);
	start(c);
}
