/* rerun.c: `dassie rerun KEY` is one datum of a failed job, alone; `dassie rerun --failed` is `dassie run` for the pipelines
 * whose newest job failed: a job runs just the datums that have no result. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "child.h"
#include "query.h"
#include "report.h"
#include "result.h"
#include "show.h"
#include "stale.h"
#include "state.h"
#include "verbs.h"
#include "visible.h"

enum { FOLLOWED = 16, FOLLOW_MS = 50 };

static const char usage[] =
"usage: dassie rerun KEY\n"
"       dassie rerun --failed [-jN] [-k] [PIPELINE…]\n\n"
"Runs one failed datum again, alone, and shows what it prints; KEY is the beginning of its key, as a failure prints it.\n"
"When it succeeds, its result is kept, and the next make goes on from there.\n\n"
"    --failed    all failed datums, of all pipelines whose newest job failed or of the named ones\n"
"    -jN         with --failed: datums at once\n"
"    -k          with --failed: go on with pipelines that do not depend on a failed one\n";

/* The one failure whose key begins so: 1 found, 0 none, 2 several, -1. */
static int
find_failure(const char *prefix, struct oid *ret, struct err *err)
{
	char dir[LAYOUT_MAX], hex[OID_HEX + 1];
	struct dirent *e;
	int found = 0;
	DIR *d;

	if (strlen(prefix) < 4 || strlen(prefix) > OID_HEX || prefix[strspn(prefix, "0123456789abcdef")])
		return err_set(err, 0, "'%s' is not the beginning of a key: at least 4 digits of 0-9 a-f", prefix);
	snprintf(dir, sizeof dir, "%s/%.2s", DIR_DATUMS, prefix);
	if (!(d = opendir(dir)))
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while ((e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n != OID_HEX - 2 + 5 || strcmp(e->d_name + OID_HEX - 2, ".fail") ||
		    strncmp(e->d_name, prefix + 2, strlen(prefix) - 2))
			continue;
		snprintf(hex, sizeof hex, "%.2s%.62s", prefix, e->d_name);
		if (oid_parse(hex, ret))
			found++;
	}
	closedir(d);
	return found > 1 ? 2 : found;
}

/* Where in the plan the datum is. */
static int
find_in_plan(const char *plan, const struct oid *key, size_t *ret_at, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	struct oid id;
	int rc = recfile_open(&f, plan, "plan", 1, err);

	if (rc == 1) {
		rc = 0;
		while (rc == 0 && recfile_next(&f, &r))
			if (rec_is(&r, "datum", 2) && rec_get_oid(&r, 1, &id) && oid_eq(&id, key)) {
				*ret_at = r.at;
				rc = 1;
			}
	}
	recfile_release(&f);
	return rc;
}

/* The log of an attempt as far as it was shown; one that was there before says nothing until it is written anew. */
struct shown_log { uint64_t before; off_t at; };

static void
show_more(const struct result *r, unsigned attempt, struct shown_log *log)
{
	char path[LAYOUT_MAX], piece[16384];
	struct buf b = BUF_INIT;
	struct stat st;
	ssize_t n;
	int fd = open(layout_log(path, &r->key, r->job, attempt), O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && fstat(fd, &st) == 0 && fs_mtime_ns(&st) != log->before && (n = pread(fd, piece, sizeof piece, log->at)) > 0) {
		log->at += n;
		for (char *p = piece, *end = piece + n; p < end; ) {
			char *nl = memchr(p, '\n', (size_t)(end - p)), *to = nl ? nl : end;

			visible(&b, p, (size_t)(to - p));
			if (nl)
				buf_byte(&b, '\n');
			p = to + (nl != NULL);
		}
	}
	if (fd >= 0)
		close(fd);
	talk_raw(b.s ? b.s : "", b.n);
	buf_release(&b);
}

/* What the command prints, while it does, out of its logs; until the other end of `stop` is closed. */
static _Noreturn void
follow(const struct result *r, int stop)
{
	struct pollfd wait = { .fd = stop, .events = POLLIN };
	struct shown_log log[FOLLOWED] = { { 0, 0 } };
	char path[LAYOUT_MAX];
	struct stat st;
	bool over = false;

	signal(SIGINT, SIG_IGN);
	for (unsigned i = 0; i < FOLLOWED; i++)
		if (stat(layout_log(path, &r->key, r->job, i + 1), &st) == 0)
			log[i].before = fs_mtime_ns(&st);
	/* Now nobody has to wait for us any more. */
	if (write(stop, "", 1) < 0)
		_exit(EXIT_WORLD);
	while (!over) {
		over = poll(&wait, 1, FOLLOW_MS) > 0;
		for (unsigned i = 0; i < FOLLOWED; i++)
			show_more(r, i + 1, &log[i]);
	}
	_exit(EXIT_DONE);
}

/* A child that shows what is printed.  Its end of the line, -1 if there is none; then the log has it all the same. */
static int
start_following(const struct result *r, pid_t *ret_pid)
{
	int pair[2];
	char byte;

	*ret_pid = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	*ret_pid = fork();
	if (*ret_pid == 0) {
		close(pair[0]);
		follow(r, pair[1]);
	}
	close(pair[1]);
	while (*ret_pid > 0 && read(pair[0], &byte, 1) < 0 && errno == EINTR)
		;
	return pair[0];
}

static void
stop_following(int fd, pid_t pid)
{
	int status;

	if (fd >= 0)
		close(fd);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

static int
rerun_at(const struct result *r, struct err *err)
{
	char plan[LAYOUT_MAX], program[PATH_MAX], offset[32];
	size_t at = 0;
	pid_t pid;
	int follower;
	int gc = lock_take(LOCK_GC, true, true, err), lock = -1;
	int rc = gc < 0 ? -1 : find_in_plan(layout_plan(plan, r->pipeline, r->job), &r->key, &at, err);

	if (rc == 0)
		rc = err_set(err, 0, "the plan of that datum is no longer there: run make");
	if (rc < 0 || (lock = lock_take(r->pipeline, false, true, err)) < 0) {
		if (gc >= 0)
			close(gc);
		return -1;
	}
	snprintf(offset, sizeof offset, "%zu", at);
	follower = start_following(r, &pid);
	rc = child_run((const char *const[]){ state_helper("dassie-datum", program, sizeof program), plan, offset, "1", NULL },
	    -1, err);
	stop_following(follower, pid);
	close(lock);
	close(gc);
	if (rc == 0)
		talk("%s: datum %s succeeded; 'make' goes on from there", r->pipeline, r->label);
	else if (rc == EXIT_FAILED)
		report_datum(&r->key);
	return rc;
}

static int
rerun_one(const char *prefix)
{
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;
	struct oid key;
	int rc;

	if (state_find(NULL, &err) < 0 || (rc = find_failure(prefix, &key, &err)) < 0)
		return talk_err(&err);
	if (rc != 1) {
		talk(rc == 0 ? "no failed datum has a key that begins with '%s'; 'dassie datums PIPELINE' lists them" :
		    "several failed datums have a key that begins with '%s': give more digits", prefix);
		return EXIT_USAGE;
	}
	if (result_read(&r, &key, true, &err) < 0 || (rc = rerun_at(&r, &err)) < 0)
		rc = talk_err(&err);
	result_release(&r);
	return rc;
}

static bool
is_among(const char *name, char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return n == 0;
}

/* Appended to args: those whose newest job failed. */
static int
add_failed(const char **args, size_t *n_args, struct arena *a, const struct index *x, char **list, size_t n, struct err *err)
{
	struct query *q = NULL;
	struct stale *s;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (!index_find(x, list[i]))
			return err_set(err, SHOW_USAGE, "there is no pipeline '%s'; 'dassie status' lists them", list[i]);
	rc = query_open(&q, err) < 0 ? -1 : stale_all(q, a, x, &s, err);
	query_close(q);
	for (size_t i = 0; rc == 0 && i < x->n_pipeline; i++)
		if (s[i].has_job && strcmp(s[i].job.state, "failure") == 0 && s[i].state != STALE_NO && is_among(s[i].pipeline, list, n))
			args[(*n_args)++] = s[i].pipeline;
	return rc;
}

/* `dassie run` for them: argv begins with what it gets besides. */
static int
rerun_failed(char **option, size_t n_option, char **list, size_t n)
{
	struct arena a = ARENA_INIT;
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	const char **args = NULL;
	size_t n_args = 0;
	int rc = state_find(NULL, &err);

	if (rc == 0 && (rc = index_read(&x, &err)) == 0)
		rc = err_set(&err, SHOW_USAGE, "nothing is compiled here yet: 'dassie compile', then 'dassie run'");
	if (rc > 0) {
		args = xcalloc(n_option + x.n_pipeline + 2, sizeof *args);
		args[n_args++] = "run";
		for (size_t i = 0; i < n_option; i++)
			args[n_args++] = option[i];
		rc = add_failed(args, &n_args, &a, &x, list, n, &err);
	}
	if (rc < 0) {
		rc = show_err(&err);
	} else if (n_args == n_option + 1) {
		talk(n ? "the newest jobs of these did not fail" : "no pipeline's newest job failed");
	} else {
		optind = 0;
		rc = verb_run((int)n_args, (char **)args);
	}
	free(args);
	index_release(&x);
	arena_release(&a);
	return rc;
}

int
verb_rerun(int argc, char **argv)
{
	static const struct option options[] = { { "failed", no_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	char **option = xcalloc((size_t)argc * 2 + 1, sizeof *option);
	size_t n_option = 0;
	bool failed = false;
	int c, rc;

	while ((c = getopt_long(argc, argv, "j:kh", options, NULL)) != -1) {
		if (c == 'h' || c == '?') {
			free(option);
			return show_usage(usage, c == 'h');
		}
		failed |= c == 'f';
		if (c == 'j') {
			option[n_option++] = (char *)"-j";
			option[n_option++] = optarg;
		}
		if (c == 'k')
			option[n_option++] = (char *)"-k";
	}
	if (failed)
		rc = rerun_failed(option, n_option, argv + optind, (size_t)(argc - optind));
	else if (optind + 1 != argc || n_option)
		rc = show_usage(usage, false);
	else
		rc = rerun_one(argv[optind]);
	free(option);
	return rc;
}
