/* placerec.h: what lies at a place, as far as we put it there: .dassie/egress/PIPELINE-ID, and while a push is under way (or was,
 * when it was killed) .dassie/egress/PIPELINE-ID.open beside it.  Formats at the top of placerec.c. */
#ifndef RUNTIME_PLACEREC_H
#define RUNTIME_PLACEREC_H

#include "../base/buf.h"
#include "../base/sha256.h"
#include "dest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entries;
struct err;
struct place;

/* An upload in parts that was begun and neither finished nor aborted. */
struct placerec_upload { char *key; struct oid sha256; struct dest_upload up; bool ended; };

/* An upload was asked for, and not yet answered when: what a lost answer leaves has an id that nobody knows. */
struct placerec_beginning { char *key; uint64_t when; bool over; };

struct placerec {
	const struct place *place;
	bool have;                          /* there is a record, */
	bool complete;                      /* and all of `commit` lies there, and nothing else of ours if that is wished */
	struct oid commit, filter;          /* filter: place->filter when it was complete */
	char *base;                         /* "2026-11-22/"; "" */
	uint64_t pushed;                    /* ns: when it was complete last */
	struct placerec_upload *upload; size_t n_upload, cap_upload;
	struct placerec_beginning *beginning; size_t n_beginning, cap_beginning;
	int fd;                             /* of the journal */
	uint64_t lines;                     /* in it */
	struct buf line;
	bool broken;                        /* it could not be written */
	struct err *err;                    /* then why */
};

#define PLACEREC_INIT { .fd = -1 }

/* Read it; what a killed push did is taken into it first.  A damaged one is as good as none: *ret_lost says so. */
int placerec_open(struct placerec *r, const struct place *p, bool *ret_lost, struct err *err);
/* Only read it, for a question: 1, 0 there is none (or none that can be read), -1. */
int placerec_read(struct placerec *r, const struct place *p, struct err *err);
void placerec_release(struct placerec *r);

/* What lies there below this base; nothing if the record is of another one. */
int placerec_entries(const struct placerec *r, const char *base, struct entries *ret, struct err *err);

/* A push of this commit begins: from now on everything is noted before and after it is done.  -1: nothing may be sent. */
int placerec_begin(struct placerec *r, const struct oid *commit, const char *base, struct err *err);
void placerec_try(struct placerec *r, uint64_t index);                          /* entry `index` of the commit */
void placerec_put(struct placerec *r, uint64_t index, const char *etag);        /* is there */
void placerec_going(struct placerec *r, const char *path);
void placerec_gone(struct placerec *r, const char *path);
void placerec_beginning(struct placerec *r, const char *key);
/* Whatever that left is known, or gone. */
void placerec_settled(struct placerec *r, struct placerec_beginning *b);
/* The last one to this key. */
struct placerec_beginning *placerec_newest(const struct placerec *r, const char *key);
/* Is this one of those that we know? */
bool placerec_knows(const struct placerec *r, const char *upload_id);
void placerec_begun(struct placerec *r, const char *key, const struct oid *sha256, const char *upload_id, uint64_t part_size);
void placerec_part(struct placerec *r, const struct placerec_upload *u, const struct dest_part *part);
void placerec_ended(struct placerec *r, struct placerec_upload *u);
/* The newest one of this content to this key that is not ended; NULL. */
struct placerec_upload *placerec_upload(struct placerec *r, const char *key, const struct oid *sha256);

/* Take the journal into the record, and begin no new one. */
int placerec_end(struct placerec *r, bool complete, struct err *err);

/* A record anew, out of what was found there: entries in the order of their paths. */
struct spool;
int placerec_rewrite(struct placerec *r, const char *base, struct spool *to, struct err *err);
void placerec_line(struct buf *b, char kind, uint64_t size, const struct oid *id, const char *path, const char *etag);
int placerec_replace(struct placerec *r, const char *base, struct spool *to, struct err *err);

#endif
