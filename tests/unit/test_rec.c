/* test_rec.c: the text files' syntax: whatever goes in comes out, and damage is seen. */
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/rec.h"
#include "../../base/sha256.h"
#include "tap.h"

static void
every_byte(void)
{
	struct buf b = BUF_INIT;
	struct recfile f;
	struct rec r;
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	rec_word(&b, "line");
	rec_bytes(&b, all, sizeof all);
	rec_str(&b, "");
	rec_u64(&b, UINT64_MAX);
	rec_i64(&b, INT64_MIN + 1);
	rec_end(&b);
	for (size_t i = 0; i + 1 < b.n; i++)
		if ((unsigned char)b.s[i] < ' ')
			ok(false, "control byte at %zu", i);
	recfile_memory(&f, b.s, b.n);
	ok(recfile_next(&f, &r) && r.n == 5, "five fields");
	ok(r.len[1] == 256 && memcmp(r.f[1], all, 256) == 0, "all 256 bytes come back");
	ok(r.len[2] == 0, "an empty field comes back empty");
	uint64_t u = 0;
	int64_t i = 0;
	ok(rec_get_u64(&r, 3, &u) && u == UINT64_MAX, "the largest number");
	ok(rec_get_i64(&r, 4, &i) && i == INT64_MIN + 1, "a negative number");
	ok(!rec_get_u64(&r, 4, &u), "a minus is no unsigned number");
	ok(!recfile_next(&f, &r), "then the end");
	buf_release(&b);
}

static void
any_number_of_numbers(void)
{
	struct buf b = BUF_INIT;
	struct recfile f;
	struct rec r;
	int *v = NULL;
	size_t n = 0, right = 0;

	for (int line = 0; line < 2; line++) {
		rec_word(&b, "codes");
		for (int i = 0; i < 100; i++)
			rec_i64(&b, line * 100 + i);
		rec_end(&b);
	}
	recfile_memory(&f, b.s, b.n);
	while (recfile_next(&f, &r))
		ok(rec_get_ints(&r, 1, 255, &v, &n), "a line of more numbers than fields");
	for (size_t i = 0; i < n; i++)
		right += v[i] == (int)i;
	is_u64(right, 200, "all of both lines");
	buf_release(&b);
	buf_str(&b, "codes 1 256\ncodes 1 x\n");
	recfile_memory(&f, b.s, b.n);
	ok(recfile_next(&f, &r) && !rec_get_ints(&r, 1, 255, &v, &n), "one that is too large");
	ok(recfile_next(&f, &r) && !rec_get_ints(&r, 1, 255, &v, &n), "a word");
	free(v);
	buf_release(&b);
}

static void
more_fields_than_fit(void)
{
	struct buf b = BUF_INIT;
	struct recfile f;
	struct rec r;

	for (int i = 0; i < REC_FIELDS + 10; i++) {
		buf_str(&b, i ? " x" : "x");
	}
	rec_end(&b);
	recfile_memory(&f, b.s, b.n);
	ok(recfile_next(&f, &r) && r.n == REC_FIELDS, "no more than REC_FIELDS");
	is_u64(r.len[REC_FIELDS - 1], 21, "the last one holds the rest");
	buf_release(&b);
}

static void
numbers(void)
{
	char text[] = "n 18446744073709551616 -9223372036854775808 12a %- 007\n";
	struct recfile f;
	struct rec r;
	uint64_t u;
	int64_t i;

	recfile_memory(&f, text, sizeof text - 1);
	recfile_next(&f, &r);
	ok(!rec_get_u64(&r, 1, &u), "2^64 does not fit");
	ok(!rec_get_i64(&r, 2, &i), "-2^63 is refused rather than wrapped");
	ok(!rec_get_u64(&r, 3, &u), "letters are no number");
	ok(!rec_get_u64(&r, 4, &u), "nothing is no number");
	ok(rec_get_u64(&r, 5, &u) && u == 7, "leading zeros are");
	ok(!rec_get_u64(&r, 6, &u), "a field that is not there");
}

static int
open_text(const char *path, const char *text, size_t n, bool sealed, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	int rc = fs_replace(path, text, n, 0644, err);

	if (rc == 0)
		rc = sealed ? recfile_open_sealed(&f, path, "thing", 1, err) : recfile_open(&f, path, "thing", 1, err);
	recfile_release(&f);
	return rc;
}

static void
seals(const char *path)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	rec_head(&b, "thing", 1);
	rec_word(&b, "a");
	rec_str(&b, "b");
	rec_end(&b);
	rec_seal(&b);
	is_u64((uint64_t)open_text(path, b.s, b.n, true, &err), 1, "a sealed file opens");
	for (size_t i = 0; i < b.n; i++) {
		b.s[i] ^= 1;
		if (open_text(path, b.s, b.n, true, &err) != -1)
			ok(false, "a flipped bit at %zu is not seen", i);
		b.s[i] ^= 1;
	}
	ok(true, "a flipped bit anywhere is seen");
	for (size_t n = 0; n < b.n; n++)
		if (open_text(path, b.s, n, true, &err) == 1)
			ok(false, "a cut at %zu is not seen", n);
	ok(true, "a cut anywhere is seen");
	buf_release(&b);
}

static void
heads(const char *path)
{
	struct err err = ERR_INIT;

	is_u64((uint64_t)open_text(path, "dassie-thing 1\n", 15, false, &err), 1, "its own head");
	ok(open_text(path, "dassie-thing 2\n", 15, false, &err) == -1 && strstr(err.text, "format 2"), "a newer one: %s", err.text);
	ok(open_text(path, "dassie-other 1\n", 15, false, &err) == -1, "another kind: %s", err.text);
	ok(open_text(path, "", 0, false, &err) == -1, "an empty file: %s", err.text);
	ok(open_text(path, "dassie-thing 1", 14, false, &err) == -1, "a last line without its end: %s", err.text);
	unlink(path);
	struct recfile f;
	ok(recfile_open(&f, path, "thing", 1, &err) == 0, "no file is no error");
}

int
main(void)
{
	char dir[] = "/tmp/dassie-rec.XXXXXX", path[64];

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/f", dir);
	every_byte();
	more_fields_than_fit();
	any_number_of_numbers();
	numbers();
	seals(path);
	heads(path);
	rmdir(dir);
	return done();
}
