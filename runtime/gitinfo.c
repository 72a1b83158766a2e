/* gitinfo.c: a run asks git once, for the specs and the code of all pipelines, and leaves the answer for its other
 * stages in .dassie/scan/.git.RUN:
 *
 *   dassie-git 1
 *   head COMMIT BRANCH
 *   file PATH DIFF         each spec or code file that is not as in that commit; DIFF is what git diff says
 *
 * A clean tree costs one process. Nothing here may fail a job: no git, no commit, a repository that git does not
 * trust: all of that is "no git". */
#include "gitinfo.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/rec.h"
#include "capture.h"
#include "provenance.h"

enum { MAX_STATUS = 8 << 20, MAX_DIFF = 256 << 10, MAX_ARGS = 96 << 10, MAX_DIFFS = 200, CACHE_AGE_S = 3600 };

struct gitfile { const char *path, *diff; };

struct gitinfo {
	struct arena *a;
	const char *head, *branch;      /* "" without git */
	struct gitfile *file; size_t n, cap;
	char prefix[PATH_MAX];          /* the project within the work tree: "" or "a/b/" */
};

/* The project's folder relative to the folder above it that has a .git. False if there is none: most cheaply said. */
static bool
find_prefix(char ret[PATH_MAX])
{
	char cwd[PATH_MAX], probe[PATH_MAX + 8];
	size_t n;

	if (!getcwd(cwd, sizeof cwd))
		return false;
	for (n = strlen(cwd);; n--) {
		if (n > 0 && cwd[n] != '/' && cwd[n] != '\0')
			continue;
		snprintf(probe, sizeof probe, "%.*s/.git", (int)n, cwd);
		if (access(probe, F_OK) == 0)
			break;
		if (n == 0)
			return false;
	}
	snprintf(ret, PATH_MAX, "%s%s", cwd[n] ? cwd + n + 1 : "", cwd[n] && cwd[n + 1] ? "/" : "");
	return true;
}

static const char **
all_files(const struct index *x, struct arena *a, size_t *ret_n)
{
	size_t n = x->n_spec, k = 0;
	const char **v;

	for (size_t i = 0; i < x->n_pipeline; i++)
		n += x->pipeline[i].n_code;
	v = arena_alloc(a, (n + 1) * sizeof *v);
	for (size_t i = 0; i < x->n_spec; i++)
		v[k++] = x->spec[i].path;
	for (size_t i = 0; i < x->n_pipeline; i++)
		for (size_t c = 0; c < x->pipeline[i].n_code; c++)
			v[k++] = x->pipeline[i].code[c].path;
	*ret_n = k;
	return v;
}

static void
add_file(struct gitinfo *g, const char *path)
{
	size_t skip = strlen(g->prefix);

	if (strncmp(path, g->prefix, skip) != 0)
		return;
	GROW(g->file, g->n, g->cap);
	g->file[g->n++] = (struct gitfile){ arena_str(g->a, path + skip), "" };
}

/* One entry of `git status --porcelain=v2 --branch -z`; the path is after a fixed number of blanks. */
static void
status_line(struct gitinfo *g, const char *line, const char **skip_next)
{
	size_t fields = line[0] == '1' ? 8 : line[0] == '2' ? 9 : line[0] == 'u' ? 10 : line[0] == '?' || line[0] == '!' ? 1 : 0;

	*skip_next = line[0] == '2' ? line : NULL;   /* a rename's old name comes as an entry of its own */
	if (strncmp(line, "# branch.oid ", 13) == 0 && line[13] != '(')
		g->head = arena_str(g->a, line + 13);
	else if (strncmp(line, "# branch.head ", 14) == 0 && line[14] != '(')
		g->branch = arena_str(g->a, line + 14);
	if (fields == 0)
		return;
	for (; fields > 0 && line; fields--) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	if (line)
		add_file(g, line);
}

/* git status about files [from, to). 0, or -1 if there is no git to be had. */
static int
ask_status(struct gitinfo *g, const char **file, size_t n)
{
	static const char *const head[] = { "git", "--no-optional-locks", "--literal-pathspecs", "-c", "core.fsmonitor=false",
	    "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--ignored=matching", "--no-renames", "--" };
	enum { N_HEAD = sizeof head / sizeof *head };
	const char **argv = arena_alloc(g->a, (N_HEAD + n + 1) * sizeof *argv), *skip = NULL;
	struct err ignored = ERR_INIT;
	struct buf b = BUF_INIT;

	memcpy(argv, head, sizeof head);
	memcpy(argv + N_HEAD, file, n * sizeof *file);
	if (capture(argv, &b, MAX_STATUS, &ignored) != 0) {
		buf_release(&b);
		return -1;
	}
	for (const char *p = b.s; p && p < b.s + b.n; p += strlen(p) + 1) {
		if (skip)
			skip = NULL;
		else
			status_line(g, p, &skip);
	}
	buf_release(&b);
	return 0;
}

static void
ask_diff(struct gitinfo *g, struct gitfile *f)
{
	const char *changed[] = { "git", "--no-optional-locks", "--literal-pathspecs", "diff", "--no-ext-diff", "--no-textconv",
	    "--no-color", "HEAD", "--", f->path, NULL };
	const char *added[] = { "git", "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-index", "--", "/dev/null",
	    f->path, NULL };
	struct err ignored = ERR_INIT;
	struct buf b = BUF_INIT;

	if (capture(changed, &b, MAX_DIFF, &ignored) == 0 && b.n == 0)
		capture(added, &b, MAX_DIFF, &ignored);
	if (b.n > 0)
		f->diff = arena_dup(g->a, b.s, b.n);
	buf_release(&b);
}

static int
ask_git(struct gitinfo *g, struct err *err)
{
	struct index x = INDEX_INIT;
	const char **file;
	size_t n, bytes = 0, from = 0;
	int rc = index_read(&x, err);

	if (rc < 0)
		return -1;
	file = all_files(&x, g->a, &n);
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		bytes += strlen(file[i]) + sizeof *file;
		if (i + 1 == n || bytes > MAX_ARGS) {
			rc = ask_status(g, file + from, i + 1 - from);
			from = i + 1;
			bytes = 0;
		}
	}
	if (rc < 0 || !g->head[0]) {
		g->head = g->branch = "";
		g->n = 0;
	}
	for (size_t i = 0; i < g->n && i < MAX_DIFFS; i++)
		ask_diff(g, &g->file[i]);
	index_release(&x);
	return 0;
}

static void
cache_path(char ret[LAYOUT_MAX], const char *run)
{
	snprintf(ret, LAYOUT_MAX, "%s/.git.%.64s", DIR_SCAN, run);
}

/* 1 the run has asked already. */
static int
cache_read(struct gitinfo *g, const char *run, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	char path[LAYOUT_MAX];

	cache_path(path, run);
	if (recfile_open_sealed(&f, path, "git", 1, err) != 1)
		return 0;
	while (recfile_next(&f, &r)) {
		if (rec_is(&r, "head", 3)) {
			g->head = arena_str(g->a, r.f[1]);
			g->branch = arena_str(g->a, r.f[2]);
		} else if (rec_is(&r, "file", 3)) {
			GROW(g->file, g->n, g->cap);
			g->file[g->n++] = (struct gitfile){ arena_str(g->a, r.f[1]), arena_str(g->a, r.f[2]) };
		}
	}
	recfile_release(&f);
	return 1;
}

/* What runs of the past left. */
static void
sweep(void)
{
	DIR *d = opendir(DIR_SCAN);
	struct dirent *e;
	struct stat st;
	time_t now = time(NULL);

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, ".git.", 5) == 0 && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now - st.st_mtime > CACHE_AGE_S)
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static int
cache_write(const struct gitinfo *g, const char *run, struct err *err)
{
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	rec_head(&b, "git", 1);
	rec_word(&b, "head");
	rec_str(&b, g->head);
	rec_str(&b, g->branch);
	rec_end(&b);
	for (size_t i = 0; i < g->n; i++) {
		rec_word(&b, "file");
		rec_str(&b, g->file[i].path);
		rec_str(&b, g->file[i].diff);
		rec_end(&b);
	}
	rec_seal(&b);
	cache_path(path, run);
	rc = fs_replace(path, b.s, b.n, 0644, err);
	buf_release(&b);
	sweep();
	return rc;
}

static bool
concerns(const struct index *x, const struct prov_code *code, size_t n, const char *path)
{
	for (size_t i = 0; i < x->n_spec; i++)
		if (strcmp(x->spec[i].path, path) == 0)
			return true;
	for (size_t i = 0; i < n; i++)
		if (strcmp(code[i].path, path) == 0)
			return true;
	return false;
}

/* Of all that the run found, what is of this job. */
static int
select_files(struct prov_git *ret, const struct gitinfo *g, const struct prov_code *code, size_t n, struct err *err)
{
	struct index x = INDEX_INIT;
	struct buf diff = BUF_INIT;

	*ret = (struct prov_git){ .commit = g->head, .branch = g->branch, .diff = "" };
	if (g->n > 0 && index_read(&x, err) < 0)
		return -1;
	for (size_t i = 0; i < g->n; i++)
		if (concerns(&x, code, n, g->file[i].path)) {
			ret->dirty = true;
			buf_str(&diff, g->file[i].diff);
		}
	if (diff.n > 0)
		ret->diff = arena_dup(g->a, diff.s, diff.n);
	buf_release(&diff);
	index_release(&x);
	return 0;
}

int
gitinfo_get(struct prov_git *ret, struct arena *a, const char *run, const struct prov_code *code, size_t n,
            struct err *err)
{
	struct gitinfo g = { .a = a, .head = "", .branch = "" };
	struct err ignored = ERR_INIT;
	int rc = 0;

	*ret = (struct prov_git){ .commit = "", .branch = "", .diff = "" };
	if (!find_prefix(g.prefix))
		return 0;
	if (!cache_read(&g, run, &ignored)) {
		rc = ask_git(&g, err);
		if (rc == 0)
			rc = cache_write(&g, run, err);
	}
	if (rc == 0)
		rc = select_files(ret, &g, code, n, err);
	free(g.file);
	return rc;
}
