/* exec.c: starting and ending a command.
 *
 * Signals are blocked for good and taken with sigtimedwait, so there is no handler and no moment at which one is lost:
 * the wait ends by SIGCHLD or by a signal for us.  The command is started by vfork (no page tables are copied) in a
 * group of its own; it dies with us (PDEATHSIG).  As subreaper we inherit what it leaves behind, also from
 * other sessions, and kill it, so that nothing writes to an output that is being collected, or to the next datum's.
 *
 * A command that takes longer than it may gets SIGTERM, and so does every process below it, wherever it has moved; when
 * the grace is over they get SIGKILL.  Those that outlive the command use the rest of that grace, too.
 *
 * Where something is not to be in the log (its secrets), the command writes into a pipe, and it is we who write the log, at
 * once and masked: whoever is killed whenever, nothing else has ever been in a file. */
#include "exec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "asuser.h"
#include "mask.h"
#include "memory.h"
#include "result.h"

enum { GRACE_S = 2, LATE_GRACE_S = 5 };

static const uint64_t SECOND = 1000000000;

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static sigset_t awaited;      /* those of `ending` that were not ignored when we were started, and SIGCHLD */

static int
open_standard(struct err *err)
{
	int fd = open("/dev/null", O_RDWR);

	while (fd >= 0 && fd < STDERR_FILENO)
		fd = dup(fd);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		return err_set(err, errno, "cannot open '/dev/null':");
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

/* The pipeline's lock and make's job pipes stay with us, not with the command. */
static void
close_on_exec(void)
{
	DIR *d;
	struct dirent *e;

	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	if (!(d = opendir("/proc/self/fd")))
		return;
	while ((e = readdir(d))) {
		int fd = (int)strtol(e->d_name, NULL, 10);

		if (fd > STDERR_FILENO)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	closedir(d);
}

int
exec_init(struct err *err)
{
	struct sigaction now, dfl = { .sa_handler = SIG_DFL };
	sigset_t block;

	if (open_standard(err) < 0)
		return -1;
	close_on_exec();
	umask(022);
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
		if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&awaited, ending[i]);
	block = awaited;
	/* Blocked and never awaited is ignored, for us; the command gets the default. */
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
		sigaddset(&block, ending[i]);
	sigaddset(&block, SIGPIPE);
	sigprocmask(SIG_SETMASK, &block, NULL);
	/* What we were told to ignore, the command is not. */
	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaction(sig, &dfl, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return 0;
}

/* In the child, which shares our memory: system calls only. */
static _Noreturn void
child(const struct command *c, int log, const struct memory *m, pid_t parent, volatile int *ret_errno)
{
	sigset_t none;

	sigemptyset(&none);
	/* Another user forgets the signal of the parent's death. */
	if (setpgid(0, 0) == 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0 && memory_enter(m) == 0 &&
	    asuser_become(c->as) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0)
		execve(c->argv[0], (char *const *)c->argv, c->envp);
	*ret_errno = errno;
	_exit(127);
}

static pid_t
start(const struct command *c, int log, const struct memory *m, struct err *err)
{
	volatile int failed = 0;
	pid_t parent = getpid(), pid = vfork();

	if (pid == 0)
		child(c, log, m, parent, &failed);
	if (pid < 0)
		return err_set(err, errno, "cannot start '%s':", c->argv[0]);
	if (failed) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return err_set(err, failed, "cannot start '%s':", c->argv[0]);
	}
	return pid;
}

/* Without reaping it: its pid, and so its group's id, stays its own until the group is killed. */
static bool
has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

struct pids { pid_t *v; size_t n, cap; };

/* The children of one thread. */
static void
add_children(struct pids *p, const char *pid, const char *task)
{
	char path[96], word[32];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/children", pid, task);
	if (!(f = fopen(path, "re")))
		return;
	while (fscanf(f, "%31s", word) == 1) {
		GROW(p->v, p->n, p->cap);
		p->v[p->n++] = (pid_t)strtol(word, NULL, 10);
	}
	fclose(f);
}

static void
own_children(struct pids *p)
{
	char self[24];

	snprintf(self, sizeof self, "%ld", (long)getpid());
	p->n = 0;
	add_children(p, self, self);
}

/* Everything below us, as far as it holds still. */
static void
add_tree(struct pids *p)
{
	char path[64], pid[24];
	struct dirent *e;

	own_children(p);
	for (size_t i = 0; i < p->n && i < 100000; i++) {
		DIR *d;

		snprintf(pid, sizeof pid, "%ld", (long)p->v[i]);
		snprintf(path, sizeof path, "/proc/%s/task", pid);
		if (!(d = opendir(path)))
			continue;
		while ((e = readdir(d)))
			if (e->d_name[0] != '.')
				add_children(p, pid, e->d_name);
		closedir(d);
	}
}

/* The command's group in one go, and what has left it. */
static void
signal_all(pid_t group, int sig)
{
	struct pids p = { 0 };

	add_tree(&p);
	kill(-group, sig);
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i] > 1 && getpgid(p.v[i]) != group)
			kill(p.v[i], sig);
	free(p.v);
}

static bool
kill_children(void)
{
	struct pids p = { 0 };
	bool any = false;

	own_children(&p);
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i] > 1 && kill(p.v[i], SIGKILL) == 0)
			any = true;
	free(p.v);
	return any;
}

/* Does anything but the command itself live that has come to us? */
static bool
others_live(pid_t pid)
{
	struct pids p = { 0 };
	bool any = false;

	own_children(&p);
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i] != pid && waitpid(p.v[i], NULL, WNOHANG) == 0)
			any = true;
	free(p.v);
	return any;
}

uint64_t
exec_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* The next signal; 0 when this moment has come first (0: it never comes). */
static int
next_signal(uint64_t until)
{
	uint64_t now = until ? exec_clock() : 0, left = until > now ? until - now : 0;
	struct timespec t = { (time_t)(left / SECOND), (long)(left % SECOND) };
	int sig = sigtimedwait(&awaited, NULL, until ? &t : NULL);

	return sig > 0 ? sig : until && errno == EAGAIN ? 0 : SIGCHLD;
}

/* What the command prints, on its way to the log. */
struct pump {
	struct mask *mask;          /* NULL: there is none, and no pipe */
	int pipe, log, signals;     /* pipe: -1 when its end was reached */
	struct buf out;
	int error;                  /* the log could not be written; the rest is read and forgotten */
};

static int
pump_open(struct pump *p, const struct command *c, int *ret_log, struct err *err)
{
	int pair[2];

	*p = (struct pump){ .mask = c->mask, .pipe = -1, .log = c->log, .signals = -1 };
	*ret_log = c->log;
	if (!c->mask)
		return 0;
	p->signals = signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0 || pipe2(pair, O_CLOEXEC) < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "cannot make a pipe:");
	p->pipe = pair[0];
	*ret_log = pair[1];
	return 0;
}

static void
pump_out(struct pump *p)
{
	struct err err = ERR_INIT;

	if (!p->error && fs_write_all(p->log, p->out.s, p->out.n, &err) < 0)
		p->error = err.num ? err.num : EIO;
	buf_reset(&p->out);
}

/* Some of what is in the pipe.  Is there more? */
static bool
pump_move(struct pump *p)
{
	char piece[65536];
	ssize_t n = p->pipe < 0 ? -1 : read(p->pipe, piece, sizeof piece);

	if (n > 0) {
		mask_feed(p->mask, piece, (size_t)n, &p->out);
		pump_out(p);
	} else if (n == 0) {
		close(p->pipe);
		p->pipe = -1;
	}
	return n > 0;
}

/* The command and all that was below it are gone. */
static int
pump_close(struct pump *p, struct err *err)
{
	if (p->mask) {
		while (pump_move(p))
			;
		mask_end(p->mask, &p->out);
		pump_out(p);
		if (p->pipe >= 0)
			close(p->pipe);
		close(p->signals);
	}
	buf_release(&p->out);
	return p->error ? err_set(err, p->error, "cannot write the log:") : 0;
}

/* next_signal, and what is printed meanwhile goes on its way. */
static int
next_event(struct pump *p, uint64_t until)
{
	struct pollfd on[] = { { .fd = p->signals, .events = POLLIN }, { .fd = p->pipe, .events = POLLIN } };

	while (on[1].fd >= 0) {
		uint64_t now = exec_clock(), left = until > now ? (until - now) / 1000000 + 1 : 0;

		if ((until && !left) || poll(on, 2, !until ? -1 : left > INT_MAX ? INT_MAX : (int)left) <= 0 || on[0].revents)
			break;
		pump_move(p);
		on[1].fd = p->pipe;
	}
	return next_signal(until);
}

static bool
uses_too_much(struct memory *m)
{
	struct pids p = { 0 };
	bool over;

	add_tree(&p);
	over = memory_over(m, p.v, p.n, exec_clock());
	free(p.v);
	return over;
}

/* Until the command has ended.  The first signal for us goes on to its group, a second one or the end of
 * the grace kills it.  Returns that first signal. */
static int
await(pid_t pid, uint64_t timeout, struct memory *m, struct pump *pump, bool *ret_late)
{
	uint64_t until = timeout ? exec_clock() + timeout : 0;
	bool late = false;
	int caught = 0;

	for (;;) {
		bool look = m->look && (!until || m->look < until);
		int sig = next_event(pump, look ? m->look : until);

		if (sig == 0 && look) {
			if (uses_too_much(m))
				signal_all(pid, SIGKILL);
		} else if (sig == SIGCHLD) {
			if (has_ended(pid) && (!late || !others_live(pid)))
				break;
		} else if (sig > 0 && !caught) {
			caught = sig;
			until = exec_clock() + GRACE_S * SECOND;
			kill(-pid, sig);
			kill(-pid, SIGCONT);
		} else if (sig == 0 && !caught && !late) {
			late = true;
			until = exec_clock() + LATE_GRACE_S * SECOND;
			signal_all(pid, SIGTERM);
			signal_all(pid, SIGCONT);
		} else {
			signal_all(pid, SIGKILL);
			if (has_ended(pid))
				break;
			until = exec_clock() + GRACE_S * SECOND;
		}
	}
	*ret_late = late;
	return caught;
}

/* Until nothing else lives, this moment, or a signal for us, which is returned. */
static int
linger(pid_t pid, uint64_t until, struct pump *pump)
{
	int sig = 0;

	while (others_live(pid) && exec_clock() < until && (sig == 0 || sig == SIGCHLD)) {
		uint64_t soon = exec_clock() + SECOND / 20;

		sig = next_event(pump, soon < until ? soon : until);
	}
	return sig == SIGCHLD ? 0 : sig;
}

/* What the command left behind is ours by now; each that dies may leave us its own children. */
static void
reap_leftovers(pid_t group)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid > 0 || (pid < 0 && errno == EINTR))
			continue;
		if (pid < 0)
			return;
		if (kill_children()) {
			waitpid(-1, NULL, 0);
		} else {
			while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
				;
			return;
		}
	}
}

static uint64_t
microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

int
exec_run(const struct command *c, struct memory *m, struct attempt *a, struct err *err)
{
	struct rusage use = { 0 };
	int status = 0, caught, log;
	struct pump pump;
	pid_t pid;

	a->started = time_now_ns();
	pid = pump_open(&pump, c, &log, err) < 0 ? -1 : start(c, log, m, err);
	if (pump.mask && log != c->log)
		close(log);
	if (pid < 0) {
		pump_close(&pump, &(struct err)ERR_INIT);
		memory_end(m);
		return -1;
	}
	caught = await(pid, c->timeout, m, &pump, &a->late);
	if (c->linger && !caught && !a->late)
		caught = linger(pid, exec_clock() + c->linger, &pump);
	kill(-pid, SIGKILL);
	while (wait4(pid, &status, 0, &use) < 0 && errno == EINTR)
		;
	a->ended = time_now_ns();
	reap_leftovers(pid);
	memory_end(m);
	a->memory = m->limit;
	a->memory_by = memory_word(m);
	a->oom = m->over;
	a->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	a->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	a->utime_us = microseconds(&use.ru_utime);
	a->stime_us = microseconds(&use.ru_stime);
	a->maxrss_kb = (uint64_t)use.ru_maxrss;
	if (pump_close(&pump, err) < 0 && caught == 0)
		return -1;
	return caught;
}

int
exec_pending(void)
{
	sigset_t now;

	if (sigpending(&now) < 0)
		return 0;
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
		if (sigismember(&now, ending[i]) == 1 && sigismember(&awaited, ending[i]) == 1)
			return ending[i];
	return 0;
}

int
exec_wait(int fd, uint64_t until)
{
	int sigs = signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK), rc = 0;
	struct pollfd p[] = { { .fd = sigs, .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	struct signalfd_siginfo info = { 0 };

	for (uint64_t now = exec_clock(); rc == 0 && now < until; now = exec_clock()) {
		uint64_t ms = (until - now) / 1000000 + 1;
		int n = poll(p, 2, ms > INT_MAX ? INT_MAX : (int)ms);

		while (rc == 0 && read(sigs, &info, sizeof info) == (ssize_t)sizeof info)
			if (info.ssi_signo != SIGCHLD)
				rc = (int)info.ssi_signo;
		if (rc == 0 && n > 0 && p[1].revents)
			rc = -1;
	}
	if (sigs >= 0)
		close(sigs);
	return rc;
}

_Noreturn void
exec_die(int sig)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t one;

	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + sig);
}

static bool
has_entry(const char *env, size_t n, const char *entry)
{
	size_t len = strlen(entry) + 1;

	for (const char *s = env, *end = env + n; s < end;) {
		const char *nul = memchr(s, '\0', (size_t)(end - s));
		size_t k = nul ? (size_t)(nul - s) + 1 : (size_t)(end - s);

		if (k == len && memcmp(s, entry, len) == 0)
			return true;
		s += k;
	}
	return false;
}

static bool
read_environment(const char *pid, struct buf *b)
{
	char path[64];
	ssize_t n;
	int fd;

	buf_reset(b);
	snprintf(path, sizeof path, "/proc/%.20s/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	do {
		buf_reserve(b, 65536);
		n = read(fd, b->s + b->n, 65535);
		if (n > 0)
			b->n += (size_t)n;
	} while (n > 0);
	close(fd);
	return b->n > 0;
}

/* Through a pidfd, so that it is the process whose environment was read. */
static bool
kill_if(const char *name, const char *one, const char *two, struct buf *b)
{
	pid_t pid = (pid_t)strtol(name, NULL, 10);
	bool killed = false;
	int fd;

	if (pid <= 1 || pid == getpid())
		return false;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return false;
	if (read_environment(name, b) && has_entry(b->s, b->n, one) && has_entry(b->s, b->n, two))
		killed = syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	close(fd);
	return killed;
}

/* Again until none is found: a dying process has no environment any more, one just forked is seen the next time. */
void
exec_kill_orphans(const char *one, const char *two)
{
	struct timespec moment = { 0, 1000000 };
	struct buf b = BUF_INIT;
	bool any = true;

	for (int round = 0; any && round < 1000; round++) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		any = false;
		while (d && (e = readdir(d)))
			any |= kill_if(e->d_name, one, two, &b);
		if (d)
			closedir(d);
		if (any)
			nanosleep(&moment, NULL);
	}
	buf_release(&b);
}
