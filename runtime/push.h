/* push.h: bring a place up to date with a commit: what changed since it got the last one, nothing else. */
#ifndef RUNTIME_PUSH_H
#define RUNTIME_PUSH_H

#include "../base/buf.h"
#include "../base/entries.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "moving.h"
#include "origin.h"
#include "placerec.h"
#include "pushed.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dest;
struct err;
struct place;

struct push_options { bool check, dry, verify, all, quiet, json; };

struct push {
	const struct place *place;
	struct push_options opt;
	struct oid commit;
	uint64_t when;                      /* ns: since when the commit is the pipeline's output; gives {date} */
	struct dest *dest;
	struct arena arena;
	char *base;
	struct placerec rec;
	struct origin origin;
	struct entries old, new_;           /* being compared */
	struct pushed out;
	uint64_t todo, todo_bytes, going;   /* what the plan came to */
	uint64_t from;                      /* of opt.all: entries before this one are there by now */
	unsigned under_way;
	bool stop, room, again;
	bool manifest_there;
	struct buf reason;                  /* the first failures */
	unsigned n_reason;
	struct moving moving;
	struct err *err;
};

/* 0 all is there, 1 it failed and was told, -1 the world (err).  out->… is written for whoever started this. */
int push_place(struct push *p, struct err *err);

/* Steps of it: pushlist.c */
int push_relist(struct push *p, struct err *err);           /* the record anew, by what lies there */
int push_manifest(struct push *p, struct err *err);         /* the manifest object's file: .dassie/egress/P-ID.manifest */
/* pushshow.c */
void push_progress(struct push *p);
void push_tell(struct push *p);
void push_plan_line(struct push *p, const char *op, const char *path, uint64_t size);

/* The commit's entries that go there; what the record has (empty if nothing counts). */
int push_compare(struct push *p, bool record, struct err *err);
void push_compared(struct push *p);

#endif
