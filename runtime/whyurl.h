/* whyurl.h: which file of which repo lies at a URL: of an output, by the records of pushes (placerec.h), or of a source, by those of
 * fetches (fetched.h). */
#ifndef RUNTIME_WHYURL_H
#define RUNTIME_WHYURL_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct index;

struct url_file { const char *repo, *path; struct oid id, commit; };

/* 1 found, 0 no place and no source has to do with it, -1 also when what lies there is not known, with what is. Texts go to the arena. */
int whyurl_find(struct arena *a, const struct index *x, const char *url, struct url_file *ret, struct err *err);

#endif
