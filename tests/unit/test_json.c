/* JSON out: commas, escapes, and what becomes of bytes that are not UTF-8. */
#include "tap.h"

#include "../../base/buf.h"
#include "../../base/json.h"
#include "../../base/sha256.h"

static void
str(const char *s, const char *want, const char *name)
{
	struct buf b = BUF_INIT;

	json_str(&b, NULL, s);
	is_str(b.s, want, "%s", name);
	buf_release(&b);
}

static void
member(const char *s, const char *want, const char *name)
{
	struct buf b = BUF_INIT;

	json_open(&b, NULL, '{');
	json_str(&b, "path", s);
	json_bool(&b, "next", true);
	json_close(&b, '}');
	is_str(b.s, want, "%s", name);
	buf_release(&b);
}

static void
test_nesting(void)
{
	struct buf b = BUF_INIT;
	struct oid id = { { 0xab } };

	for (int i = 0; i < 2; i++) {
		json_open(&b, NULL, '{');
		json_open(&b, "list", '[');
		json_i64(&b, NULL, -1);
		json_i64(&b, NULL, INT64_MAX);
		json_open(&b, NULL, '{');
		json_close(&b, '}');
		json_open(&b, NULL, '[');
		json_close(&b, ']');
		json_close(&b, ']');
		json_no_value(&b, "none");
		json_close(&b, '}');
		buf_byte(&b, '\n');
	}
	is_str(b.s, "{\"list\":[-1,9223372036854775807,{},[]],\"none\":null}\n"
	    "{\"list\":[-1,9223372036854775807,{},[]],\"none\":null}\n", "two lines of nested things");
	buf_reset(&b);
	json_oid(&b, NULL, &id);
	is_str(b.s, "\"ab00000000000000000000000000000000000000000000000000000000000000\"", "a hash is 64 digits");
	buf_release(&b);
}

static void
test_time(void)
{
	struct buf b = BUF_INIT;
	char text[32];

	time_rfc3339(text, 0);
	is_str(text, "1970-01-01T00:00:00.000Z", "the beginning");
	time_rfc3339(text, 1795330859123456789u);
	is_str(text, "2026-11-22T07:00:59.123Z", "milliseconds are cut, not rounded");
	time_rfc3339(text, 1709164800999999999u);
	is_str(text, "2024-02-29T00:00:00.999Z", "a leap day");
	json_time(&b, NULL, 0);
	is_str(b.s, "null", "no time is null");
	ok(time_now_ns() > 1700000000000000000u, "the clock runs");
	buf_release(&b);
}

int
main(void)
{
	str("plain", "\"plain\"", "a plain string");
	str("", "\"\"", "an empty one");
	str(NULL, "null", "none");
	str("a\"b\\c/d", "\"a\\\"b\\\\c/d\"", "quote and backslash");
	str("\n\t\r\b\f\x01\x1f\x7f", "\"\\n\\t\\r\\u0008\\u000c\\u0001\\u001f\\u007f\"", "control characters");
	str("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb9", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb9\"", "UTF-8 stays");
	str("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"", "the last character");
	member("\xff", "{\"path\":\"\xef\xbf\xbd\",\"path_bytes\":\"ff\",\"next\":true}", "a byte that is no UTF-8");
	member("a\xc3", "{\"path\":\"a\xef\xbf\xbd\",\"path_bytes\":\"61c3\",\"next\":true}", "a character that is cut off");
	member("\xc0\xaf", "{\"path\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"path_bytes\":\"c0af\",\"next\":true}", "an overlong form");
	member("\xed\xa0\x80", "{\"path\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"path_bytes\":\"eda080\",\"next\":true}", "a surrogate");
	member("\xf4\x90\x80\x80", "{\"path\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"path_bytes\":\"f4908080\",\"next\":true}",
	    "what is past the last character");
	member("\xef\xbf\xbd", "{\"path\":\"\xef\xbf\xbd\",\"next\":true}", "U+FFFD itself is UTF-8");
	member("x", "{\"path\":\"x\",\"next\":true}", "no twin where none is needed");
	test_nesting();
	test_time();
	return done();
}
