/* specscan.h: is what the compiler made still what it would make?  If not, it is run. */
#ifndef RUNTIME_SPECSCAN_H
#define RUNTIME_SPECSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filecache;
struct index;

struct specs {
	const char *makefile;           /* as given to -o */
	const char **spec; size_t n_spec;
	const char **option; size_t n_option;   /* further options, handed to the compiler */
};

/* Bring index, steps and Makefile up to date, then .dassie/scan.mk: its mtime moves if the Makefile's bytes changed, so that make
 * reads everything again.  The caller holds LOCK_SPECS.  ret_x is read; an exit status; what is wrong was told. */
int specscan(struct filecache *c, const struct specs *s, struct index *ret_x);

#endif
