/* fsck.c: the state against itself. Contents first (objects, results, commits), because the rest is judged by them; then
 * refs, jobs, database, and with --out what is shown. Nothing here is fatal to a project: whatever is damaged can be
 * computed again, and --repair only takes out of the way what would hinder the next make from doing so. */
#include "fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/jobfile.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "collected.h"
#include "provenance.h"
#include "query.h"
#include "rebuild.h"
#include "result.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

#define DIR_DAMAGED DIR_STATE "/damaged"

static const char usage[] =
    "usage: dassie fsck [--repair] [--rebuild] [--out] [--json]\n\n"
    "Checks .dassie: contents against their hashes, results, commits, refs and jobs against each other, the database.\n"
    "Exit status 0: sound, 1: something was found, 3: it could not look.\n\n"
    "        --repair  take away what is damaged, so that the next make computes it again; what is taken away lies in\n"
    "                  .dassie/damaged; your own files are never touched\n"
    "        --rebuild make the database again from the files, first; the old one goes to .dassie/damaged\n"
    "        --out     compare out/ with what was written there, too (with --repair: write again what differs; your\n"
    "                  version goes to .dassie/damaged)\n"
    "        --json    one object a line\n";

void
fsck_finding(struct fsck *f, const char *subject, const char *what, const char *cure, bool done)
{
	struct buf *b = f->text;

	f->findings++;
	f->repaired += done;
	if (f->json) {
		json_open(b, NULL, '{');
		json_str(b, "subject", subject);
		json_str(b, "finding", what);
		json_str(b, "cure", cure);
		json_bool(b, "repaired", done);
		json_close(b, '}');
		buf_byte(b, '\n');
		return;
	}
	buf_str(b, show_color(SHOW_RED));
	show_name(b, subject);
	buf_fmt(b, "%s: ", show_color(SHOW_PLAIN));
	show_name(b, what);
	buf_fmt(b, "\n    %s: ", done ? "repaired by" : f->repair ? "not repaired; what helps is" : "--repair does it by");
	buf_str(b, cure);
	buf_byte(b, '\n');
}

int
fsck_move_away(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/'), *parent = slash;
	struct buf to = BUF_INIT;
	int rc = fs_mkdirs(DIR_DAMAGED, err);

	/* ab/cd…: both parts make the name. */
	if (slash && slash - path > 2 && slash[-3] == '/')
		parent = slash - 3;
	buf_fmt(&to, "%s/", DIR_DAMAGED);
	for (const char *s = parent ? parent + 1 : path; *s; s++)
		if (*s != '/')
			buf_byte(&to, *s);
	buf_fmt(&to, ".%llu", (unsigned long long)time_now_ns());
	if (rc == 0 && rename(path, to.s) < 0 && errno != ENOENT)
		rc = err_set(err, errno, "cannot move '%s' to '%s':", path, DIR_DAMAGED);
	buf_release(&to);
	return rc;
}

void
fsck_reset(struct fsck *f, const char *pipeline)
{
	const struct index_pipeline *p = index_find(&f->x, pipeline);

	if (p)
		f->reset[p - f->x.pipeline] = true;
}

static int
take_out(const char *path, struct err *err)
{
	return unlink(path) < 0 && errno != ENOENT ? err_set(err, errno, "cannot remove '%s':", path) : 0;
}

/* The stage is to run, and to look at every result. */
static int
reset_pipelines(struct fsck *f, struct err *err)
{
	char path[LAYOUT_MAX];

	for (size_t i = 0; f->repair && i < f->x.n_pipeline; i++)
		if (f->reset[i] && (take_out(layout_plan(path, f->x.pipeline[i].name, "job"), err) < 0 ||
		    take_out(layout_done(path, f->x.pipeline[i].name), err) < 0))
			return -1;
	return 0;
}

/* A ref of a repo: 1 it has one and its commit is sound (in m), 0 it has none, 2 something is wrong (reported), -1. */
static int
check_ref(struct fsck *f, const char *repo, struct ref *ref, struct manifest *m, const char *cure, struct err *err)
{
	struct err why = ERR_INIT;
	struct stat st;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, repo), ref, err);

	if (rc < 0 || (rc == 0 && lstat(path, &st) < 0))
		return rc;
	if (rc == 0) {
		fsck_finding(f, path, "damaged: it cannot be parsed", cure, f->repair);
		return f->repair && take_out(path, err) < 0 ? -1 : 2;
	}
	if (manifest_load(m, &ref->id, &why) == 0)
		return 1;
	fsck_finding(f, path, "the commit that it names is gone or damaged", cure, f->repair);
	return 2;
}

static int
check_source(struct fsck *f, const struct index_source *s, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct ref ref = REF_INIT;
	char path[LAYOUT_MAX];
	int rc = check_ref(f, s->name, &ref, &m, s->n_from ? "forgetting it; the next make fetches the source anew" :
	    "forgetting what the scan knew; the next make scans the source anew", err);

	/* Without its cache the scan hashes everything and writes the manifest again. */
	if (rc == 2 && f->repair && (take_out(layout_ref(path, s->name), err) < 0 || take_out(layout_scan(path, s->name), err) < 0))
		rc = -1;
	manifest_release(&m);
	ref_release(&ref);
	return rc < 0 ? -1 : 0;
}

/* P.job against the commit: as many paths, each of them written by datums that it has. */
static bool
tree_fits(const struct jobfile *j, const struct manifest *m)
{
	struct job_writers w;
	size_t paths = 0;
	bool good = true;
	int rc;

	job_writers_begin(&w, j);
	while ((rc = job_writers_next(&w)) == 1) {
		for (size_t i = 0; i < w.n; i++)
			good &= w.part[i].number < j->next;
		paths++;
	}
	job_writers_release(&w);
	return good && rc == 0 && paths == m->n;
}

static bool
has_result(const struct jobfile *j, size_t i)
{
	struct oid key;

	jobfile_key(j, i, &key);
	return result_exists(&key);
}

static int
check_job(struct fsck *f, const char *pipeline, const struct ref *ref, const struct manifest *m, struct err *err)
{
	struct jobfile j = JOBFILE_INIT;
	struct stat st;
	char path[LAYOUT_MAX], open_path[LAYOUT_MAX];
	uint64_t gone = 0;
	const char *cure = "forgetting it; the next make looks at every result of the pipeline again";
	int rc = jobfile_read(&j, pipeline, err);
	bool under_way = lstat(layout_plan(open_path, pipeline, "open"), &st) == 0;

	layout_plan(path, pipeline, "job");
	if (rc == 0 && lstat(path, &st) == 0) {
		fsck_finding(f, path, "damaged: it does not fit its seal", cure, f->repair);
		fsck_reset(f, pipeline);
	} else if (rc == 1) {
		for (size_t i = 0; i < j.n_datum; i++)
			gone += !has_result(&j, i);
		if (gone > 0) {
			fsck_finding(f, path, arena_fmt(&f->a, "%llu of the %zu results of the newest output of '%s' are gone",
			    (unsigned long long)gone, j.n_datum, pipeline), "running those datums again with the next make", f->repair);
			fsck_reset(f, pipeline);
		}
		if (ref && !under_way && !oid_eq(&j.commit, &ref->id)) {
			fsck_finding(f, path, "the newest job and the ref name different commits", cure, f->repair);
			fsck_reset(f, pipeline);
		} else if (ref && oid_eq(&j.commit, &ref->id) && !tree_fits(&j, m)) {
			fsck_finding(f, path, "what the datums wrote and the commit differ", cure, f->repair);
			fsck_reset(f, pipeline);
		}
	}
	jobfile_release(&j);
	return rc < 0 ? -1 : 0;
}

static int
check_pipeline(struct fsck *f, const char *name, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct ref ref = REF_INIT;
	struct stat st;
	char path[LAYOUT_MAX];
	uint64_t gone = 0;
	int rc = check_ref(f, name, &ref, &m, "computing the commit again with the next make", err);

	if (rc == 2)
		fsck_reset(f, name);
	if (rc == 0 && lstat(layout_done(path, name), &st) == 0) {
		fsck_finding(f, path, arena_fmt(&f->a, "says that '%s' is done, but its ref is gone", name),
		    "computing the commit again with the next make", f->repair);
		fsck_reset(f, name);
	}
	for (size_t i = 0; rc == 1 && i < m.n; i++)
		gone += !fsck_has_object(f, &m.v[i].id, m.v[i].size);
	if (gone > 0) {
		fsck_finding(f, name, arena_fmt(&f->a, "%llu of the %zu files of its newest output are gone or damaged", (unsigned long long)gone,
		    m.n), "computing them again with the next make", f->repair);
		fsck_reset(f, name);
	}
	if (rc >= 0)
		rc = check_job(f, name, rc == 1 ? &ref : NULL, &m, err);
	manifest_release(&m);
	ref_release(&ref);
	return rc < 0 ? -1 : 0;
}

/* Commits that the history names and nobody has any more, although gc did not take them. */
static int
check_history(struct fsck *f, struct query *q, struct err *err)
{
	struct collected gone = COLLECTED_INIT;
	struct prov *p = NULL;
	struct q_job *v;
	struct oid empty;
	struct stat st;
	char path[LAYOUT_MAX];
	size_t n;
	int rc = collected_read(&gone, err) < 0 ? -1 : query_jobs(q, &f->a, NULL, "", 0, &v, &n, err);

	manifest_empty_id(&empty);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!v[i].has_commit || oid_eq(&v[i].commit, &empty) || collected_has(&gone, &v[i].commit) ||
		    lstat(layout_commit(path, &v[i].commit), &st) == 0)
			continue;
		if (f->repair && ((!p && prov_begin(&p, err) < 0) || prov_forget_commit(p, &v[i].commit, err) < 0))
			rc = -1;
		else
			fsck_finding(f, path, arena_fmt(&f->a, "gone: it was the output of job %.*s of '%s'", SHORT_HEX, v[i].id, v[i].pipeline),
			    "taking it out of the history", f->repair);
	}
	collected_release(&gone);
	if (rc == 0 && p)
		return prov_commit(p, err);
	prov_abort(p);
	return rc;
}

static int
check_database(struct fsck *f, struct err *err)
{
	struct query *q = NULL;
	struct buf b = BUF_INIT;
	int rc = query_open(&q, err);

	if (rc == 1 && (rc = query_check(q, &b, err)) == 0 && b.n == 0)
		rc = check_history(f, q, err);
	query_close(q);
	/* A newer one, or one that cannot be read, is not ours to judge. */
	bool damaged = b.n > 0 || (rc < 0 && strstr(err->text, "damaged"));
	if (damaged) {
		const char *what = b.n > 0 ? arena_dup(&f->a, b.s, strcspn(b.s, "\n")) : arena_str(&f->a, err->text);

		rc = f->repair ? fsck_move_away(FILE_DB, err) : 0;
		if (rc == 0 && f->repair && (take_out(FILE_DB "-wal", err) < 0 || take_out(FILE_DB "-shm", err) < 0))
			rc = -1;
		if (rc == 0)
			fsck_finding(f, FILE_DB, what, "moving it away; 'dassie fsck --rebuild' makes a new one from the files", f->repair);
	}
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

/* 1 the file in out/ is what was written, 0 not. */
static int
shown_fits(const char *path, const struct entry *e, struct err *err)
{
	struct stat st;
	struct oid id;
	uint64_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ENXIO ? 0 : err_set(err, errno, "cannot read '%s':", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	rc = sha256_fd(fd, &id, &size, err);
	close(fd);
	return rc < 0 ? -1 : oid_eq(&id, &e->id) && ((st.st_mode & S_IXUSR) != 0) == (e->kind == 'x');
}

static int
write_again(const char *path, const struct entry *e, struct err *err)
{
	char object[LAYOUT_MAX];
	struct stat st;

	if (lstat(path, &st) == 0 && fsck_move_away(path, err) < 0)
		return -1;
	return fs_mkdirs_for(path, err) < 0 ? -1 : fs_copy(layout_object(object, &e->id), path, e->kind == 'x' ? 0755 : 0644, err);
}

static int
check_shown(struct fsck *f, const char *name, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct err gone = ERR_INIT;
	struct ref ref = REF_INIT;
	struct buf path = BUF_INIT;
	char ref_path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(ref_path, name), &ref, err);

	if (rc == 1 && manifest_load(&m, &ref.id, &gone) == 0) {
		for (size_t i = 0; rc >= 0 && i < m.n; i++) {
			buf_reset(&path);
			buf_fmt(&path, "%s/%s/%s", DIR_OUT, name, m.v[i].path);
			f->n_shown++;
			if ((rc = shown_fits(path.s, &m.v[i], err)) != 0)
				continue;
			bool can = f->repair && fsck_has_object(f, &m.v[i].id, m.v[i].size);
			if (can && write_again(path.s, &m.v[i], err) < 0)
				rc = -1;
			else
				fsck_finding(f, path.s, access(path.s, F_OK) < 0 ? "is not there" : "was changed: its bytes are not those that dassie wrote",
				    "writing it again (the changed one goes to " DIR_DAMAGED ")", can);
		}
	}
	manifest_release(&m);
	ref_release(&ref);
	buf_release(&path);
	return rc < 0 ? -1 : 0;
}

/* The database first of all: the rest asks it. */
static int
make_database(struct fsck *f, struct err *err)
{
	struct buf told = BUF_INIT;
	int rc = -1;

	if (fsck_move_away(FILE_DB, err) == 0 && fsck_move_away(FILE_DB "-wal", err) == 0 && take_out(FILE_DB "-shm", err) == 0)
		rc = rebuild(&told, err);
	if (rc == 0 && !f->json)
		buf_add(f->text, told.s, told.n);
	buf_release(&told);
	return rc < 0 ? err_wrap(err, "cannot make the database again") : 0;
}

static int
check_all(struct fsck *f, struct err *err)
{
	int rc = index_read(&f->x, err);

	if (rc < 0)
		return -1;
	f->reset = arena_alloc(&f->a, (f->x.n_pipeline + 1) * sizeof *f->reset);
	if (fsck_compiled(f, err) < 0 || fsck_objects(f, err) < 0 || fsck_results(f, err) < 0 || fsck_commits(f, err) < 0)
		return -1;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < f->x.n_source; i++)
		rc = check_source(f, &f->x.source[i], err);
	for (size_t i = 0; rc == 0 && i < f->x.n_pipeline; i++)
		rc = check_pipeline(f, f->x.pipeline[i].name, err);
	if (rc < 0 || reset_pipelines(f, err) < 0 || check_database(f, err) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && f->out && i < f->x.n_pipeline; i++)
		rc = check_shown(f, f->x.pipeline[i].name, err);
	return rc;
}

static int
report(struct fsck *f)
{
	struct buf *b = f->text;

	if (!f->json) {
		show_count(b, f->n_object, "object", "objects");
		buf_str(b, ", ");
		show_count(b, f->n_result, "result", "results");
		buf_str(b, ", ");
		show_count(b, f->n_commit, "commit", "commits");
		if (f->out) {
			buf_str(b, ", ");
			show_count(b, f->n_shown, "file in out/", "files in out/");
		}
		buf_str(b, " and the database: ");
		if (f->findings == 0)
			buf_str(b, "sound\n");
		else {
			show_count(b, f->findings, "finding", "findings");
			if (f->repaired == f->findings)
				buf_str(b, ", all repaired: run make\n");
			else if (f->repair)
				buf_fmt(b, ", %llu repaired\n", (unsigned long long)f->repaired);
			else
				buf_str(b, "; 'dassie fsck --repair' takes away what is damaged, then make computes it again\n");
		}
	}
	return show_out(b, f->findings ? EXIT_FAILED : EXIT_DONE);
}

int
verb_fsck(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "repair", no_argument, NULL, 'r' },
		{ "out", no_argument, NULL, 'o' }, { "rebuild", no_argument, NULL, 'b' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct buf text = BUF_INIT;
	struct fsck f = { .a = ARENA_INIT, .x = INDEX_INIT, .text = &text };
	struct err err = ERR_INIT;
	int c, rc, lock = -1;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j' && c != 'r' && c != 'o' && c != 'b')
			return show_usage(usage, c == 'h');
		f.json |= c == 'j';
		f.repair |= c == 'r';
		f.out |= c == 'o';
		f.rebuild |= c == 'b';
	}
	if (optind != argc)
		return show_usage(usage, false);
	rc = state_find(NULL, &err) < 0 ? -1 : state_make(&err);
	if (rc == 0 && (lock = lock_take(LOCK_GC, false, false, &err)) < 0)
		rc = -1;
	if (rc == 0 && f.rebuild)
		rc = make_database(&f, &err);
	if (rc == 0)
		rc = check_all(&f, &err);
	if (lock >= 0)
		close(lock);
	free(f.object);
	index_release(&f.x);
	arena_release(&f.a);
	if (rc == 0)
		return report(&f);
	/* What was found so far is worth telling, too. */
	fwrite(text.s ? text.s : "", 1, text.n, stdout);
	fflush(stdout);
	buf_release(&text);
	return show_err(&err);
}
