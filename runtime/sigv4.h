/* sigv4.h: AWS Signature Version 4 (docs.aws.amazon.com, "Create a signed AWS API request") as pure functions of the request,
 * the credentials and the date.
 *
 * Names and values are given as they are; encoding is done here, once, and the same way for what is signed and what is sent:
 * sigv4_target() is the request's target whose bytes a signature of sigv4_authorization() covers. */
#ifndef RUNTIME_SIGV4_H
#define RUNTIME_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { SIGV4_DATE = 17 };             /* "20130524T000000Z" and a NUL */

struct sigv4_pair { const char *name, *value; };    /* value NULL: as "" */

struct sigv4_request {
	const char *method;
	const char *path;                 /* from its '/', not encoded */
	const struct sigv4_pair *query; size_t n_query;      /* not encoded, in any order */
	const struct sigv4_pair *header; size_t n_header;    /* those that are signed: host, all x-amz-*, … in any order */
	const char *payload_hash;         /* SHA-256 of the body in hex, or "UNSIGNED-PAYLOAD" */
	bool normalize;                   /* fold "." , ".." and "//" of the path: every service but S3 */
};

struct sigv4_scope {
	const char *region, *service;
	char date[SIGV4_DATE];            /* also the value of the request's x-amz-date */
};

struct sigv4_key { const char *id, *secret; };

void sigv4_date(char ret[SIGV4_DATE], uint64_t ns);

/* Append n bytes, all but unreserved characters (RFC 3986) as %XX; '/' stays where `slash`. */
void sigv4_encode(struct buf *b, const char *s, size_t n, bool slash);
/* Append path and query as they go out: "/a%20b?list-type=2&prefix=x". */
void sigv4_target(struct buf *b, const struct sigv4_request *r);

/* The steps, each appended to b; for tests, and for showing what was signed. */
void sigv4_canonical(struct buf *b, const struct sigv4_request *r);
void sigv4_string_to_sign(struct buf *b, const struct sigv4_request *r, const struct sigv4_scope *s);
/* Append the value of the Authorization header. */
void sigv4_authorization(struct buf *b, const struct sigv4_request *r, const struct sigv4_scope *s, const struct sigv4_key *k);

#endif
