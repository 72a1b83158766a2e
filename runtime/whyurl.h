/* whyurl.h: which file of which output lies at a URL, by the records of pushes (placerec.h). */
#ifndef RUNTIME_WHYURL_H
#define RUNTIME_WHYURL_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct index;

struct pushed_file { const char *pipeline, *path; struct oid id, commit; };

/* 1 found, 0 nobody pushed there, -1 also when what lies there is not known, with what is. Texts go to the arena. */
int whyurl_find(struct arena *a, const struct index *x, const char *url, struct pushed_file *ret, struct err *err);

#endif
