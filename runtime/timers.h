/* timers.h: the same as a crontab's block, as a systemd user timer. */
#ifndef RUNTIME_TIMERS_H
#define RUNTIME_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* The two units of a project, as they would be written: for --print. */
int timers_print(struct buf *b, const char *project, const char *program, struct err *err);

/* Write and enable them; where no user manager runs, they wait for one. ret_note gets what the user should know about
 * that. 1 written, 0 they were there, -1 nothing has changed. */
int timers_install(const char *project, const char *program, struct buf *ret_note, struct err *err);

/* 1 removed, 0 there was none, -1. */
int timers_remove(const char *project, struct err *err);

/* Whether the project's are there. ret_fits: as timers_install() would write them. */
bool timers_there(const char *project, const char *program, bool *ret_fits);
/* Whether a manager of this user's runs that would fire them. */
bool timers_manager(void);

/* Each project that has one. */
typedef int timers_fn(const char *project, void *ctx, struct err *err);
int timers_each(timers_fn *fn, void *ctx, struct err *err);

#endif
