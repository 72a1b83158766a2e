/* sourcescan.h: a source, read in place: its files by content become a commit. */
#ifndef RUNTIME_SOURCESCAN_H
#define RUNTIME_SOURCESCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index;
struct index_source;

/* Bring refs/SOURCE up to date.  An exit status; what is wrong was told, and then nothing was recorded. */
int sourcescan(const struct index *x, const struct index_source *src);

#endif
