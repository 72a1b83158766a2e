/* s3why.c: S3 says AccessDenied for a dozen different things, some servers with an empty message, and for HEAD not even that.  What
 * decides is put together here: S3's code, the words in its message, and what was asked for (a KMS key, an ACL, another region).
 *
 *	PutObject 's3://b/k' failed: HTTP 403 AccessDenied: User: … is not authorized to perform: s3:PutObject …
 *	  endpoint     https://s3.eu-west-1.amazonaws.com (from the region)
 *	  region       eu-west-1 (from egress.region)
 *	  identity     arn:aws:iam::111122223333:user/etl
 *	  credentials  profile 'etl' in '/home/u/.aws/credentials', key id …MPLE
 *	  request id   4442587FB7D0A2F9
 *	  cause        nothing allows s3:PutObject there
 *	  fix          grant it, for instance by this policy: …
 */
#include "s3why.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"

const struct s3_operation s3_operations[S3_N_OPS] = {
	[S3_PUT_OBJECT] = { "PutObject", "s3:PutObject", false },
	[S3_CREATE_UPLOAD] = { "CreateMultipartUpload", "s3:PutObject", false },
	[S3_UPLOAD_PART] = { "UploadPart", "s3:PutObject", false },
	[S3_COMPLETE_UPLOAD] = { "CompleteMultipartUpload", "s3:PutObject", false },
	[S3_ABORT_UPLOAD] = { "AbortMultipartUpload", "s3:AbortMultipartUpload", false },
	[S3_LIST_PARTS] = { "ListParts", "s3:ListMultipartUploadParts", false },
	[S3_LIST_UPLOADS] = { "ListMultipartUploads", "s3:ListBucketMultipartUploads", true },
	[S3_LIST_OBJECTS] = { "ListObjectsV2", "s3:ListBucket", true },
	[S3_HEAD_OBJECT] = { "HeadObject", "s3:GetObject", false },
	[S3_GET_OBJECT] = { "GetObject", "s3:GetObject", false },
	[S3_DELETE_OBJECT] = { "DeleteObject", "s3:DeleteObject", false },
	[S3_DELETE_OBJECTS] = { "DeleteObjects", "s3:DeleteObject", false },
	[S3_HEAD_BUCKET] = { "HeadBucket", "s3:ListBucket", true },
	[S3_CREATE_BUCKET] = { "CreateBucket", "s3:CreateBucket", true },
};

static const uint64_t SECOND = 1000000000;

static const char *
text(const char *s)
{
	return s ? s : "";
}

static bool
is(const char *s, const char *t)
{
	return s && strcmp(s, t) == 0;
}

static bool
says(const struct s3_why *w, const char *words)
{
	return w->message && strcasestr(w->message, words);
}

static bool
writes(const struct s3_why *w)
{
	return w->op == S3_PUT_OBJECT || w->op == S3_CREATE_UPLOAD || w->op == S3_UPLOAD_PART || w->op == S3_COMPLETE_UPLOAD;
}

static bool
kms(const struct s3_why *w)
{
	return w->sse && strncmp(w->sse, "aws:kms", 7) == 0;
}

static const char *
setting(const struct s3_why *w)
{
	return w->setting ? w->setting : "egress";
}

/* What the place itself is called in the spec. */
static const char *
place(const struct s3_why *w)
{
	return strncmp(setting(w), "repos.", 6) ? "url" : "source";
}

static void
row(struct buf *b, const char *name)
{
	buf_fmt(b, "\n  %-12s ", name);
}

static void
cause(struct buf *b, const char *s)
{
	row(b, "cause");
	buf_str(b, s);
}

static void
fix(struct buf *b)
{
	row(b, "fix");
}

/* "3 h", "12 min", "40 s". */
static void
span(struct buf *b, uint64_t seconds)
{
	if (seconds >= 2 * 86400)
		buf_fmt(b, "%llu days", (unsigned long long)(seconds / 86400));
	else if (seconds >= 2 * 3600)
		buf_fmt(b, "%llu h", (unsigned long long)(seconds / 3600));
	else if (seconds >= 120)
		buf_fmt(b, "%llu min", (unsigned long long)(seconds / 60));
	else
		buf_fmt(b, "%llu s", (unsigned long long)seconds);
}

/* --- what was tried, and by whom -------------------------------------------------------------------------------------------------- */

static void
sentence(struct buf *b, const struct s3_why *w)
{
	const struct s3_operation *o = &s3_operations[w->op];

	buf_fmt(b, "%s 's3://%s%s%s' failed: ", o->name, w->bucket, w->key ? "/" : "", text(w->key));
	if (w->no_credentials)
		buf_str(b, w->no_credentials);
	else if (w->fault)
		buf_fmt(b, "%s: %s", http_fault_words(w->fault), text(w->fault_text));
	else
		buf_fmt(b, "HTTP %d%s%s%s%s", w->status, w->code && *w->code ? " " : "", text(w->code),
		    w->message && *w->message ? ": " : "", text(w->message));
	if (w->tries > 1)
		buf_fmt(b, " (tried %u times)", w->tries);
}

static void
from(struct buf *b, const char *s)
{
	if (s && *s)
		buf_fmt(b, " (from %s)", s);
}

static void
circumstances(struct buf *b, const struct s3_why *w)
{
	if (w->endpoint) {
		row(b, "endpoint");
		buf_str(b, w->endpoint);
		from(b, w->endpoint_from);
	}
	if (w->region) {
		row(b, "region");
		buf_str(b, w->region);
		from(b, w->region_from);
	}
	if (w->who && *w->who) {
		row(b, "identity");
		buf_str(b, w->who);
	}
	if (w->credentials && *w->credentials) {
		size_t n = strlen(text(w->key_id));

		row(b, "credentials");
		buf_str(b, w->credentials);
		if (n > 4)
			buf_fmt(b, ", key id …%s", w->key_id + n - 4);
	}
	if (w->request_id && *w->request_id) {
		row(b, "request id");
		buf_str(b, w->request_id);
		if (w->host_id && *w->host_id)
			buf_fmt(b, " (host id %s)", w->host_id);
	}
}

/* --- causes ------------------------------------------------------------------------------------------------------------------------- */

static const char *
partition(const struct s3_why *w)
{
	const char *region = w->bucket_region ? w->bucket_region : text(w->region);

	return strncmp(region, "cn-", 3) == 0 ? "aws-cn" : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov" : "aws";
}

static void
quoted(struct buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			buf_byte(b, '\\');
		if (c < ' ')
			buf_fmt(b, "\\u%04x", c);
		else
			buf_byte(b, (char)c);
	}
}

/* What the operation needs, on the folder that its key is in. */
static void
policy(struct buf *b, const struct s3_why *w)
{
	const struct s3_operation *o = &s3_operations[w->op];
	const char *slash = w->key ? strrchr(w->key, '/') : NULL;

	buf_str(b, "{\"Effect\": \"Allow\"");
	if (w->who && *w->who && !w->amazon)
		buf_fmt(b, ", \"Principal\": {\"AWS\": \"%s\"}", w->who);
	buf_fmt(b, ", \"Action\": [\"%s\"", o->action);
	if (writes(w) && w->acl)
		buf_str(b, ", \"s3:PutObjectAcl\"");
	if (writes(w) && w->tags)
		buf_str(b, ", \"s3:PutObjectTagging\"");
	buf_fmt(b, "], \"Resource\": \"arn:%s:s3:::%s", partition(w), w->bucket);
	if (!o->of_bucket) {
		buf_byte(b, '/');
		if (slash)
			quoted(b, w->key, (size_t)(slash + 1 - w->key));
		buf_byte(b, '*');
	}
	buf_str(b, "\"}");
}

static bool
why_region(struct buf *b, const struct s3_why *w)
{
	bool told = w->code && (is(w->code, "AuthorizationHeaderMalformed") || is(w->code, "PermanentRedirect") || is(w->code, "IllegalLocationConstraintException"));

	if (w->bucket_region && w->region && strcmp(w->bucket_region, w->region)) {
		row(b, "cause");
		buf_fmt(b, "the bucket is in %s, and the request was for %s", w->bucket_region, w->region);
		from(b, w->region_from);
		fix(b);
		buf_fmt(b, "set %s.region: %s", setting(w), w->bucket_region);
		return true;
	}
	if (!told && (w->status < 301 || w->status > 308))
		return false;
	cause(b, "the bucket is in another region than the one asked, and the server does not say in which");
	fix(b);
	buf_fmt(b, "ask its owner, or: aws s3api get-bucket-location --bucket %s; then set %s.region", w->bucket, setting(w));
	return true;
}

static bool
why_token(struct buf *b, const struct s3_why *w)
{
	bool expired = w->expires && w->now >= w->expires;

	if (!expired && !is(w->code, "ExpiredToken") && !is(w->code, "TokenRefreshRequired"))
		return false;
	row(b, "cause");
	buf_str(b, "the session token expired");
	if (expired) {
		buf_byte(b, ' ');
		span(b, (w->now - w->expires) / SECOND);
		buf_str(b, " ago");
	}
	fix(b);
	if (w->credentials && strncmp(w->credentials, "SSO", 3) == 0)
		buf_str(b, "aws sso login, then run again");
	else
		buf_str(b, "put fresh keys and a fresh token where they came from; a role_arn or credential_process in a profile renews them by itself");
	return true;
}

static bool
why_clock(struct buf *b, const struct s3_why *w)
{
	int64_t off = w->skew_s < 0 ? -w->skew_s : w->skew_s;

	if (!is(w->code, "RequestTimeTooSkewed"))
		return false;
	row(b, "cause");
	buf_str(b, "this machine's clock is ");
	if (off) {
		span(b, (uint64_t)off);
		buf_fmt(b, " %s the server's; S3 allows 15 min", w->skew_s < 0 ? "behind" : "ahead of");
	} else {
		buf_str(b, "more than 15 min away from the server's");
	}
	fix(b);
	buf_str(b, "set the clock: timedatectl set-ntp true");
	return true;
}

static bool
why_kms(struct buf *b, const struct s3_why *w)
{
	bool denied = says(w, "kms:") || (is(w->code, "AccessDenied") && says(w, "kms")), unknown = says(w, "kms-key");

	if ((!w->code || strncmp(w->code, "KMS.", 4)) && !denied && !unknown && !(kms(w) && writes(w) && w->status == 400))
		return false;
	row(b, "cause");
	if (denied)
		buf_str(b, "the KMS key's policy, or this identity's, does not allow its use for this bucket");
	else
		buf_str(b, "the KMS key does not exist, is disabled, is in another region, or is no key for encryption");
	if (w->kms_key)
		buf_fmt(b, " (%s.kms_key: %s)", setting(w), w->kms_key);
	fix(b);
	if (denied)
		buf_fmt(b, "grant kms:GenerateDataKey and, for files sent in parts, kms:Decrypt on that key to %s; or drop %s.sse",
		    w->who && *w->who ? w->who : "this identity", setting(w));
	else
		buf_fmt(b, "set %s.kms_key to the ARN of an enabled key in the bucket's region, or drop %s.kms_key", setting(w), setting(w));
	return true;
}

static bool
why_acl(struct buf *b, const struct s3_why *w)
{
	if (is(w->code, "AccessControlListNotSupported")) {
		cause(b, "the bucket has \"bucket owner enforced\": it takes no ACLs, its owner owns every object anyway");
		fix(b);
		buf_fmt(b, "drop %s.acl", setting(w));
		return true;
	}
	if (!w->acl || !writes(w) || (w->status != 403 && w->status != 400))
		return false;
	if (w->status == 400 && !is(w->code, "InvalidArgument") && !is(w->code, "MalformedACLError"))
		return false;
	row(b, "cause");
	buf_fmt(b, w->status == 403 ? "the right to write is missing, or the right to set the ACL '%s' (s3:PutObjectAcl), or Block Public Access "
	    "forbids it" : "the server does not take the ACL '%s'", w->acl);
	fix(b);
	buf_fmt(b, "drop %s.acl%s", setting(w), w->status == 403 ? ", or grant: " : "");
	if (w->status == 403)
		policy(b, w);
	return true;
}

/* Key id and secret. */
static bool
why_keys(struct buf *b, const struct s3_why *w)
{
	if (is(w->code, "SignatureDoesNotMatch")) {
		cause(b, "the secret key is not the one of this key id");
		fix(b);
		buf_fmt(b, "correct the secret key there (%s; watch for cut or quoted characters), or name another %s.profile",
		    text(w->credentials), setting(w));
		return true;
	}
	if (is(w->code, "InvalidAccessKeyId") || is(w->code, "InvalidClientTokenId") || is(w->code, "UnrecognizedClientException")) {
		row(b, "cause");
		buf_fmt(b, "%s does not know this key id: it was deleted, or belongs to another service", text(w->endpoint));
		fix(b);
		buf_fmt(b, "name the profile or the endpoint that belong together (%s.profile, %s.endpoint)", setting(w), setting(w));
		return true;
	}
	if (is(w->code, "InvalidToken")) {
		cause(b, "the session token does not belong to this key id, or a region that must be switched on does not take it");
		fix(b);
		buf_fmt(b, "take key, secret and token from one answer (%s)", text(w->credentials));
		return true;
	}
	return false;
}

static bool
why_bucket(struct buf *b, const struct s3_why *w)
{
	if (is(w->code, "InvalidBucketName")) {
		row(b, "cause");
		buf_fmt(b, "'%s' cannot be a bucket's name: 3 to 63 lower-case letters, digits, '-' and '.'", w->bucket);
		fix(b);
		buf_fmt(b, "correct %s.%s", setting(w), place(w));
		return true;
	}
	if (!is(w->code, "NoSuchBucket") && !(w->status == 404 && (w->op == S3_HEAD_BUCKET || s3_operations[w->op].of_bucket)))
		return false;
	row(b, "cause");
	buf_fmt(b, "there is no bucket '%s' at %s", w->bucket, text(w->endpoint));
	fix(b);
	buf_fmt(b, "correct %s.%s or %s.endpoint, or make it: aws s3 mb s3://%s --region %s", setting(w), place(w), setting(w), w->bucket,
	    w->region ? w->region : "REGION");
	return true;
}

static bool
reads(const struct s3_why *w)
{
	return w->op == S3_GET_OBJECT || w->op == S3_HEAD_OBJECT || w->op == S3_LIST_OBJECTS;
}

static bool
why_denied(struct buf *b, const struct s3_why *w)
{
	const struct s3_operation *o = &s3_operations[w->op];

	if (w->status != 403 && w->status != 401)
		return false;
	if (says(w, "explicit deny")) {
		row(b, "cause");
		buf_fmt(b, "an explicit deny of %s: no grant outweighs it", o->action);
		fix(b);
		buf_fmt(b, "find the statement with \"Effect\": \"Deny\" (%s) and change its condition, or write elsewhere",
		    says(w, "resource-based") ? "in the bucket's policy" : says(w, "identity-based") ? "in this identity's policies" :
		    says(w, "service control") ? "in the organisation's service control policies" : "bucket, identity, organisation");
		return true;
	}
	row(b, "cause");
	if (w->op == S3_HEAD_BUCKET || o->of_bucket)
		buf_fmt(b, "no right to %s, or no such bucket: S3 answers 403 for both", o->action);
	else if (w->op == S3_HEAD_OBJECT || w->op == S3_GET_OBJECT)
		buf_fmt(b, "no right to %s, or no such key and no right to s3:ListBucket: S3 answers 403 for both%s", o->action,
		    w->requester_pays ? "" : "; or the bucket is requester pays");
	else
		buf_fmt(b, "nothing allows %s on this key, or a policy denies it", o->action);
	if (!w->amazon && !*text(w->message) && is(w->code, "AccessDenied"))
		buf_str(b, "; servers that speak STS say the same of a wrong secret, an unknown key id and an expired token");
	fix(b);
	buf_fmt(b, "grant %s on arn:%s:s3:::%s%s, if the %s above is the one that should %s: ", o->action, partition(w), w->bucket,
	    o->of_bucket ? "" : "/*", w->who && *w->who ? "identity" : "key", reads(w) ? "read" : "write");
	policy(b, w);
	return true;
}

/* Everything else that has a name. */
static bool
why_named(struct buf *b, const struct s3_why *w)
{
	static const struct { const char *code, *cause, *fix; } known[] = {
		{ "RequestPayer", "the bucket is requester pays", "say so in the spec" },
		{ "UserSuspended", "this user is suspended", "ask who runs the server" },
		{ "QuotaExceeded", "the user's or the bucket's quota is used up", "make room, or have the quota raised" },
		{ "AllAccessDisabled", "the bucket or account is closed to everybody", "ask its owner" },
		{ "AccountProblem", "the account has a problem (billing, closure)", "ask its owner" },
		{ "InvalidStorageClass", "the server has no such storage class", "correct storage_class" },
		{ "EntityTooLarge", "the server takes no object of that size", "send it in parts: lower part_size" },
		{ "EntityTooSmall", "a part is smaller than the server allows", "raise part_size to 5 MiB or more" },
		{ "KeyTooLongError", "the key is longer than 1024 bytes", "shorten the path or the prefix" },
		{ "InvalidObjectState", "the object is archived", "restore it first" },
		{ "NotImplemented", "the server does not know one of the options asked for", "leave out sse, acl, tags, storage_class one by one" },
		{ "MethodNotAllowed", "that is no bucket's address", "check url, endpoint and addressing" },
		{ "PreconditionFailed", "the object is there already, or has changed meanwhile", "look who else writes there" },
		{ "InvalidTag", "a tag has characters or a length that S3 does not allow", "correct tags" },
		{ "InvalidEncryptionAlgorithmError", "the server does not know that encryption", "correct sse: AES256 or aws:kms" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!is(w->code, known[i].code))
			continue;
		cause(b, known[i].cause);
		fix(b);
		buf_str(b, known[i].fix);
		return true;
	}
	return false;
}

static void
why_tls(struct buf *b, const struct s3_why *w)
{
	if (w->fault_text && (strstr(w->fault_text, "wrong version number") || strstr(w->fault_text, "packet length"))) {
		cause(b, "the endpoint speaks plain http there");
		fix(b);
		buf_fmt(b, "correct %s.endpoint: http://, or the port that speaks https", setting(w));
	} else if (w->fault_text && (strcasestr(w->fault_text, "does not match") || strcasestr(w->fault_text, "no alternative"))) {
		cause(b, "the server's certificate is for another name");
		fix(b);
		buf_fmt(b, "put a name that is in the certificate into %s.endpoint; for bucket names with dots or a server without a wildcard certificate "
		    "set %s.addressing: path", setting(w), setting(w));
	} else {
		cause(b, "the server's certificate is not trusted here: self-signed, of a private CA, or expired");
		fix(b);
		buf_fmt(b, "name the file with its CA: AWS_CA_BUNDLE=/path/ca.pem (now it is %s)", w->ca_bundle ? w->ca_bundle : "the system's");
	}
}

/* No answer at all. */
static bool
why_fault(struct buf *b, const struct s3_why *w)
{
	const char *s = setting(w);

	switch (w->fault) {
	case HTTP_NO_FAULT: return false;
	case HTTP_FAULT_RESOLVE:
		cause(b, w->amazon ? "there is no such region, or this machine reaches no name server" : "the endpoint's host name is wrong, or this machine reaches no name server");
		fix(b);
		buf_fmt(b, "correct %s.%s; for a server of your own that has no name a bucket, also %s.addressing: path", s, w->amazon ? "region" : "endpoint", s);
		return true;
	case HTTP_FAULT_CONNECT:
		row(b, "cause");
		buf_fmt(b, "nothing listens at the %s%s, or a firewall is between", w->proxy ? "endpoint, or at the proxy in " : "endpoint", text(w->proxy));
		fix(b);
		buf_fmt(b, "check that the server is up, and the host and port of %s.endpoint", s);
		return true;
	case HTTP_FAULT_TLS:
		why_tls(b, w);
		return true;
	case HTTP_FAULT_PROXY:
		row(b, "cause");
		buf_fmt(b, "the proxy%s%s%s does not let this through", w->proxy ? " (from " : "", text(w->proxy), w->proxy ? ")" : "");
		fix(b);
		buf_str(b, "correct it, or name the endpoint's host in no_proxy");
		return true;
	case HTTP_FAULT_URL:
	case HTTP_FAULT_PROTOCOL:
		cause(b, "the endpoint is no address of an S3 server");
		fix(b);
		buf_fmt(b, "correct %s.endpoint: http:// or https://, host and port", s);
		return true;
	case HTTP_FAULT_LOCAL:
		return false;
	case HTTP_FAULT_RESET:
		if (w->endpoint && strncmp(w->endpoint, "http:", 5) == 0 && w->fault_text && strstr(w->fault_text, "Empty reply")) {
			cause(b, "the server hangs up without a word: perhaps it speaks https there");
			fix(b);
			buf_fmt(b, "if so, correct %s.endpoint: https://; else run again later", s);
			return true;
		}
		/* fall through */
	default:
		cause(b, "the network or the server fails again and again");
		fix(b);
		buf_str(b, "run again later: only what is missing is sent");
		return true;
	}
}

static bool
why_stranger(struct buf *b, const struct s3_why *w)
{
	if (w->xml || w->status >= 500)
		return false;
	cause(b, "what answers there is no S3 server: a proxy, a login page, a console");
	fix(b);
	buf_fmt(b, "correct %s.endpoint%s%s%s", setting(w), w->proxy ? ", or the proxy in " : "", text(w->proxy), w->proxy ? " (no_proxy names hosts that need none)" : "");
	return true;
}

static bool
why_server(struct buf *b, const struct s3_why *w)
{
	if (w->status < 500 && w->status != 429)
		return false;
	cause(b, w->status == 501 ? "the server does not know this request: is it an S3 server?" : w->status == 503 || w->status == 429 ? "the server is overloaded, and stayed so through all tries" : "the server fails");
	fix(b);
	buf_fmt(b, "run again later: only what is missing is sent%s", w->status == 503 ? "; a lower concurrency helps" : "");
	return true;
}

/* It does not say which one. */
static bool
why_argument(struct buf *b, const struct s3_why *w)
{
	const struct { const char *name, *value; } asked[] = { { "storage_class", w->storage_class }, { "sse", w->sse },
		{ "kms_key", w->kms_key }, { "tags", w->tags ? "" : NULL } };
	const char *between = "";

	if (!is(w->code, "InvalidArgument") || (!w->storage_class && !w->sse && !w->tags))
		return false;
	row(b, "cause");
	buf_str(b, "the server does not take something that the object is to be written with: ");
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
		if (asked[i].value) {
			buf_fmt(b, "%s%s%s%s", between, asked[i].name, *asked[i].value ? " " : "", asked[i].value);
			between = ", ";
		}
	fix(b);
	buf_fmt(b, "correct or drop that in %s", setting(w));
	return true;
}

void
s3_why(struct buf *b, const struct s3_why *w)
{
	static bool (*const causes[])(struct buf *, const struct s3_why *) = { why_fault, why_stranger, why_named, why_token, why_clock, why_kms, why_keys, why_bucket, why_region,
		why_acl, why_denied, why_argument, why_server };

	sentence(b, w);
	if (w->no_credentials)
		return;
	circumstances(b, w);
	for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
		if (causes[i](b, w))
			return;
}
