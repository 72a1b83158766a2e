/* logs.c: what commands printed, each attempt under a line that says whose it is. Logs can be long: they are copied
 * through, never held in memory (but for --json). */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/talk.h"
#include "failure.h"
#include "jobset.h"
#include "query.h"
#include "result.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie logs [--failed] [--json] PIPELINE[@JOB] | JOB | DATUM\n\n"
    "What the commands printed: of every datum that the newest job of PIPELINE (or JOB) executed, or every attempt at\n"
    "one DATUM. Ids may be shortened.\n\n"
    "        --failed    only datums that failed\n"
    "        --json      one object a line, with the text\n";

struct logs {
	struct arena a;
	struct query *q;
	bool failed, json;
	struct result *r; size_t n, cap;        /* executions to tell of */
};

static void
add(struct logs *l, const struct result *r)
{
	GROW(l->r, l->n, l->cap);
	l->r[l->n++] = *r;
}

static int
collect_job(struct logs *l, const struct q_job *job, struct err *err)
{
	struct jobset set;
	int rc = jobset_load(l->q, &l->a, job, &set, err);

	for (size_t i = 0; rc >= 0 && i < set.n; i++) {
		struct result r = RESULT_INIT;

		rc = jobset_result(l->q, &l->a, &set.v[i].key, job->id, &r, err);
		if (rc == 1 && strcmp(r.job, job->id) == 0 && (!l->failed || strcmp(r.state, "failed") == 0))
			add(l, &r);
		else
			result_release(&r);
	}
	if (rc >= 0 && l->n == 0)
		talk("job %.*s of '%s' (%s) executed no datum%s: 'dassie datums %s' lists them, 'dassie logs DATUM' tells of earlier runs",
		    SHORT_HEX, job->id, job->pipeline, job->state, l->failed ? " that failed" : "", job->pipeline);
	return rc < 0 ? -1 : 0;
}

/* All that is known of a datum, oldest first. */
static int
collect_datum(struct logs *l, const struct oid *key, struct err *err)
{
	struct result r = RESULT_INIT;
	const char **by;
	size_t n;
	int rc;

	if (query_executions(l->q, &l->a, key, &by, &n, err) < 0)
		return -1;
	for (size_t i = n; i-- > 0; ) {
		if ((rc = query_result(l->q, &l->a, key, by[i], &r, NULL, err)) < 0)
			return -1;
		if (rc == 1)
			add(l, &r);
	}
	r = (struct result)RESULT_INIT;
	rc = jobset_result(NULL, &l->a, key, NULL, &r, err);
	for (size_t i = 0; rc == 1 && i < n; i++)
		if (strcmp(by[i], r.job) == 0)
			rc = 2;
	if (rc == 1)
		add(l, &r);
	else
		result_release(&r);
	return rc < 0 ? -1 : 0;
}

static bool
is_hex(const char *s)
{
	return s[0] && strlen(s) <= OID_HEX && strspn(s, "0123456789abcdef") == strlen(s);
}

static int
collect_id(struct logs *l, const char *id, struct err *err)
{
	struct q_job *job;
	struct oid *key;
	size_t n_job = 0, n_key = 0;

	if (jobset_jobs(l->q, &l->a, NULL, id, 3, &job, &n_job, err) < 0 || jobset_keys(l->q, &l->a, id, &key, &n_key, err) < 0)
		return -1;
	if (n_job + n_key > 1)
		return err_set(err, SHOW_USAGE, "'%s' is the beginning of several ids (%zu jobs, %zu datums): give more digits", id,
		    n_job, n_key);
	if (n_job == 1)
		return collect_job(l, &job[0], err);
	if (n_key == 1)
		return collect_datum(l, &key[0], err);
	return err_set(err, SHOW_USAGE, "'%s' is neither a pipeline nor a job nor a datum; 'dassie jobs' lists what ran", id);
}

static int
collect(struct logs *l, const char *arg, struct err *err)
{
	char *name = arena_str(&l->a, arg), *at = strchr(name, '@'), path[LAYOUT_MAX];
	struct q_job job;
	int rc;

	if (at)
		*at++ = '\0';
	if (layout_name_ok(name)) {
		if ((rc = jobset_find(l->q, &l->a, name, at ? at : "", &job, err)) != 0)
			return rc < 0 ? -1 : collect_job(l, &job, err);
		if (access(layout_conf(path, name), F_OK) == 0) {
			talk("nothing of '%s' has run yet: run make", name);
			return 0;
		}
	}
	if (!at && is_hex(name))
		return collect_id(l, name, err);
	return err_set(err, SHOW_USAGE, "'%s' is neither a pipeline nor a job nor a datum; 'dassie jobs' lists what ran", arg);
}

static void
heading(const struct result *r, size_t i)
{
	const struct attempt *t = &r->attempt[i];
	struct buf b = BUF_INIT;

	buf_fmt(&b, "%s==> %s  ", show_color(SHOW_BOLD), r->pipeline);
	show_name(&b, r->label);
	buf_fmt(&b, "%s  attempt %zu of %zu, ", show_color(SHOW_PLAIN), i + 1, r->n_attempt);
	if (t->signal)
		buf_fmt(&b, "%s%s%s", show_color(SHOW_RED), failure_signal_name(t->signal), show_color(SHOW_PLAIN));
	else
		buf_fmt(&b, "%sexit %d%s", t->exit ? show_color(SHOW_RED) : "", t->exit, t->exit ? show_color(SHOW_PLAIN) : "");
	buf_str(&b, ", ");
	show_when(&b, t->started);
	buf_str(&b, ", ");
	show_span(&b, t->ended > t->started ? t->ended - t->started : 0);
	buf_str(&b, ", datum ");
	show_id(&b, &r->key);
	buf_fmt(&b, ", job %.*s\n", SHORT_HEX, r->job);
	fwrite(b.s, 1, b.n, stdout);
	buf_release(&b);
}

static void
print_log(const struct result *r, size_t i)
{
	char path[LAYOUT_MAX], piece[65536], last = '\n';
	ssize_t n;
	int fd;

	heading(r, i);
	if (!r->attempt[i].log) {
		puts("(printed nothing)");
		return;
	}
	fd = open(layout_log(path, &r->key, r->job, (unsigned)i + 1), O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		printf("(the log '%s' is not there any more)\n", path);
		return;
	}
	while ((n = read(fd, piece, sizeof piece)) > 0) {
		last = piece[n - 1];
		if (fwrite(piece, 1, (size_t)n, stdout) < (size_t)n)
			break;
	}
	close(fd);
	if (last != '\n')
		putchar('\n');
}

static void
print_json(const struct result *r, size_t i)
{
	const struct attempt *t = &r->attempt[i];
	struct buf text = BUF_INIT, b = BUF_INIT;
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	bool there = t->log && fs_read(layout_log(path, &r->key, r->job, (unsigned)i + 1), &text, &ignored) == 1;

	/* A string of ours ends at a NUL, a log need not. */
	for (size_t k = 0; k < text.n; k++)
		if (text.s[k] == '\0')
			text.s[k] = ' ';
	json_open(&b, NULL, '{');
	json_str(&b, "pipeline", r->pipeline);
	json_oid(&b, "datum", &r->key);
	json_str(&b, "label", r->label);
	json_str(&b, "job", r->job);
	json_i64(&b, "attempt", (int64_t)i + 1);
	json_i64(&b, "tries", (int64_t)r->n_attempt);
	json_i64(&b, "exit", t->exit);
	json_i64(&b, "signal", t->signal);
	json_time(&b, "started", t->started);
	json_time(&b, "finished", t->ended);
	json_str(&b, "state", r->state);
	json_str(&b, "class", t->class && t->class[0] ? t->class : i + 1 == r->n_attempt ? r->class : NULL);
	json_str(&b, "log", there ? path : NULL);
	json_str(&b, "text", there || !t->log ? text.s ? text.s : "" : NULL);
	json_close(&b, '}');
	buf_byte(&b, '\n');
	fwrite(b.s, 1, b.n, stdout);
	buf_release(&b);
	buf_release(&text);
}

static int
logs(struct logs *l, const char *arg, struct err *err)
{
	int rc = query_open(&l->q, err);

	if (rc >= 0)
		rc = collect(l, arg, err);
	query_close(l->q);
	for (size_t i = 0; rc == 0 && i < l->n; i++)
		for (size_t k = 0; k < l->r[i].n_attempt; k++)
			(l->json ? print_json : print_log)(&l->r[i], k);
	for (size_t i = 0; i < l->n; i++)
		result_release(&l->r[i]);
	free(l->r);
	arena_release(&l->a);
	return rc < 0 ? -1 : talk_done(EXIT_DONE);
}

int
verb_logs(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "failed", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct logs l = { .a = ARENA_INIT };
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j' && c != 'f')
			return show_usage(usage, c == 'h');
		l.json |= c == 'j';
		l.failed |= c == 'f';
	}
	if (argc - optind != 1)
		return show_usage(usage, false);
	rc = state_find(NULL, &err);
	if (rc == 0)
		rc = logs(&l, argv[optind], &err);
	return rc < 0 ? show_err(&err) : rc;
}
