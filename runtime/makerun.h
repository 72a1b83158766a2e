/* makerun.h: a run of make, started by dassie on the project's Makefile. */
#ifndef RUNTIME_MAKERUN_H
#define RUNTIME_MAKERUN_H

#include <stddef.h>

struct err;

/* Environment of a new run: DASSIE, DASSIE_RUN, DASSIE_COMMAND.  ret_run: its id. */
void makerun_environment(const char *command, char ret_run[17]);

/* "-jN", as many as there are cores if nothing is given. */
const char *makerun_jobs(const char *given, char ret[32]);

/* Make the goals (none: all), going on with what does not depend on a failure, as the run of makerun_environment().  The exit
 * status of `dassie run`, 128 + signal, or -1. */
int makerun(const char *jobs, const char *const goal[], size_t n, struct err *err);

#endif
