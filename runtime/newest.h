/* newest.h: who wrote the paths of a pipeline's newest output: P.job, made ready to be asked many times. */
#ifndef RUNTIME_NEWEST_H
#define RUNTIME_NEWEST_H

#include "../base/jobfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct newest_number;

struct newest {
	struct jobfile job;             /* empty if there is none */
	struct job_part *part; size_t n_part, cap_part;
	size_t *path; size_t n_path, cap_path;          /* of each path of the commit, its first part */
	struct newest_number *number;   /* ascending */
};

#define NEWEST_INIT { .job = JOBFILE_INIT }

/* None, or a damaged one, is success: it names no writer. */
int newest_read(struct newest *n, const char *pipeline, struct err *err);
void newest_release(struct newest *n);

/* The writers of the commit's path i, the first one 0; how many there are. */
size_t newest_writers(const struct newest *n, size_t i, const struct job_part **ret);
/* The key of the datum with this number; false if there is none. */
bool newest_key(const struct newest *n, uint64_t number, struct oid *ret);

#endif
