/* jobserver.h: make's pool of job tokens, seen from a recipe marked with '+'. */
#ifndef RUNTIME_JOBSERVER_H
#define RUNTIME_JOBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jobserver { int r, w; };

#define JOBSERVER_INIT { -1, -1 }

/* By what make says in MAKEFLAGS (NULL: no make).  false: there is none, or this make did not pass it to us. */
bool jobserver_open(struct jobserver *j, const char *makeflags);
void jobserver_close(struct jobserver *j);

/* Put a token into the pool. */
bool jobserver_put(struct jobserver *j);
/* Take one out if there is one now; j->r can be read when there may be. */
bool jobserver_take(struct jobserver *j);

#endif
