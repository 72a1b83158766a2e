/* glob.h: Pachyderm's globs (globparse.c says what the dialect is) against paths such as "/a/b.csv".
 *
 * Names are bytes.  '?' and classes match one character of UTF-8; a byte that is not part of valid UTF-8 counts as a
 * character of its own, so a glob can match every name that a file system can hold, and none fails. */
#ifndef COMPILER_GLOB_H
#define COMPILER_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct glob;

/* Is this a glob?  Compiles nothing.  On failure *ret_msg (static) says what is wrong, *ret_at at which byte. */
bool glob_check(const char *glob, const char **ret_msg, size_t *ret_at);

/* How many captures it has (0 if it is not a glob). */
unsigned glob_groups(const char *glob);

/* A glob over whole paths, cleaned first as Pachyderm does it: one leading '/', no trailing one, no "//", "." or "..".
 * NULL with err filled if it is not one. */
struct glob *glob_new(const char *glob, struct err *err);
/* As it stands, over any strings, with these characters for '/'. */
struct glob *glob_raw(const char *glob, const char *separators, struct err *err);
void glob_free(struct glob *g);

enum { GLOB_MSG = 512 };

#define GLOB_NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* A regex of PCRE2 (`match:` of an input) over whole paths such as "a/b.csv", or "/a/b.csv" if it begins with '/'.
 * NULL: msg says what is wrong, *ret_at at which byte.  `check` only: nothing is matched with it, so it needs no JIT. */
struct glob *glob_regex(const char *regex, bool check, char msg[GLOB_MSG], size_t *ret_at);

/* What a regex is held against: paths with a leading '/'; folders, whose paths end in '/', instead of files. */
bool glob_is_regex(const struct glob *g, bool *ret_slash, bool *ret_folders);

/* Captures that have a name, in their order; of globs none.  The number of all captures. */
struct glob_name { const char *name; unsigned number; };
size_t glob_names(const struct glob *g, const struct glob_name **ret);
unsigned glob_captures(const struct glob *g);

/* Does all of s match?  1, 0, or -1 where the search is given up (err says so). */
int glob_match(struct glob *g, const char *s, size_t n, struct err *err);

/* After a match that gave 1, while s is still there: capture i (0: all of s). False, and empty, if it took no part. */
bool glob_capture(const struct glob *g, unsigned i, const char **ret, size_t *ret_n);

/* The same moment: a template with $1 ${1} $0 $$ in it, and $NAME ${NAME} where captures have names, appended. */
void glob_expand(const struct glob *g, const char *template, struct buf *ret);

/* Only the root, "/", matches. */
bool glob_is_root(const struct glob *g);

/* The text that all matches begin with. */
const char *glob_prefix(const struct glob *g, size_t *ret_n);

#endif
