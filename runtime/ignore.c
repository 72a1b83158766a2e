/* ignore.c: gitignore's patterns, after gitignore(5).  The file's last rule that fits decides, the deepest directory's
 * file first; '!' takes back; a trailing '/' means directories only; a '/' elsewhere ties the pattern to the file's
 * own directory; "**" as a whole component stands for any number of components; '*', '?' and [a-z] for bytes other
 * than '/'.  A backslash takes the meaning from the byte after it, also from a trailing blank, '#' and '!'.
 *
 * What is not as in git: only .dassieignore is read (no .gitignore, no per-user file); letters match as they are
 * (core.ignoreCase is unknown); a symlink to a directory counts as a directory, because symlinks are followed; there
 * are no tracked files, so a rule always holds.  Bytes are matched, not characters, as git does.
 *
 * A pattern with '/' is matched component by component, with one place to come back to: the last "**".  What stands
 * before it has matched the fewest components it can, so to come back further would find nothing new.  The same holds
 * for '*' within a component, hence matching is never exponential. */
#include "ignore.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <stdlib.h>

#include "../base/mem.h"

struct rule {
	const char *pat;
	size_t len;
	bool keep;              /* '!' */
	bool dir;               /* trailing '/' */
	bool name;              /* no '/': fits a name in any directory */
	bool plain;             /* no wildcard and no backslash */
	bool suffix;            /* "*" and then plain */
};

struct ignore {
	const struct ignore *parent;
	size_t base;
	char *text;
	struct rule *v;
	size_t n, cap;
};

static bool
class_has(const char *name, size_t n, unsigned char c, bool *ret_known)
{
	static const struct { const char *name; int (*is)(int); } class[] = {
		{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl }, { "digit", isdigit },
		{ "graph", isgraph }, { "lower", islower }, { "print", isprint }, { "punct", ispunct }, { "space", isspace },
		{ "upper", isupper }, { "xdigit", isxdigit },
	};

	*ret_known = true;
	for (size_t i = 0; i < sizeof class / sizeof *class; i++)
		if (strlen(class[i].name) == n && memcmp(class[i].name, name, n) == 0)
			return c < 128 && class[i].is(c);
	*ret_known = false;
	return false;
}

/* "[:NAME:]" at p: its end, or NULL if it is not one. */
static const char *
class_end(const char *p, const char *end)
{
	const char *q;

	if (end - p < 2 || p[1] != ':')
		return NULL;
	q = memchr(p + 2, ']', (size_t)(end - p - 2));
	return q && q[-1] == ':' && q - p >= 3 ? q + 1 : NULL;
}

/* One byte of a bracket, maybe behind a backslash; p moves past it.  -1: the bracket has no end. */
static int
bracket_byte(const char **p, const char *end)
{
	if (*p < end && **p == '\\')
		++*p;
	return *p < end ? (unsigned char)*(*p)++ : -1;
}

/* The bracket after '[' at *p; *p moves behind its ']'.  1 the byte is in it, 0 not, -1 it is malformed. */
static int
bracket(const char **p, const char *end, unsigned char c)
{
	bool negated = *p < end && (**p == '!' || **p == '^'), in = false, known;
	int last = -1, b;

	*p += negated;
	for (bool first = true; *p < end && (first || **p != ']'); first = false) {
		const char *cls = **p == '[' ? class_end(*p, end) : NULL;

		if (cls) {
			in |= class_has(*p + 2, (size_t)(cls - *p) - 4, c, &known);
			if (!known)
				return -1;
			*p = cls;
			last = -1;
		} else if (**p == '-' && last >= 0 && end - *p > 1 && (*p)[1] != ']') {
			++*p;
			if ((b = bracket_byte(p, end)) < 0)
				return -1;
			in |= c >= last && c <= b;
			last = -1;
		} else {
			if ((last = bracket_byte(p, end)) < 0)
				return -1;
			in |= c == last;
		}
	}
	if (*p >= end)
		return -1;
	++*p;
	return in != negated;
}

/* One byte of text against the pattern at *p, which is not '*'; *p moves on if it fits. */
static bool
fits(const char **p, const char *end, char c)
{
	const char *q = *p + 1;

	if (**p == '[') {
		if (bracket(&q, end, (unsigned char)c) != 1)
			return false;
	} else if (**p == '\\') {
		if (q == end || *q++ != c)
			return false;
	} else if (**p != '?' && **p != c) {
		return false;
	}
	*p = q;
	return true;
}

/* A component, or a name without '/'. */
static bool
match_name(const char *p, const char *pend, const char *t, const char *tend)
{
	const char *star = NULL, *back = NULL;

	for (;;) {
		if (p < pend && *p == '*') {
			star = ++p;
			back = t;
		} else if (t < tend && p < pend && fits(&p, pend, *t)) {
			t++;
		} else if (t == tend && p == pend) {
			return true;
		} else if (star && back < tend) {
			p = star;
			t = ++back;
		} else {
			return false;
		}
	}
}

static const char *
component_end(const char *s, const char *end)
{
	const char *q = memchr(s, '/', (size_t)(end - s));

	return q ? q : end;
}

static bool
is_globstar(const char *s, const char *end)
{
	if (end - s < 2)
		return false;
	while (s < end && *s == '*')
		s++;
	return s == end;
}

/* A backslash before the '/' that ends a component only says that '/' is meant. */
static const char *
without_backslash(const char *s, const char *end, const char *pend)
{
	size_t n = 0;

	while (end < pend && (size_t)(end - s) > n && end[-1 - (ptrdiff_t)n] == '\\')
		n++;
	return n % 2 ? end - 1 : end;
}

static bool
match_path(const char *p, const char *pend, const char *t, const char *tend)
{
	const char *star = NULL, *back = NULL;

	for (;;) {
		const char *pe = p <= pend ? component_end(p, pend) : p, *te = t <= tend ? component_end(t, tend) : t;

		if (p <= pend && is_globstar(p, pe)) {
			if (pe == pend)
				return t <= tend;
			star = p = pe + 1;
			back = t;
		} else if (p <= pend && t <= tend && match_name(p, without_backslash(p, pe, pend), t, te)) {
			p = pe + 1;
			t = te + 1;
		} else if (p > pend && t > tend) {
			return true;
		} else if (star && back <= tend) {
			p = star;
			t = back = component_end(back, tend) + 1;
		} else {
			return false;
		}
	}
}

static bool
rule_fits(const struct rule *r, const char *path, size_t len, const char *name, bool is_dir)
{
	const char *t = r->name ? name : path;
	size_t n = r->name ? len - (size_t)(name - path) : len;

	if (r->dir && !is_dir)
		return false;
	if (r->plain)
		return r->len == n && memcmp(r->pat, t, n) == 0;
	if (r->suffix)
		return n >= r->len - 1 && memcmp(r->pat + 1, t + n - (r->len - 1), r->len - 1) == 0;
	return r->name ? match_name(r->pat, r->pat + r->len, t, t + n) : match_path(r->pat, r->pat + r->len, t, t + n);
}

bool
ignore_match(const struct ignore *ig, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(path);

	for (; ig; ig = ig->parent)
		for (size_t i = ig->n; i-- > 0;)
			if (rule_fits(&ig->v[i], path + ig->base, len - ig->base, name, is_dir))
				return !ig->v[i].keep;
	return false;
}

static bool
is_plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("*?[\\", s[i]))
			return false;
	return true;
}

/* Without trailing blanks, unless a backslash stands before them. */
static size_t
trimmed(const char *s, size_t n)
{
	size_t end = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\') {
			if (++i == n)
				return n;
			end = i + 1;
		} else if (s[i] != ' ') {
			end = i + 1;
		}
	}
	return end;
}

static void
parse_line(struct ignore *ig, const char *s, size_t n)
{
	struct rule r = { 0 };

	if (n && s[n - 1] == '\r')
		n--;
	if (n == 0 || s[0] == '#')
		return;
	n = trimmed(s, n);
	if (n && s[0] == '!') {
		r.keep = true;
		s++, n--;
	}
	if (n && s[n - 1] == '/') {
		r.dir = true;
		n--;
	}
	if (n == 0)
		return;
	r.name = !memchr(s, '/', n);
	if (s[0] == '/')
		s++, n--;
	r.pat = s;
	r.len = n;
	r.plain = is_plain(s, n);
	r.suffix = r.name && n > 1 && s[0] == '*' && is_plain(s + 1, n - 1);
	GROW(ig->v, ig->n, ig->cap);
	ig->v[ig->n++] = r;
}

struct ignore *
ignore_parse(const char *text, size_t n, const struct ignore *parent, size_t base)
{
	struct ignore *ig = xcalloc(1, sizeof *ig);
	const char *s, *end;

	ig->parent = parent;
	ig->base = base;
	s = ig->text = xmemdup(text, n);
	end = s + n;
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		s += 3;
	while (s < end) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));

		parse_line(ig, s, (size_t)((nl ? nl : end) - s));
		s = nl ? nl + 1 : end;
	}
	return ig;
}

void
ignore_free(struct ignore *ig)
{
	if (!ig)
		return;
	free(ig->v);
	free(ig->text);
	free(ig);
}

bool
ignore_covers(const struct ignore *ig, const char *path)
{
	char dir[PATH_MAX];

	for (const char *s = strchr(path, '/'); s && (size_t)(s - path) < sizeof dir; s = strchr(s + 1, '/')) {
		memcpy(dir, path, (size_t)(s - path));
		dir[s - path] = '\0';
		if (ignore_match(ig, dir, true))
			return true;
	}
	return ignore_match(ig, path, false);
}
