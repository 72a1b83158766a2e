/* notify.h: telling people how runs end, by the spec's `notify` (base/notify.h): one message a run and route, of pipelines that
 * failed and of those that had been told as failed and are well again; and one while a job takes longer than it may.
 *
 * What was told as failing is kept in .dassie/alerts, sealed, with rec.h's syntax:
 *   dassie-alerts 1
 *   failing PIPELINE SINCE           ns
 *
 * Nothing here fails a run or holds it up for longer than a few seconds: what cannot be told is said in one line. */
#ifndef RUNTIME_NOTIFY_H
#define RUNTIME_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct notify;
struct outcomes;

/* At the end of a run. */
void notify_run(const struct outcomes *o);

/* While it runs, now and then: told has a place for each route, and is set when its alert was sent; that is done by a process
 * of its own. */
void notify_long(const struct notify *n, const char *run, bool *told);

#endif
