/* glob.c: globs and regexes against paths.  The first line is the pattern, each other one a path.  Two ways to the same answer
 * agree, captures lie in the path, and no match takes long: the search is bounded. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../compiler/glob.h"

enum { SECONDS = 10 };

static void
hold(struct glob *g, const char *path, size_t n)
{
	struct err err = ERR_INIT;
	clock_t t = clock();
	int rc = glob_match(g, path, n, &err);
	size_t n_prefix;
	const char *prefix = glob_prefix(g, &n_prefix), *part;
	struct buf b = BUF_INIT;

	want(clock() - t < (clock_t)SECONDS * CLOCKS_PER_SEC, "a match is quick");
	want(rc >= 0 || err.text[0], "a search that is given up says so");
	if (rc == 1) {
		want(n_prefix <= n && (n_prefix == 0 || memcmp(path, prefix, n_prefix) == 0), "a match begins with the prefix");
		for (unsigned i = 0; i <= glob_captures(g); i++)
			if (glob_capture(g, i, &part, &n_prefix))
				want(part >= path && part + n_prefix <= path + n, "a capture is a part of the path");
		glob_expand(g, "$0 ${1} $2 $$ ${name} $name ${", &b);
	}
	want(glob_match(g, path, n, &err) == rc, "the same again");
	buf_release(&b);
}

static void
hold_all(struct glob *g, const char *s, const char *end)
{
	while (s < end) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));

		if (!stop)
			stop = end;
		hold(g, s, (size_t)(stop - s));
		s = stop + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *end = text + size, *paths = memchr(text, '\n', size), msg[GLOB_MSG] = "";
	const char *why = NULL;
	struct err err = ERR_INIT;
	struct glob *g;
	size_t at = 0;
	bool good;

	if (paths)
		*paths++ = '\0';
	else
		paths = end;
	good = glob_check(text, &why, &at);
	want(good || (why && at <= strlen(text)), "what is wrong with a glob is told, and where");
	g = glob_raw(text, "/", &err);
	want(g || !good, "what is said to be a glob compiles");
	if (g) {
		want(glob_groups(text) == glob_captures(g), "as many captures as it is said to have");
		hold_all(g, paths, end);
	}
	glob_free(g);
	g = glob_new(text, &err);
	want(g || !good, "also where its path is cleaned");
	if (g)
		hold_all(g, paths, end);
	glob_free(g);
	g = glob_regex(text, false, msg, &at);
	want(g || (msg[0] && at <= strlen(text)), "what is wrong with a regex is told, and where");
	if (g)
		hold_all(g, paths, end);
	glob_free(g);
	free(text);
	return 0;
}
