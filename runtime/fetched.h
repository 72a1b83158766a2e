/* fetched.h: where the files of a fetched commit came from: what the far side said of each when it was fetched.
 *
 * .dassie/fetched/REPO.COMMIT, sealed (fields as in rec.h):
 *   dassie-fetched 1
 *   settings HEX       hash of what decides which files there are: URLs, endpoint, include, exclude
 *   base URL           s3://BUCKET/PREFIX; empty for https
 *   file PATH SIZE SHA256 ETAG MODIFIED VERSION URL      in path order, as in the commit; ETAG without quotes; what is not known is
 *                      empty; an empty URL is the base and PATH
 *
 * The one of the commit that refs/REPO names is also what the next listing is compared with.  What is fetched again with other
 * ETags and the same bytes is the same commit, and the file is replaced: it tells of the latest fetch. */
#ifndef RUNTIME_FETCHED_H
#define RUNTIME_FETCHED_H

#include "../base/rec.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct index_source;

struct fetched_file {
	const char *path, *etag, *modified, *version, *url;
	uint64_t size;
	struct oid id;
};

struct fetched {
	struct fetched_file *v; size_t n;
	struct oid settings;
	const char *base;
	struct recfile text;        /* what was read: the texts are in it */
};

#define FETCHED_INIT { .text = RECFILE_INIT }

/* 1 read, 0 there is none or it is damaged (then all is fetched anew), -1. */
int fetched_read(struct fetched *o, const char *repo, const struct oid *commit, struct err *err);
void fetched_release(struct fetched *o);
/* o says how many; file i is at(ctx, i), in path order. */
int fetched_write(const struct fetched *o, const char *repo, const struct oid *commit, const struct fetched_file *(*at)(const void *ctx, size_t i),
    const void *ctx, struct err *err);

/* What decides which files there are; who asks, and how, does not. */
void fetched_settings(const struct index_source *s, struct oid *ret);

const struct fetched_file *fetched_find(const struct fetched *o, const char *path);
/* "s3://bucket/prefix/a b", appended. */
void fetched_url(struct buf *b, const struct fetched *o, const struct fetched_file *one);

/* One line of it, for what gathers them. */
void fetched_line(struct buf *b, const struct fetched_file *o);
bool fetched_parse(const struct rec *r, struct fetched_file *ret);

#endif
