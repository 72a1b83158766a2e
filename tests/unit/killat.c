/* killat.c: a run that is killed at its n-th call that changes something on disk:
 *
 *	killat N one|all COMMAND…     at the N-th such call of a dassie program below COMMAND, before it is made, SIGKILL that process, or all of
 *	                              them.  0: none.  Prints how many such calls there were.
 *	killat N copy COMMAND…        when the N-th call of syncfs has been made (0: at once), $KILLAT_COPY is run by sh, while whoever called
 *	                              waits; all are killed $KILLAT_THEN calls later, or at the next syncfs
 *	killat N EIO|ENOSPC|short C…  the n-th such call fails so, or (a write) takes half of what it was given; x86-64 only, else status 77
 *
 * Between two calls that change nothing the disk is the same, so these are all the states that a kill can leave.  seccomp stops
 * just these calls for us (ptrace), so a run is hardly slower than without. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIDS = 4096 };

static pid_t known[PIDS];
static unsigned n_known;

static const int changing[] = {
	SYS_write, SYS_pwrite64, SYS_writev, SYS_ftruncate, SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_renameat2, SYS_renameat, SYS_linkat,
	SYS_unlinkat, SYS_mkdirat, SYS_symlinkat, SYS_fchmod, SYS_fchmodat, SYS_utimensat, SYS_copy_file_range, SYS_sendfile, SYS_exit_group,
	SYS_execve, SYS_flock, SYS_ioctl,
#ifdef SYS_rename
	SYS_rename, SYS_link, SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_symlink, SYS_chmod, SYS_creat, SYS_vfork, SYS_fork,
#endif
};

static void
filter(void)
{
	enum { N = sizeof changing / sizeof *changing };
	struct sock_filter code[N + 8];
	struct sock_fprog prog = { 0, code };
	unsigned n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < N; i++)
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)changing[i], (unsigned char)(N - i + 3), 0);
	/* openat is one if it may make a file. */
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 2);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(125);
}

static bool
is_ours(pid_t pid)
{
	char path[64], name[64] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	if ((f = fopen(path, "re"))) {
		if (!fgets(name, sizeof name, f))
			name[0] = '\0';
		fclose(f);
	}
	return strncmp(name, "dassie", 6) == 0;
}

static void
add(pid_t pid)
{
	for (unsigned i = 0; i < n_known; i++)
		if (known[i] == pid)
			return;
	if (n_known < PIDS)
		known[n_known++] = pid;
}

static void
forget(pid_t pid)
{
	for (unsigned i = 0; i < n_known; i++)
		if (known[i] == pid)
			known[i--] = known[--n_known];
}

static void
kill_all(void)
{
	for (unsigned i = 0; i < n_known; i++)
		kill(known[i], SIGKILL);
}

static void
copy(void)
{
	const char *command = getenv("KILLAT_COPY");
	int status = -1;
	pid_t pid = command ? fork() : -1;

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return;
	fprintf(stderr, "killat: KILLAT_COPY failed\n");
	kill_all();
	exit(125);
}

/* Would a disk make this call fail? */
static bool
touches_disk(long nr)
{
	static const int other[] = { SYS_exit_group, SYS_execve, SYS_flock, SYS_ioctl,
#ifdef SYS_vfork
		SYS_vfork, SYS_fork,
#endif
	};

	for (unsigned i = 0; i < sizeof other / sizeof *other; i++)
		if (nr == other[i])
			return false;
	return nr >= 0;
}

/* Of the call at which it stands. */
static void
spoil(pid_t pid, long nr, const char *how)
{
#ifdef __x86_64__
	struct user_regs_struct r;

	if (!touches_disk(nr) || ptrace(PTRACE_GETREGS, pid, 0, &r) < 0)
		return;
	if (strcmp(how, "short") == 0) {
		if ((nr == SYS_write || nr == SYS_pwrite64) && r.rdx > 1)
			r.rdx /= 2;
	} else {
		r.orig_rax = (unsigned long long)-1;
		r.rax = (unsigned long long)-(long long)(strcmp(how, "EIO") == 0 ? EIO : ENOSPC);
	}
	ptrace(PTRACE_SETREGS, pid, 0, &r);
#else
	(void)pid, (void)nr, (void)how;
#endif
}

static long
number_of(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) < 0)
		return -1;
	return info.op == PTRACE_SYSCALL_INFO_SECCOMP ? (long)info.seccomp.nr : -1;
}

/* What is to be done, and how far it is. */
static const char *how;
static bool killing, copying, done;
static unsigned long at, calls, then;
static pid_t awaited;

/* A call of a dassie program.  false: whoever made it is not to go on. */
static bool
on_call(pid_t pid)
{
	bool sync = copying && number_of(pid) == SYS_syncfs;

	if (copying && done && (sync || --then == 0)) {
		kill_all();
		return false;
	}
	if (copying && sync && ++calls == at) {
		awaited = pid;
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		return false;
	}
	if (copying || ++calls != at || done)
		return true;
	done = true;
	if (!killing)
		spoil(pid, number_of(pid), how);
	else if (strcmp(how, "all") == 0)
		kill_all();
	else
		kill(pid, SIGKILL);
	return !killing;
}

static void
on_stop(pid_t pid, int status)
{
	int event = status >> 16, sig = WSTOPSIG(status);
	bool meant = !event && sig != SIGTRAP && sig != SIGSTOP && sig != (SIGTRAP | 0x80);

	add(pid);
	if (event == PTRACE_EVENT_SECCOMP && is_ours(pid) && !on_call(pid))
		return;
	if (sig == (SIGTRAP | 0x80) && pid == awaited) {
		awaited = 0;
		copy();
		done = true;
	}
	/* A new child stops once with SIGSTOP, events with SIGTRAP: neither is for it. */
	ptrace(PTRACE_CONT, pid, 0, (void *)(long)(meant ? sig : 0));
}

static pid_t
start(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		filter();
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		exit(125);
	add(pid);
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
	    PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD) < 0 || ptrace(PTRACE_CONT, pid, 0, 0) < 0)
		exit(125);
	return pid;
}

int
main(int argc, char **argv)
{
	int status, code = 0;
	pid_t first, pid;

	if (argc < 4) {
		fprintf(stderr, "usage: killat N one|all|copy|EIO|ENOSPC|short COMMAND…\n");
		return 2;
	}
	at = strtoul(argv[1], NULL, 10);
	how = argv[2];
	killing = strcmp(how, "one") == 0 || strcmp(how, "all") == 0;
	copying = strcmp(how, "copy") == 0;
#ifndef __x86_64__
	if (!killing && !copying)
		return 77;
#endif
	then = strtoul(getenv("KILLAT_THEN") ? getenv("KILLAT_THEN") : "1", NULL, 10) + 1;
	if (copying && at == 0) {
		copy();
		done = true;
	}
	first = start(argv + 3);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			on_stop(pid, status);
			continue;
		}
		forget(pid);
		if (pid == first)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	printf("%lu\n", calls);
	return at && killing ? 0 : code;
}
