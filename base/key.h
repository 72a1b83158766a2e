/* key.h: the datum key: what an execution sees, as one SHA-256.  Equal keys, equal work.
 *
 * Fields (sha256.h's length-prefixed ones), in order: "dassie-key 1"; pipeline; step hash; salt; then per
 * input, sorted by name: name, number of matches, and per match, in order: path, kind, content hash;
 * last the number of captured values that reach the command, and name and value of each.
 * kind is "f", "x", "d" (a directory), each with "e" after it where only names are shown (empty_files): contents count then
 * too, as they do for Pachyderm, because an output may be a link to such an input and is its content then;
 * a directory's content hash is SHA-256 over its files' fields path (from the repo's root), kind, hash. */
#ifndef BASE_KEY_H
#define BASE_KEY_H

#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct manifest;

/* The content hash of directory dir ("" is the root) of a manifest, of entries [lo, hi). */
void key_dir_hash(const struct manifest *m, size_t lo, size_t hi, struct oid *ret);

struct key_match {
	const char *input;          /* input name */
	const char *path;           /* matched path without a leading '/', "" is the repo's root */
	char kind;                  /* f x d */
	bool empty;                 /* empty_files: names are shown, contents are not */
	struct oid id;              /* content hash of a file; key_dir_hash of a directory */
};

struct key_var { const char *name, *value; };

/* Matches in input-name order (stable: within an input in their own order). */
void key_compute(const char *pipeline, const struct oid *step, const char *salt,
                 const struct key_match *m, size_t n, const struct key_var *v, size_t nv, struct oid *ret);

#endif
