/* memory.h: what all processes of an attempt may use together, held by the kernel. */
#ifndef RUNTIME_MEMORY_H
#define RUNTIME_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum { MEMORY_PATH = 4096 };

enum memory_how { MEMORY_UNKNOWN, MEMORY_CGROUP2, MEMORY_CGROUP1, MEMORY_RLIMIT };

struct memory {
	enum memory_how how;
	char base[MEMORY_PATH];        /* the cgroup in which one a process of ours is made */
	uint64_t limit;             /* of the attempt under way, bytes; 0: none */
	char group[MEMORY_PATH + 64];  /* its cgroup, "" if it has none */
	int procs;                  /* what puts a process into it; -1 */
	uint64_t look, pause;       /* when to look at the sum again, by exec_clock; 0: never */
	bool over;                  /* it used more and was ended */
};

#define MEMORY_INIT { .procs = -1 }

/* How limits can be held here: the environment says it (DASSIE_CGROUP: a folder of the cgroup file system that is ours, "none" to do
 * without), or it is found out.  setting what is found into the environment is the stage's, so that each runner need not look. */
void memory_find(struct memory *m);
void memory_export(const struct memory *m);
const char *memory_word(const struct memory *m);        /* "cgroup v2", "cgroup v1", "rlimit" */

/* Before an attempt that may use so much (0: any amount).  Where no cgroup can be made it goes on with rlimit. */
void memory_begin(struct memory *m, uint64_t limit, uint64_t now);

/* In the child that is to become the command: system calls only.  0 or -1 with errno. */
int memory_enter(const struct memory *m);

/* At m->look: are these processes to be ended, since they use more than they may?  For limits that the kernel does not hold for all of
 * them together. */
bool memory_over(struct memory *m, const pid_t *v, size_t n, uint64_t now);

/* When all of it is gone: m->over says whether it ran out of memory, as far as the kernel tells. */
void memory_end(struct memory *m);

/* Remove what killed runners left. */
void memory_sweep(const struct memory *m);

#endif
