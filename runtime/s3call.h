/* s3call.h: what the files of the S3 client share: one request on its way, with its retries, and the client's insides. */
#ifndef RUNTIME_S3CALL_H
#define RUNTIME_S3CALL_H

#include "../base/buf.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "awsconf.h"
#include "creds.h"
#include "http.h"
#include "s3.h"
#include "s3retry.h"
#include "s3why.h"
#include "sigv4.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct s3_place {                     /* where requests go */
	bool tls, amazon;
	char *host;                       /* with its port, if that is not the usual one */
	char *path;                       /* of the endpoint itself, "" or "/x" */
};

struct s3 {
	struct http *http;
	struct arena a;
	struct awsconf conf;
	struct creds_chain *chain;
	struct s3_pace pace;
	const char *bucket, *setting, *keys, *region_from, *endpoint_from;
	char *region, *bucket_region;     /* bucket_region: what the server said, NULL nothing yet */
	struct s3_place place;
	char *endpoint;                   /* place in words */
	enum s3_addressing addressing;
	bool requester_pays, given_endpoint;
	void (*tell)(void *ctx, const char *text);
	void *ctx;
	int64_t clock_s;                  /* what our clock lacks */
	bool answered, clock_told, slow_told, who_asked, region_asked;
	char *who, *from;
	double (*random)(void);
	struct s3_call *first, **last;    /* the line */
	size_t running;
};

/* What becomes of a 2xx answer. */
enum s3_taken { S3_TAKEN, S3_TAKE_MORE /* send again, changed: the next page */, S3_TAKE_ERROR /* an error inside */, S3_TAKE_BAD /* cannot be read: try again */,
	S3_TAKE_DAMAGED };

enum { S3_QUERIES = 8 };

struct s3_call {
	struct s3 *s;
	struct arena a;                   /* its texts */
	enum s3_op op;
	const char *method, *key;         /* key NULL: of the bucket */
	struct sigv4_pair query[S3_QUERIES]; size_t n_query;
	struct sigv4_pair *header; size_t n_header, cap_header;
	struct s3_how how;                /* for messages */
	/* body */
	const char *path; const void *p; uint64_t offset, size;
	int fd;
	bool has_body, hashed, checksum;  /* checksum: send x-amz-checksum-sha256 */
	struct oid hash;
	/* answer */
	bool (*sink)(void *ctx, const void *p, size_t n);
	uint64_t delivered, skip;         /* bytes that went to the sink; that are to be dropped first */
	char etag[80];                    /* of the object that is being fetched, or was put together */
	enum s3_taken (*take)(struct s3_call *c, const struct http_answer *a);
	void (*before)(struct s3_call *c);                 /* each sending */
	/* A final failure is shown to it first; true: it has taken care. */
	bool (*failed)(struct s3_call *c, struct s3_answer *out);
	s3_done *done; void *ctx;
	void *more;                       /* of the operation */
	/* life */
	unsigned tries, moves, clocks, tokens;
	char *sent_region, *sent_host; int64_t sent_clock;
	const char *inner_code, *inner_message;            /* of an error in a 200 */
	struct s3_call *next;
};

/* --- s3call.c --- */
struct s3_call *s3_call_new(struct s3 *s, enum s3_op op, const char *method, const char *key, s3_done *done, void *ctx);
void s3_call_query(struct s3_call *c, const char *name, const char *value);
void s3_call_header(struct s3_call *c, const char *name, const char *value);
void s3_call_bytes(struct s3_call *c, const struct s3_bytes *b);
/* In line; after that it is not the caller's any more. */
void s3_call_start(struct s3_call *c);
void s3_call_in_line(struct s3_call *c);
void s3_call_again(struct s3_call *c, uint64_t ms);
/* Send as many as the window has room for. */
void s3_pump(struct s3 *s);
/* What headers say; sha256 is where out's may point to. */
void s3_call_fill(struct s3_call *c, const struct http_answer *a, struct s3_answer *out, struct oid *sha256);
/* done(), and no call any more. */
void s3_call_end(struct s3_call *c, struct s3_answer *out);
/* Those in line. */
void s3_calls_drop(struct s3 *s);
/* "PutObject 's3://bucket/key'" */
const char *s3_call_words(struct s3_call *c);
const char *s3_call_unquoted(struct s3_call *c, const char *s);
const char *s3_header(const struct http_answer *a, const char *name);      /* "" if there is none */
void s3_remember(char **slot, const char *value);
/* Base64 of the id, in the call's arena. */
const char *s3_call_base64(struct s3_call *c, const struct oid *id);

/* --- s3client.c --- */
/* As creds_get(); where there are none, with what the target says of them. */
int s3_creds(struct s3 *s, const struct creds **ret, struct err *err);

/* --- s3answer.c --- */
void s3_call_answered(void *ctx, const struct http_answer *a);

/* --- s3place.c --- */
/* "http://host:port/path"; false: that is no such URL. */
bool s3_place_parse(struct s3_place *p, const char *url);
void s3_place_amazon(struct s3_place *p, const char *region);
void s3_place_release(struct s3_place *p);
/* "https://host/path", the caller frees. */
char *s3_place_words(const struct s3_place *p);
/* Host and path (not encoded) of a key, in the arena. */
void s3_place_of(const struct s3 *s, struct arena *a, const char *key, const char **ret_host, const char **ret_path);

/* --- s3explain.c --- */
struct s3_refusal {                   /* what an answer that is no success says */
	const char *code, *message, *region, *request_id, *host_id;
	bool xml;
	int64_t skew_s;                   /* our clock less the server's */
};
void s3_refusal_read(struct s3_call *c, const struct http_answer *a, struct s3_refusal *ret);
/* Append the text to b; asks who we are and where the bucket is, once a client, where that helps. */
void s3_explain(struct s3_call *c, const struct http_answer *a, const struct s3_refusal *r, struct buf *b);
/* The bucket's region, by an unsigned HEAD; NULL: nobody says. */
const char *s3_ask_region(struct s3 *s);

#endif
