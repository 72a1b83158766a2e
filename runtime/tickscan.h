/* tickscan.h: the scan's look at repos that have no folder: the ticks of a cron, and branches, REPO@BRANCH. */
#ifndef RUNTIME_TICKSCAN_H
#define RUNTIME_TICKSCAN_H

#include "../base/conf.h"

#include <stdbool.h>

struct filecache;

/* Of one that is not fetched. */
bool tickscan_wants(const struct index_source *src);

/* Bring its ref up to date.  refs: as refscan_verify() left it.  An exit status; what is wrong was told. */
int tickscan(struct filecache *refs, const struct index_source *src);

#endif
