/* cronlog.h: .dassie/cron/log: what the programs said that cron started. */
#ifndef RUNTIME_CRONLOG_H
#define RUNTIME_CRONLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Run it (argv[0] is a path) with an empty stdin, and put every line that it prints into the log, with the time and its
 * pid before it. The last lines, as they were, are left in ret_tail. SIGINT, SIGTERM and SIGHUP are handed down to it.
 * The program runs also where the log cannot be written; that is then said in ret_tail.
 * Returns the exit status (128 + signal), or -1 if it could not be started. */
int cronlog_run(const char *const argv[], struct buf *ret_tail, struct err *err);

#endif
