/* summary.h: the end of a run for a person: what ran, what did not and why, and last of all each failure with what to do. */
#ifndef RUNTIME_SUMMARY_H
#define RUNTIME_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcomes;

/* quiet: nothing where all is well. */
void summary_tell(const struct outcomes *o, bool quiet);

#endif
