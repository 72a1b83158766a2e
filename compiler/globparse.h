/* globparse.h: a glob's text to a PCRE2 pattern; knows nothing of PCRE2 but its syntax. */
#ifndef COMPILER_GLOBPARSE_H
#define COMPILER_GLOBPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct globparse {
	const char *msg;     /* what is wrong, after a failure; static */
	size_t at;           /* byte offset in the glob that msg is about */
	unsigned groups;     /* captures: parentheses, numbered from 1 in the order they open */
	bool plain;          /* nothing but literal text and '*' */
};

/* Regex for the whole string, for PCRE2_UTF and PCRE2_DOTALL; `sep` holds the characters that '*' and '?' do not match.
 * ret_regex NULL: only check.  ret_plain, where not NULL, gets the bytes that must match in place, with GLOB_STAR for
 * '*', useful if `plain`; *ret_prefix gets the number of them before the first special character. */
bool globparse(struct globparse *g, const char *glob, const char *sep, struct buf *ret_regex, struct buf *ret_plain,
               size_t *ret_prefix);

enum { GLOB_STAR = 0 };

/* The next character: its length in bytes (0 at the end).  A byte that is not part of valid UTF-8 is a character of
 * its own, U+10FF00 + byte: private use, so that nothing that is written in a file name or a glob on purpose has it. */
size_t globparse_char(const char *s, size_t n, uint32_t *ret_cp);

/* Such characters as UTF-8. */
void globparse_put(struct buf *b, uint32_t cp);

#endif
