/* err.h: what went wrong in the world: an errno and a sentence.
 *
 * A function that can fail because of the world takes a `struct err *` last,
 * fills it and returns -1.  Callers add context outwards with err_wrap(); only
 * a main prints.  "Not found" and "already there" are return values, not errors. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ERR_MAX = 2048 };

/* Exit statuses of every program here. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_WORLD = 3 };

struct err {
	int num;             /* errno of the cause, 0 if there was none */
	char text[ERR_MAX];  /* lower case, no full stop, names in quotes */
};

#define ERR_INIT { 0, "" }

/* Say what failed.  A format that ends in ':' gets " strerror(num)" appended
 * (num is remembered either way).  Returns -1. */
int err_set(struct err *e, int num, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "context: " before what is there.  Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Our own fault, never the user's: print where, abort. */
_Noreturn void bug(const char *file, int line, const char *what);
#define BUG(what) bug(__FILE__, __LINE__, what)

#endif
