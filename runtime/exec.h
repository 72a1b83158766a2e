/* exec.h: one command, from its start until the last process of it is gone. */
#ifndef RUNTIME_EXEC_H
#define RUNTIME_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asuser;
struct attempt;
struct err;
struct mask;
struct memory;

/* Once, at the start of the process, which has one thread: descriptors 0-2 exist, the others do not pass an exec,
 * signals that end us are held back until exec_run or exec_pending looks at them, the umask is 022. */
int exec_init(struct err *err);

struct command {
	const char *const *argv;
	char *const *envp;
	int log;                    /* for its stdout and stderr */
	uint64_t timeout;           /* ns, 0: none */
	struct mask *mask;          /* what is not to be in the log; NULL: nothing, it writes there itself */
	const struct asuser *as;    /* whom it runs as; NULL: us */
	uint64_t linger;            /* ns that what it leaves behind may take to end by itself */
};

/* Run it in a process group of its own, stdin /dev/null, and fill times, end and usage of a.
 * m holds its memory (after memory_begin).  When it has ended, what it left behind is killed and gone.  When its timeout is over, the command and all
 * below it are ended and a is marked as late.
 * 0 it ended by itself; >0 this signal was sent to us (and passed on to it): clean up and call exec_die; -1 it could not be started. */
int exec_run(const struct command *c, struct memory *m, struct attempt *a, struct err *err);

/* The signal that was sent to us and not yet honoured, 0 if none. */
int exec_pending(void);

/* A clock that only goes forward, ns. */
uint64_t exec_clock(void);

/* Wait until that moment of the clock, for a signal to us, or until fd (-1: none) can be read.
 * 0 the moment has come; >0 the signal; -1 fd. */
int exec_wait(int fd, uint64_t until);

/* End by this signal, as if nothing had held it back. */
_Noreturn void exec_die(int sig);

/* Kill every process with the environment entry (NAME=VALUE) one and two: what a killed runner's command left behind. */
void exec_kill_orphans(const char *one, const char *two);

#endif
