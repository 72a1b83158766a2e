/* The words for each refusal, and which failures are tried again, when and how often: pure functions, with time and chance given. */
#include "tap.h"

#include <stdlib.h>

#include "../../base/buf.h"
#include "../../base/mem.h"
#include "../../runtime/s3.h"
#include "../../runtime/s3retry.h"
#include "../../runtime/s3why.h"
#include "../../runtime/xml.h"

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static const uint64_t HOUR = 3600 * 1000000000ull;

static struct s3_why
base(void)
{
	return (struct s3_why){ .op = S3_PUT_OBJECT, .bucket = "data", .key = "out/day/a.txt", .setting = "egress",
		.endpoint = "https://s3.us-east-1.amazonaws.com", .endpoint_from = "the region", .amazon = true, .region = "us-east-1",
		.region_from = "egress.region", .who = "arn:aws:iam::1:user/etl", .credentials = "profile 'etl' in '/h/.aws/credentials'",
		.key_id = "AKIAIOSFODNN7EXAMPLE", .now = 100 * HOUR, .status = 403, .code = "AccessDenied", .message = "Access Denied",
		.request_id = "REQ1", .host_id = "HOST1", .xml = true, .tries = 1 };
}

static void
says(const char *name, const struct s3_why *w, const char *const words[])
{
	struct buf b = BUF_INIT;
	bool all = true;

	s3_why(&b, w);
	for (; *words; words++)
		all &= ok(strstr(b.s, *words) != NULL, "%s: %s", name, *words);
	if (!all)
		tap_show("text", b.s);
	ok(b.s[b.n - 1] != '\n', "%s: no newline at the end", name);
	buf_release(&b);
}

static void
test_whole(void)
{
	struct s3_why w = base();
	struct buf b = BUF_INIT;

	s3_why(&b, &w);
	is_str(b.s, "PutObject 's3://data/out/day/a.txt' failed: HTTP 403 AccessDenied: Access Denied\n"
	    "  endpoint     https://s3.us-east-1.amazonaws.com (from the region)\n"
	    "  region       us-east-1 (from egress.region)\n"
	    "  identity     arn:aws:iam::1:user/etl\n"
	    "  credentials  profile 'etl' in '/h/.aws/credentials', key id …MPLE\n"
	    "  request id   REQ1 (host id HOST1)\n"
	    "  cause        nothing allows s3:PutObject on this key, or a policy denies it\n"
	    "  fix          grant s3:PutObject on arn:aws:s3:::data/*, if the identity above is the one that should write: "
	    "{\"Effect\": \"Allow\", \"Action\": [\"s3:PutObject\"], \"Resource\": \"arn:aws:s3:::data/out/day/*\"}", "the whole text");
	buf_release(&b);
}

static void
test_rights(void)
{
	struct s3_why w = base();

	w.bucket_region = "eu-west-1";
	says("a bare AccessDenied that means the wrong region", &w, WORDS("the bucket is in eu-west-1, and the request was for us-east-1 (from egress.region)",
	    "set egress.region: eu-west-1"));
	w = base();
	w.region = "cn-north-1";
	w.tags = true;
	says("China, with tags", &w, WORDS("arn:aws-cn:s3:::data/out/day/*", "\"s3:PutObjectTagging\""));
	w = base();
	w.message = "… with an explicit deny in a service control policy";
	says("explicit deny", &w, WORDS("an explicit deny of s3:PutObject", "service control policies"));
	w = base();
	w.op = S3_GET_OBJECT;
	says("reading", &w, WORDS("no such key and no right to s3:ListBucket", "requester pays"));
	w.op = S3_LIST_OBJECTS;
	w.key = NULL;
	says("listing", &w, WORDS("ListObjectsV2 's3://data' failed", "no such bucket: S3 answers 403 for both", "\"Resource\": \"arn:aws:s3:::data\"}"));
	w = base();
	w.expires = 97 * HOUR;
	says("a token of our own that is over", &w, WORDS("the session token expired 3 h ago"));
	w.credentials = "SSO role 'x' of profile 'y'";
	says("of SSO", &w, WORDS("aws sso login"));
	w = base();
	w.sse = "aws:kms";
	w.message = "User: u is not authorized to perform: kms:GenerateDataKey";
	says("KMS", &w, WORDS("grant kms:GenerateDataKey", "kms:Decrypt", "arn:aws:iam::1:user/etl"));
	w = base();
	w.acl = "public-read";
	says("ACL", &w, WORDS("s3:PutObjectAcl", "Block Public Access", "drop egress.acl"));
}

static void
test_others(void)
{
	struct s3_why w = base();

	w.status = 403;
	w.code = "RequestTimeTooSkewed";
	w.skew_s = -4000;
	says("clock", &w, WORDS("this machine's clock is 66 min behind the server's", "timedatectl"));
	w = base();
	w.status = 301;
	w.code = "PermanentRedirect";
	says("an unknown region", &w, WORDS("does not say in which", "get-bucket-location --bucket data"));
	w = base();
	w.status = 200;
	w.code = "InternalError";
	w.message = "We encountered an internal error";
	w.tries = 10;
	says("an error inside a 200", &w, WORDS("HTTP 200 InternalError", "(tried 10 times)"));
	w.status = 503;
	w.code = "SlowDown";
	says("overload", &w, WORDS("overloaded", "only what is missing is sent", "lower concurrency"));
	w = base();
	w.status = 200;
	w.code = w.message = "";
	w.xml = false;
	says("a login page", &w, WORDS("no S3 server: a proxy, a login page", "correct egress.endpoint"));
	w.status = 403;
	w.proxy = "http_proxy";
	says("a proxy's own 403", &w, WORDS("no S3 server: a proxy", "or the proxy in http_proxy"));
	w = base();
	w.fault = HTTP_FAULT_TLS;
	w.fault_text = "SSL: no alternative certificate subject name matches target host name 'a.b.s3.example'";
	says("a certificate for another name", &w, WORDS("is for another name", "egress.addressing: path"));
	w.fault = HTTP_FAULT_RESET;
	w.fault_text = "Empty reply from server";
	w.endpoint = "http://s3.example:9000";
	says("http to a port that speaks https", &w, WORDS("hangs up without a word", "correct egress.endpoint: https://"));
	w.fault = HTTP_FAULT_PROXY;
	w.proxy = "https_proxy";
	says("proxy", &w, WORDS("the proxy (from https_proxy)", "no_proxy"));
	w.fault = HTTP_FAULT_RESOLVE;
	says("no such region at Amazon's", &w, WORDS("there is no such region", "egress.region"));
	w.setting = "source";
	says("of a source", &w, WORDS("source.region"));
}

static void
test_argument(void)
{
	struct s3_why w = base();

	w.status = 400;
	w.code = "InvalidArgument";
	w.message = "";
	w.storage_class = "NOPE";
	w.tags = true;
	says("which of what it is written with", &w, WORDS("storage_class NOPE, tags", "correct or drop that in egress"));
}

static void
test_classes(void)
{
	static const struct { enum http_fault fault; int status; const char *code; enum s3_class want; } c[] = {
		{ HTTP_NO_FAULT, 503, "SlowDown", S3_THROTTLE }, { HTTP_NO_FAULT, 503, "", S3_THROTTLE }, { HTTP_NO_FAULT, 429, "", S3_THROTTLE },
		{ HTTP_NO_FAULT, 500, "InternalError", S3_TRANSIENT }, { HTTP_NO_FAULT, 408, "", S3_TRANSIENT },
		{ HTTP_NO_FAULT, 400, "RequestTimeout", S3_TRANSIENT }, { HTTP_NO_FAULT, 400, "BadDigest", S3_TRANSIENT },
		{ HTTP_FAULT_RESET, 0, "", S3_TRANSIENT }, { HTTP_FAULT_TRUNCATED, 200, "", S3_TRANSIENT }, { HTTP_FAULT_TIMEOUT, 0, "", S3_TIMEOUT },
		{ HTTP_FAULT_CONNECT, 0, "", S3_TRANSIENT }, { HTTP_FAULT_TLS, 0, "", S3_FINAL }, { HTTP_FAULT_LOCAL, 0, "", S3_FINAL },
		{ HTTP_NO_FAULT, 400, "InvalidArgument", S3_FINAL }, { HTTP_NO_FAULT, 401, "", S3_FINAL }, { HTTP_NO_FAULT, 403, "AccessDenied", S3_FINAL },
		{ HTTP_NO_FAULT, 404, "NoSuchBucket", S3_FINAL }, { HTTP_NO_FAULT, 403, "RequestTimeTooSkewed", S3_CLOCK },
		{ HTTP_NO_FAULT, 400, "ExpiredToken", S3_TOKEN }, { HTTP_NO_FAULT, 301, "", S3_REGION },
		{ HTTP_NO_FAULT, 400, "AuthorizationHeaderMalformed", S3_REGION }, { HTTP_NO_FAULT, 501, "NotImplemented", S3_FINAL },
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		is_u64(s3_classify(c[i].fault, c[i].status, c[i].code), c[i].want, "class of %d %s, fault %d", c[i].status, c[i].code, c[i].fault);
}

static void
test_pace(void)
{
	struct s3_pace p;
	uint64_t ms = 0;
	unsigned n = 0;

	s3_pace_init(&p, 8);
	ok(s3_pace_again(&p, S3_TRANSIENT, 1, true, 0, 0.999, &ms) && ms == 99, "the first wait is at most 100 ms");
	ok(s3_pace_again(&p, S3_TRANSIENT, 4, true, 0, 0.5, &ms) && ms == 400, "the fourth at most 800: half of it by chance");
	ok(s3_pace_again(&p, S3_TRANSIENT, 9, true, 0, 0.999, &ms) && ms < 20000 && ms > 19000, "none is over 20 s");
	ok(s3_pace_again(&p, S3_THROTTLE, 1, true, 7000, 0.0, &ms) && ms == 7000, "Retry-After is honoured");
	ok(!s3_pace_again(&p, S3_TRANSIENT, S3_TRIES, true, 0, 0.5, &ms), "ten tries are enough");
	ok(!s3_pace_again(&p, S3_TIMEOUT, S3_TRIES_SLOW, true, 0, 0.5, &ms), "four, if each takes a minute");
	ok(!s3_pace_again(&p, S3_TRANSIENT, S3_TRIES_UNKNOWN, false, 0, 0.5, &ms), "three, of a server that never answered");
	ok(!s3_pace_again(&p, S3_FINAL, 1, true, 0, 0.5, &ms) && !s3_pace_again(&p, S3_REGION, 1, true, 0, 0.5, &ms), "what does not pass is not tried again");
	s3_pace_init(&p, 8);
	while (n < 1000 && s3_pace_again(&p, S3_TIMEOUT, 1, true, 0, 0.5, &ms))
		n++;
	is_u64(n, 50, "a run's budget: 50 time-outs");
	for (n = 0; n < 10; n++)
		s3_pace_good(&p);
	ok(s3_pace_again(&p, S3_TIMEOUT, 1, true, 0, 0.5, &ms), "ten successes buy another one");
	ok(s3_pace_slow(&p, 5000) && p.window == 4, "throttled: half as many at a time");
	ok(!s3_pace_slow(&p, 5500) && p.window == 4, "once a second");
	ok(s3_pace_slow(&p, 6100) && s3_pace_slow(&p, 7200) && p.window == 1, "down to one");
	ok(!s3_pace_slow(&p, 9000) && p.window == 1, "and no less");
	for (n = 0; n < 100; n++)
		s3_pace_good(&p);
	is_u64(p.window, 8, "and up again with successes");
}

static void
test_parts(void)
{
	const uint64_t mib = 1 << 20;

	is_u64(s3_part_size(100 * mib, 0), 8 * mib, "parts of 8 MiB");
	is_u64(s3_part_size(100 * mib, 1), 5 * mib, "never under 5 MiB");
	is_u64(s3_part_size(S3_MAX_OBJECT, 0), 525 * mib, "5 TiB in 10,000 parts");
	ok((S3_MAX_OBJECT + 525 * mib - 1) / (525 * mib) <= S3_MAX_PARTS, "are no more than that");
}

static void
test_xml(void)
{
	static const char good[] = "<?xml version=\"1.0\"?><s:R xmlns:s=\"u\"><Key>a&apos;&#233; b</Key><Key>2</Key><E/></s:R>";
	static const char bomb[] = "<!DOCTYPE r [<!ENTITY a \"x\">]><r>&a;</r>";
	struct arena a = ARENA_INIT;
	struct buf deep = BUF_INIT;
	const struct xml *x = xml_parse(&a, good, sizeof good - 1);

	is_str(x ? x->name : NULL, "R", "a name without its prefix");
	is_str(xml_text(x, "Key"), "a'\xc3\xa9 b", "entities");
	is_str(xml_text(x, "E"), "", "an empty element");
	is_str(xml_text(NULL, "E"), "", "nothing of nothing");
	for (size_t n = 0; n < sizeof good - 1; n++)
		if (xml_parse(&a, good, n))
			ok(false, "a document cut after %zu bytes is refused", n);
	ok(!xml_parse(&a, bomb, sizeof bomb - 1), "a document type is refused");
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, "<a>");
	ok(!xml_parse(&a, deep.s, deep.n), "so is a well");
	buf_release(&deep);
	arena_release(&a);
}

int
main(void)
{
	test_whole();
	test_rights();
	test_others();
	test_argument();
	test_classes();
	test_pace();
	test_parts();
	test_xml();
	return done();
}
