/* words.c: code files that nobody declared.
 *
 * `awk -f total.awk data` names total.awk, and who edits that file expects a rerun.  So whatever in a
 * command looks like a path of the project is noted; the scan takes those into the step's hash that exist.  A word
 * too many costs a stat, a word too few is what `code:` is for: hence generous, and no attempt to parse the shell. */
#include "words.h"

#include <stdlib.h>
#include <string.h>

#include "../base/mem.h"

enum { PATH_LEN_MAX = 1024 };

/* Not what a shell expands or takes for its own. */
static bool
usual(char c)
{
	switch (c) {
	case '$': case '`': case '*': case '?': case '[': case ']': case '{': case '}': case '\\': case '|': case '<': case '>': case '!':
	case '%':
		return false;
	default:
		return (unsigned char)c >= 0x20;
	}
}

static bool
looks_like_path(const char *s, size_t n)
{
	bool sign = false, more = false;

	if (n == 0 || n > PATH_LEN_MAX || s[0] == '/' || s[0] == '-' || s[0] == '~' || s[n - 1] == '/' || s[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!usual(s[i]))
			return false;
		if (s[i] == '.' && i + 1 < n && s[i + 1] == '.' && (i == 0 || s[i - 1] == '/'))
			return false;
		if (s[i] == ':' && i + 2 < n && s[i + 1] == '/' && s[i + 2] == '/')
			return false;
		sign |= s[i] == '.' || s[i] == '/';
		more |= s[i] < '.' || s[i] > '9';
	}
	return sign && more;
}

void
words_add(struct arena *a, struct words *w, const char *s, size_t n)
{
	while (n > 2 && s[0] == '.' && s[1] == '/') {
		s += 2;
		n -= 2;
		if (!memchr(s, '/', n) && !memchr(s, '.', n) && n <= PATH_LEN_MAX && s[0] != '-' && !strpbrk(s, "$`*?[]{}\\"))
			goto take;
	}
	if (!looks_like_path(s, n))
		return;
take:
	if (w->n >= WORDS_MAX)
		return;
	GROW(w->v, w->n, w->cap);
	w->v[w->n++] = arena_dup(a, s, n);
}

void
words_find(struct arena *a, struct words *w, const char *text)
{
	static const char stop[] = " \t\r\n;|&()<>`=,\"'";
	const char *p = text;
	bool written = false;

	while (*p) {
		size_t n = strcspn(p, stop);

		if (n) {
			if (*p == '#' && (p == text || strchr(" \t\n;", p[-1]))) {
				p += strcspn(p, "\n");
				continue;
			}
			if (!written)
				words_add(a, w, p, n);
			written = false;
			p += n;
			continue;
		}
		if (*p == '>')
			written = true;
		else if (*p == '"' || *p == '\'') {
			const char *end = strchr(p + 1, *p);

			if (end && !written && memchr(p + 1, ' ', (size_t)(end - p - 1)) && !memchr(p + 1, '\n', (size_t)(end - p - 1)))
				words_add(a, w, p + 1, (size_t)(end - p - 1));
		} else if (!strchr(" \t&", *p))
			written = false;
		p++;
	}
}

static int
order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
words_sort(struct words *w)
{
	size_t n = 0;

	if (w->n)
		qsort(w->v, w->n, sizeof *w->v, order);
	for (size_t i = 0; i < w->n; i++)
		if (n == 0 || strcmp(w->v[i], w->v[n - 1]) != 0)
			w->v[n++] = w->v[i];
	w->n = n;
}

void
words_release(struct words *w)
{
	free(w->v);
	memset(w, 0, sizeof *w);
}
