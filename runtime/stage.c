/* stage.c: one pass over a pipeline: the recipe of its .done ref.
 *
 *   (a) snapshot      what inputs and spec are now; if P.done was planned from just that, only its stamp is set
 *   (b) work          plan what is missing, run it under a sub-make
 *   (c) tree          the outputs of all datums as one manifest; one syncfs makes everything so far durable
 *   (d) record        one SQLite transaction; P.job, by which the next job knows what it need not look at
 *   (e) publish       out/P by difference, durable before its mark says that it is all there
 *   (f) refs/P        moves if the commit is another one
 *   (g) refs/P.done   last: the one commit point for make
 *
 * All of it under the pipeline's lock, which the sub-make and its runners inherit.  A kill before (g) leaves P.open: the
 * next stage goes on with that job, and runs no datum whose result is in place. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/forced.h"
#include "../base/fs.h"
#include "../base/jobfile.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/plan.h"
#include "../base/spool.h"
#include "../base/talk.h"
#include "container.h"
#include "ends.h"
#include "failure.h"
#include "gather.h"
#include "lockwait.h"
#include "mflags.h"
#include "paused.h"
#include "provenance.h"
#include "publish.h"
#include "ready.h"
#include "record.h"
#include "report.h"
#include "snapshot.h"
#include "state.h"
#include "trigger.h"
#include "verbs.h"
#include "work.h"

struct stage {
	const char *pipeline, *make;
	struct mflags flags;
	struct conf conf;
	struct open_job open;           /* this job */
	struct open_job left;           /* what a killed stage left, if it is another job */
	struct snapshot snap;
	struct gather gather;
	struct oid commit;
	bool late;                      /* its job_timeout was over */
};

/* Sortable by time, unique enough to name files after: eight digits of seconds, eight of chance. */
static char *
new_job_id(struct arena *a)
{
	uint64_t now = time_now_ns();
	struct sha256 h;
	struct oid id;
	char hex[OID_HEX + 1];

	sha256_init(&h);
	sha256_field_u64(&h, now);
	sha256_field_u64(&h, (uint64_t)getpid());
	sha256_field_str(&h, fs_boot_id());
	sha256_final(&h, &id);
	oid_hex(&id, hex);
	return arena_fmt(a, "%08llx%.8s", (unsigned long long)(now / 1000000000), hex);
}

static bool
same_snapshot(const struct open_job *a, const struct open_job *b)
{
	if (!oid_eq(&a->spec, &b->spec) || a->n_input != b->n_input)
		return false;
	for (size_t i = 0; i < a->n_input; i++)
		if (strcmp(a->input[i].repo, b->input[i].repo) || !oid_eq(&a->input[i].commit, &b->input[i].commit))
			return false;
	return true;
}

/* What killed runners of the job before left.  Only here: runners whose sub-make was killed go on, and hold the lock that
 * this stage has by now. */
static void
sweep(struct stage *s, const char *suffix)
{
	struct open_job before = OPEN_JOB_INIT;
	struct err unread = ERR_INIT;

	if (open_job_read_as(&before, s->pipeline, suffix, &unread) == 1)
		work_sweep(before.pipeline, before.job);
	open_job_release(&before);
}

/* A job that was left open is gone on with if it is from the same snapshot; else a new one begins. */
static int
open_job(struct stage *s, struct err *err)
{
	struct err damaged = ERR_INIT;
	int rc = open_job_read(&s->left, s->pipeline, &damaged);   /* one that cannot be read is no loss: its results are files */

	sweep(s, rc == 1 ? "open" : "failed");
	s->open.run = state_run_id();
	if (rc == 1 && same_snapshot(&s->left, &s->open)) {
		s->open.job = arena_str(&s->open.arena, s->left.job);
		s->open.started = s->left.started;
		open_job_release(&s->left);
	} else {
		s->open.job = new_job_id(&s->open.arena);
		s->open.started = time_now_ns();
	}
	return open_job_write(&s->open, err);
}

/* make -n: say what would run; the state stays as it is, byte for byte. */
static int
dry(struct stage *s, struct err *err)
{
	char path[LAYOUT_MAX];
	struct buf old = BUF_INIT;
	uint64_t total, missing;
	int had = fs_read(layout_plan(path, s->pipeline, "open"), &old, err), rc;

	if (had < 0)
		return -1;
	s->open.run = "0";
	s->open.job = "0";
	rc = open_job_write(&s->open, err);
	if (rc == 0)
		rc = work_count(&s->open, &total, &missing, err);
	if (had == 1 ? fs_replace(path, old.s, old.n, 0644, err) < 0 : unlink(path) < 0)
		rc = -1;
	buf_release(&old);
	if (rc == 0)
		talk("%s: %llu of %llu datums would run", s->pipeline, (unsigned long long)missing, (unsigned long long)total);
	return rc;
}

static int
sync_state(struct err *err)
{
	int fd = open(DIR_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", DIR_STATE);
	rc = syncfs(fd);
	if (rc < 0)
		err_set(err, errno, "cannot write '%s' to the disk:", DIR_STATE);
	close(fd);
	return rc;
}

/* (b): plan and run; results that cannot be believed are removed, and then it is planned once more. */
static int
work(struct stage *s, struct err *err)
{
	uint64_t total, missing;
	int64_t removed = 0;
	int rc;

	for (int pass = 0; pass < 2; pass++) {
		gather_release(&s->gather);
		if (gather_begin(&s->gather, &s->open, err) < 0)
			return -1;
		/* A runner that was killed behind its last result failed nothing: that job is no open one. */
		if (pass == 0 && s->gather.roster.last.job && strcmp(s->gather.roster.last.job, s->open.job))
			work_sweep(s->pipeline, s->gather.roster.last.job);
		if ((rc = work_plan(&s->open, &s->flags, err)) || (rc = work_planned(&s->open, &total, &missing, err)))
			return rc;
		if (missing && pass == 0) {
			if (ready_check(&s->conf, err) < 0)
				return -1;
			if (s->conf.runtime)
				container_sweep(s->conf.runtime, s->pipeline);
			work_tell_limits(s->pipeline, &s->conf.limits, &s->flags);
		}
		if (missing && work_run(&s->open, s->make, s->conf.job_timeout_ns, &s->late, err) < 0)
			return -1;
		if (gather_planned(&s->gather, &s->open, err) < 0 || (removed = gather_distrust(&s->gather, err)) < 0)
			return -1;
		if (removed == 0)
			return 0;
		talk("%s: %lld results in '%s' are damaged and are computed again", s->pipeline, (long long)removed, DIR_DATUMS);
	}
	return err_set(err, 0, "%lld results of '%s' do not keep: is the disk or memory faulty?", (long long)removed, s->pipeline);
}

/* P.job: what the next job need not look at again. */
static int
write_jobfile(struct stage *s, struct err *err)
{
	const struct roster *r = &s->gather.roster;
	const struct buf *writers = &s->gather.tree.writers;
	struct spool to = SPOOL_INIT;
	int rc = jobfile_open(&to, s->pipeline, err);

	if (rc == 0) {
		jobfile_put_head(&to.b, s->open.job, &s->commit, &s->open.spec, roster_number(r, r->n_fresh));
		rc = roster_put(r, &to, err);
	}
	if (rc == 0)
		rc = spool_copy(&to, writers->s, writers->n, err);
	if (rc == 0)
		rc = jobfile_close(&to, s->pipeline, err);
	spool_release(&to);
	return rc;
}

static int
end_in_database(struct stage *s, struct prov *p, const struct outcome *end, struct err *err)
{
	if ((s->left.job && record_killed(p, &s->left, err) < 0) ||
	    record_job(p, &s->conf, &s->open, &s->gather, end, err) < 0) {
		prov_abort(p);
		return -1;
	}
	return prov_commit(p, err);
}

/* The plans of the newest job are kept for people and for `rerun`; those of the jobs before it go. */
static int
clear_before(struct stage *s, struct err *err)
{
	struct open_job failed = OPEN_JOB_INIT;
	struct err unread = ERR_INIT;
	char path[LAYOUT_MAX];

	if (s->gather.roster.last.job && strcmp(s->gather.roster.last.job, s->open.job))
		work_clean(s->pipeline, s->gather.roster.last.job);
	if (s->left.job)
		work_clean(s->pipeline, s->left.job);
	if (open_job_read_as(&failed, s->pipeline, "failed", &unread) == 1)
		work_clean(s->pipeline, failed.job);
	open_job_release(&failed);
	if (unlink(layout_plan(path, s->pipeline, "failed")) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	return 0;
}

/* The job failed: what succeeded is kept, what was visible stays visible. */
static int
fail(struct stage *s, struct prov *p, const char *reason, struct err *err)
{
	bool killed = s->late || !(s->gather.failed || reason[0]);
	struct outcome end = { .state = killed ? "killed" : "failure", .reason = reason };
	char path[LAYOUT_MAX], failed[LAYOUT_MAX];

	if (sync_state(err) < 0) {
		prov_abort(p);
		return -1;
	}
	if (end_in_database(s, p, &end, err) < 0)
		return -1;
	if (s->gather.missing && !s->gather.failed && !reason[0]) {
		work_tell_make(&s->open);
		talk("%s: %llu of %llu datums have no result yet; the next make goes on with them", s->pipeline,
		    (unsigned long long)s->gather.missing, (unsigned long long)s->gather.n);
	} else {
		report_failure(&s->open, &s->gather, reason);
	}
	if (clear_before(s, err) < 0)
		return -1;
	if (rename(layout_plan(path, s->pipeline, "open"), layout_plan(failed, s->pipeline, "failed")) < 0)
		return err_set(err, errno, "cannot rename '%s':", path);
	return s->gather.failed || reason[0] ? EXIT_FAILED : EXIT_WORLD;
}

/* It counts from the job's own first datum: what was waited for before does not. */
static const char *
late_reason(struct stage *s)
{
	char limit[32];

	return arena_fmt(&s->open.arena, "it took longer than its job_timeout of %s: %llu of %llu datums have their result, which is kept",
	    failure_duration(limit, s->conf.job_timeout_ns), (unsigned long long)(s->gather.n - s->gather.failed - s->gather.missing),
	    (unsigned long long)s->gather.n);
}

/* (c) and (d) */
static int
commit(struct stage *s, struct err *err)
{
	struct outcome end = { .state = "success", .reason = "", .commit = &s->commit };
	struct gather *g = &s->gather;
	struct prov *p = NULL;
	bool conflict = false;
	int rc = -1;

	if (prov_begin(&p, err) < 0)
		return -1;
	if (gather_results(g, &s->open, p, err) < 0)
		goto out;
	if (g->failed || g->missing) {
		rc = fail(s, p, s->late ? late_reason(s) : "", err);
		return rc;
	}
	if (tree_make(&g->tree, &g->roster, &g->commit, s->conf.concat, &s->commit, &conflict, err) < 0) {
		rc = conflict ? fail(s, p, arena_str(&s->open.arena, err->text), err) : -1;
		if (conflict)
			p = NULL;
		goto out;
	}
	if (sync_state(err) < 0)
		goto out;
	end.files = g->tree.files;
	end.bytes = g->tree.bytes;
	rc = end_in_database(s, p, &end, err);
	p = NULL;
	if (rc == 0)
		rc = write_jobfile(s, err);
out:
	prov_abort(p);
	return rc;
}

/* Did a stage that was killed get past (d) with this very job? */
static bool
is_recorded(const struct stage *s)
{
	return s->gather.roster.last.job && strcmp(s->gather.roster.last.job, s->open.job) == 0;
}

/* Branches with a trigger that follow this pipeline's output. */
static int
follow(const struct stage *s, struct err *err)
{
	struct index x = INDEX_INIT;
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < s->conf.n_set; i++)
		any |= strcmp(s->conf.set[i].key, CONF_TRIGGERS) == 0;
	if (any && (rc = index_read(&x, err)) == 1)
		rc = triggers_look(&x, s->pipeline, err);
	index_release(&x);
	return rc < 0 ? -1 : 0;
}

/* (e), (f), (g) */
static int
show(struct stage *s, struct err *err)
{
	char path[LAYOUT_MAX];
	int moved;

	if (publish(s->pipeline, &s->commit, &s->gather.tree.diff, err) < 0 || (moved = snapshot_move(s->pipeline, &s->commit, err)) < 0 ||
	    follow(s, err) < 0 || snapshot_done(&s->snap, &s->open, err) < 0)
		return -1;
	if (!s->flags.silent)
		report_success(&s->open, &s->gather, &s->commit, moved == 1);
	/* The list of datums is the only one that has the recovered ones. */
	if (!s->gather.recovered)
		work_tidy(s->pipeline, s->open.job);
	if (clear_before(s, err) < 0)
		return -1;
	if (unlink(layout_plan(path, s->pipeline, "open")) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	return 0;
}

static int
run_job(struct stage *s, struct err *err)
{
	int rc;

	if (open_job(s, err) < 0)
		return -1;
	if ((rc = work(s, err)))
		return rc;
	if (is_recorded(s))
		s->commit = s->gather.roster.last.commit;
	else if ((rc = commit(s, err)))
		return rc;
	return show(s, err);
}

/* What somebody paused is not run, and that is no failure. */
static bool
is_paused(const struct stage *s)
{
	struct buf b = BUF_INIT;

	if (!paused_is(s->pipeline))
		return false;
	paused_text(s->pipeline, &b);
	if (!s->flags.question && !s->flags.silent)
		talk("%s: paused %s; 'dassie resume %s' ends that", s->pipeline, b.n ? b.s : "", s->pipeline);
	buf_release(&b);
	return true;
}

/* Nor is what would read it before its first commit. */
static bool
waits_paused(const struct stage *s)
{
	struct index x = INDEX_INIT;
	struct err ignored = ERR_INIT;
	const char *behind = index_read(&x, &ignored) == 1 ? paused_behind(&x, s->snap.waits_for) : NULL;

	if (behind && !s->flags.question && !s->flags.silent)
		talk("%s: waits for '%s', which is paused", s->pipeline, behind);
	index_release(&x);
	return behind != NULL;
}

static int
stage(struct stage *s, struct err *err)
{
	s->open.pipeline = s->pipeline;
	if (is_paused(s))
		return 0;
	if (conf_read(&s->conf, s->pipeline, err) < 0 || forced_conf(&s->conf, err) < 0 ||
	    snapshot_take(&s->snap, &s->conf, &s->open, err) < 0)
		return -1;
	if (s->snap.waits_for && waits_paused(s))
		return 0;
	if (s->snap.waits_for && s->flags.dry) {
		talk("%s: would run when '%s' has", s->pipeline, s->snap.waits_for);
		return 0;
	}
	if (s->snap.waits_for && !s->flags.question && !s->flags.touch)
		return err_set(err, 0, "input '%s' has no commit yet: 'make %s' makes it", s->snap.waits_for, s->snap.waits_for);
	if (s->snap.current)
		return s->flags.dry || s->flags.question || s->flags.touch ? 0 : snapshot_done(&s->snap, &s->open, err);
	if (s->flags.question)
		return EXIT_FAILED;
	if (s->flags.touch) {
		talk("%s: touching makes no data: run make without -t", s->pipeline);
		return 0;
	}
	return s->flags.dry ? dry(s, err) : run_job(s, err);
}

static int
with_locks(struct stage *s)
{
	struct err err = ERR_INIT;
	int gc = -1, lock = -1, rc = -1;

	if (state_make(&err) == 0 && (gc = lockwait_take(LOCK_GC, true, &err)) >= 0 &&
	    (lock = lockwait_take(s->pipeline, false, &err)) >= 0)
		rc = stage(s, &err);
	if (rc < 0) {
		talk("%s: %s", s->pipeline, err.text);
		rc = EXIT_WORLD;
	}
	ends_add(s->pipeline, rc);
	gather_release(&s->gather);
	conf_release(&s->conf);
	open_job_release(&s->open);
	open_job_release(&s->left);
	if (lock >= 0)
		close(lock);
	if (gc >= 0)
		close(gc);
	return rc;
}

int
verb_stage(int argc, char **argv)
{
	static const struct option options[] = { { "make", required_argument, NULL, 'm' }, { NULL, 0, NULL, 0 } };
	struct stage s = { .make = "make", .conf = CONF_INIT, .open = OPEN_JOB_INIT, .left = OPEN_JOB_INIT,
		.gather = GATHER_INIT };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'm')
			return EXIT_USAGE;
		s.make = optarg;
	}
	if (optind + 1 != argc || !layout_name_ok(argv[optind])) {
		talk("usage: dassie stage --make=MAKE PIPELINE   (called by the Makefile)");
		return EXIT_USAGE;
	}
	s.pipeline = argv[optind];
	mflags_parse(&s.flags, getenv("MAKEFLAGS"), (unsigned)sysconf(_SC_NPROCESSORS_ONLN));
	return with_locks(&s);
}
