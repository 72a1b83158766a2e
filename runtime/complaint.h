/* complaint.h: what is wrong with the files of a scan, all of it at once: the first ten are told, the rest counted. */
#ifndef RUNTIME_COMPLAINT_H
#define RUNTIME_COMPLAINT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct complaints {
	pthread_mutex_t lock;
	char **v;
	size_t n, cap;
};

#define COMPLAINTS_INIT { PTHREAD_MUTEX_INITIALIZER, 0, 0, 0 }

/* May be called by several threads. */
void complain(struct complaints *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Say them, sorted, each with what was being done before it, and forget them.  Returns how many there were. */
size_t complaints_tell(struct complaints *c, const char *what);

void complaints_release(struct complaints *c);

#endif
