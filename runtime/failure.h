/* failure.h: why an attempt did not succeed, and what a person is told of it. */
#ifndef RUNTIME_FAILURE_H
#define RUNTIME_FAILURE_H

#include "../base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt;
struct plan_datum;
struct plan_head;
struct result;

/* The classes: words of the database and of `datums --json`, never renamed. */
#define CLASS_EXIT "exit status"
#define CLASS_SIGNAL "signal"
#define CLASS_TIMEOUT "timeout"
#define CLASS_TEMPORARY "temporary"
#define CLASS_NETWORK "network"
#define CLASS_MEMORY "out of memory"
#define CLASS_NOT_FOUND "command not found"
#define CLASS_NOT_EXECUTABLE "not executable"
#define CLASS_INPUT_CHANGED "input changed"
#define CLASS_CODE_CHANGED "code changed"
#define CLASS_INPUT_WRITTEN "wrote to its input"
#define CLASS_OUTPUT "bad output"

/* The datum's own failure, as opposed to struct err, the world's. */
struct fault {
	const char *class;      /* one of the above, "" if there is none */
	char text[ERR_MAX];     /* a sentence: lower case, no full stop */
};

#define FAULT_INIT { "", "" }

/* Returns 1, which is what functions return whose datum failed. */
int fault_set(struct fault *f, const char *class, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "90s", "2m", "200ms": as a spec writes it. */
const char *failure_duration(char ret[32], uint64_t ns);

/* "2G", "1.5G", "200M": as a spec writes it, in powers of ten. */
const char *failure_size(char ret[32], uint64_t bytes);

/* The class of this name as a constant; "" if there is none. */
const char *failure_class(const char *name);

/* How a command ended that nobody interrupted: 0 if its exit status is 0 or accepted, else 1 and the fault. */
int fault_of_end(struct fault *f, const struct attempt *a, const int *accept, size_t n_accept);

/* "attempt 1 of 3: exit status 2; again in 0.7 s" */
void failure_tell_again(const struct plan_head *h, const struct plan_datum *d, const struct fault *f, unsigned number, uint64_t wait);

/* One line when the last attempt has failed. */
void failure_tell(const struct plan_head *h, const struct plan_datum *d, const struct fault *f, unsigned attempts, bool recovered);

/* All of a failure, in one write: the datum, why, the last lines of its log, where the log is, how to run it alone. */
void failure_show(const struct result *r);

/* "SIGSEGV"; "signal 40" for one without a name. */
const char *failure_signal_name(int sig);

#endif
