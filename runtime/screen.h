/* screen.h: the live display of a run on a terminal, a process of its own that reads files and nothing else. */
#ifndef RUNTIME_SCREEN_H
#define RUNTIME_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

struct screen {
	int said;                   /* what make and all below it write to stderr: a file without a name */
	uint64_t *shown;            /* so much of it is on the terminal; shared with the display */
	int stop;                   /* closing it ends the display; the kernel does when the run is gone */
	pid_t pid;                  /* of the display, 0: it is gone */
	bool partial;               /* what was shown last had no newline */
};

#define SCREEN_INIT { .said = -1, .stop = -1 }

/* Is stderr a terminal that can and shall be drawn on? */
bool screen_wanted(void);

/* Start the display of this run.  -1: nothing is left of it. */
int screen_start(struct screen *s, const char *run, unsigned slots, struct err *err);

/* The display has ended by itself (killed): what is said from now on is put through by screen_pass(), line by line. */
void screen_lost(struct screen *s);
void screen_pass(struct screen *s, bool all);

/* End the display, and put through what it has not shown. */
void screen_end(struct screen *s);

#endif
