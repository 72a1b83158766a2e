/* record.h: step (d) of a stage: the job, what it ran from and what came out, into the database. */
#ifndef RUNTIME_RECORD_H
#define RUNTIME_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;
struct gather;
struct oid;
struct open_job;
struct prov;

struct outcome {
	const char *state;              /* success failure killed */
	const char *reason;             /* "" or one sentence */
	const struct oid *commit;       /* NULL unless it is a success */
	uint64_t files, bytes;          /* of the commit */
};

/* Everything but the results, which gather_results put before. */
int record_job(struct prov *p, struct conf *c, const struct open_job *o, const struct gather *g, const struct outcome *end,
               struct err *err);

/* A job that was under way when its inputs or spec moved on: it ended as "killed". */
int record_killed(struct prov *p, const struct open_job *o, struct err *err);

#endif
