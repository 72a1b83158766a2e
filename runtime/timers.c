/* timers.c: ~/.config/systemd/user/dassie-NAME-HEX.timer and .service: NAME is the folder's own as far as a unit's name can
 * hold it, HEX the beginning of the SHA-256 of the project's path. The first line of each is "# dassie WORD (…)"; the
 * word, and why it is every minute, are at the top of crontab.c.
 *
 * The service is only what starts the entry, as a transient unit of its own: a timer does not start a service that is
 * still running, and one pipeline's long job must not keep the others waiting. */
#include "timers.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pwd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/sha256.h"
#include "crontab.h"
#include "tool.h"

static const char HEAD[] = "# dassie ";

enum { HEX = 12 };

static int
units_dir(struct buf *b, struct err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0] == '/')
		buf_fmt(b, "%s/systemd/user", config);
	else if (home && home[0] == '/')
		buf_fmt(b, "%s/.config/systemd/user", home);
	else
		return err_set(err, 0, "HOME is not set: where are the user's systemd units to go?");
	return 0;
}

static void
unit_name(struct buf *b, const char *project)
{
	const char *slash = strrchr(project, '/'), *s = slash ? slash + 1 : project;
	char hex[OID_HEX + 1];
	struct oid id;

	buf_str(b, "dassie-");
	for (size_t i = 0; s[i] && i < 40; i++)
		buf_byte(b, strchr("-_.", s[i]) || (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= 'a' && s[i] <= 'z') ? s[i] : '_');
	sha256_bytes(project, strlen(project), &id);
	oid_hex(&id, hex);
	buf_fmt(b, "-%.*s", HEX, hex);
}

/* In quotes; '%' and '$' are systemd's own. */
static int
unit_quote(struct buf *b, const char *s, struct err *err)
{
	buf_byte(b, '"');
	for (; *s; s++) {
		if (*s == '\n')
			return err_set(err, 0, "a unit cannot name a program with a newline in its path: install dassie somewhere else");
		if (*s == '"' || *s == '\\')
			buf_fmt(b, "\\%c", *s);
		else if (*s == '%' || *s == '$')
			buf_fmt(b, "%c%c", *s, *s);
		else
			buf_byte(b, *s);
	}
	buf_byte(b, '"');
	return 0;
}

struct units {
	struct buf dir, name, timer, service;
};

static void
units_release(struct units *u)
{
	buf_release(&u->dir);
	buf_release(&u->name);
	buf_release(&u->timer);
	buf_release(&u->service);
}

static int
units_make(struct units *u, const char *project, const char *program, struct err *err)
{
	struct buf word = BUF_INIT;
	int rc = units_dir(&u->dir, err);

	unit_name(&u->name, project);
	crontab_word(&word, project);
	for (int i = 0; i < 2; i++)
		buf_fmt(i ? &u->timer : &u->service, "%s%s (by 'dassie cron install --systemd'; 'dassie cron remove' takes it away)\n"
		    "[Unit]\nDescription=dassie: the schedules of %s\n\n", HEAD, word.s, word.s);
	buf_str(&u->timer, "[Timer]\nOnCalendar=*-*-* *:*:00\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n");
	buf_str(&u->service, "[Service]\nType=oneshot\nExecStart=systemd-run --user --collect --quiet --no-ask-password ");
	if (rc == 0)
		rc = unit_quote(&u->service, program, err);
	buf_fmt(&u->service, " cron entry %s\n", word.s);
	buf_release(&word);
	return rc;
}

int
timers_print(struct buf *b, const char *project, const char *program, struct err *err)
{
	struct units u = { .dir = BUF_INIT };
	int rc = units_make(&u, project, program, err);

	if (rc == 0)
		buf_fmt(b, "# %s/%s.timer\n%s\n# %s/%s.service\n%s", u.dir.s, u.name.s, u.timer.s, u.dir.s, u.name.s, u.service.s);
	units_release(&u);
	return rc;
}

static int
systemctl(const char *what, const char *how, const char *unit, struct buf *ret_said, struct err *err)
{
	struct buf out = BUF_INIT;
	int rc = tool_run((const char *const[]){ "systemctl", "--user", what, how ? how : unit, how ? unit : NULL, NULL }, NULL, 0, &out,
	    ret_said, err);

	buf_release(&out);
	return rc;
}

bool
timers_manager(void)
{
	struct buf said = BUF_INIT;
	struct err ignored = ERR_INIT;
	int rc = systemctl("show-environment", NULL, NULL, &said, &ignored);

	buf_release(&said);
	return rc == 0;
}

/* User units run while their user is logged in, unless he lingers. */
static void
note_linger(struct buf *note)
{
	const struct passwd *pw = getpwuid(getuid());
	char path[300];

	if (!pw)
		return;
	snprintf(path, sizeof path, "/var/lib/systemd/linger/%.200s", pw->pw_name);
	if (access(path, F_OK) < 0)
		buf_fmt(note, "timers of a user run only while that user is logged in: 'loginctl enable-linger %s' makes them run always",
		    pw->pw_name);
}

static int
enable(const char *unit, struct buf *ret_note, struct err *err)
{
	struct buf said = BUF_INIT;
	int rc = 0;

	if (!timers_manager()) {
		buf_str(ret_note, "no systemd of this user runs here now, so nothing fires yet: the timer starts with the next login "
		    "('loginctl enable-linger' makes that the next boot), or see 'dassie cron install' without --systemd");
		return 0;
	}
	if (systemctl("daemon-reload", NULL, NULL, &said, err) != 0 || systemctl("enable", "--now", unit, &said, err) != 0) {
		struct buf b = BUF_INIT;

		tool_said(&b, &said);
		rc = err_set(err, 0, "systemctl cannot enable '%s': %s", unit, b.s ? b.s : err->text);
		buf_release(&b);
	} else {
		note_linger(ret_note);
	}
	buf_release(&said);
	return rc;
}

static void
path_of(struct buf *b, const struct units *u, const char *between, const char *suffix)
{
	buf_reset(b);
	buf_fmt(b, "%s/%s%s%s", u->dir.s, between, u->name.s, suffix);
}

/* As `systemctl enable` does it, which needs a running manager. */
static int
link_wanted(const struct units *u, struct err *err)
{
	struct buf link = BUF_INIT, to = BUF_INIT;
	int rc = 0;

	path_of(&link, u, "timers.target.wants/", ".timer");
	buf_fmt(&to, "../%s.timer", u->name.s);
	if (fs_mkdirs_for(link.s, err) < 0)
		rc = -1;
	else if (symlink(to.s, link.s) < 0 && errno != EEXIST)
		rc = err_set(err, errno, "cannot make '%s':", link.s);
	buf_release(&link);
	buf_release(&to);
	return rc;
}

static int
write_units(const struct units *u, struct err *err)
{
	struct buf path = BUF_INIT;
	int timer = -1, service;

	path_of(&path, u, "", ".service");
	service = fs_mkdirs(u->dir.s, err) < 0 ? -1 : fs_replace_if_new(path.s, u->service.s, u->service.n, 0644, err);
	path_of(&path, u, "", ".timer");
	if (service >= 0)
		timer = fs_replace_if_new(path.s, u->timer.s, u->timer.n, 0644, err);
	if (timer >= 0 && link_wanted(u, err) < 0)
		timer = -1;
	buf_release(&path);
	return timer < 0 ? -1 : service | timer;
}

int
timers_install(const char *project, const char *program, struct buf *ret_note, struct err *err)
{
	struct units u = { .dir = BUF_INIT };
	struct buf out = BUF_INIT, said = BUF_INIT;
	int rc = tool_run((const char *const[]){ "systemctl", "--version", NULL }, NULL, 0, &out, &said, err);

	if (rc != 0)
		rc = err_set(err, 0, "there is no systemd on this machine ('systemctl' cannot be run): 'dassie cron install' uses the "
		    "crontab; nothing was changed");
	else if (units_make(&u, project, program, err) < 0)
		rc = -1;
	else if ((rc = write_units(&u, err)) >= 0) {
		buf_reset(&said);
		buf_fmt(&said, "%s.timer", u.name.s);
		if (enable(said.s, ret_note, err) < 0)
			rc = -1;
	}
	buf_release(&out);
	buf_release(&said);
	units_release(&u);
	return rc;
}

int
timers_remove(const char *project, struct err *err)
{
	struct units u = { .dir = BUF_INIT };
	struct buf path = BUF_INIT, said = BUF_INIT, unit = BUF_INIT;
	bool manager = false;
	int rc = 0, n = 0;

	/* With no HOME nobody has units. */
	if (units_dir(&u.dir, err) < 0)
		return 0;
	unit_name(&u.name, project);
	buf_fmt(&unit, "%s.timer", u.name.s);
	path_of(&path, &u, "", ".timer");
	if (access(path.s, F_OK) == 0 && (manager = timers_manager()))
		systemctl("disable", "--now", unit.s, &said, err);
	for (int i = 0; i < 3 && rc == 0; i++) {
		path_of(&path, &u, i == 0 ? "timers.target.wants/" : "", i == 2 ? ".service" : ".timer");
		if (unlink(path.s) == 0)
			n++;
		else if (errno != ENOENT && errno != ENOTDIR)
			rc = err_set(err, errno, "cannot remove '%s':", path.s);
	}
	if (n && manager)
		systemctl("daemon-reload", NULL, NULL, &said, err);
	buf_release(&path);
	buf_release(&said);
	buf_release(&unit);
	units_release(&u);
	return rc < 0 ? -1 : n > 0;
}

static bool
holds(const char *path, const struct buf *want)
{
	struct buf b = BUF_INIT;
	struct err ignored = ERR_INIT;
	bool same = fs_read(path, &b, &ignored) == 1 && b.n == want->n && memcmp(b.s, want->s, b.n) == 0;

	buf_release(&b);
	return same;
}

bool
timers_there(const char *project, const char *program, bool *ret_fits)
{
	struct units u = { .dir = BUF_INIT };
	struct buf path = BUF_INIT;
	struct err ignored = ERR_INIT;
	bool there = false;

	*ret_fits = false;
	if (units_make(&u, project, program, &ignored) == 0) {
		path_of(&path, &u, "", ".timer");
		there = access(path.s, F_OK) == 0;
		*ret_fits = there && holds(path.s, &u.timer);
		path_of(&path, &u, "", ".service");
		*ret_fits = *ret_fits && holds(path.s, &u.service);
	}
	buf_release(&path);
	units_release(&u);
	return there;
}

static int
project_of(const char *path, timers_fn *fn, void *ctx, struct err *err)
{
	struct buf b = BUF_INIT, project = BUF_INIT;
	size_t head = strlen(HEAD);
	int rc = 0;

	if (fs_read(path, &b, err) == 1 && strncmp(b.s, HEAD, head) == 0) {
		crontab_unword(&project, b.s + head, strcspn(b.s + head, " \n"));
		rc = project.n ? fn(project.s, ctx, err) : 0;
	}
	buf_release(&b);
	buf_release(&project);
	return rc;
}

int
timers_each(timers_fn *fn, void *ctx, struct err *err)
{
	struct buf dir = BUF_INIT, path = BUF_INIT;
	struct dirent *e;
	DIR *d = units_dir(&dir, err) == 0 ? opendir(dir.s) : NULL;
	int rc = 0;

	while (d && rc == 0 && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (strncmp(e->d_name, "dassie-", 7) || n < 6 || strcmp(e->d_name + n - 6, ".timer"))
			continue;
		buf_reset(&path);
		fs_join(&path, dir.s, e->d_name);
		rc = project_of(path.s, fn, ctx, err);
	}
	if (d)
		closedir(d);
	buf_release(&dir);
	buf_release(&path);
	return rc;
}
