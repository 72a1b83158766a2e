/* fetch.h: a source that lies elsewhere becomes a commit: what is there now is listed, compared with what was fetched last, and
 * only what is new comes into the store.  fetch.c has the order of things; fetchs3.c and fetchweb.c ask. */
#ifndef RUNTIME_FETCH_H
#define RUNTIME_FETCH_H

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "complaint.h"
#include "fetched.h"
#include "moving.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fetch;
struct http;

/* A file of the far side. */
struct remote {
	struct fetched_file o;            /* its id once it is known */
	bool known;                 /* its bytes are in the store */
	bool gone;                  /* it went while we asked */
};

/* Bytes of one on their way into the store. */
struct incoming {
	struct fetch *f;
	struct remote *to;
	struct store_in in;
};

struct fetch {
	const struct index_source *src;
	char shown[NAME_MAX_REPO + 16];         /* "source 'raw'" */
	struct arena a;
	struct http *h;
	const char *base;                       /* of struct fetched */
	struct oid settings;
	struct remote *v; size_t n, cap;        /* after the listing, in path order */
	bool have;                              /* there is a commit already */
	struct fetched old, part;               /* of the last commit; of a fetch that was interrupted */
	struct complaints bad;
	int journal;                            /* what was fetched so far, in case we are interrupted */
	size_t n_got, n_todo;
	uint64_t got, bytes;                    /* so far; in all, 0 where nobody says so before */
	struct moving moving;
};

/* Lists, compares, fetches.  -1: complaints were made, or err is set. */
int fetch_s3(struct fetch *f, struct err *err);
int fetch_web(struct fetch *f, struct err *err);

/* One more file; texts are kept by the caller. NULL: it cannot be one, which was complained of. */
struct remote *fetch_add(struct fetch *f, const char *path, const char *shown);
/* After the last: sort, mark what is known already.  -1: paths that cannot stand side by side, which was complained of. */
int fetch_compare(struct fetch *f);
/* What is known of this path, if it is `size` bytes (UINT64_MAX: any) and was this ETag, or, where there is none, of this date. */
const struct fetched_file *fetch_known(const struct fetch *f, const char *path, uint64_t size, const char *etag, const char *modified);

/* Let transfers go on for a moment, and show how far we are.  False: there are none. */
bool fetch_step(struct fetch *f);
void fetch_begin(struct incoming *in, struct fetch *f, struct remote *to);
/* A sink: ctx is the struct incoming. */
bool fetch_bytes(void *ctx, const void *p, size_t n);
/* All is there, and as it was sent: store it.  False was complained of. */
bool fetch_end(struct incoming *in, const char *etag, const char *modified, const char *version);
void fetch_drop(struct incoming *in);

#endif
