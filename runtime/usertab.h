/* usertab.h: the user's own crontab, read and written by crontab(1) and by nothing else, and the daemon that reads it. */
#ifndef RUNTIME_USERTAB_H
#define RUNTIME_USERTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* Append its text. 1 read, 0 the user has none, -1 it cannot be read; -2 there is no crontab(1): both say the way out. */
int usertab_read(struct buf *ret, struct err *err);

/* Put the project's block in (crontab_block()), or take it out if `block` is NULL; the block of `moved`, if that is not
 * NULL, is taken out in the same step. What others change meanwhile is kept, and what crontab(1) took is read back.
 * 1 done, 0 it was so before: nothing was written. As usertab_read() else, and nothing has changed. */
int usertab_change(const char *project, const char *block, const char *moved, struct err *err);

/* The cron daemon of this machine. ret_name gets what the process is called. */
enum usertab_daemon { DAEMON_NONE, DAEMON_RUNS, DAEMON_UNKNOWN };
enum usertab_daemon usertab_daemon(char ret_name[32]);
/* What starts one, for a message. */
const char *usertab_start(void);

#endif
