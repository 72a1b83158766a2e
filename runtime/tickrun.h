/* tickrun.h: the ticks of a pipeline that wait are run: their files put into their repos, make called for the pipeline and, behind a
 * cron input, for what reads it. */
#ifndef RUNTIME_TICKRUN_H
#define RUNTIME_TICKRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ledger_tick;
struct scheds;

struct tickrun {
	const struct scheds *scheds;
	const char *pipeline;       /* NULL: the whole spec */
	const char *command;        /* for the record: "dassie cron fire" */
	const char *jobs;           /* of -j, NULL: cores */
	bool newest_first;
	size_t most;                /* ticks in one run, 0: as many as there are */
	uint64_t ran, failed;       /* ticks */
};

/* Is a run of its ticks, or a make for it by hand, under way? */
bool tickrun_under_way(const char *pipeline);

/* All that waits in the ledger, until nothing does.  wait: behind a run that is under way; else that one does it, and this returns at once.
 * 0 also when ticks failed: r tells. */
int tickrun(struct tickrun *r, bool wait, struct err *err);

/* End the run of the pipeline's ticks that is under way, if any is; what waits or runs is recorded as cancelled, and its files go. */
int tickrun_cancel(const struct scheds *s, const char *pipeline, struct err *err);

#endif
