/* croncheck.h: is what a spec says of times right: expressions, zones, what becomes of missed ticks. */
#ifndef COMPILER_CRONCHECK_H
#define COMPILER_CRONCHECK_H

#include <stdbool.h>

struct cron;
struct schedule;
struct specset;
struct str;

/* Each tells what is wrong; what is not given is right. */
bool croncheck_expr(struct specset *s, const struct str *expr);
bool croncheck_input(struct specset *s, const struct cron *c);
bool croncheck_schedule(struct specset *s, const struct schedule *h);

#endif
