/* SigV4 against AWS's published facts: the 38 header cases of its signing test suite (named as there; all are of AKIDEXAMPLE, service
 * "service", us-east-1, 20150830T123600Z), the four examples of the S3 documentation, and keys with every byte. */
#include "tap.h"

#include <stdlib.h>

#include "../../base/buf.h"
#include "../../base/mem.h"
#include "../../base/sha256.h"
#include "../../runtime/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FORM "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"   /* of "Param1=value1" */
#define ROOT "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/" \
	"qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD" \
	"0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

enum { MOST = 8 };

/* Beside host and x-amz-date: header as name, value, name, value …; so the query. */
static const struct example {
	const char *name, *method, *path;
	bool normalize;
	const char *query[MOST], *header[MOST];
	const char *hash, *signature;
} suite[] = {
	{ "get-header-key-duplicate", "GET", "/", true, { 0 }, { "My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1" }, EMPTY,
	  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
	/* Folded lines: the suite reads each as one more value. */
	{ "get-header-value-multiline", "GET", "/", true, { 0 }, { "My-Header1", "value1", "My-Header1", "  value2", "My-Header1", "     value3" }, EMPTY,
	  "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790" },
	{ "get-header-value-order", "GET", "/", true, { 0 },
	  { "My-Header1", "value4", "My-Header1", "value1", "My-Header1", "value3", "My-Header1", "value2" }, EMPTY,
	  "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01" },
	{ "get-header-value-trim", "GET", "/", true, { 0 }, { "My-Header1", " value1", "My-Header2", " \"a   b   c\"" }, EMPTY,
	  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
	{ "get-relative-normalized", "GET", "/example/..", true, { 0 }, { 0 }, EMPTY, ROOT },
	{ "get-relative-unnormalized", "GET", "/example/..", false, { 0 }, { 0 }, EMPTY,
	  "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282" },
	{ "get-relative-relative-normalized", "GET", "/example1/example2/../..", true, { 0 }, { 0 }, EMPTY, ROOT },
	{ "get-relative-relative-unnormalized", "GET", "/example1/example2/../..", false, { 0 }, { 0 }, EMPTY,
	  "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b" },
	{ "get-slash-dot-slash-normalized", "GET", "/./", true, { 0 }, { 0 }, EMPTY, ROOT },
	{ "get-slash-dot-slash-unnormalized", "GET", "/./", false, { 0 }, { 0 }, EMPTY,
	  "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145" },
	{ "get-slash-normalized", "GET", "//", true, { 0 }, { 0 }, EMPTY, ROOT },
	{ "get-slash-unnormalized", "GET", "//", false, { 0 }, { 0 }, EMPTY,
	  "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e" },
	{ "get-slash-pointless-dot-normalized", "GET", "/./example", true, { 0 }, { 0 }, EMPTY,
	  "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5" },
	{ "get-slash-pointless-dot-unnormalized", "GET", "/./example", false, { 0 }, { 0 }, EMPTY,
	  "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff" },
	{ "get-slashes-normalized", "GET", "//example//", true, { 0 }, { 0 }, EMPTY,
	  "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
	{ "get-slashes-unnormalized", "GET", "//example//", false, { 0 }, { 0 }, EMPTY,
	  "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5" },
	{ "get-space-normalized", "GET", "/example space/", true, { 0 }, { 0 }, EMPTY,
	  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-space-unnormalized", "GET", "/example space/", false, { 0 }, { 0 }, EMPTY,
	  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
	{ "get-unreserved", "GET", "/" UNRESERVED, true, { 0 }, { 0 }, EMPTY,
	  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
	{ "get-utf8", "GET", "/\xe1\x88\xb4", true, { 0 }, { 0 }, EMPTY, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
	{ "get-vanilla", "GET", "/", true, { 0 }, { 0 }, EMPTY, ROOT },
	{ "get-vanilla-empty-query-key", "GET", "/", true, { "Param1", "value1" }, { 0 }, EMPTY,
	  "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb" },
	{ "get-vanilla-query", "GET", "/", true, { 0 }, { 0 }, EMPTY, ROOT },
	{ "get-vanilla-query-order-encoded", "GET", "/", true, { "Param-3", "Value3", "Param", "Value2", "\xe1\x88\xb4", "Value1" }, { 0 }, EMPTY,
	  "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac" },
	{ "get-vanilla-query-order-key-case", "GET", "/", true, { "Param2", "value2", "Param1", "value1" }, { 0 }, EMPTY,
	  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
	{ "get-vanilla-query-unreserved", "GET", "/", true, { UNRESERVED, UNRESERVED }, { 0 }, EMPTY,
	  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
	{ "get-vanilla-utf8-query", "GET", "/", true, { "\xe1\x88\xb4", "bar" }, { 0 }, EMPTY,
	  "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04" },
	{ "get-vanilla-with-session-token", "GET", "/", true, { 0 },
	  { "X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267" }, EMPTY,
	  "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8" },
	{ "post-header-key-case", "POST", "/", true, { 0 }, { 0 }, EMPTY, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-header-key-sort", "POST", "/", true, { 0 }, { "My-Header1", "value1" }, EMPTY,
	  "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c" },
	{ "post-header-value-case", "POST", "/", true, { 0 }, { "My-Header1", "VALUE1" }, EMPTY,
	  "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d" },
	{ "post-sts-header-after", "POST", "/", true, { 0 }, { 0 }, EMPTY, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-sts-header-before", "POST", "/", true, { 0 }, { "X-Amz-Security-Token", TOKEN }, EMPTY,
	  "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
	{ "post-vanilla", "POST", "/", true, { 0 }, { 0 }, EMPTY, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
	{ "post-vanilla-empty-query-value", "POST", "/", true, { "Param1", "value1" }, { 0 }, EMPTY,
	  "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
	{ "post-vanilla-query", "POST", "/", true, { "Param1", "value1" }, { 0 }, EMPTY,
	  "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11" },
	{ "post-x-www-form-urlencoded", "POST", "/", true, { 0 },
	  { "Content-Type", "application/x-www-form-urlencoded", "Content-Length", "13", "x-amz-content-sha256", FORM }, FORM,
	  "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b" },
	{ "post-x-www-form-urlencoded-parameters", "POST", "/", true, { 0 },
	  { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "Content-Length", "13", "x-amz-content-sha256", FORM }, FORM,
	  "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422" },
};

/* S3's documentation, "Authorization header examples": AKIAIOSFODNN7EXAMPLE, 20130524T000000Z, examplebucket. */
static const struct example s3[] = {
	{ "GET object", "GET", "/test.txt", false, { 0 }, { "Range", "bytes=0-9", "x-amz-content-sha256", EMPTY }, EMPTY,
	  "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
	{ "PUT object", "PUT", "/test$file.text", false, { 0 },
	  { "Date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class", "REDUCED_REDUNDANCY", "x-amz-content-sha256",
	    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" },
	  "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
	{ "GET bucket lifecycle", "GET", "/", false, { "lifecycle", NULL }, { "x-amz-content-sha256", EMPTY }, EMPTY,
	  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
	{ "GET bucket, list", "GET", "/", false, { "prefix", "J", "max-keys", "2" }, { "x-amz-content-sha256", EMPTY }, EMPTY,
	  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static void
check(const struct example *e, const char *host, const struct sigv4_scope *scope, const struct sigv4_key *key)
{
	struct sigv4_pair query[MOST], header[MOST + 2] = { { "Host", host }, { "X-Amz-Date", scope->date } };
	struct sigv4_request r = { .method = e->method, .path = e->path, .query = query, .header = header, .n_header = 2,
		.payload_hash = e->hash, .normalize = e->normalize };
	struct buf b = BUF_INIT;
	const char *got;

	for (size_t i = 0; i + 1 < MOST && e->query[i]; i += 2)
		query[r.n_query++] = (struct sigv4_pair){ e->query[i], e->query[i + 1] };
	for (size_t i = 0; i + 1 < MOST && e->header[i]; i += 2)
		header[r.n_header++] = (struct sigv4_pair){ e->header[i], e->header[i + 1] };
	sigv4_authorization(&b, &r, scope, key);
	got = strstr(b.s, "Signature=");
	if (!is_str(got ? got + 10 : NULL, e->signature, "%s", e->name)) {
		buf_reset(&b);
		sigv4_canonical(&b, &r);
		tap_show("canonical request", b.s);
	}
	buf_release(&b);
}

static void
test_steps(void)
{
	struct sigv4_scope scope = { "us-east-1", "service", "20150830T123600Z" };
	struct sigv4_pair header[] = { { "X-Amz-Date", "20150830T123600Z" }, { "Host", "example.amazonaws.com" } };
	struct sigv4_request r = { .method = "GET", .path = "/a b", .header = header, .n_header = 2, .payload_hash = EMPTY };
	struct buf b = BUF_INIT;
	char date[SIGV4_DATE];

	sigv4_canonical(&b, &r);
	is_str(b.s, "GET\n/a%20b\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" EMPTY, "a canonical request");
	buf_reset(&b);
	r.path = "/";
	sigv4_string_to_sign(&b, &r, &scope);
	is_str(b.s, "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
	    "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63", "a string to sign");
	sigv4_date(date, 1369353600000000000u);
	is_str(date, "20130524T000000Z", "a date");
	buf_release(&b);
}

/* What goes out decodes to what was meant, and nothing but unreserved characters, '/' and %XX is in it. */
static void
test_every_byte(void)
{
	char key[300], back[300];
	struct buf b = BUF_INIT;
	struct sigv4_pair query[] = { { "prefix", key }, { "list-type", "2" } };
	struct sigv4_request r = { .method = "GET", .path = key, .query = query, .n_query = 2, .payload_hash = EMPTY };
	size_t n = 0;
	char *q;

	key[n++] = '/';
	for (int c = 255; c > 0; c--)
		key[n++] = (char)c;
	snprintf(key + n, sizeof key - n, "//.././/x/");
	sigv4_target(&b, &r);
	q = strchr(b.s, '?');
	ok(q && strncmp(q, "?list-type=2&prefix=%2F%FF", 26) == 0, "the query is sorted and encoded, '/' too");
	ok(strspn(b.s, UNRESERVED "/%") == (size_t)(q - b.s), "the path has only what may stand in one");
	n = 0;
	for (const char *s = b.s; s < q; s++) {
		char hex[3] = { s[0] == '%' ? s[1] : 0, s[0] == '%' ? s[2] : 0, 0 };

		back[n++] = hex[0] ? (char)strtol(hex, NULL, 16) : *s;
		s += hex[0] ? 2 : 0;
	}
	back[n] = '\0';
	is_str(back, key, "every byte comes back, nothing is folded");
	buf_release(&b);
}

static void
test_hmac(void)
{
	char key[131], hex[OID_HEX + 1];
	struct oid mac;

	/* RFC 4231, cases 2 and 6. */
	sha256_hmac("Jefe", 4, "what do ya want for nothing?", 28, &mac);
	oid_hex(&mac, hex);
	is_str(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "HMAC under a short key");
	memset(key, 0xaa, sizeof key);
	sha256_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First", 54, &mac);
	oid_hex(&mac, hex);
	is_str(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "HMAC under one longer than a block");
}

int
main(void)
{
	const struct sigv4_scope scope = { "us-east-1", "service", "20150830T123600Z" }, of_s3 = { "us-east-1", "s3", "20130524T000000Z" };
	const struct sigv4_key key = { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
	const struct sigv4_key key_of_s3 = { "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

	test_hmac();
	for (size_t i = 0; i < sizeof suite / sizeof *suite; i++)
		check(&suite[i], "example.amazonaws.com", &scope, &key);
	for (size_t i = 0; i < sizeof s3 / sizeof *s3; i++)
		check(&s3[i], "examplebucket.s3.amazonaws.com", &of_s3, &key_of_s3);
	test_steps();
	test_every_byte();
	return done();
}
