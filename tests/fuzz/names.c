/* names.c: hostile names there and back: as a field of our files, as a URL's path, as a crontab's word, as a line of a manifest;
 * and crontabs that hold anything. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/buf.h"
#include "../../base/desturl.h"
#include "../../base/err.h"
#include "../../base/json.h"
#include "../../base/percent.h"
#include "../../base/rec.h"
#include "../../base/sha256.h"
#include "../../runtime/crontab.h"
#include "../../runtime/sigv4.h"

static void
through_rec(const char *p, size_t n)
{
	struct buf b = BUF_INIT;
	struct recfile f;
	struct rec r;

	rec_word(&b, "name");
	rec_bytes(&b, p, n);
	rec_str(&b, "");
	rec_end(&b);
	want(memchr(b.s, '\n', b.n) == b.s + b.n - 1, "one line");
	recfile_memory(&f, b.s, b.n);
	want(recfile_next(&f, &r) && r.n == 3, "as many fields as were written");
	want(r.len[1] == n && memcmp(r.f[1], p, n) == 0, "a field comes back");
	want(r.len[2] == 0 && !recfile_next(&f, &r), "and what is behind it");
	buf_release(&b);
}

static void
through_url(const char *s, size_t n)
{
	for (int slash = 0; slash < 2; slash++) {
		struct buf b = BUF_INIT;

		sigv4_encode(&b, s, n, slash);
		buf_byte(&b, '\0');
		for (const char *p = b.s; *p; p++)
			want(*p > ' ' && *p < 0x7f && !strchr("\"<>\\^`{|}?#&+", *p), "what is encoded stands in a URL");
		want(percent_decode(b.s) && strcmp(b.s, s) == 0, "a URL's path comes back");
		buf_release(&b);
	}
}

static void
through_crontab(const char *s)
{
	struct buf word = BUF_INIT, back = BUF_INIT;

	buf_byte(&word, '/');
	buf_reset(&word);
	crontab_word(&word, s);
	for (const char *p = word.s; *p; p++)
		want(!strchr(" \t\n%'\"\\$`;&|<>*?[]()!#~", *p), "a word needs no quotes");
	crontab_unword(&back, word.s, word.n);
	want(strcmp(back.s ? back.s : "", s) == 0, "a crontab's word comes back");
	buf_release(&word);
	buf_release(&back);
}

/* Any text is a crontab: what is put in is found and taken out again, and every other byte stays. */
static void
in_crontab(const char *text, size_t n)
{
	struct buf block = BUF_INIT, in = BUF_INIT, out = BUF_INIT, project = BUF_INIT;
	struct crontab_found found = { .project = &project };
	struct err err = ERR_INIT;
	size_t pos = 0;

	while (crontab_next(text, n, &pos, &found))
		want(pos <= n, "blocks lie in the text");
	want(crontab_block(&block, "/a b", "/usr/bin/dassie", &err) == 0, "a block can be made");
	crontab_edit(&in, text, n, "/a b", block.s);
	want(!crontab_edit(&out, in.s, in.n, "/a b", block.s), "the second time nothing changes");
	buf_reset(&out);
	crontab_edit(&out, in.s, in.n, "/a b", NULL);
	/* A line of a block that lost its others is taken out, too. */
	if (!strstr(text, "dassie"))
		want(out.n == n && (n == 0 || memcmp(out.s, text, n) == 0), "taken out, the first text is there again");
	buf_release(&block);
	buf_release(&in);
	buf_release(&out);
	buf_release(&project);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct buf b = BUF_INIT;

	through_rec(text, size);
	through_url(text, strlen(text));
	through_crontab(text);
	in_crontab(text, strlen(text));
	json_open(&b, NULL, '{');
	json_str(&b, "name", text);
	json_close(&b, '}');
	for (size_t i = 0; i < b.n; i++)
		want((unsigned char)b.s[i] >= ' ', "a JSON line is one");
	buf_release(&b);
	free(text);
	return 0;
}
