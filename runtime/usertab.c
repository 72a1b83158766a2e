/* usertab.c: crontab(1) has no lock and no compare-and-swap: read, edit, read again, and only if that is still the same,
 * write; then read back. What stays is the time between the second reading and the writing. Two of dassie's own wait for
 * each other by a lock on the user's home folder, which needs no file of its own. */
#include "usertab.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "crontab.h"
#include "tool.h"

enum { TRIES = 8, LOCK_TRIES = 500 };

#define OTHERWISE "'dassie cron install --systemd' needs no crontab, and 'dassie cron fire' every minute by anything else does the same"

/* Vixie's and cronie's words, and busybox's. */
static bool
says_none(const struct buf *said)
{
	return said->n && (strstr(said->s, "no crontab for ") || (strstr(said->s, "can't open '") &&
	    strstr(said->s, "No such file or directory")));
}

static int
failed(const char *what, const struct buf *said, int status, struct err *err)
{
	struct buf b = BUF_INIT;
	const char *out = "";

	tool_said(&b, said);
	if (said->n && strstr(said->s, "not allowed"))
		out = ": root lets a user in by /etc/cron.allow or by taking it out of /etc/cron.deny; " OTHERWISE;
	else if (said->n && (strstr(said->s, "Read-only") || strstr(said->s, "Permission denied")))
		out = ": is the folder of the crontabs writable here? " OTHERWISE;
	if (b.n)
		err_set(err, 0, "%s: crontab says '%s'%s", what, b.s, out);
	else
		err_set(err, 0, "%s: crontab ended with status %d and no word", what, status);
	buf_release(&b);
	return -1;
}

static int
no_program(struct err *err)
{
	err_set(err, 0, "there is no 'crontab' on this machine: install cron (apt-get install cron, dnf install cronie, apk add "
	    "cronie); " OTHERWISE);
	return -2;
}

int
usertab_read(struct buf *ret, struct err *err)
{
	struct buf said = BUF_INIT;
	size_t at = ret->n;
	int rc = tool_run((const char *const[]){ "crontab", "-l", NULL }, NULL, 0, ret, &said, err);

	if (rc == 0) {
		rc = 1;
	} else if (rc == -2) {
		rc = no_program(err);
	} else if (rc > 0 && ret->n == at && says_none(&said)) {
		rc = 0;
	} else if (rc > 0) {
		rc = failed("cannot read the crontab", &said, rc, err);
	}
	buf_release(&said);
	return rc;
}

/* Debian's crontab takes no text whose last line has no end; where cron reads such a file nonetheless, it stays so. */
static int
write_text(const struct buf *text, struct err *err)
{
	static const char *const argv[] = { "crontab", "-", NULL };
	struct buf out = BUF_INIT, said = BUF_INIT, whole = BUF_INIT;
	int rc = tool_run(argv, text->s ? text->s : "", text->n, &out, &said, err);

	if (rc > 0 && text->n && text->s[text->n - 1] != '\n') {
		buf_add(&whole, text->s, text->n);
		buf_byte(&whole, '\n');
		buf_reset(&said);
		rc = tool_run(argv, whole.s, whole.n, &out, &said, err);
	}
	if (rc == -2)
		no_program(err);
	else if (rc > 0)
		rc = failed("cannot write the crontab", &said, rc, err);
	buf_release(&out);
	buf_release(&said);
	buf_release(&whole);
	return rc;
}

static bool
edit(struct buf *ret, const struct buf *old, const char *project, const char *block, const char *moved)
{
	struct buf without = BUF_INIT;
	bool changed = moved && crontab_edit(&without, old->s ? old->s : "", old->n, moved, NULL);

	changed |= crontab_edit(ret, changed ? without.s : old->s ? old->s : "", changed ? without.n : old->n, project, block);
	buf_release(&without);
	return changed;
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && (!a->n || memcmp(a->s, b->s, a->n) == 0);
}

/* 1 done, 0 nothing to do, 2 somebody was faster: again. */
static int
change_once(const char *project, const char *block, const char *moved, struct err *err)
{
	struct buf old = BUF_INIT, text = BUF_INIT, now = BUF_INIT, none = BUF_INIT;
	int rc = usertab_read(&old, err);

	if (rc >= 0) {
		rc = edit(&text, &old, project, block, moved);
		if (rc == 1 && (rc = usertab_read(&now, err)) >= 0)
			rc = same(&old, &now) ? write_text(&text, err) : 2;
		else if (rc == 0)
			goto out;
		buf_reset(&now);
		if (rc == 0 && (rc = usertab_read(&now, err)) >= 0)
			rc = edit(&none, &now, project, block, moved) ? 2 : 1;
	}
out:
	buf_release(&old);
	buf_release(&text);
	buf_release(&now);
	buf_release(&none);
	return rc;
}

/* Without a home, this program is what two of them share. Others can lock both, too: nobody is waited for without end. */
static int
lock_home(void)
{
	const struct passwd *pw = getpwuid(getuid());
	int fd = pw ? open(pw->pw_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) < 0; i++)
		usleep(20000);
	return fd;
}

int
usertab_change(const char *project, const char *block, const char *moved, struct err *err)
{
	int lock = lock_home(), rc = 2;

	for (int i = 0; i < TRIES && rc == 2; i++) {
		if (i)
			usleep((useconds_t)i * 20000);
		rc = change_once(project, block, moved, err);
	}
	if (rc == 2)
		rc = err_set(err, 0, "crontab takes the new text and does not keep it, or something else writes the crontab all the "
		    "time: tried %d times; see 'crontab -l'", (int)TRIES);
	if (rc < 0)
		snprintf(err->text + strlen(err->text), sizeof err->text - strlen(err->text), "; nothing was changed");
	if (lock >= 0)
		close(lock);
	return rc;
}

enum usertab_daemon
usertab_daemon(char ret_name[32])
{
	static const char *const known[] = { "cron", "crond", "fcron", "bcron-start", "yacron", "supercronic" };
	struct buf b = BUF_INIT;
	struct err ignored = ERR_INIT;
	bool first = false;
	struct dirent *e;
	enum usertab_daemon found = DAEMON_NONE;
	DIR *d = opendir("/proc");
	char path[300];

	while (d && found == DAEMON_NONE && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
		buf_reset(&b);
		if (fs_read(path, &b, &ignored) != 1)
			continue;
		first |= strcmp(e->d_name, "1") == 0;
		b.s[strcspn(b.s, "\n")] = '\0';
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (strcmp(b.s, known[i]) == 0)
				found = DAEMON_RUNS;
		if (found == DAEMON_RUNS)
			snprintf(ret_name, 32, "%.20s", b.s);
	}
	if (d)
		closedir(d);
	buf_release(&b);
	/* Where others' processes are hidden, nothing can be said. */
	return found == DAEMON_NONE && !first ? DAEMON_UNKNOWN : found;
}

const char *
usertab_start(void)
{
	if (access("/run/systemd/system", F_OK) == 0)
		return "as root: systemctl enable --now cron (Debian, Ubuntu) or crond (Fedora, Arch)";
	if (access("/usr/sbin/cron", F_OK) == 0)
		return "as root: service cron start, or in a container: cron";
	return "as root: rc-service crond start, or in a container: crond";
}
