/* work.c: the planner and the sub-make are processes; between them and us are the files of plan.h.
 * The sub-make's own complaints ("*** [...] Error 1", once a chunk) say nothing that the runners did not say better, so
 * they go to a file, and the runners get the real stderr by number. */
#include "work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/limits.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/rec.h"
#include "../base/talk.h"
#include "child.h"
#include "failure.h"
#include "lend.h"
#include "memory.h"
#include "mflags.h"
#include "pfs.h"
#include "provenance.h"
#include "state.h"

enum { MAX_CHUNK = 256, TIMES_MAX = 10000 };

static const uint64_t SECOND = 1000000000;

static char *
plan_path(char ret[LAYOUT_MAX], const char *pipeline, const char *job, const char *suffix)
{
	char tail[128];

	snprintf(tail, sizeof tail, "%s%s", job, suffix);
	return layout_plan(ret, pipeline, tail);
}

/* A chunk is to take about a second. */
static uint64_t
chunk_max(uint64_t each)
{
	if (each == 0)
		return MAX_CHUNK;
	return each >= SECOND ? 1 : SECOND / each < MAX_CHUNK ? SECOND / each : MAX_CHUNK;
}

/* The planner has said why it refused; a signal that ended it is the world's doing. */
static int
planner_end(int rc)
{
	return rc >= 128 ? EXIT_WORLD : rc;
}

/* Only for the order of work: what cannot be written is not missed. */
static void
write_times(const char *pipeline, uint64_t each)
{
	char path[LAYOUT_MAX];
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	layout_plan(path, pipeline, "times");
	if (each == 0) {
		unlink(path);
		return;
	}
	rec_head(&b, "times", 1);
	rec_word(&b, "each");
	rec_u64(&b, each);
	rec_end(&b);
	prov_longest(pipeline, TIMES_MAX, &b);
	fs_replace(path, b.s, b.n, 0644, &err);
	buf_release(&b);
}

/* What a killed job's chunks left to be tried again has places of a plan that is written anew. */
static void
remove_later(const char *pipeline, const char *job)
{
	char path[LAYOUT_MAX], part[40];

	unlink(plan_path(path, pipeline, job, ".later"));
	for (unsigned i = 1; i; i++) {
		snprintf(part, sizeof part, ".part.%u.mk", i);
		if (access(plan_path(path, pipeline, job, part), F_OK) < 0)
			break;
		snprintf(part, sizeof part, ".part.%u.later", i);
		unlink(plan_path(path, pipeline, job, part));
	}
}

void
work_tell_limits(const char *pipeline, const struct limits *l, const struct mflags *m)
{
	struct memory memory = MEMORY_INIT;
	char size[32];

	if (l->cpu > m->jobs && !m->unbound)
		talk("%s: a datum asks for %u cpus, make runs %u jobs at once: it gets %s", pipeline, l->cpu, m->jobs,
		    m->jobs == 1 ? "the one" : "them all");
	if (!l->memory)
		return;
	memory_find(&memory);
	memory_export(&memory);
	memory_sweep(&memory);
	talk("%s: an attempt may use %s of memory, held by %s", pipeline, failure_size(size, l->memory), memory.how != MEMORY_RLIMIT ?
	    memory_word(&memory) : "rlimit for each process and by looking at their sum (no cgroup is delegated to us)");
}

int
work_plan(const struct open_job *o, const struct mflags *m, struct err *err)
{
	char program[PATH_MAX], slots[32], chunk[40];
	uint64_t each = prov_duration(o->pipeline);

	write_times(o->pipeline, each);
	remove_later(o->pipeline, o->job);
	snprintf(slots, sizeof slots, "--slots=%u", m->jobs);
	snprintf(chunk, sizeof chunk, "--chunk=%llu", (unsigned long long)chunk_max(each));
	return planner_end(child_run((const char *const[]){ state_helper("dassie-compile", program, sizeof program), "plan",
	    o->pipeline, slots, chunk, m->unbound ? "--unbound" : NULL, NULL }, -1, err));
}

static bool
parse_counts(char *text, uint64_t *ret_total, uint64_t *ret_missing)
{
	struct recfile f;
	struct rec r;
	bool total = false, missing = false;

	recfile_memory(&f, text, strlen(text));
	while (recfile_next(&f, &r) && !(total && missing)) {
		if (rec_is(&r, "total", 2))
			total = rec_get_u64(&r, 1, ret_total);
		else if (rec_is(&r, "missing", 2))
			missing = rec_get_u64(&r, 1, ret_missing);
	}
	return total && missing;
}

static int
read_counts(int fd, uint64_t *ret_total, uint64_t *ret_missing, struct err *err)
{
	char text[256] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	return n > 0 && parse_counts(text, ret_total, ret_missing) ? 0 : err_set(err, 0, "the planner's answer is not understood");
}

int
work_count(const struct open_job *o, uint64_t *ret_total, uint64_t *ret_missing, struct err *err)
{
	char program[PATH_MAX], name[] = "/tmp/dassie-count.XXXXXX";
	int keep = dup(STDOUT_FILENO), fd = mkstemp(name), rc;

	if (fd < 0 || keep < 0)
		return err_set(err, errno, "cannot make a temporary file:");
	unlink(name);
	dup2(fd, STDOUT_FILENO);
	rc = planner_end(child_run((const char *const[]){ state_helper("dassie-compile", program, sizeof program), "plan",
	    o->pipeline, "--dry", NULL }, -1, err));
	dup2(keep, STDOUT_FILENO);
	close(keep);
	if (rc == 0)
		rc = read_counts(fd, ret_total, ret_missing, err);
	close(fd);
	return rc;
}

int
work_planned(const struct open_job *o, uint64_t *ret_total, uint64_t *ret_missing, struct err *err)
{
	char path[LAYOUT_MAX];
	int fd = open(plan_path(path, o->pipeline, o->job, ".set"), O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", path);
	rc = read_counts(fd, ret_total, ret_missing, err);
	close(fd);
	return rc;
}

/* '$' is the one byte that make would not take as it is on its command line. */
static char *
make_variable(const char *name, const char *value)
{
	struct buf b = BUF_INIT;

	buf_fmt(&b, "%s=", name);
	for (; *value; value++)
		buf_add(&b, *value == '$' ? "$$" : value, *value == '$' ? 2 : 1);
	return buf_detach(&b);
}

/* A command that names /pfs, where it cannot be shown, would find nothing there, or as root write beside its output. */
static void
tell_no_pfs(const char *pipeline)
{
	struct conf c = CONF_INIT;
	struct buf step = BUF_INIT;
	struct err err = ERR_INIT;

	if (conf_read(&c, pipeline, &err) == 0 && fs_read(c.script, &step, &err) == 1 && strstr(step.s, PFS_DIR "/"))
		talk("%s: its command names '%s/', which cannot be shown on this machine ('dassie doctor' says why): '$out', '$NAME' and "
		    "'$PFS' work everywhere", pipeline, PFS_DIR);
	buf_release(&step);
	conf_release(&c);
}

int
work_run(const struct open_job *o, const char *make, uint64_t limit, bool *ret_late, struct err *err)
{
	char mk[LAYOUT_MAX], said[LAYOUT_MAX], program[PATH_MAX], number[16];
	char *datum = make_variable("DASSIE_DATUM", state_helper("dassie-datum", program, sizeof program));
	char *project = getcwd(NULL, 0);
	int fd = open(plan_path(said, o->pipeline, o->job, ".err"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int talk_fd = fcntl(STDERR_FILENO, F_DUPFD, 20), rc = -1;
	struct lender lender = LENDER_INIT;
	bool pfs = project && pfs_possible(project);

	if (!pfs)
		tell_no_pfs(o->pipeline);
	if (fd < 0 || talk_fd < 0) {
		err_set(err, errno, "cannot open '%s':", said);
	} else {
		snprintf(number, sizeof number, "%d", talk_fd);
		setenv("DASSIE_TALK", number, 1);
		setenv("DASSIE_PFS", pfs ? "1" : "0", 1);
		unsetenv("MAKEFILES");
		lender_open(&lender, getenv("MAKEFLAGS"));
		rc = child_run_for((const char *const[]){ make, "-f", plan_path(mk, o->pipeline, o->job, ".mk"), "-k", "-r", "-R",
		    "--no-print-directory", datum, NULL }, fd, limit, ret_late, &lender, err);
		unsetenv("DASSIE_TALK");
		remove_later(o->pipeline, o->job);
	}
	if (fd >= 0)
		close(fd);
	if (talk_fd >= 0)
		close(talk_fd);
	free(datum);
	free(project);
	return rc < 0 ? -1 : 0;
}

void
work_tell_make(const struct open_job *o)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX];

	if (fs_read(plan_path(path, o->pipeline, o->job, ".err"), &b, &err) == 1 && b.n)
		talk_raw(b.s, b.n);
	buf_release(&b);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Views are named by their datum's key, and other pipelines have theirs beside ours: so only those of the old plan go. */
static void
sweep_planned(struct recfile *plan, char **name, size_t n)
{
	struct err err = ERR_INIT;
	struct rec r;

	while (recfile_next(plan, &r)) {
		char path[LAYOUT_MAX], *at = path + sizeof DIR_WORK;

		if (!rec_is(&r, "datum", 2) || r.len[1] != OID_HEX)
			continue;
		for (int tmp = 0; tmp < 2; tmp++) {
			snprintf(path, sizeof path, "%s/%s%s", DIR_WORK, r.f[1], tmp ? ".tmp" : "");
			/* What cannot be removed now is removed before the next attempt at that datum, or named then. */
			if (bsearch(&at, name, n, sizeof *name, by_name))
				fs_remove_tree(path, &err);
		}
	}
}

void
work_sweep(const char *pipeline, const char *job)
{
	struct recfile plan = RECFILE_INIT;
	struct err err = ERR_INIT;
	char path[LAYOUT_MAX], **name = NULL;
	size_t n = 0, cap = 0;
	DIR *d = opendir(DIR_WORK);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			GROW(name, n, cap);
			name[n++] = xstrdup(e->d_name);
		}
	if (d)
		closedir(d);
	if (n && recfile_open(&plan, plan_path(path, pipeline, job, ""), "plan", 1, &err) == 1) {
		qsort(name, n, sizeof *name, by_name);
		sweep_planned(&plan, name, n);
	}
	recfile_release(&plan);
	for (size_t i = 0; i < n; i++)
		free(name[i]);
	free(name);
}

void
work_tidy(const char *pipeline, const char *job)
{
	char path[LAYOUT_MAX];

	unlink(plan_path(path, pipeline, job, ".set"));
	unlink(plan_path(path, pipeline, job, ".err"));
	unlink(plan_path(path, pipeline, job, ".later"));
}

void
work_clean(const char *pipeline, const char *job)
{
	char path[LAYOUT_MAX], part[40];

	work_tidy(pipeline, job);
	remove_later(pipeline, job);
	unlink(plan_path(path, pipeline, job, ""));
	unlink(plan_path(path, pipeline, job, ".mk"));
	for (unsigned i = 1; i; i++) {
		snprintf(part, sizeof part, ".part.%u.mk", i);
		if (unlink(plan_path(path, pipeline, job, part)) < 0)
			break;
	}
}
