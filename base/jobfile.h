/* jobfile.h: P.job, the newest successful job of a pipeline, by which the next one knows what it need not look at.
 * In .dassie/plan, sealed, with rec.h's syntax:
 *
 *   dassie-job 2
 *   job ID    commit HEX    spec HEX
 *   next NUMBER                      the first number that no datum has had
 *   datum KEY NUMBER LABEL           in the order of the job; NUMBER is the datum's name for as long as each job has it
 *   by NUMBER                        who wrote the commit's first path, its second path and so on, in its order;
 *   part NUMBER KIND SIZE HASH       where several did: what each of them wrote, in datum order, and after them "by -"
 *
 * What was written stands in the commit; both files together say which datum wrote what.  No line depends on its place,
 * so a job that differs little from the last one takes its lines over in long runs, unread. */
#ifndef BASE_JOBFILE_H
#define BASE_JOBFILE_H

#include "rec.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct err;
struct spool;

struct jobfile {
	struct recfile text;
	char *job;
	struct oid commit, spec;
	uint64_t next;
	const char **datum; size_t n_datum, cap_datum;   /* its lines; datum[n_datum] is where the last one ends */
};

#define JOBFILE_INIT { .text = RECFILE_INIT }

int jobfile_read(struct jobfile *j, const char *pipeline, struct err *err);     /* 1, 0 absent or damaged, -1 */
void jobfile_release(struct jobfile *j);

/* Of datum i < n_datum. */
void jobfile_key(const struct jobfile *j, size_t i, struct oid *ret);
uint64_t jobfile_number(const struct jobfile *j, size_t i);
char *jobfile_label(const struct jobfile *j, size_t i, struct arena *a);

/* What a datum wrote under a path.  The only writer of a path has kind 0: what it wrote is what the commit has. */
struct job_part { uint64_t number, size; struct oid id; char kind; };

/* Who wrote the paths of the commit, one path after the other. */
struct job_writers {
	const char *pos, *end;
	const char *line;           /* the lines of the path at hand: up to pos */
	struct job_part *part; size_t n, cap;
};

void job_writers_begin(struct job_writers *w, const struct jobfile *j);
int job_writers_next(struct job_writers *w);            /* 1, 0 no more paths, -1 malformed */
void job_writers_release(struct job_writers *w);

/* Writing, in this order: into s->b of a spool, then spool_step(). */
int jobfile_open(struct spool *s, const char *pipeline, struct err *err);
void jobfile_put_head(struct buf *b, const char *job, const struct oid *commit, const struct oid *spec, uint64_t next);
void jobfile_put_datum(struct buf *b, const struct oid *key, uint64_t number, const char *label);
int jobfile_put_same(struct spool *s, const struct jobfile *last, size_t i, size_t n, struct err *err); /* datums i to i+n */
void jobfile_put_writers(struct buf *b, const struct job_part *part, size_t n);             /* of one path */
int jobfile_close(struct spool *s, const char *pipeline, struct err *err);

#endif
