/* place.h: a place that a pipeline's output is pushed to: its egress and with lines of P.conf, understood. */
#ifndef RUNTIME_PLACE_H
#define RUNTIME_PLACE_H

#include "../base/desturl.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct conf_egress;
struct err;
struct ignore;

struct place_pair { const char *name, *value; };

struct place {
	struct arena arena;
	const char *pipeline, *url, *layout;
	struct desturl to;
	const char *folder;                 /* of file://: its absolute path */
	const char *region, *profile, *role_arn, *external_id, *endpoint, *addressing;      /* NULL: not said */
	const char *sse, *kms_key, *acl, *storage_class, *content_type, *cache_control;
	struct place_pair *tag, *meta;
	size_t n_tag, n_meta;
	bool delete_, verify, requester_pays;
	unsigned concurrency;               /* 0: not said; so the others */
	uint64_t part_size, bandwidth;
	struct ignore *include, *exclude;   /* NULL: none */
	struct oid filter;                  /* hash of these two */
	char id[17];                        /* names its files in .dassie/egress: of where things lie there and how they are called */
};

#define PLACE_INIT { .arena = ARENA_INIT }

/* The pipeline's egress number i; c must outlive it. */
int place_init(struct place *p, const struct conf *c, size_t i, struct err *err);
void place_release(struct place *p);

/* p->folder, of p->to alone. */
int place_folder(struct place *p, struct err *err);

/* Does the output's file go there? */
bool place_wants(const struct place *p, const char *path);

/* What stands before {path} for this commit, which came to be at `when` (ns): "2026-11-22/". */
char *place_base(const struct place *p, const struct oid *commit, uint64_t when, struct arena *a);

/* .dassie/egress/PIPELINE-ID and a suffix. */
char *place_file(char ret[LAYOUT_MAX], const struct place *p, const char *suffix);

/* The manifest object's key below the URL: in the folder of the base. */
char *place_manifest(const struct place *p, const char *base, struct arena *a);

#endif
