/* lineage.h: where a file came from, as a graph that is found as far as it is looked at: a file was written by datums,
 * a datum saw files. */
#ifndef RUNTIME_LINEAGE_H
#define RUNTIME_LINEAGE_H

#include "../base/conf.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "query.h"
#include "result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct lin_fetched;
struct memo_slot;
struct fetched_file;

/* What a job ran: the same for all datums that it executed. */
struct lin_step {
	bool known;                     /* the index has the job */
	struct q_job job;
	struct q_version version;       /* script NULL if unknown */
	struct q_code *code; size_t n_code;
	struct q_input *input; size_t n_input;
	const char *diff;               /* what git diff said of code and specs, "" if nothing */
	bool shown;                     /* for whoever prints */
};

struct lin_datum;

struct lin_file {
	const char *repo, *path;
	struct oid id, commit;
	uint64_t size;                  /* SIZE_UNKNOWN if nobody says */
	bool has_commit;                /* commit: of the repo, that had it */
	const char *dir;                /* a source's directory or URL, NULL for a pipeline's output */
	uint64_t before;                /* whoever read it began then; 0: any time */
	bool resolved;
	struct lin_datum **by; size_t n_by;   /* after lineage_writers() */
};

#define SIZE_UNKNOWN UINT64_MAX

struct lin_input {
	const struct result_input *in;
	bool resolved, lost;            /* lost: a directory whose manifest is gone */
	struct lin_file **file; size_t n_file;  /* after lineage_files(): a directory has many */
};

struct lin_datum {
	struct oid key;
	bool have;                      /* its result is there, or in the index */
	struct result r;
	struct lin_step *step;
	struct lin_input *input; size_t n_input;
	bool shown;
};

struct lineage {
	struct arena a;
	struct query *q;
	struct index x;
	struct memo_slot *slot; size_t n_slot, cap_slot;
	struct lin_datum **datum; size_t n_datum, cap_datum;     /* to release their results */
	struct lin_pipeline *pipeline;  /* loaded P.job files */
	struct lin_commit *commit;      /* loaded manifests */
	struct lin_fetched *fetched;    /* loaded records of fetches */
};

#define LINEAGE_INIT { .a = ARENA_INIT, .x = INDEX_INIT }

/* Opens index and database. -1 on error. */
int lineage_open(struct lineage *l, struct err *err);
void lineage_release(struct lineage *l);

/* The same file, datum or job is the same node every time. commit may be NULL. */
struct lin_file *lineage_file(struct lineage *l, const char *repo, const char *path, const struct oid *id,
                              const struct oid *commit, uint64_t before);
int lineage_datum(struct lineage *l, const struct oid *key, struct lin_datum **ret, struct err *err);

/* Fill what is one step further up. */
int lineage_writers(struct lineage *l, struct lin_file *f, struct err *err);
int lineage_files(struct lineage *l, struct lin_datum *d, struct lin_input *in, struct err *err);

/* What a source's file was when it was fetched, and its URL, appended; NULL if it was not, or nobody knows any more. */
const struct fetched_file *lineage_fetched(struct lineage *l, const struct lin_file *f, struct buf *ret_url);

/* A commit's manifest, kept until the end; NULL if it is gone. */
const struct manifest *lineage_manifest(struct lineage *l, const struct oid *commit);

#endif
