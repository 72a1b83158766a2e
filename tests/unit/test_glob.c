/* The glob dialect: the vectors beside this file, then what they leave out. */
#include "../../compiler/glob.h"

#include <stdlib.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "tap.h"

static bool
matches(const char *glob, const char *path)
{
	struct err err = ERR_INIT;
	struct glob *g = glob_new(glob, &err);
	int rc = g ? glob_match(g, path, strlen(path), &err) : -1;

	if (rc < 0)
		printf("# %s\n", err.text);
	glob_free(g);
	return rc == 1;
}

/* The captures of a match, joined by '|'; NULL if there is none. */
static char *
captures(struct glob *g, const char *s, char join)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	const char *p;
	size_t n;

	if (glob_match(g, s, strlen(s), &err) != 1)
		return NULL;
	buf_str(&b, "");
	for (unsigned i = 1; i <= 20; i++) {
		bool took_part = glob_capture(g, i, &p, &n);

		if (took_part && i > 1)
			buf_byte(&b, join);
		buf_add(&b, p, n);
	}
	return buf_detach(&b);
}

static void
vector(char *f[5])
{
	struct err err = ERR_INIT;
	struct glob *g = glob_raw(f[2], f[1], &err);
	struct buf b = BUF_INIT;
	char *want = f[4], *sep;

	if (!ok(g != NULL, "glob '%s' compiles %s", f[2], err.text))
		return;
	if (strcmp(f[0], "match") == 0) {
		is_str(glob_match(g, f[3], strlen(f[3]), &err) == 1 ? "true" : "false", want, "'%s' on '%s'", f[2], f[3]);
	} else if (strcmp(f[0], "capture") == 0) {
		char *got = captures(g, f[3], '\x1f');

		is_str(got ? got : "NOMATCH", want, "captures of '%s' on '%s'", f[2], f[3]);
		free(got);
	} else {
		sep = strchr(want, '\x1f');
		*sep++ = '\0';
		if (ok(glob_match(g, f[3], strlen(f[3]), &err) == 1, "'%s' matches '%s'", f[2], f[3])) {
			glob_expand(g, want, &b);
			is_str(b.s, sep, "'%s' of '%s'", want, f[3]);
		}
	}
	buf_release(&b);
	glob_free(g);
}

static void
vectors(void)
{
	const char *dir = getenv("srcdir");
	char path[4096], *line = NULL, *f[5];
	size_t cap = 0, count = 0;
	ssize_t n;
	FILE *in;

	snprintf(path, sizeof path, "%s/tests/unit/glob-vectors.tsv", dir ? dir : ".");
	in = fopen(path, "r");
	if (!ok(in != NULL, "open %s", path))
		return;
	while ((n = getline(&line, &cap, in)) > 0) {
		char *s = line;

		if (line[0] == '#')
			continue;
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		for (int i = 0; i < 5; i++)
			f[i] = s ? strsep(&s, "\t") : NULL;
		if (ok(f[4] != NULL, "five fields"))
			vector(f);
		count++;
	}
	is_u64(count, 242, "vectors");
	free(line);
	fclose(in);
}

static void
paths(void)
{
	static const struct { const char *glob, *path; bool want; } tab[] = {
		{ "*", "/a", true }, { "/*", "/a", true }, { "/*/", "/a", true }, { "//*", "/a", true }, { "/*", "/a/b", false },
		{ "/a/../b/*", "/b/x", true }, { "./*", "/a", true }, { "/*/*", "/a/b", true }, { "/*/*", "/a", false },
		{ "/*.csv", "/top.csv", true }, { "/*.csv", "/a/1.csv", false }, { "/**.csv", "/a/1.csv", true },
		{ "/**", "/a/b/c", true }, { "/{a,b}", "/b", true }, { "/!(a)", "/a", false }, { "/!(a)", "/ab", true },
		{ "/(a|b)/*", "/b/c", true }, { "/a/[0-1].csv", "/a/2.csv", false }, { "/a/?.csv", "/a/2.csv", true },
		{ "/", "/", true }, { "/", "/a", false }, { "/!(**)", "/foo1", false },
		{ "/a*b*c", "/aXbYbZc", true }, { "/a*b*c/d*e", "/abc/de", true }, { "/a*b*c/d*e", "/abc/dee/e", false },
		{ "/*a/*a", "/aaa/aaa", true }, { "/*/x*y", "/xyxy/xzy", true }, { "/*ab", "/aab", true }, { "/*/b", "/a/a/b", false },
		{ "/\\*", "/*", true }, { "/\\*", "/a", false }, { "/\\(x\\)", "/(x)", true }, { "/a}b|c,d)", "/a}b|c,d)", true },
		{ "/[[:^alpha:]]", "/1", true }, { "/[[:^alpha:]]", "/a", false }, { "/[^[:alpha:]]", "/a", false },
		{ "/[![:digit:]x]", "/x", false }, { "/[![:digit:]x]", "/y", true }, { "/[a-cx-z]", "/y", true },
		{ "/[:digit:]", "/7", true }, { "/[:digit:]", "/d", false },
		{ "/[!:digit:]", "/7", false }, { "/[:x:]", "/:", true }, { "/[:x:]", "/x", true }, { "/[=x=]", "/=", true }, { "/[]]", "/]", false }, { "/[\\]]", "/]", true }, { "/[a\\-z]", "/b", false }, { "/[a-]", "/-", true },
		{ "/[a!]", "/!", true }, { "/a[^b]c", "/a/c", true }, { "/a?c", "/a/c", false },
		{ "/{a{b,c},d}x", "/acx", true }, { "/{a{b,c},d}x", "/dx", true }, { "/{a{b,c},d}x", "/abcx", false },
		{ "/foo*(bar)", "/foobarbar", true }, { "/foo*(bar)", "/fooXbar", false }, { "/foo*@(bar)", "/fooXbar", true },
		{ "/**(x)", "/axx", true }, { "/?", "/\xc3\xa9", true }, { "/??", "/\xc3\xa9", false }, { "/[\xc3\xa0-\xc3\xbf]", "/\xc3\xa9", true },
		{ "/[!a]", "/\xe2\x82\xac", true }, { "/*", "/\xff\xfe", true }, { "/?", "/\xff", true }, { "/?", "/\xff\xfe", false },
		{ "/[!a]\xfe", "/\xff\xfe", true }, { "/(*)\xfe", "/\xff\xfe", true }, { "/(\xc3)", "/\xc3", true }, { "/(\xc3)?", "/\xc3\xa9", false },
		{ "/*(?\?)", "/\xe2\x82\xac", false }, { "/?", "/\n", true }, { "/**", "/a\nb", true }, { "/!(x)", "/x\n", true },
	};

	for (size_t i = 0; i < sizeof tab / sizeof *tab; i++)
		ok(matches(tab[i].glob, tab[i].path) == tab[i].want, "'%s' %s '%s'", tab[i].glob,
		    tab[i].want ? "matches" : "does not match", tab[i].path);
}

static void
wrong(void)
{
	static const struct { const char *glob; size_t at; const char *msg; } tab[] = {
		{ "", 0, "empty" }, { "/[ab", 1, "unexpected end of input" }, { "/a[", 2, "unexpected end of input" },
		{ "/[]", 1, "empty" }, { "/[!]", 1, "empty" }, { "/[z-a]", 2, "backwards" }, { "/[[:alpa:]]", 2, "unknown character class" },
		{ "/^(a)", 1, "'^('" }, { "/(a", 1, "not closed" }, { "/a/{b,c", 3, "not closed" }, { "/{(a}b)", 4, "a '(' is open" },
		{ "/({a)b}", 4, "a '{' is open" }, { "/a\\", 2, "backslash" }, { "/[a\\", 1, "unexpected end of input" }, { "/!(x", 1, "not closed" },
	};
	char deep[300] = "/";

	for (size_t i = 0; i < sizeof tab / sizeof *tab; i++) {
		const char *msg = "";
		size_t at = 99;
		bool good = glob_check(tab[i].glob, &msg, &at);

		ok(!good && at == tab[i].at && strstr(msg, tab[i].msg), "'%s' is refused at %zu: %s (%zu)", tab[i].glob, tab[i].at, msg, at);
	}
	memset(deep + 1, '(', 100);
	memset(deep + 101, ')', 100);
	ok(glob_new(deep, &(struct err)ERR_INIT) == NULL, "a hundred brackets in one another are refused");
	memset(deep + 1, '(', 60);
	memset(deep + 61, ')', 140);
	deep[121] = '\0';
	ok(matches(deep, "/"), "sixty are not");
}

static void
templates(void)
{
	static const struct { const char *glob, *path, *template, *want; } tab[] = {
		{ "/foo(?)(?)", "/foo12", "$2$1", "21" }, { "/foo(?)(?)", "/foo12", "${1}0-${2}", "10-2" },
		{ "/foo(?)(?)", "/foo12", "$10", "" }, { "/foo(?)(?)", "/foo12", "$01", "" }, { "/foo(?)", "/foo1", "$0", "/foo1" },
		{ "/foo(?)", "/foo1", "$$1 $x ${ ${1 $", "$1 $x ${ ${1 $" }, { "/foo(?)", "/foo1", "$9999999999", "" },
		{ "/*", "/x", "$0$1", "/x" }, { "/*/bar-(*)", "/foo/bar-123", "$1", "123" }, { "/(*)/*/(?\?)*.txt", "/foo/bar-123/ABC.txt", "$1,$2", "foo,AB" },
		{ "/*/(bar-(123))/*", "/foo/bar-123/ABC.txt", "$1 $2", "bar-123 123" }, { "/(x)*@(y|(z))", "/xQy", "<$3>", "<>" },
		{ "/(?)(*)", "/\xff\xc3\xa9\xfe", "$1|$2", "\xff|\xc3\xa9\xfe" }, { "/*(?)", "/\xe2\x82\xac", "$1", "\xe2\x82\xac" },
	};

	for (size_t i = 0; i < sizeof tab / sizeof *tab; i++) {
		struct err err = ERR_INIT;
		struct glob *g = glob_new(tab[i].glob, &err);
		struct buf b = BUF_INIT;

		buf_str(&b, "");
		if (ok(g && glob_match(g, tab[i].path, strlen(tab[i].path), &err) == 1, "'%s' matches '%s'", tab[i].glob, tab[i].path))
			glob_expand(g, tab[i].template, &b);
		is_str(b.s, tab[i].want, "'%s' of '%s' on '%s'", tab[i].template, tab[i].glob, tab[i].path);
		buf_release(&b);
		glob_free(g);
	}
}

static void
prefixes(void)
{
	static const char *const tab[][2] = { { "/a/b", "/a/b" }, { "/a*", "/a" }, { "/a\\*b?c", "/a*b" }, { "/a!(b)", "/a" }, { "/(x)", "/" } };

	for (size_t i = 0; i < sizeof tab / sizeof *tab; i++) {
		struct err err = ERR_INIT;
		struct glob *g = glob_new(tab[i][0], &err);
		size_t n = 0;
		const char *p = g ? glob_prefix(g, &n) : "";

		ok(n == strlen(tab[i][1]) && memcmp(p, tab[i][1], n) == 0, "prefix of '%s'", tab[i][0]);
		glob_free(g);
	}
}

static void
limits(void)
{
	struct err err = ERR_INIT;
	struct glob *g = glob_new("/*(*(*(*(*(a)b)c)d)e)f", &err);
	char path[4001];
	int rc;

	memset(path, 'a', sizeof path - 1);
	path[0] = '/';
	path[1] = 'b';
	path[sizeof path - 1] = '\0';
	rc = g ? glob_match(g, path, sizeof path - 1, &err) : -2;
	ok(rc == 0 || rc == -1, "nested repetitions end (%d)", rc);
	glob_free(g);
	g = glob_new("/@(*)a@(*)a@(*)a@(*)a@(*)a@(*)b", &err);
	rc = g ? glob_match(g, path, sizeof path - 1, &err) : -2;
	ok(rc == -1 && strstr(err.text, "too many steps"), "a pathological glob is given up: %.60s", err.text);
	glob_free(g);
}

/* Globs of text and stars are matched by hand; in braces the same glob goes to PCRE2.  They must agree. */
static void
by_hand(void)
{
	static const char letters[] = "ab/*";
	uint32_t seed = 1;
	size_t wrong = 0, matched = 0;

	for (int round = 0; round < 3000; round++) {
		struct err err = ERR_INIT;
		char glob[24], path[16];
		struct glob *fast, *slow;
		size_t n = 0;

		glob[n++] = '{';
		for (size_t want = 2 + round % 10; n < want; n++) {
			seed = seed * 1664525 + 1013904223;
			glob[n] = letters[seed >> 30];
			/* "**" is no longer text and stars. */
			if (glob[n] == '*' && glob[n - 1] == '*')
				glob[n] = 'a';
		}
		memcpy(glob + n, "}", 2);
		slow = glob_raw(glob, "/", &err);
		glob[n] = '\0';
		fast = glob_raw(glob + 1, "/", &err);
		for (int k = 0; slow && fast && k < 60; k++) {
			size_t len = (size_t)(k % 8);
			int got, want;

			for (size_t i = 0; i < len; i++) {
				seed = seed * 1664525 + 1013904223;
				path[i] = letters[(seed >> 28) % 3];
			}
			got = glob_match(fast, path, len, &err);
			want = glob_match(slow, path, len, &err);
			wrong += got != want;
			matched += want == 1;
		}
		glob_free(fast);
		glob_free(slow);
	}
	ok(wrong == 0 && matched > 1000, "180,000 random matches agree (%zu do not, %zu matched)", wrong, matched);
}

int
main(void)
{
	vectors();
	paths();
	wrong();
	templates();
	prefixes();
	limits();
	by_hand();
	is_u64(glob_groups("/(a(b))!(c)[(]{x,(y)}"), 4, "captures are counted");
	return done();
}
