/* s3.h: a bucket, over http.h: signed requests that run side by side, are tried again where that helps, find the bucket's
 * region by themselves, and whose failures say cause and fix.
 *
 * Every s3_*() request returns at once and ends with one call of done() from http_step().  Texts given are copied, memory that
 * is sent (`bytes`) is not.  Texts in answers live until the callback returns.  Files are opened when their turn comes, so
 * requests may be put in line before; still, keep no more than a few hundred in line: each is some KB. */
#ifndef RUNTIME_S3_H
#define RUNTIME_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http;
struct oid;
struct s3;

enum { S3_MAX_KEY = 1024, S3_MAX_PARTS = 10000, S3_MAX_DELETE = 1000 };
#define S3_MIN_PART ((uint64_t)5 << 20)          /* all parts but the last */
#define S3_MAX_PUT ((uint64_t)5 << 30)           /* one PUT */
#define S3_MAX_OBJECT ((uint64_t)5 << 40)

enum s3_addressing { S3_AUTO, S3_PATH, S3_VIRTUAL };

/* For struct s3_target's `keys`, of gs://. */
#define S3_GOOGLE_KEYS "Google's S3 takes HMAC keys: 'gcloud storage hmac create ACCOUNT' makes one; its access id and secret are these two"

/* A setting, and where it came from, for messages: "egress.region". value NULL: not set. */
struct s3_said { const char *value, *from; };

struct s3_target {
	const char *bucket;
	struct s3_said region, endpoint, profile, role_arn;
	const char *external_id;
	enum s3_addressing addressing;
	bool requester_pays;
	const char *keys;                     /* what to say besides when there are no credentials; NULL: nothing */
	const char *setting;                  /* what settings are called in advice: "egress" gives "egress.region"; NULL: that */
	/* What a person should know and did not ask: another region, a clock that is wrong, slowing down.  Without NUL, no newline
	 * at the end.  NULL: talk(). */
	void (*tell)(void *ctx, const char *text);
	void *ctx;
	int64_t clock_s;                      /* added to the clock: for tests */
};

/* NULL and err: the settings contradict each other (bad profile, endpoint that is no URL, bucket name).  Nothing is sent and no
 * credentials are looked for yet: that is done by the first request, or by s3_login().  h must outlive it. */
struct s3 *s3_new(struct http *h, const struct s3_target *t, struct err *err);
void s3_free(struct s3 *s);

/* Find credentials now.  0, or -1 with all that was tried. */
int s3_login(struct s3 *s, struct err *err);
/* "profile 'x' in '/home/u/.aws/credentials'"; "" if there are none. */
const char *s3_credentials_from(struct s3 *s);
const char *s3_region(const struct s3 *s);        /* the one that is signed for now */
const char *s3_endpoint(const struct s3 *s);      /* "https://s3.eu-west-1.amazonaws.com" */
/* "arn:aws:iam::…" by STS GetCallerIdentity, asked once; "" where nobody answers. */
const char *s3_who(struct s3 *s);

enum s3_failure {
	S3_FINE,
	S3_ABSENT,       /* no such key (404): of get and head, no message */
	S3_REFUSED,      /* 401, 403, no credentials, wrong bucket: the next request will fare no better */
	S3_INVALID,      /* this one request is wrong: another 4xx */
	S3_GONE,         /* NoSuchUpload: begin the upload again */
	S3_EXHAUSTED,    /* tried again as often as allowed */
	S3_DAMAGED,      /* what arrived is not what was sent: checksum or size */
	S3_LOCAL,        /* our own file or sink */
};

struct s3_answer {
	enum s3_failure failure;
	/* Not S3_FINE: lines without a newline at the end; the first one is a whole sentence: what was tried on what and the
	 * server's word for it; the others say who, from where, and what to do.  "" for S3_ABSENT. */
	const char *text;
	int status;                           /* of HTTP; 0 none */
	const char *code;                     /* S3's, "AccessDenied"; "" none */
	const char *etag;                     /* without its quotes; "" none; so the others */
	const char *version_id, *upload_id, *checksum_sha256, *last_modified;
	const struct oid *dassie_sha256;      /* x-amz-meta-dassie-sha256, of head and get; NULL none */
	const char *dassie_commit, *dassie_datum, *dassie_pipeline;      /* the other x-amz-meta-dassie-*; "" none */
	uint64_t size;                        /* Content-Length of head and get */
	unsigned tries;
};

typedef void s3_done(void *ctx, const struct s3_answer *a);

struct s3_pair { const char *name, *value; };

/* What an object is written with.  NULL and 0: not said. */
struct s3_how {
	const char *content_type, *cache_control;
	const char *sse, *kms_key, *acl, *storage_class;    /* "AES256" or "aws:kms"; key id; "bucket-owner-full-control"; … */
	const struct s3_pair *meta; size_t n_meta;          /* without "x-amz-meta-" */
	const struct s3_pair *tag; size_t n_tag;
	bool if_absent;                                     /* If-None-Match: *; 412 is S3_INVALID */
};

/* Bytes: `size` from `offset` of the file `path`, or of memory where path is NULL. */
struct s3_bytes {
	const char *path;
	const void *p;
	uint64_t offset, size;
	const struct oid *sha256;             /* of these bytes, if known; NULL: they are read once more for it */
};

/* The object's SHA-256 goes as x-amz-content-sha256 and x-amz-checksum-sha256; a server that takes other bytes refuses. An answer
 * whose checksum says otherwise is S3_DAMAGED. Metadata other than printable ASCII goes percent-encoded. */
void s3_put(struct s3 *s, const char *key, const struct s3_bytes *bytes, const struct s3_how *how, s3_done *done, void *ctx);

/* Multipart.  An upload id of s3_begin() is to be remembered before parts are sent: what is not finished is paid for until it is
 * aborted. Parts may go in any order and side by side. */
void s3_begin(struct s3 *s, const char *key, const struct s3_how *how, s3_done *done, void *ctx);
/* number from 1.  The answer's etag, and ret_sha256 (not NULL; written before done) go into the list for s3_finish(). */
void s3_part(struct s3 *s, const char *key, const char *upload_id, unsigned number, const struct s3_bytes *bytes,
    struct oid *ret_sha256, s3_done *done, void *ctx);
struct s3_part { unsigned number; char etag[72]; const struct oid *sha256; uint64_t size; };
/* parts in ascending order; not copied.  An error inside a 200 is one; after a lost answer the object is looked at before
 * anything is said.  The composite checksum is checked where the server gives one. */
void s3_finish(struct s3 *s, const char *key, const char *upload_id, const struct s3_part *part, size_t n, s3_done *done, void *ctx);
/* An upload that is not there is success. */
void s3_abort(struct s3 *s, const char *key, const char *upload_id, s3_done *done, void *ctx);
/* A part, and an upload, that the server holds. began: initiated, in ns since 1970, 0 not said. */
struct s3_held { const char *key, *upload_id, *etag, *checksum_sha256, *initiated; unsigned number; uint64_t size, began; };
void s3_list_parts(struct s3 *s, const char *key, const char *upload_id, void (*each)(void *ctx, const struct s3_held *p),
    s3_done *done, void *ctx);
void s3_list_uploads(struct s3 *s, const char *prefix, void (*each)(void *ctx, const struct s3_held *u), s3_done *done, void *ctx);

/* The smallest part size, a whole number of MiB and at least `wish` (0: 8 MiB), with which `size` has at most 10,000 parts. */
uint64_t s3_part_size(uint64_t size, uint64_t wish);

struct s3_object { const char *key, *etag, *last_modified, *storage_class; uint64_t size; };
/* All keys that begin with prefix, in the order of their bytes, whatever bytes they have; page after page. each() returns false to
 * stop, which is success. */
void s3_list(struct s3 *s, const char *prefix, bool (*each)(void *ctx, const struct s3_object *o), s3_done *done, void *ctx);

/* version_id may be NULL. */
void s3_head(struct s3 *s, const char *key, const char *version_id, s3_done *done, void *ctx);
/* The bytes go to sink in order, once: a transfer that breaks goes on with a range, of the same ETag.  sink false: S3_LOCAL. */
void s3_get(struct s3 *s, const char *key, const char *version_id, bool (*sink)(void *ctx, const void *p, size_t n), s3_done *done,
    void *ctx);

void s3_delete(struct s3 *s, const char *key, s3_done *done, void *ctx);
/* Up to S3_MAX_DELETE keys in one request; each_failed (may be NULL) for those that stay; then the answer is the first one's. */
void s3_delete_many(struct s3 *s, const char *const *key, size_t n, void (*each_failed)(void *ctx, const char *key, const char *text),
    s3_done *done, void *ctx);

/* In the client's region: for a person's wish and for tests; an egress never makes a bucket. */
void s3_make_bucket(struct s3 *s, s3_done *done, void *ctx);

#endif
