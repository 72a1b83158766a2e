/* runner.c: dassie-datum PLAN OFFSET COUNT [LATER]: the program that make starts for a chunk of a plan.
 *
 * For each datum: the record must fit its key; a result that exists is done; else attempts in a row, each in a fresh
 * view.  The result, or the failure, is written in one step before the next datum begins, so that a kill loses at
 * most the one that was under way.  The step is handed to /bin/sh as text (`sh -c TEXT SCRIPT`: $0 and
 * messages are those of a file), for then the shell execs the last command instead of forking for it: a tenth of
 * what a small datum costs.  A step too long for an argument is given as a file.
 *
 * A datum that is to be tried again goes to the end of this program's queue: the others come first, and only when nothing
 * else is left to do does it wait, with its job token lent (lend.c).  Called with a LATER file, it leaves them there to those who
 * are called at the end of the pipeline (queue.h).
 *
 * Exit status: 0 every datum has its result, 1 some failed, 3 the world (no space, a missing object, a plan that does
 * not fit).  A signal ends us by that signal, with nothing half-done left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "again.h"
#include "asuser.h"
#include "codecheck.h"
#include "collect.h"
#include "container.h"
#include "environ.h"
#include "exec.h"
#include "failure.h"
#include "hint.h"
#include "mask.h"
#include "memory.h"
#include "pfs.h"
#include "queue.h"
#include "result.h"
#include "secretmount.h"
#include "secrets.h"
#include "strict.h"
#include "turn.h"
#include "view.h"

static const char SHELL[] = "/bin/sh";
static const uint64_t CONTAINER_LINGER = 5000000000;    /* ns in which a container's own helpers end */
enum { ARG_MAX_ONE = 128 * 1024 - 1, DISK_FULL = 256 * 1024 };

struct runner {
	struct plan_head head;
	struct recfile plan;
	struct plan_datum datum;
	struct view view;
	struct pfs pfs;
	struct environ env;
	struct collect collect;
	struct result result;
	struct again again;             /* of the datum under way */
	uint64_t at;                    /* where it is in the plan */
	struct queue queue;
	struct turn turn;
	struct memory memory;
	struct codecheck code;
	struct secrets secrets;
	struct mask mask;               /* what the secrets are, for the log */
	struct asuser as;
	struct container container;
	struct buf step;                /* the script's text */
	char host[256];
	char log[LAYOUT_MAX];           /* of the last attempt */
	int log_fd;                     /* open while it is empty, else -1 */
	bool stop;                      /* the world is such that no other datum can succeed */
};

/* The names of a datum under which messages speak of it. */
static int
wrap_datum(const struct runner *r, struct err *err)
{
	return err_wrap(err, "%s: datum %s", r->head.pipeline, r->datum.label);
}

/* An empty log is nobody's. */
static void
drop_log(struct runner *r)
{
	if (r->log_fd < 0)
		return;
	close(r->log_fd);
	unlink(r->log);
	r->log_fd = -1;
}

/* What err_cmd says follows what the last attempt said. */
static int
open_last_log(struct runner *r, struct err *err)
{
	drop_log(r);
	layout_log(r->log, &r->datum.key, r->head.job, (unsigned)r->result.n_attempt);
	r->log_fd = open(r->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	return r->log_fd < 0 ? err_set(err, errno, "cannot open log '%s':", r->log) : 0;
}

/* The log is there, by its own name, before the command starts.  One to which nothing was written gets a new name
 * for the next attempt: nobody has it open any more. */
static int
open_log(struct runner *r, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC;
	char path[LAYOUT_MAX];

	layout_log(path, &r->datum.key, r->head.job, (unsigned)r->result.n_attempt + 1);
	if (r->log_fd < 0 || rename(r->log, path) < 0) {
		drop_log(r);
		r->log_fd = open(path, flags, 0644);
		if (r->log_fd < 0 && errno == ENOENT && fs_mkdirs_for(path, err) == 0)
			r->log_fd = open(path, flags, 0644);
		if (r->log_fd < 0)
			return err_set(err, errno, "cannot open log '%s':", path);
	}
	memcpy(r->log, path, sizeof path);
	return 0;
}

/* ret_kept: something was written to it. */
static int
end_log(struct runner *r, bool *ret_kept, struct err *err)
{
	struct stat st;

	if (fstat(r->log_fd, &st) < 0)
		return err_set(err, errno, "cannot stat log '%s':", r->log);
	*ret_kept = st.st_size > 0;
	if (!*ret_kept)
		return 0;
	if (close(r->log_fd) < 0) {
		r->log_fd = -1;
		return err_set(err, errno, "cannot write log '%s':", r->log);
	}
	r->log_fd = -1;
	return 0;
}

/* Nothing is left but what is finished. */
static _Noreturn void
die_by(struct runner *r, int sig)
{
	struct err err = ERR_INIT;

	r->view.made |= r->view.idle;
	view_remove(&r->view, &err);
	drop_log(r);
	exec_die(sig);
}

/* What the shell gets: the step, and for one in an image what begins the container, whose client has an environment of its own. */
static int
make_words(struct runner *r, const struct buf *step, const char *script, const char ***ret, char ***env, struct err *err)
{
	bool fits = step->n < ARG_MAX_ONE && !memchr(step->s, '\0', step->n);
	const char *by_text[] = { SHELL, "-c", step->s, script }, *by_file[] = { SHELL, script };
	const char *const *container = NULL;
	size_t n = fits ? 4 : 2, more = 0;

	if (r->container.image && container_words(&r->container, &r->view, *env, limits_memory(&r->head.limits, r->again.oom), false,
	    &container, env, err) < 0)
		return -1;
	while (container && container[more])
		more++;
	*ret = xcalloc(n + more + 1, sizeof **ret);
	memcpy(*ret, fits ? by_text : by_file, n * sizeof **ret);
	if (more)
		memcpy(*ret + n, container, more * sizeof **ret);
	return 0;
}

/* The container is gone when its client is, or is removed.  -1: it was the runtime that failed. */
static int
end_container(struct runner *r, struct attempt *a, bool killed, struct err *err)
{
	if (!r->container.image)
		return 0;
	container_end(&r->container, &r->view, killed || a->late || a->signal);
	a->oom |= a->memory && a->exit == 137 && !a->late && !killed;
	r->stop = !killed && container_failed(&r->container, a, r->log, err);
	return r->stop ? -1 : 0;
}

/* A step, with r->log_fd open. */
static int
run_step(struct runner *r, const struct buf *step, const char *script, struct attempt *a, struct err *err)
{
	char **env = environ_of(&r->env, &r->head, &r->datum, &r->view);
	const char **argv;
	struct command c;
	int sig;

	if (make_words(r, step, script, &argv, &env, err) < 0)
		return -1;
	c = (struct command){ argv, env, r->log_fd, r->head.timeout, r->mask.n ? &r->mask : NULL, &r->as,
		r->container.image ? CONTAINER_LINGER : 0 };
	memory_begin(&r->memory, r->container.client ? 0 : limits_memory(&r->head.limits, r->again.oom), exec_clock());
	sig = exec_run(&c, &r->memory, a, err);
	free(argv);
	if (sig < 0 || end_log(r, &a->log, err) < 0 || end_container(r, a, sig > 0, err) < 0)
		return -1;
	if (sig > 0)
		die_by(r, sig);
	return 0;
}

static bool
disk_is_full(void)
{
	struct statvfs fs;

	return statvfs(DIR_WORK, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < DISK_FULL;
}

/* The command has ended: 0 it did what it should, 1 fault, -1 the world. */
static int
judge(struct runner *r, struct attempt *a, struct fault *fault, struct err *err)
{
	int rc = view_check(&r->view, fault, err);
	char limit[32];

	if (rc == 0)
		rc = codecheck_now(&r->code, fault);
	if (rc == 0 && a->late)
		rc = fault_set(fault, CLASS_TIMEOUT, "ended after %s, its datum_timeout", failure_duration(limit, r->head.timeout));
	else if (rc == 0)
		rc = fault_of_end(fault, a, r->head.accept, r->head.n_accept);
	if (rc == 1 && r->view.pfs)
		hint_add(fault, &r->head, r->view.project, &r->step, a->log ? r->log : NULL);
	if (rc == 1 && disk_is_full())
		return err_set(err, ENOSPC, "%s: the disk is full", fault->text);
	if (rc == 0)
		rc = container_links(&r->container, &r->view, fault, err);
	if (rc == 0)
		rc = collect_outputs(&r->collect, &r->view, &r->result, fault, err);
	if (rc == 0)
		a->out_bytes = r->collect.bytes;
	return rc;
}

static void
keep_attempt(struct result *r, const struct attempt *a)
{
	GROW(r->attempt, r->n_attempt, r->cap_attempt);
	r->attempt[r->n_attempt++] = *a;
}

/* What the command writes to is its user's. */
static int
give_folders(const struct runner *r, struct err *err)
{
	char out[LAYOUT_MAX + 8];

	snprintf(out, sizeof out, "%s/out", r->view.dir);
	return asuser_give(&r->as, out, err) < 0 || asuser_give(&r->as, r->view.tmp, err) < 0 ? -1 : 0;
}

/* The view of the datum, with everything in it as the plan says. */
static int
begin_view(struct runner *r, struct fault *fault, struct err *err)
{
	int rc = view_make(&r->view, &r->datum, fault, err), sig = exec_pending();

	if (sig)
		die_by(r, sig);
	if (rc == 0)
		rc = codecheck_now(&r->code, fault);
	if (rc == 0 && r->as.set)
		rc = give_folders(r, err);
	return rc;
}

static int
try_once(struct runner *r, struct fault *fault, struct err *err)
{
	struct attempt a = { 0 };
	int rc = begin_view(r, fault, err);
	struct err second = ERR_INIT;

	if (rc == 0) {
		a.in_bytes = r->view.bytes;
		rc = open_log(r, err) < 0 ? -1 : run_step(r, &r->step, r->head.script, &a, err);
		if (rc == 0) {
			rc = judge(r, &a, fault, err);
			keep_attempt(&r->result, &a);
		}
	}
	if (view_end(&r->view, rc < 0 ? &second : err) < 0)
		rc = -1;
	return rc;
}

/* What was recorded is what runs: a step that was edited or damaged since it was compiled does not. */
static int
read_step(const char *path, struct buf *ret, struct err *err)
{
	struct oid id;
	int rc = fs_read(path, ret, err);

	if (rc <= 0)
		return rc < 0 ? -1 : err_set(err, ENOENT, "step '%s' is not there: run make again", path);
	sha256_bytes(ret->s, ret->n, &id);
	return layout_step_fits(path, &id) ? 0 :
	    err_set(err, 0, "step '%s' is not what was compiled: remove it, and make compiles it again", path);
}

/* The last attempt has failed: may the job do without the datum?  err_cmd sees what the command saw; what it writes
 * is not kept.  1 it may, 0 it may not, -1 the world. */
static int
recover(struct runner *r, struct err *err)
{
	struct attempt a = { 0 }, *last = &r->result.attempt[r->result.n_attempt - 1];
	struct fault fault = FAULT_INIT;
	struct err second = ERR_INIT;
	struct buf step = BUF_INIT;
	int rc = read_step(r->head.err_script, &step, err);

	rc = rc < 0 ? -1 : begin_view(r, &fault, err);
	if (rc == 0) {
		rc = open_last_log(r, err) < 0 ? -1 : run_step(r, &step, r->head.err_script, &a, err);
		if (rc == 0) {
			last->log = a.log;
			rc = a.late || view_check(&r->view, &fault, err) || fault_of_end(&fault, &a, r->head.accept, r->head.n_accept);
		}
	}
	if (view_end(&r->view, rc < 0 ? &second : err) < 0)
		rc = -1;
	buf_release(&step);
	return rc < 0 ? -1 : rc == 0;
}

static void
begin_result(struct runner *r)
{
	struct result *res = &r->result;

	res->key = r->datum.key;
	res->label = r->datum.label;
	res->n_input = res->n_output = 0;
	for (size_t i = 0; i < r->datum.n_match; i++) {
		const struct plan_match *m = &r->datum.match[i];
		const struct plan_input *in = &r->head.input[m->input];

		GROW(res->input, res->n_input, res->cap_input);
		res->input[res->n_input++] = (struct result_input){ in->name, in->repo, m->path, m->kind, m->id };
	}
}

static int
end_result(struct runner *r, const struct fault *fault, bool recovered, struct err *err)
{
	bool failed = fault->class[0] != '\0';

	r->result.state = recovered ? "recovered" : failed ? "failed" : "success";
	r->result.class = fault->class;
	r->result.reason = fault->text;
	if (failed)
		r->result.n_output = 0;
	return result_write(&r->result, err);
}

/* The datum and what is known of it move to the queue. */
static void
put_off(struct runner *r, const struct fault *fault)
{
	struct result *res = &r->result;
	unsigned number = (unsigned)res->n_attempt;
	uint64_t wait = again_wait(&r->head, fault, number);

	failure_tell_again(&r->head, &r->datum, fault, number, wait);
	queue_put(&r->queue, &(struct waiting){ r->datum, r->at, res->attempt, res->n_attempt, res->cap_attempt, r->again,
		exec_clock() + wait });
	r->datum = (struct plan_datum)PLAN_DATUM_INIT;
	res->attempt = NULL;
	res->n_attempt = res->cap_attempt = 0;
}

/* The one that is due first becomes the datum under way. */
static uint64_t
take_up(struct runner *r)
{
	struct waiting w = queue_take(&r->queue);

	plan_datum_release(&r->datum);
	free(r->result.attempt);
	r->datum = w.datum;
	r->at = w.at;
	r->result.attempt = w.attempt;
	r->result.n_attempt = w.n;
	r->result.cap_attempt = w.cap;
	r->again = w.again;
	return w.due;
}

/* One attempt at the datum under way: 0 it has its result, waits for another one
 * or is recovered; 1 it failed, -1 the world. */
static int
run_datum(struct runner *r, struct err *err)
{
	struct result *res = &r->result;
	struct fault fault = FAULT_INIT;
	size_t before = res->n_attempt;
	struct attempt *last;
	int rc, recovered = 0;
	bool again;

	begin_result(r);
	rc = try_once(r, &fault, err);
	last = res->n_attempt > before ? &res->attempt[before] : NULL;
	again = rc == 1 && again_wanted(&r->again, &r->head, &fault, last, r->log, (unsigned)res->n_attempt);
	if (last)
		last->class = fault.class;
	if (again) {
		put_off(r, &fault);
		return 0;
	}
	if (rc == 1 && r->head.err_script && res->n_attempt > before)
		recovered = recover(r, err);
	if (rc < 0 || recovered < 0 || end_result(r, &fault, recovered, err) < 0)
		return -1;
	if (rc == 0)
		return 0;
	failure_tell(&r->head, &r->datum, &fault, (unsigned)res->n_attempt, recovered);
	return !recovered;
}

static bool
hopeless(int num)
{
	return num == ENOSPC || num == EDQUOT || num == EROFS || num == EIO || num == ENFILE;
}

/* A record that is not what the planner hashed would leave a wrong result under a right name. */
static bool
fits(const struct runner *r)
{
	struct oid key;

	for (size_t i = 0; i < r->datum.n_match; i++)
		if (r->datum.match[i].input >= r->head.n_input)
			return false;
	plan_datum_key(&r->head, &r->datum, &key);
	return oid_eq(&key, &r->datum.key);
}

static int
go_on(struct runner *r)
{
	struct err err = ERR_INIT;
	int rc;

	if (result_exists(&r->datum.key))
		return EXIT_DONE;
	rc = turn_take(&r->turn, &r->head, &err);
	if (rc > 0)
		die_by(r, rc);
	if (rc == 0)
		rc = run_datum(r, &err);
	if (rc >= 0)
		return rc ? EXIT_FAILED : EXIT_DONE;
	r->stop |= hopeless(err.num);
	wrap_datum(r, &err);
	return talk_err(&err);
}

static int
next_datum(struct runner *r, const char *plan)
{
	struct err err = ERR_INIT;
	int rc;

	r->at = r->plan.pos;
	rc = plan_datum_read(&r->datum, &r->plan, &err);
	if (rc == 0)
		rc = err_set(&err, 0, "'%s' has fewer datums than it was asked for: run make again", plan);
	else if (rc == 1 && !fits(r))
		rc = err_set(&err, 0, "'%s': datum %s is not what its key says: run make again", plan, r->datum.label);
	if (rc < 0) {
		r->stop = true;
		return talk_err(&err);
	}
	r->result.n_attempt = 0;
	r->again = (struct again)AGAIN_INIT;
	return go_on(r);
}

/* What waits for another attempt, when nothing else is left to do. */
static int
retry_one(struct runner *r)
{
	uint64_t due = take_up(r);
	int sig = exec_clock() < due ? turn_wait(&r->turn, due) : 0;

	if (sig > 0)
		die_by(r, sig);
	return go_on(r);
}

/* The stage has tried already whether a /pfs can be had; by hand it is tried here. */
static int
enter_pfs(struct runner *r, const char *project, struct err *err)
{
	const char *told = getenv("DASSIE_PFS");

	if (r->container.image) {
		r->view.in_image = true;
		return 0;
	}
	if (told ? strcmp(told, "1") != 0 : fs_mkdirs(DIR_WORK, err) < 0 || !pfs_possible(project))
		return strict_wanted(&r->head) ? strict_refuse(r->head.pipeline, err) :
		    secretmount_wanted(&r->head.secrets) ? secretmount_refuse(&r->head.secrets, err) : 0;
	for (size_t i = 0; i < r->head.n_input; i++)
		if (pfs_covers(r->head.input[i].dir))
			return err_set(err, 0, "the source '%s' lies in '%s', which is where commands see their inputs: move it elsewhere, and say "
			    "where in 'repos'", r->head.input[i].repo, PFS_DIR);
	r->view.pfs = &r->pfs;
	if (pfs_enter(project, err) < 0 ||
	    secretmount(&r->secrets, &r->head.secrets, project, r->as.set ? r->as.uid : geteuid(), r->as.set ? r->as.gid : getegid(), err) < 0)
		return -1;
	r->pfs.tmp_at = strict_wanted(&r->head) ? STRICT_TMP : NULL;
	return r->pfs.tmp_at ? strict_enter(&r->head, project, err) : 0;
}

static int
load_secrets(struct runner *r, struct err *err)
{
	if (secrets_load(&r->secrets, &r->head.secrets, err) < 0)
		return err_wrap(err, "%s", r->head.pipeline);
	secrets_mask(&r->secrets, &r->mask);
	return 0;
}

static int
load(struct runner *r, const char *plan, struct err *err)
{
	char *project;
	int rc;

	rc = recfile_open(&r->plan, plan, "plan", 1, err);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(err, ENOENT, "there is no plan '%s': run make again", plan);
	if (plan_head_read(&r->head, &r->plan, err) < 0)
		return -1;
	if (read_step(r->head.script, &r->step, err) < 0)
		return -1;
	if (!(project = getcwd(NULL, 0)))
		return err_set(err, errno, "cannot find the current directory:");
	codecheck_init(&r->code, r->head.code, r->head.n_code);
	view_init(&r->view, &r->head, project);
	if (container_init(&r->container, &r->head, r->view.project, err) < 0 ||
	    (!r->container.image && asuser_find(&r->as, r->head.user, err) < 0) || load_secrets(r, err) < 0 || enter_pfs(r, project, err) < 0) {
		free(project);
		return -1;
	}
	r->collect.as = &r->as;
	environ_init(&r->env, &r->head, project, &r->as);
	environ_secrets(&r->env, &r->head, &r->secrets);
	free(project);
	if (gethostname(r->host, sizeof r->host - 1) < 0)
		r->host[0] = '\0';
	r->result.pipeline = r->head.pipeline;
	r->result.job = r->head.job;
	r->result.run = r->head.run;
	r->result.boot = fs_boot_id();
	r->result.host = r->host;
	r->result.command = SHELL;
	return 0;
}

static void
unload(struct runner *r)
{
	turn_end(&r->turn);
	queue_release(&r->queue);
	drop_log(r);
	view_release(&r->view);
	pfs_release(&r->pfs);
	environ_release(&r->env);
	collect_release(&r->collect);
	result_release(&r->result);
	plan_datum_release(&r->datum);
	plan_head_release(&r->head);
	recfile_release(&r->plan);
	codecheck_release(&r->code);
	secrets_release(&r->secrets);
	mask_release(&r->mask);
	asuser_release(&r->as);
	container_release(&r->container);
	buf_release(&r->step);
}

static bool
parse_number(const char *s, uint64_t *ret)
{
	char *end;

	if (s[0] < '0' || s[0] > '9')
		return false;
	errno = 0;
	*ret = strtoull(s, &end, 10);
	return *end == '\0' && errno == 0;
}

static int
run_queue(struct runner *r)
{
	int status = EXIT_DONE;

	while (r->queue.n && !r->stop) {
		int one = retry_one(r);

		status = one > status ? one : status;
	}
	return status;
}

/* later: where to leave what is to be tried again; NULL: it is waited for. */
static int
run_chunk(struct runner *r, const char *plan, uint64_t offset, uint64_t count, const char *later)
{
	struct err err = ERR_INIT;
	int status = EXIT_DONE, rest;

	if (offset < r->plan.pos || offset > r->plan.n) {
		err_set(&err, 0, "'%s' has no datum at %llu: run make again", plan, (unsigned long long)offset);
		return talk_err(&err);
	}
	recfile_seek(&r->plan, (size_t)offset);
	for (uint64_t i = 0; i < count && !r->stop; i++) {
		int one = next_datum(r, plan);

		status = one > status ? one : status;
	}
	if (later && r->queue.n && queue_leave(&r->queue, later, &err) < 0)
		return talk_err(&err);
	rest = run_queue(r);
	return rest > status ? rest : status;
}

/* The i-th of n who share what the chunks left. */
static int
run_later(struct runner *r, const char *later, uint64_t i, uint64_t n)
{
	struct err err = ERR_INIT;

	if (queue_read(&r->queue, later, &r->plan, i, n, &err) < 0)
		return talk_err(&err);
	return run_queue(r);
}

static int
usage(void)
{
	talk("usage: dassie-datum PLAN OFFSET COUNT [LATER] | PLAN again LATER I N (make calls it; you want 'dassie run' or 'dassie rerun')");
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	/* every other part's INIT is zeros */
	struct runner r = { .log_fd = -1, .turn = TURN_INIT, .memory = MEMORY_INIT, .pfs = PFS_INIT };
	bool later = argc == 6 && strcmp(argv[2], "again") == 0;
	struct err err = ERR_INIT;
	uint64_t from, n;
	int status;

	if (argc < 4 || argc > 6 || (argc == 6 && !later) || !parse_number(argv[later ? 4 : 2], &from) ||
	    !parse_number(argv[later ? 5 : 3], &n) || (later && (from < 1 || from > n)))
		return usage();
	if (exec_init(&err) < 0 || load(&r, argv[1], &err) < 0)
		status = talk_err(&err);
	else
		status = later ? run_later(&r, argv[3], from, n) : run_chunk(&r, argv[1], from, n, argc == 5 ? argv[4] : NULL);
	unload(&r);
	return status;
}
