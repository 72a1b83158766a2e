/* ready.h: what a job's datums need of this machine, looked at before the first of them runs. */
#ifndef RUNTIME_READY_H
#define RUNTIME_READY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf;
struct err;

/* Its secrets are there and can be shown, its user exists.  What has no effect here is told.  -1: what is missing, and how to get it. */
int ready_check(const struct conf *c, struct err *err);

#endif
