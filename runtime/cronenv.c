/* cronenv.c: cron starts a program with five variables; a pipeline that worked at a terminal then finds no command. So
 * 'dassie cron install' keeps the environment that its user has at that moment, as far as no secret can be in it.
 *
 * .dassie/cron/environment (syntax of rec.h):
 *   dassie-cron-environment 1
 *   project PATH             the real path at the time: who finds another one was moved
 *   program PATH             the dassie that the entry calls
 *   set NAME VALUE           …
 *
 * .dassie/cron/called:
 *   dassie-cron-called 1
 *   called NS                since 1970 */
#include "cronenv.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/rec.h"

#define FILE_CALLED DIR_CRON "/called"

static const char USUAL_PATH[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Where programs and settings are found; never what could be a password. */
static const char *const kept[] = { "PATH", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
	"XDG_DATA_HOME", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH",
	"DASSIE_SECRETS", "DOCKER_HOST", "DOCKER_CONFIG", "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "XDG_RUNTIME_DIR" };

static void
put(struct buf *b, const char *name, const char *value)
{
	rec_word(b, "set");
	rec_str(b, name);
	rec_str(b, value);
	rec_end(b);
}

int
cronenv_write(struct buf *b, const char *project, const char *program, const char *const *name, size_t n, struct err *err)
{
	rec_head(b, "cron-environment", 1);
	rec_word(b, "project");
	rec_str(b, project);
	rec_end(b);
	rec_word(b, "program");
	rec_str(b, program);
	rec_end(b);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (getenv(kept[i]))
			put(b, kept[i], getenv(kept[i]));
	if (!getenv("LANG") && !getenv("LC_ALL") && !getenv("LC_CTYPE"))
		put(b, "LANG", "C.UTF-8");
	for (size_t i = 0; i < n; i++) {
		const char *value = getenv(name[i]);

		if (!value)
			return err_set(err, 0, "the variable '%s' is not set here", name[i]);
		put(b, name[i], value);
	}
	return 0;
}

int
cronenv_read(struct cronenv *e, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	int rc = recfile_open(&f, FILE_CRON_ENV, "cron-environment", 1, err);

	while (rc == 1 && recfile_next(&f, &r)) {
		if (rec_is(&r, "project", 2)) {
			e->project = arena_str(&e->arena, r.f[1]);
		} else if (rec_is(&r, "program", 2)) {
			e->program = arena_str(&e->arena, r.f[1]);
		} else if (rec_is(&r, "set", 3) && e->n < CRONENV_MAX) {
			e->name[e->n] = arena_str(&e->arena, r.f[1]);
			e->value[e->n++] = arena_str(&e->arena, r.f[2]);
		}
	}
	recfile_release(&f);
	return rc;
}

void
cronenv_release(struct cronenv *e)
{
	arena_release(&e->arena);
	memset(e, 0, sizeof *e);
}

void
cronenv_set(const struct cronenv *e)
{
	const struct passwd *pw = getpwuid(getuid());
	char runtime[64];

	if (!e->n) {
		setenv("PATH", USUAL_PATH, 1);
		setenv("LANG", "C.UTF-8", 0);
	}
	for (size_t i = 0; i < e->n; i++)
		setenv(e->name[i], e->value[i], 1);
	if (pw) {
		setenv("HOME", pw->pw_dir, 0);
		setenv("LOGNAME", pw->pw_name, 0);
		setenv("USER", pw->pw_name, 0);
	}
	/* Whatever the crontab says: user's commands find the shell that they have everywhere else. */
	setenv("SHELL", "/bin/sh", 1);
	/* Of a login; rootless containers look for it. */
	snprintf(runtime, sizeof runtime, "/run/user/%lu", (unsigned long)getuid());
	if (access(runtime, W_OK) == 0)
		setenv("XDG_RUNTIME_DIR", runtime, 0);
}

void
cronenv_secrets(struct buf *b)
{
	static const char *const secret[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" };

	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		if (getenv(secret[i]))
			buf_fmt(b, "%s%s", b->n ? ", " : "", secret[i]);
}

uint64_t
cronenv_called(void)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	uint64_t at = 0;

	if (recfile_open(&f, FILE_CALLED, "cron-called", 1, &ignored) == 1 && recfile_next(&f, &r) && rec_is(&r, "called", 2) &&
	    !rec_get_u64(&r, 1, &at))
		at = 0;
	recfile_release(&f);
	return at;
}

int
cronenv_note_call(uint64_t now, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "cron-called", 1);
	rec_word(&b, "called");
	rec_u64(&b, now);
	rec_end(&b);
	rc = fs_replace(FILE_CALLED, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}
