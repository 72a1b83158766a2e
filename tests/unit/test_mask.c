/* What is masked stays masked, however the stream is cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mask.h"
#include "tap.h"

/* The stream in pieces of this size. */
static const char *
masked(struct mask *m, const char *text, size_t n, size_t piece)
{
	static struct buf out;

	buf_reset(&out);
	for (size_t at = 0; at < n; at += piece)
		mask_feed(m, text + at, n - at < piece ? n - at : piece, &out);
	mask_end(m, &out);
	return out.n ? out.s : "";
}

/* Whole, by bytes and in every piece between. */
static void
check(struct mask *m, const char *what, const char *text, const char *want)
{
	size_t n = strlen(text), bad = 0;

	for (size_t piece = 1; piece <= n; piece++)
		if (strcmp(masked(m, text, n, piece), want) != 0 && !bad)
			bad = piece;
	if (bad)
		printf("# pieces of %zu: %s\n", bad, masked(m, text, n, bad));
	ok(bad == 0, "%s", what);
}

static void
add(struct mask *m, const char *text)
{
	mask_add(m, text, strlen(text));
}

int
main(void)
{
	struct mask one = MASK_INIT, lines = MASK_INIT, two = MASK_INIT, none = MASK_INIT;
	struct buf out = BUF_INIT;
	static char big[100000];

	add(&one, "hunter2\n");
	check(&one, "a text", "the password is hunter2, yes hunter2hunter2", "the password is ***, yes ******");
	check(&one, "what is like it is not", "hunter3 hunthunter2er2 h", "hunter3 hunt***er2 h");
	check(&one, "the end of the stream in its middle", "x hunter", "x ***");
	check(&one, "a letter of it at the end is no part", "x hu", "x hu");

	add(&lines, "-----BEGIN KEY-----\nMIIEowIBAAKCAQ\n  indented it is\n}\n-----END KEY-----\n\n");
	check(&lines, "of several lines, whole", "a\n-----BEGIN KEY-----\nMIIEowIBAAKCAQ\n  indented it is\n}\n-----END KEY-----\nb", "a\n***\nb");
	check(&lines, "each line", "+ MIIEowIBAAKCAQ\n+ indented it is }\n", "+ ***\n+ *** }\n");

	add(&two, "abc");
	add(&two, "abcdef");
	add(&two, "");
	add(&two, "\n");
	check(&two, "the longest", "abcdef abcde abc abcdefabc", "*** ***de *** ******");
	check(&two, "the shorter one at the end", "abc", "***");
	check(&none, "nothing to mask", "abc\n\nabc", "abc\n\nabc");

	memset(big, 'a', sizeof big);
	mask_add(&none, big, sizeof big);
	for (int i = 0; i < 3; i++)
		mask_feed(&none, big, sizeof big - 1, &out);
	mask_end(&none, &out);
	ok(out.n < 20, "a long one that begins at every place");
	buf_release(&out);
	mask_release(&one);
	mask_release(&lines);
	mask_release(&two);
	mask_release(&none);
	return done();
}
