/* cronspec.h: is a text a cron expression as Pachyderm takes them? */
#ifndef COMPILER_CRONSPEC_H
#define COMPILER_CRONSPEC_H

#include <stdbool.h>

/* Five fields, or @hourly and its like, @every DURATION, @never.  False: *ret_why says what is wrong with it. */
bool cronspec_check(const char *s, const char **ret_why);

#endif
