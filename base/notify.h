/* notify.h: whom to tell of what: .dassie/steps/notify, written by the compiler if a spec has `notify`, mode 0600 since an
 * address can be a secret.  Sealed, with rec.h's syntax:
 *
 *   dassie-notify 1
 *   route ON LONG FROM SMTP      ON: letters f (failure), r (recovery), l (long); LONG: ns, 0 none; FROM, SMTP may be empty
 *   mail ADDRESS                 of the route before it, like
 *   webhook URL|env:NAME|file:PATH
 *   pipeline NAME                one that the route is told of
 *
 * It is in no hash, in no P.conf and not in the database: whom to tell decides no output. */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include "mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct notify_route {
	bool failure, recovery, long_run;
	uint64_t long_ns;
	const char *from, *smtp;            /* "" none: sendmail */
	const char **mail; size_t n_mail, cap_mail;
	const char **webhook; size_t n_webhook, cap_webhook;
	const char **pipeline; size_t n_pipeline, cap_pipeline;
};

struct notify {
	struct arena arena;
	struct notify_route *route; size_t n, cap;
};

#define NOTIFY_INIT { .arena = ARENA_INIT }

void notify_write(struct buf *b, const struct notify *n);
int notify_read(struct notify *n, struct err *err);        /* 1, 0 there is none, -1 */
void notify_release(struct notify *n);

#endif
