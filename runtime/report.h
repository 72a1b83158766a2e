/* report.h: what a stage says at its end. */
#ifndef RUNTIME_REPORT_H
#define RUNTIME_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather;
struct oid;
struct open_job;

/* One line: what ran, what was skipped, how long, the commit if it is another one. */
void report_success(const struct open_job *o, const struct gather *g, const struct oid *commit, bool moved);

/* The last thing that is printed of a failed job: how many, then of the first failed datums the class, the last lines of the
 * log, the log's name and the command that runs it again; or the reason that concerns the job as a whole. */
void report_failure(const struct open_job *o, const struct gather *g, const char *reason);

/* The block of one failed datum, from its ".fail". */
void report_datum(const struct oid *key);

#endif
