/* alerts.h: the spec's `notify`: whom to tell of failures, recoveries and long runs. */
#ifndef COMPILER_ALERTS_H
#define COMPILER_ALERTS_H

#include <stdbool.h>

struct notify;
struct notify_form;
struct specset;

/* Addresses, words and secrets as they have to be. */
bool alerts_check(struct specset *s, const struct notify_form *f);

/* Pipelines by whom their alerts go to: those without a `notify` of their own have the set's.  ret->n is 0 if nobody is to be
 * told; texts are the set's. */
void alerts_make(const struct specset *s, struct notify *ret);

#endif
