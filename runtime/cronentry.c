/* cronentry.c: `dassie cron entry WORD`: what the crontab starts. It makes of cron's bare process what a person's shell has,
 * runs `dassie cron fire` with its output in the log, and is silent unless that fails: cron mails what is printed.
 *
 * A failure that says the very same as the call before it (a spec that does not compile, a full disk) is mailed once a day,
 * not every minute. What was mailed last is kept in .dassie/cron/told:
 *   dassie-cron-told 1
 *   told NS SHA256           of the status and the output */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/rec.h"
#include "../base/sha256.h"
#include "../base/talk.h"
#include "croncmd.h"
#include "cronenv.h"
#include "cronlog.h"
#include "crontab.h"
#include "show.h"

#define FILE_TOLD DIR_CRON "/told"
#define A_DAY UINT64_C(86400000000000)

static const char usage[] =
    "usage: dassie cron entry WORD\n\n"
    "What the crontab calls every minute: runs 'dassie cron fire' in the project that WORD names, in the environment that\n"
    "'dassie cron install' kept, with its output in '" FILE_CRON_LOG "'. It prints something only where that fails.\n";

enum { TAIL_LINES = 40 };

/* Where nothing can be kept, what was told cannot be known. Every minute is too often, never is too seldom: once an hour,
 * and always to a person. */
static bool
time_to_tell(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return isatty(STDERR_FILENO) || (localtime_r(&now, &tm) && tm.tm_min == 0);
}

/* The folder may be on a disk that is not there now, or gone for good. */
static int
no_project(const char *project, int num)
{
	if (time_to_tell())
		talk("cron: cannot go to the project '%s': %s; if it is gone for good: dassie cron remove '%s'", project,
		    strerror(num), project);
	return EXIT_WORLD;
}

static bool
told_before(const struct oid *id, uint64_t now)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	struct oid last;
	uint64_t then;
	bool same = recfile_open(&f, FILE_TOLD, "cron-told", 1, &ignored) == 1 && recfile_next(&f, &r) && rec_is(&r, "told", 3) &&
	    rec_get_u64(&r, 1, &then) && rec_get_oid(&r, 2, &last) && oid_eq(id, &last) && now >= then && now - then < A_DAY;

	recfile_release(&f);
	return same;
}

/* If it cannot be kept, it is only told once more. */
static void
note_told(const struct oid *id, uint64_t now)
{
	struct buf b = BUF_INIT;
	struct err ignored = ERR_INIT;

	rec_head(&b, "cron-told", 1);
	rec_word(&b, "told");
	rec_u64(&b, now);
	rec_oid(&b, id);
	rec_end(&b);
	fs_replace(FILE_TOLD, b.s, b.n, 0644, &ignored);
	buf_release(&b);
}

static const char *
last_lines(const struct buf *tail)
{
	size_t at = tail->n, lines = 0;

	while (at > 0 && (tail->s[at - 1] != '\n' || ++lines <= TAIL_LINES))
		at--;
	return tail->s ? tail->s + at : "";
}

/* One write: the mail is the failure's own last words, and where the rest is. */
static void
mail(const char *project, int status, const struct buf *tail, uint64_t now)
{
	struct sha256 h;
	struct oid id;
	struct buf b = BUF_INIT;

	sha256_init(&h);
	sha256_field_u64(&h, (uint64_t)status);
	sha256_field(&h, tail->s ? tail->s : "", tail->n);
	sha256_final(&h, &id);
	if (told_before(&id, now))
		return;
	buf_fmt(&b, "dassie: cron: '%s' at ", project);
	show_when(&b, now);
	buf_fmt(&b, " failed with status %d%s\n", status, tail->n ? ":" : " and no word");
	buf_str(&b, last_lines(tail));
	buf_fmt(&b, "dassie: all of it is in '%s/%s'; 'dassie cron status' there says how things are\n", project, FILE_CRON_LOG);
	talk_raw(b.s, b.n);
	buf_release(&b);
	note_told(&id, now);
}

static int
fire(const char *project)
{
	char self[] = "/proc/self/exe";
	uint64_t now = time_now_ns();
	struct buf tail = BUF_INIT;
	struct err err = ERR_INIT;
	bool sick;
	int rc;

	if (fs_mkdirs(DIR_CRON, &err) < 0 || cronenv_note_call(now, &err) < 0)
		buf_fmt(&tail, "dassie: %s\n", err.text);
	sick = tail.n > 0;
	rc = cronlog_run((const char *const[]){ self, "cron", "fire", NULL }, &tail, &err);
	if (rc < 0) {
		buf_fmt(&tail, "%s\n", err.text);
		rc = EXIT_WORLD;
	}
	if (sick && rc == 0)
		rc = EXIT_WORLD;
	if (rc > 0 && (!sick || time_to_tell()))
		mail(project, rc, &tail, now);
	else if (rc == 0)
		unlink(FILE_TOLD);
	buf_release(&tail);
	return rc;
}

int
cron_entry(int argc, char **argv)
{
	struct cronenv e = CRONENV_INIT;
	struct buf project = BUF_INIT;
	struct err err = ERR_INIT;
	int rc;

	if (argc != 2 || argv[1][0] != '/')
		return show_usage(usage, argc == 2 && strcmp(argv[1], "--help") == 0);
	crontab_unword(&project, argv[1], strlen(argv[1]));
	if (chdir(project.s) < 0) {
		rc = no_project(project.s, errno);
	} else {
		setenv("PWD", project.s, 1);
		if (cronenv_read(&e, &err) < 0)
			talk("cron: %s; going on without it", err.text);
		cronenv_set(&e);
		rc = fire(project.s);
	}
	cronenv_release(&e);
	buf_release(&project);
	return rc;
}
