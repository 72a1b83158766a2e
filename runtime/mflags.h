/* mflags.h: what make said in MAKEFLAGS. */
#ifndef RUNTIME_MFLAGS_H
#define RUNTIME_MFLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mflags {
	bool dry;          /* -n */
	bool question;     /* -q */
	bool touch;        /* -t */
	bool silent;       /* -s */
	bool unbound;      /* -j without a number: no jobserver, no bound */
	unsigned jobs;     /* slots: N of -jN under a jobserver; 1 without one; the number of cores for a bare -j */
};

/* The letters exist only if the first byte is neither blank nor '-', up to the first blank, and the word has no '='
 * (GNU make 4.3 and 4.4, seen: "k -j2 --jobserver-auth=3,4", " -j", " -- FOO=n", "rR"). env NULL: no make. */
void mflags_parse(struct mflags *m, const char *env, unsigned cores);

#endif
