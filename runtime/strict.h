/* strict.h: `sandbox: strict`: of the project a command finds its declared code alone, and what it may write to is /pfs/out, its
 * TMPDIR and /tmp.  A guard against what was forgotten, not against what is meant: the network, the rest of the host's files (to read) and
 * whatever /dev, /proc and /sys let their user do are there as always. */
#ifndef RUNTIME_STRICT_H
#define RUNTIME_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct plan_head;

/* What an attempt's folder for temporary files is called there. */
#define STRICT_TMP "/pfs.tmp"

bool strict_wanted(const struct plan_head *h);

/* After pfs_enter, before pfs_ready.  The current directory stays the project as it is, for us; by its path it is what commands see. */
int strict_enter(const struct plan_head *h, const char *project, struct err *err);

/* Where there are no namespaces: why not, and what else to do.  Returns -1. */
int strict_refuse(const char *pipeline, struct err *err);

#endif
