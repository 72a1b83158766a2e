/* template.c: mistakes seen in the wild: a template that was compiled instead of what it makes, Jsonnet, JSON with comments or a quote
 * too few.  A reader of YAML says something true and useless about them, or takes "/{{site}}" for a glob. */
#include "template.h"

#include <stdio.h>
#include <string.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static char word[TEMPLATE_WORD];

static bool
is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* What stands between `open` and `close` at s, if it could be an expression: no comma, brace or slash, and a name in it. */
static size_t
expression(const char *s, const char *open, const char *close)
{
	const char *from = s + strlen(open), *end, *name;
	size_t n;

	if (strncmp(s, open, strlen(open)) != 0 || !(end = strstr(from, close)))
		return 0;
	n = (size_t)(end - from);
	if (n > 200 || memchr(from, ',', n) || memchr(from, '{', n) || memchr(from, '/', n))
		return 0;
	for (name = from; name < end && !is_letter(*name) && *name != '_'; name++)
		;
	if (name == end)
		return 0;
	snprintf(word, sizeof word, "%.*s", (int)strspn(name, NAME_CHARS), name);
	return (size_t)(end - s) + strlen(close);
}

const char *
template_in(const char *s, bool dollar, size_t *ret_len, const char **ret_word)
{
	*ret_word = word;
	for (const char *p = s; (p = strpbrk(p, "{<$")); p++) {
		*ret_len = expression(p, "{{", "}}");
		if (!*ret_len)
			*ret_len = expression(p, "{%", "%}");
		if (!*ret_len)
			*ret_len = expression(p, "<%", "%>");
		if (!*ret_len && dollar && p[0] == '$' && p[1] == '{' && p[2 + strspn(p + 2, NAME_CHARS)] == '}')
			*ret_len = expression(p, "${", "}");
		if (*ret_len)
			return p;
	}
	return NULL;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/* Past blanks and comments as Jsonnet has them. */
static size_t
skip_comments(const char *s, size_t n, size_t i)
{
	while (i < n) {
		if (strchr(" \t\r\n", s[i]) && s[i]) {
			i++;
		} else if (s[i] == '#' || (n - i > 1 && s[i] == '/' && s[i + 1] == '/')) {
			while (i < n && s[i] != '\n')
				i++;
		} else if (n - i > 1 && s[i] == '/' && s[i + 1] == '*') {
			const char *end = memmem(s + i + 2, n - i - 2, "*/", 2);

			if (!end)
				return n;
			i = (size_t)(end - s) + 2;
		} else {
			break;
		}
	}
	return i;
}

const char *
template_file(const char *path, const char *text, size_t n, size_t *ret_at)
{
	static const char *const begin[] = { "local ", "function(", "function (", "import ", "import(", "std." };
	size_t at;

	if (ends_with(path, ".md") || ends_with(path, ".markdown")) {
		*ret_at = 0;
		return "this is Markdown: put what stands between its ``` lines into a file of its own";
	}
	if (n > 2 && text[0] == '{' && text[1] == '{') {
		*ret_at = 0;
		return "'{{' is of a template that was not expanded; compile what your templates make, or use 'params' and 'foreach'";
	}
	if (n > 2 && !strncmp(text, "#@", 2)) {
		*ret_at = 0;
		return "this is a template of ytt: compile what it prints, or use 'params' and 'foreach'";
	}
	/* Most begin with a letter of "pipeline" or a brace. */
	if (!n || (*text == 'p' && !ends_with(path, "sonnet")) || *text == '{')
		return NULL;
	*ret_at = at = skip_comments(text, n, 0);
	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
		if (n - at > strlen(begin[i]) && !strncmp(text + at, begin[i], strlen(begin[i])))
			return "this is Jsonnet, a program that makes specs: run 'jsonnet' and compile what it prints, or use 'params'";
	if (n - at > 1 && text[at] == '{' && text[at + 1] == '%')
		return "'{%' is of a template that was not expanded; compile what your templates make, or use 'params' and 'foreach'";
	if (at < n && (text[at] == '{' || text[at] == '[') && memmem(text, at, "//", 2)) {
		*ret_at = (size_t)((const char *)memmem(text, at, "//", 2) - text);
		return "'//' begins no comment in JSON or YAML; write '#'";
	}
	return NULL;
}

const char *
template_json(const char *text, size_t n, size_t at, size_t *ret_at)
{
	bool line_begins = true;

	for (size_t i = 0; i < n && i <= at; i++) {
		if (text[i] == '\n') {
			line_begins = true;
			continue;
		}
		if (text[i] == '/' && i + 1 < n && text[i + 1] == '/' && line_begins) {
			*ret_at = i;
			return "'//' begins no comment in JSON or YAML; write '#'";
		}
		if (text[i] == '"') {
			size_t from = i;

			for (i++; i < n && text[i] != '"' && text[i] != '\n'; i++)
				i += text[i] == '\\';
			if (i < n && text[i] == '\n') {
				*ret_at = from;
				return "the quote that begins here is not closed on its line";
			}
		}
		line_begins = line_begins && strchr(" \t\r", text[i]);
	}
	return NULL;
}
