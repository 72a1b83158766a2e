/* dest.h: a place that is being written to, whatever it is: destfile.c, dests3.c, destweb.c.
 *
 * Puts and removals may go side by side: each begins with a call and ends with one call of done(), from within that call or from
 * dest_step().  What a put is given stays as it is until then.  Keys are below the place's URL: base and path. */
#ifndef RUNTIME_DEST_H
#define RUNTIME_DEST_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dest;
struct err;
struct place;

enum dest_failure {
	DEST_FINE,
	DEST_ONE,       /* this one cannot be done; others can */
	DEST_STOP,      /* nor will any other be */
	DEST_ROOM,      /* something lies in its way that may be about to be removed */
};

/* text: "" if fine; else whole lines without a newline at the end: what was tried, why not, what to do.  etag: "" where there is none. */
struct dest_result { enum dest_failure failure; const char *text, *etag; };

typedef void dest_done(void *ctx, const struct dest_result *r);

/* A part of an upload that went before. */
struct dest_part { unsigned number; char etag[72]; struct oid sha256; };
struct dest_upload { char *id; uint64_t part_size; struct dest_part *part; size_t n_part, cap_part; };

struct dest_put {
	const char *key;
	const char *file;                   /* what is sent lies here */
	uint64_t size;
	const struct oid *sha256;
	bool exec;
	const char *content_type, *commit, *datum;  /* datum "": not known */
	struct dest_upload *upload;         /* what an attempt that was killed left of it; NULL */
	dest_done *done;
	void *ctx;
};

/* What is to be remembered of uploads in parts, so that they can be gone on with. */
struct dest_notes {
	void (*beginning)(void *ctx, const struct dest_put *put);
	/* sure: asked for once, so there is no other one whose answer was lost. */
	void (*begun)(void *ctx, const struct dest_put *put, const char *upload_id, uint64_t part_size, bool sure);
	void (*part)(void *ctx, const struct dest_put *put, const struct dest_part *part);
	void *ctx;
};

struct dest_listed { const char *key; uint64_t size; const char *etag; const struct oid *sha256; bool exec; };  /* sha256 NULL: not known */

struct dest_ops {
	/* say(ctx, line) for each thing found out.  -1: it will not work. */
	int (*check)(struct dest *d, void (*say)(void *ctx, const char *line), void *ctx, struct err *err);
	void (*put)(struct dest *d, const struct dest_put *put);
	void (*remove)(struct dest *d, const char *const *key, size_t n, dest_done *done, void *ctx);
	/* NULL: nobody can.  All keys that begin with prefix, in the order of their bytes; each() false stops, which is -1 with its err. */
	int (*list)(struct dest *d, const char *prefix, bool (*each)(void *ctx, const struct dest_listed *l), void *ctx, struct err *err);
	/* NULL: nothing to abort. */
	void (*abort)(struct dest *d, const char *key, const char *upload_id, dest_done *done, void *ctx);
	/* The uploads to this key that are neither finished nor aborted, whoever began them; began: ns.  NULL as abort is. */
	void (*uploads)(struct dest *d, const char *key, void (*each)(void *ctx, const char *upload_id, uint64_t began), dest_done *done, void *ctx);
	void (*step)(struct dest *d, unsigned ms);
	uint64_t (*moved)(struct dest *d);  /* bytes so far */
	int (*settle)(struct dest *d, struct err *err);     /* NULL, or: what was put survives a power cut */
	void (*free)(struct dest *d);
};

struct dest {
	const struct dest_ops *ops;
	const struct place *place;
	struct dest_notes notes;
	unsigned window;                    /* puts that are begun at a time */
	uint64_t max_size;
	size_t max_key;                     /* of the key in the bucket: with the URL's prefix */
	uint64_t (*part_size)(const struct dest *d, uint64_t size);     /* NULL: its ETags say nothing of content */
	bool modes;                         /* it knows executables */
	bool large;                         /* something will be sent in parts: set by who sends, for check() */
};

/* NULL and err.  Nothing is sent yet. */
struct dest *dest_file(const struct place *p, struct err *err);
struct dest *dest_s3(const struct place *p, struct err *err);
struct dest *dest_web(const struct place *p, struct err *err);

#endif
