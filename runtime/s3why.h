/* s3why.h: from what was tried, by whom, and what came back, to a text that names the cause and the fix.  Pure. */
#ifndef RUNTIME_S3WHY_H
#define RUNTIME_S3WHY_H

#include "http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* What S3 calls it, what IAM calls the right to it, and whether that right is of the bucket (else of its objects). */
struct s3_operation { const char *name, *action; bool of_bucket; };

enum s3_op { S3_PUT_OBJECT, S3_CREATE_UPLOAD, S3_UPLOAD_PART, S3_COMPLETE_UPLOAD, S3_ABORT_UPLOAD, S3_LIST_PARTS, S3_LIST_UPLOADS,
	S3_LIST_OBJECTS, S3_HEAD_OBJECT, S3_GET_OBJECT, S3_DELETE_OBJECT, S3_DELETE_OBJECTS, S3_HEAD_BUCKET, S3_CREATE_BUCKET, S3_N_OPS };

extern const struct s3_operation s3_operations[S3_N_OPS];

/* NULL and 0: unknown or none.  "from": "egress.region", "AWS_REGION", "the default". */
struct s3_why {
	enum s3_op op;
	const char *bucket, *key;
	const char *setting;                                 /* "egress", "source": what the spec's settings are called under */
	const char *endpoint, *endpoint_from;
	bool amazon;                                         /* the endpoint is Amazon's own */
	const char *region, *region_from, *bucket_region;    /* the last: where the bucket is, as the server says */
	const char *who;                                     /* ARN */
	const char *credentials, *key_id;                    /* from where; the id, of which the end is shown */
	uint64_t expires, now;                               /* ns */
	int64_t skew_s;                                      /* our clock less the server's */
	enum http_fault fault;
	const char *fault_text, *proxy, *ca_bundle;          /* proxy: "https_proxy", the variable that names one */
	int status;
	const char *code, *message, *request_id, *host_id;
	bool xml;                                            /* the answer was S3's: an XML error, or had x-amz-request-id */
	const char *sse, *kms_key, *acl, *storage_class;
	bool tags, requester_pays;
	const char *no_credentials;                          /* why there are none: the rest is not looked at */
	unsigned tries;
};

/* Append lines, no newline at the end.  First the sentence, then what was tried and by whom, then "cause" and "fix". */
void s3_why(struct buf *b, const struct s3_why *w);

#endif
