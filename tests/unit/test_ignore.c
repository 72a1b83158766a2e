/* test_ignore.c: gitignore's patterns, one by one, as gitignore(5) tells them.  tests/t-ignore.sh holds them against git. */
#include "../../runtime/ignore.h"

#include <stdlib.h>

#include "tap.h"

struct one {
	const char *rules, *path;
	bool dir, want;
};

static const struct one all[] = {
	/* names and places */
	{ "a", "a", false, true }, { "a", "b", false, false }, { "a", "x/a", false, true }, { "a", "ab", false, false },
	{ "/a", "a", false, true }, { "/a", "x/a", false, false }, { "x/a", "x/a", false, true },
	{ "x/a", "y/x/a", false, false }, { "a/", "a", false, false }, { "a/", "a", true, true }, { "a/", "x/a", true, true },
	{ "/a/", "x/a", true, false }, { "x/a/", "x/a", true, true }, { "//a", "a", false, false }, { "x//a", "x/a", false, false },
	{ "a//", "a", true, false }, { "/", "a", true, false }, { "", "a", false, false },
	/* comments, negation, order */
	{ "#a", "#a", false, false }, { "\\#a", "#a", false, true }, { "a\n!a", "a", false, false }, { "!a\na", "a", false, true },
	{ "*\n!a", "b", false, true }, { "*\n!a", "a", false, false }, { "\\!a", "!a", false, true }, { "!", "!", false, false },
	{ "!!a", "!a", false, false }, { " #a", " #a", false, true },
	/* blanks and line ends */
	{ "a  ", "a", false, true }, { "a\\ ", "a ", false, true }, { "a\\  ", "a ", false, true }, { "a b", "a b", false, true },
	{ " a", " a", false, true }, { " a", "a", false, false }, { "a\t", "a", false, false }, { "a\t", "a\t", false, true },
	{ "a\r\nb\r\n", "a", false, true }, { "a\r\nb\r\n", "b", false, true }, { "\xef\xbb\xbf" "a", "a", false, true },
	{ "   ", "   ", false, false }, { "a \\", "a ", false, false },
	/* wildcards */
	{ "*", "a", false, true }, { "*.o", "a.o", false, true }, { "*.o", "x/a.o", false, true }, { "*.o", "a.oo", false, false },
	{ "*.o", ".o", false, true }, { "/*.o", "x/a.o", false, false }, { "x/*.o", "x/a.o", false, true },
	{ "x/*.o", "x/y/a.o", false, false }, { "x/*", "x/y/a", false, false }, { "?", "a", false, true }, { "?", "", false, false },
	{ "?", "ab", false, false }, { "x?a", "x/a", false, false }, { "a*b*c", "aXbYc", false, true },
	{ "a*b*c", "abcb", false, false }, { "*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, false },
	{ "a?c", "a\xff" "c", false, true },
	/* two stars */
	{ "**/a", "a", false, true }, { "**/a", "x/y/a", false, true }, { "**/a", "x/ya", false, false }, { "a/**", "a", true, false },
	{ "a/**", "a/b/c", false, true }, { "a/**/b", "a/b", false, true }, { "a/**/b", "a/x/y/b", false, true },
	{ "a/**/b", "ab", false, false }, { "a/**/b", "a/xb", false, false }, { "x**y", "xaay", false, true },
	{ "/x**y", "xa/ay", false, false }, { "**", "a/b", false, true }, { "/**", "a", false, true }, { "**/", "a", true, true },
	{ "**/", "a", false, false }, { "a/**/**/b", "a/b", false, true }, { "**/a/*/b/**", "x/a/y/b/z", false, true },
	{ "**/a/*/b/**", "x/a/y/z/b/z", false, false }, { "**/a/**/b/**/c", "a/a/a/b/b/x/c", false, true },
	/* brackets */
	{ "[ab]", "b", false, true }, { "[ab]", "c", false, false }, { "[!ab]", "c", false, true }, { "[^ab]", "a", false, false },
	{ "[a-c]x", "bx", false, true }, { "[]a]", "]", false, true }, { "[!]a]", "]", false, false }, { "[a-]", "-", false, true },
	{ "[-a]", "-", false, true }, { "[\\]]", "]", false, true }, { "[\\a-\\c]", "b", false, true }, { "[a", "[a", false, false },
	{ "[a", "a", false, false }, { "[[:digit:]]", "5", false, true }, { "[[:digit:]x]", "x", false, true },
	{ "[[:digit:]]", "a", false, false }, { "[[:nope:]]", "a", false, false }, { "[[:alpha]", "a", false, true },
	{ "[![:space:]]", "a", false, true }, { "[c-a]", "b", false, false }, { "x[/]a", "x/a", false, false },
	/* backslash */
	{ "\\a", "a", false, true }, { "\\*", "*", false, true }, { "\\*", "a", false, false }, { "a\\", "a", false, false },
	{ "a\\", "a\\", false, false }, { "\\\\", "\\", false, true }, { "x\\/a", "x/a", false, true },
};

static void
subdirectory(void)
{
	struct ignore *root = ignore_parse("*.tmp\n/top\n", 11, NULL, 0);
	struct ignore *sub = ignore_parse("!keep.tmp\n/own\nx/y\n", 19, root, strlen("d/e/"));

	ok(ignore_match(sub, "d/e/a.tmp", false), "rules of a directory above hold");
	ok(!ignore_match(sub, "d/e/keep.tmp", false), "a deeper file takes back");
	ok(ignore_match(root, "d/keep.tmp", false), "but only below itself");
	ok(ignore_match(sub, "d/e/own", false) && !ignore_match(sub, "d/e/f/own", false), "a leading '/' is that directory");
	ok(ignore_match(sub, "d/e/x/y", false) && !ignore_match(sub, "d/e/z/x/y", false), "so is a '/' in the middle");
	ok(!ignore_match(sub, "d/e/top", false), "rules above are tied to their own directory");
	ok(!ignore_match(NULL, "a", false), "without rules nothing is ignored");
	ignore_free(sub);
	ignore_free(root);
	ignore_free(NULL);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const struct one *t = &all[i];
		struct ignore *ig = ignore_parse(t->rules, strlen(t->rules), NULL, 0);

		ok(ignore_match(ig, t->path, t->dir) == t->want, "'%s' %s '%s'%s", t->rules, t->want ? "ignores" : "leaves", t->path,
		    t->dir ? " (a directory)" : "");
		ignore_free(ig);
	}
	subdirectory();
	return done();
}
