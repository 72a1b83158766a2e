/* doctor.c: what dassie needs and what it would like to have, each tried rather than looked up: a kernel's version says
 * little about what a container lets through. Tried in the state folder, or here where there is none. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/talk.h"
#include "capture.h"
#include "memory.h"
#include "pfs.h"
#include "ready.h"
#include "show.h"
#include "state.h"
#include "usertab.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie doctor [--json]\n\n"
    "Tries what dassie needs, and what it can use, on this machine and in this folder. A line each: ok, missing (and for\n"
    "what it would be) or NEEDED. Exit status 0: nothing that is needed is missing, else 3.\n";

struct doctor {
	bool json, ill;
	char dir[LAYOUT_MAX];           /* where files are tried */
	struct buf out;
};

enum verdict { OK, MISSING, NEEDED };

static void tell(struct doctor *d, const char *what, enum verdict v, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
tell(struct doctor *d, const char *what, enum verdict v, const char *fmt, ...)
{
	static const char *const word[] = { "ok", "missing", "NEEDED" };
	static const enum show_color color[] = { SHOW_GREEN, SHOW_YELLOW, SHOW_RED };
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	d->ill |= v == NEEDED;
	if (d->json) {
		json_open(&d->out, NULL, '{');
		json_str(&d->out, "what", what);
		json_str(&d->out, "state", v == NEEDED ? "needed" : word[v]);
		json_str(&d->out, "text", text);
		json_close(&d->out, '}');
		buf_byte(&d->out, '\n');
		return;
	}
	buf_fmt(&d->out, "%s%-8s%s %-14s ", show_color(color[v]), word[v], show_color(SHOW_PLAIN), what);
	show_name(&d->out, text);
	buf_byte(&d->out, '\n');
}

/* The first line that the program prints, "" if it cannot be run. */
static void
first_line(const char *const argv[], char *ret, size_t size)
{
	struct buf b = BUF_INIT;
	struct err ignored = ERR_INIT;

	ret[0] = '\0';
	if (capture(argv, &b, 4096, &ignored) == 0 && b.n)
		snprintf(ret, size, "%.*s", (int)strcspn(b.s, "\n"), b.s);
	buf_release(&b);
}

static void
check_make(struct doctor *d)
{
	char line[256], *end;
	long major, minor = 0;

	first_line((const char *const[]){ "make", "--version", NULL }, line, sizeof line);
	if (strncmp(line, "GNU Make ", 9)) {
		tell(d, "make", NEEDED, "%s: GNU make from 4.3 on runs everything", line[0] ? "this is not GNU make" : "not found");
		return;
	}
	major = strtol(line + 9, &end, 10);
	if (*end == '.')
		minor = strtol(end + 1, NULL, 10);
	if (major < 4 || (major == 4 && minor < 3))
		tell(d, "make", NEEDED, "%s is too old: 4.3 is the first with grouped targets", line);
	else
		tell(d, "make", OK, "%s", line);
}

static void
check_helpers(struct doctor *d)
{
	static const char *const helper[] = { "dassie-compile", "dassie-datum" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof helper / sizeof *helper; i++) {
		state_helper(helper[i], path, sizeof path);
		if (access(path, X_OK) == 0)
			tell(d, helper[i], OK, "%s", path);
		else
			tell(d, helper[i], NEEDED, "'%s' cannot be run: is dassie installed whole?", path);
	}
	if (access("/bin/sh", X_OK) == 0)
		tell(d, "shell", OK, "/bin/sh");
	else
		tell(d, "shell", NEEDED, "there is no /bin/sh, which runs every step");
}

static void
check_memory(struct doctor *d)
{
	struct memory m = MEMORY_INIT;

	memory_find(&m);
	if (m.how == MEMORY_RLIMIT)
		tell(d, "memory limits", OK, "held by rlimit for each process and by looking at their sum: no cgroup is delegated to us");
	else
		tell(d, "memory limits", OK, "held by %s, in '%s'", memory_word(&m), m.base);
}

/* pfs_possible() tries it in the current directory's state folder; without one in a folder made for it. */
static void
check_pfs(struct doctor *d)
{
	char name[] = "/tmp/dassie-doctor.XXXXXX", *here = getcwd(NULL, 0), *there;
	struct err err = ERR_INIT;
	bool made = access(DIR_WORK, W_OK) < 0, possible = false;

	if (!here || (made && (!mkdtemp(name) || chdir(name) < 0 || fs_mkdirs(DIR_WORK, &err) < 0))) {
		tell(d, "/pfs", MISSING, "cannot be tried: %s", strerror(errno));
		free(here);
		return;
	}
	there = getcwd(NULL, 0);
	possible = there && pfs_possible(there);
	if (made && chdir(here) == 0)
		fs_remove_tree(name, &err);
	free(there);
	free(here);
	if (possible)
		tell(d, "/pfs", OK, "commands see their inputs below /pfs, the same path everywhere");
	else
		tell(d, "/pfs", MISSING, "no namespaces for users here (kernel.unprivileged_userns_clone, AppArmor, a container?): commands see "
		    "their inputs below " DIR_WORK ", and paths in outputs differ between projects");
}

static const char *
fs_name(long type, bool *ret_network)
{
	static const struct { unsigned long type; const char *name; bool network; } fs[] = {
		{ 0xef53, "ext4", false }, { 0x58465342, "xfs", false }, { 0x9123683e, "btrfs", false }, { 0x2fc12fc1, "zfs", false },
		{ 0x01021994, "tmpfs", false }, { 0x794c7630, "overlayfs", false }, { 0xf2f52010, "f2fs", false },
		{ 0x6969, "NFS", true }, { 0xff534d42, "CIFS", true }, { 0xfe534d42, "SMB", true }, { 0x01021997, "9p", true },
		{ 0x65735546, "FUSE", true }, { 0x00c36400, "CephFS", true }, { 0x0bd00bd0, "Lustre", true },
	};

	*ret_network = false;
	for (size_t i = 0; i < sizeof fs / sizeof *fs; i++)
		if (fs[i].type == ((unsigned long)type & 0xffffffff)) {
			*ret_network = fs[i].network;
			return fs[i].name;
		}
	return "an unknown file system";
}

static void
check_fs(struct doctor *d)
{
	struct statfs fs;
	struct buf b = BUF_INIT;
	bool network;

	if (statfs(d->dir, &fs) < 0) {
		tell(d, "disk", NEEDED, "'%s' cannot be looked at: %s", d->dir, strerror(errno));
		return;
	}
	const char *name = fs_name((long)fs.f_type, &network);
	show_size(&b, (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize);
	tell(d, "disk", network ? MISSING : OK, "%s, %s free%s", name, b.s,
	    network ? ": a local one for the project's folder; a network's locks and times may not keep" : "");
	buf_release(&b);
}

static int
open_trial(struct doctor *d, const char *name, char ret[LAYOUT_MAX])
{
	snprintf(ret, LAYOUT_MAX, "%.200s/.doctor.%ld.%s", d->dir, (long)getpid(), name);
	return open(ret, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void
check_clone(struct doctor *d, int from, int to)
{
	if (ioctl(to, FICLONE, from) == 0)
		tell(d, "reflinks", OK, "out/ costs no space");
	else
		tell(d, "reflinks", MISSING, "out/ is a copy of the newest outputs (btrfs, xfs and zfs share the bytes)");
}

static void
check_times(struct doctor *d, int fd)
{
	const struct timespec want[2] = { { 1700000000, 123456789 }, { 1700000000, 123456789 } };
	struct stat st;
	uint64_t now = time_now_ns(), then;

	if (fstat(fd, &st) < 0)
		return;
	then = fs_mtime_ns(&st);
	uint64_t off = now > then ? now - then : then - now;
	if (now / 1000000000 < 1700000000)
		tell(d, "clock", MISSING, "a date: this machine's clock was never set, and times in the history will say so");
	else if (off > 2000000000)
		tell(d, "clock", MISSING, "agreement: the disk's clock and this machine's are %llu s apart", (unsigned long long)(off / 1000000000));
	else
		tell(d, "clock", OK, "the disk's and this machine's agree");
	if (futimens(fd, want) < 0 || fstat(fd, &st) < 0 || st.st_mtim.tv_sec != want[0].tv_sec)
		tell(d, "timestamps", NEEDED, "files here do not keep the time that they are given: make could not tell what is new");
	else if (st.st_mtim.tv_nsec != want[0].tv_nsec)
		tell(d, "timestamps", OK, "kept, but rounded");
	else
		tell(d, "timestamps", OK, "kept to the nanosecond");
}

static void
check_files(struct doctor *d)
{
	char a[LAYOUT_MAX], b[LAYOUT_MAX];
	int from = open_trial(d, "a", a), to = open_trial(d, "b", b);

	if (from < 0 || to < 0) {
		tell(d, "writing", NEEDED, "'%s' cannot be written to: %s", d->dir, strerror(errno));
	} else if (write(from, "x", 1) == 1) {
		check_clone(d, from, to);
		check_times(d, from);
	} else {
		tell(d, "writing", NEEDED, "cannot write in '%s': %s", d->dir, strerror(errno));
	}
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	unlink(a);
	unlink(b);
}

static bool
in_path(const char *program, char ret[PATH_MAX])
{
	const char *path = getenv("PATH");

	for (const char *s = path ? path : "/usr/bin:/bin"; s; s = strchr(s, ':'), s = s ? s + 1 : NULL) {
		int n = (int)strcspn(s, ":");

		if (n > 0 && snprintf(ret, PATH_MAX, "%.*s/%s", n, s, program) < PATH_MAX && access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

static void
check_programs(struct doctor *d)
{
	static const struct { const char *program, *use; } tool[] = {
		{ "git", "to record which commit of the code ran, and what was not committed" },
		{ "diff", "to show in 'dassie why' how a step changed" },
		{ "dot", "for 'dassie graph --svg' (graphviz)" },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof tool / sizeof *tool; i++)
		if (in_path(tool[i].program, path))
			tell(d, tool[i].program, OK, "%s", path);
		else
			tell(d, tool[i].program, MISSING, "%s", tool[i].use);
}

static void
check_cron(struct doctor *d)
{
	static const char without[] = "'dassie cron install --systemd', or 'dassie cron fire' every minute by anything else";
	struct buf tab = BUF_INIT;
	struct err err = ERR_INIT;
	char name[32];
	int rc = usertab_read(&tab, &err);

	if (rc == -2)
		tell(d, "crontab", MISSING, "no crontab, which schedules are fired by: install cron; or %s", without);
	else if (rc < 0)
		tell(d, "crontab", MISSING, "%s", err.text);
	else if (usertab_daemon(name) == DAEMON_NONE)
		tell(d, "crontab", MISSING, "a running cron daemon, so no schedule fires: %s; or %s", usertab_start(), without);
	else
		tell(d, "crontab", OK, "crontab can be used%s", usertab_daemon(name) == DAEMON_RUNS ? ", and cron runs" : "");
	buf_release(&tab);
}

/* What the pipelines here need of their own: secrets, users. */
static void
check_pipelines(struct doctor *d)
{
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	char path[PATH_MAX];
	size_t secrets = 0;

	if (index_read(&x, &err) != 1)
		return;
	if (index_runtime(&x) && in_path(index_runtime(&x), path))
		tell(d, "images", OK, "%s", path);
	else if (index_runtime(&x))
		tell(d, "images", NEEDED, "no '%s', which these specs were compiled for: install it, or compile with --runtime=host", index_runtime(&x));
	for (size_t i = 0; i < x.n_pipeline; i++) {
		struct conf c = CONF_INIT;

		err = (struct err)ERR_INIT;
		if (conf_read(&c, x.pipeline[i].name, &err) < 0)
			continue;
		if (ready_check(&c, &err) < 0)
			tell(d, x.pipeline[i].name, NEEDED, "%.*s", (int)strcspn(err.text, "\n"), err.text);
		else
			secrets += c.secrets.n;
		conf_release(&c);
	}
	if (secrets)
		tell(d, "secrets", OK, "%zu found, and closed to others", secrets);
	index_release(&x);
}

int
verb_doctor(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct doctor d = { .dir = "." };
	struct err none = ERR_INIT;
	bool here = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j')
			return show_usage(usage, c == 'h');
		d.json = true;
	}
	if (optind != argc)
		return show_usage(usage, false);
	here = state_find(NULL, &none) == 0;
	if (here)
		snprintf(d.dir, sizeof d.dir, "%s", DIR_STATE);
	else if (access(DIR_STATE, F_OK) == 0)
		tell(&d, "state", NEEDED, "%s", none.text);
	check_make(&d);
	check_helpers(&d);
	check_pfs(&d);
	check_memory(&d);
	check_fs(&d);
	check_files(&d);
	check_programs(&d);
	check_cron(&d);
	if (here)
		check_pipelines(&d);
	return show_out(&d.out, d.ill ? EXIT_WORLD : EXIT_DONE);
}
