/* respec.h: is what is compiled here still what the specs say? */
#ifndef RUNTIME_RESPEC_H
#define RUNTIME_RESPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compile again, as it was compiled last, if a spec has changed. Where nothing was compiled yet, or the state cannot be
 * written by this user, nothing is done. An exit status; what is wrong was told. Costs a stat a spec. */
int respec(void);

#endif
