/* environ.h: the environment of a datum's command: made from nothing, never inherited. */
#ifndef RUNTIME_ENVIRON_H
#define RUNTIME_ENVIRON_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asuser;
struct plan_datum;
struct plan_head;
struct secrets;
struct view;

struct environ {
	struct buf text;            /* NAME=VALUE, each with its NUL */
	size_t *at, n, cap;         /* where each begins */
	size_t same_text, same_n;   /* what is the same for every datum of the plan */
	char **v; size_t cap_v;
};

#define ENVIRON_INIT { .text = BUF_INIT }

/* What all datums of a plan have: PATH, HOME, USER and LOGNAME passed on (of another user, as, its own); locale, time zone, job,
 * pipeline, project. */
void environ_init(struct environ *e, const struct plan_head *h, const char *project, const struct asuser *as);

/* After that: the variables that are secrets. */
void environ_secrets(struct environ *e, const struct plan_head *h, const struct secrets *s);

/* The whole environment of one datum: in e, legal until the next call. */
char **environ_of(struct environ *e, const struct plan_head *h, const struct plan_datum *d, const struct view *v);

void environ_release(struct environ *e);

#endif
