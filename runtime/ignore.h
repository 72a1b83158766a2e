/* ignore.h: .dassieignore: which files of a source are no data.  gitignore's language; what differs from git stands at
 * the top of ignore.c. */
#ifndef RUNTIME_IGNORE_H
#define RUNTIME_IGNORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ignore;

/* The rules of one file's text.  They hold for paths below the directory whose path, with its '/', has `base` bytes
 * (0: the source's root); after them `parent` is asked (NULL: nobody).  The result is the caller's, the parent too. */
struct ignore *ignore_parse(const char *text, size_t n, const struct ignore *parent, size_t base);
void ignore_free(struct ignore *ig);        /* legal on NULL; not the parent */

/* Is this path, from the source's root, ignored?  Directories above it are the caller's: below an ignored one nothing
 * is asked any more.  ig may be NULL. */
bool ignore_match(const struct ignore *ig, const char *path, bool is_dir);

/* Is this file named by the rules, or a directory above it? */
bool ignore_covers(const struct ignore *ig, const char *path);

#endif
