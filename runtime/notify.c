/* notify.c: what is to be said; how it gets there is dassie-net's (netnotify.c), which is given it on stdin:
 *
 *   dassie-alert 1
 *   from ADDRESS     smtp URL|env:NAME|file:PATH     mail ADDRESS     webhook URL|env:NAME|file:PATH
 *   subject TEXT     text TEXT      json TEXT        (the payload for webhooks; "text" in it is what Slack and its likes show)
 *
 * (fields as in rec.h.)  No log lines go out: what commands print may be anything. */
#include "notify.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/mem.h"
#include "../base/notify.h"
#include "../base/plan.h"
#include "../base/rec.h"
#include "../base/talk.h"
#include "outcome.h"
#include "result.h"
#include "show.h"
#include "state.h"
#include "visible.h"

enum { PATIENCE_MS = 20000, TICK_MS = 20, DATUMS_NAMED = 3, KEY_DIGITS = 8 };

struct failing { const char *pipeline; uint64_t since; };

struct memory {
	struct arena a;
	struct failing *v; size_t n, cap;
};

/* A message in the making. */
struct digest {
	struct buf text, failed, recovered, late;   /* the last three: JSON arrays' elements */
	size_t n_failed, n_recovered, n_late;
};

static int
read_memory(struct memory *m, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	int rc = recfile_open_sealed(&f, FILE_ALERTS, "alerts", 1, err);

	while (rc == 1 && recfile_next(&f, &r))
		if (rec_is(&r, "failing", 3)) {
			GROW(m->v, m->n, m->cap);
			m->v[m->n] = (struct failing){ .pipeline = arena_str(&m->a, r.f[1]) };
			rec_get_u64(&r, 2, &m->v[m->n++].since);
		}
	recfile_release(&f);
	return rc < 0 ? -1 : 0;
}

static int
write_memory(const struct memory *m, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "alerts", 1);
	for (size_t i = 0; i < m->n; i++) {
		rec_word(&b, "failing");
		rec_str(&b, m->v[i].pipeline);
		rec_u64(&b, m->v[i].since);
		rec_end(&b);
	}
	rec_seal(&b);
	rc = fs_replace(FILE_ALERTS, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

static struct failing *
remembered(const struct memory *m, const char *pipeline)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].pipeline, pipeline) == 0)
			return &m->v[i];
	return NULL;
}

static bool
has_failed(const struct outcome *one)
{
	return one->state == OUTCOME_FAILED || one->state == OUTCOME_BROKEN || one->state == OUTCOME_UNSENT;
}

static bool
is_well(const struct outcome *one)
{
	return one->state == OUTCOME_DONE || one->state == OUTCOME_CURRENT;
}

static void
add_datum(struct buf *text, struct buf *json, const struct oid *key)
{
	struct result r = RESULT_INIT;
	struct err ignored = ERR_INIT;
	char log[LAYOUT_MAX], hex[OID_HEX + 1];

	if (result_read(&r, key, true, &ignored) == 1) {
		oid_hex(key, hex);
		buf_str(text, "  ");
		visible_str(text, r.label);
		buf_str(text, ": ");
		visible_str(text, r.reason);
		buf_fmt(text, "\n    dassie rerun %.*s", KEY_DIGITS, hex);
		if (r.n_attempt && r.attempt[r.n_attempt - 1].log)
			buf_fmt(text, "\n    log %s", layout_log(log, key, r.job, (unsigned)r.n_attempt));
		buf_byte(text, '\n');
		json_open(json, NULL, '{');
		json_str(json, "datum", hex);
		json_str(json, "label", r.label);
		json_str(json, "class", r.class);
		json_str(json, "reason", r.reason);
		json_i64(json, "tries", (int64_t)r.n_attempt);
		json_close(json, '}');
	}
	result_release(&r);
}

static void
add_failed(struct digest *d, const struct outcome *one, const struct failing *before)
{
	struct buf *t = &d->text, *j = &d->failed;

	buf_fmt(t, "%s failed", one->pipeline);
	if (one->state == OUTCOME_BROKEN)
		buf_str(t, ": the environment: disk, permissions or a missing program");
	else if (one->state == OUTCOME_UNSENT)
		buf_fmt(t, ": its output could not be pushed; 'dassie egress %s' tries again", one->pipeline);
	else if (one->n_failed)
		buf_fmt(t, ": %llu of %llu datums", (unsigned long long)one->job.failed, (unsigned long long)one->job.total);
	else if (one->has_job && one->job.reason[0])
		buf_fmt(t, ": %s", one->job.reason);
	if (before) {
		buf_str(t, " (failing since ");
		show_when(t, before->since);
		buf_byte(t, ')');
	}
	buf_byte(t, '\n');
	json_open(j, NULL, '{');
	json_str(j, "pipeline", one->pipeline);
	json_str(j, "job", one->has_job ? one->job.id : NULL);
	json_i64(j, "datums_failed", one->has_job ? (int64_t)one->job.failed : 0);
	json_i64(j, "datums", one->has_job ? (int64_t)one->job.total : 0);
	json_time(j, "since", before ? before->since : one->has_job ? one->job.started : 0);
	json_open(j, "first", '[');
	for (size_t i = 0; i < one->n_failed && i < DATUMS_NAMED; i++)
		add_datum(t, j, &one->failed[i]);
	json_close(j, ']');
	json_close(j, '}');
	d->n_failed++;
}

static void
add_recovered(struct digest *d, const struct outcome *one, const struct failing *before)
{
	buf_fmt(&d->text, "%s recovered (it had failed since ", one->pipeline);
	show_when(&d->text, before->since);
	buf_str(&d->text, ")\n");
	json_open(&d->recovered, NULL, '{');
	json_str(&d->recovered, "pipeline", one->pipeline);
	json_time(&d->recovered, "since", before->since);
	json_close(&d->recovered, '}');
	d->n_recovered++;
}

static void
add_count(struct buf *b, size_t n, const char *what)
{
	if (n)
		buf_fmt(b, "%s%zu %s", b->n ? ", " : "", n, what);
}

static void
line(struct buf *b, const char *word, const char *value)
{
	rec_word(b, word);
	rec_str(b, value);
	rec_end(b);
}

static void
add_payload(struct buf *b, const struct digest *d, const char *text, const char *run, const char *host, const char *project)
{
	const struct buf *list[] = { &d->failed, &d->recovered, &d->late };
	static const char *const name[] = { "failed", "recovered", "long" };

	json_open(b, NULL, '{');
	json_str(b, "text", text);
	json_str(b, "project", project);
	json_str(b, "host", host);
	json_str(b, "run", run);
	for (size_t i = 0; i < 3; i++) {
		json_open(b, name[i], '[');
		buf_add(b, list[i]->s ? list[i]->s : "", list[i]->n);
		json_close(b, ']');
	}
	json_close(b, '}');
}

static void
compose(struct buf *ret, const struct notify_route *r, const struct digest *d, const char *run)
{
	struct buf subject = BUF_INIT, text = BUF_INIT, json = BUF_INIT;
	char host[256] = "", project[PATH_MAX] = "";

	gethostname(host, sizeof host - 1);
	if (!getcwd(project, sizeof project))
		project[0] = '\0';
	add_count(&subject, d->n_failed, "failed");
	add_count(&subject, d->n_recovered, "recovered");
	add_count(&subject, d->n_late, "takes long");
	buf_str(&text, "dassie: ");
	buf_add(&text, subject.s, subject.n);
	buf_fmt(&text, " on %s in ", host);
	visible_str(&text, project);
	buf_byte(&text, '\n');
	buf_add(&text, d->text.s, d->text.n);
	add_payload(&json, d, text.s, run, host, project);
	rec_head(ret, "alert", 1);
	line(ret, "from", r->from);
	line(ret, "smtp", r->smtp);
	for (size_t i = 0; i < r->n_mail; i++)
		line(ret, "mail", r->mail[i]);
	for (size_t i = 0; i < r->n_webhook; i++)
		line(ret, "webhook", r->webhook[i]);
	rec_word(ret, "subject");
	rec_bytes(ret, text.s, strcspn(text.s, "\n"));
	rec_end(ret);
	line(ret, "text", text.s);
	line(ret, "json", json.s);
	buf_release(&subject);
	buf_release(&text);
	buf_release(&json);
}

/* dassie-net has its own limits; this one is for the case that it does not keep them. */
static void
wait_for(pid_t pid)
{
	int status;

	for (int ms = 0; waitpid(pid, &status, WNOHANG) == 0; ms += TICK_MS) {
		if (ms >= PATIENCE_MS) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			talk("notify: nothing was told within %d s: given up", PATIENCE_MS / 1000);
			return;
		}
		poll(NULL, 0, TICK_MS);
	}
}

static void
deliver(const struct notify_route *r, const struct digest *d, const char *run)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	char program[PATH_MAX];
	int fd = memfd_create("dassie-alert", MFD_CLOEXEC);
	pid_t pid = -1;

	compose(&b, r, d, run);
	if (fd >= 0 && fs_write_all(fd, b.s, b.n, &err) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		pid = fork();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(fd, STDIN_FILENO);
		execl(state_helper("dassie-net", program, sizeof program), "dassie-net", "notify", (char *)NULL);
		talk("notify: cannot start '%s': %s", program, strerror(errno));
		_exit(EXIT_WORLD);
	}
	if (pid > 0)
		wait_for(pid);
	else
		talk("notify: cannot start dassie-net: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_release(&b);
}

static void
digest_release(struct digest *d)
{
	buf_release(&d->text);
	buf_release(&d->failed);
	buf_release(&d->recovered);
	buf_release(&d->late);
}

static const struct outcome *
find(const struct outcomes *o, const char *pipeline)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->v[i].pipeline, pipeline) == 0)
			return &o->v[i];
	return NULL;
}

static void
tell_route(const struct notify_route *r, const struct outcomes *o, const struct memory *m)
{
	struct digest d = { .text = BUF_INIT };

	for (size_t i = 0; i < r->n_pipeline; i++) {
		const struct outcome *one = find(o, r->pipeline[i]);
		const struct failing *before = remembered(m, r->pipeline[i]);

		if (one && r->failure && has_failed(one))
			add_failed(&d, one, before);
	}
	for (size_t i = 0; i < r->n_pipeline; i++) {
		const struct outcome *one = find(o, r->pipeline[i]);
		const struct failing *before = remembered(m, r->pipeline[i]);

		if (one && before && r->recovery && is_well(one))
			add_recovered(&d, one, before);
	}
	if (d.n_failed + d.n_recovered)
		deliver(r, &d, o->run);
	digest_release(&d);
}

/* What is failing from now on.  true: it is something else than before. */
static bool
learn(struct memory *m, const struct outcomes *o)
{
	bool changed = false;

	for (size_t i = 0; i < o->n; i++) {
		const struct outcome *one = &o->v[i];
		struct failing *before = remembered(m, one->pipeline);

		if (before && is_well(one)) {
			*before = m->v[--m->n];
			changed = true;
		} else if (!before && has_failed(one)) {
			GROW(m->v, m->n, m->cap);
			m->v[m->n++] = (struct failing){ one->pipeline, one->has_job ? one->job.started : o->started };
			changed = true;
		}
	}
	return changed;
}

void
notify_run(const struct outcomes *o)
{
	struct notify n = NOTIFY_INIT;
	struct memory m = { .a = ARENA_INIT }, before = { .a = ARENA_INIT };
	struct err err = ERR_INIT;
	int rc = notify_read(&n, &err), lock = -1;

	/* What was failing is learned first, so that of two runs at once one tells of a recovery. */
	if (rc == 1 && (lock = lock_take(LOCK_ALERTS, false, false, &err)) < 0)
		rc = -1;
	if (rc == 1 && (read_memory(&before, &err) < 0 || read_memory(&m, &err) < 0 || (learn(&m, o) && write_memory(&m, &err) < 0)))
		rc = -1;
	if (lock >= 0)
		close(lock);
	if (rc < 0)
		talk("notify: %s", err.text);
	for (size_t i = 0; rc == 1 && i < n.n; i++)
		tell_route(&n.route[i], o, &before);
	free(m.v);
	free(before.v);
	arena_release(&m.a);
	arena_release(&before.a);
	notify_release(&n);
}

/* A job of the run that takes longer than the route's pipelines may. */
static bool
add_late(struct digest *d, const char *pipeline, uint64_t limit, const char *run)
{
	struct open_job open = OPEN_JOB_INIT;
	struct err ignored = ERR_INIT;
	uint64_t now = time_now_ns();
	bool late = open_job_read(&open, pipeline, &ignored) == 1 && strcmp(open.run, run) == 0 && now > open.started + limit;

	if (late) {
		buf_fmt(&d->text, "%s has been running for ", pipeline);
		show_span(&d->text, now - open.started);
		buf_str(&d->text, "; 'dassie status' says how far it is\n");
		json_open(&d->late, NULL, '{');
		json_str(&d->late, "pipeline", pipeline);
		json_str(&d->late, "job", open.job);
		json_time(&d->late, "started", open.started);
		json_close(&d->late, '}');
		d->n_late++;
	}
	open_job_release(&open);
	return late;
}

void
notify_long(const struct notify *n, const char *run, bool *told)
{
	for (size_t i = 0; i < n->n; i++) {
		const struct notify_route *r = &n->route[i];
		struct digest d = { .text = BUF_INIT };

		for (size_t k = 0; r->long_run && !told[i] && k < r->n_pipeline; k++)
			add_late(&d, r->pipeline[k], r->long_ns, run);
		if (d.n_late) {
			told[i] = true;
			/* Of its own, so that the run is waited for meanwhile. */
			if (fork() == 0) {
				deliver(r, &d, run);
				_exit(EXIT_DONE);
			}
		}
		digest_release(&d);
	}
}
