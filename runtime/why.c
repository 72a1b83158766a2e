/* why.c: what the argument means, in this order: REPO[@COMMIT]:PATH; a path in out/ or in a source; a pipeline; the key
 * of a datum. A file in out/ is hashed: what somebody changed by hand has no lineage, and that is said. */
#include "why.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "content.h"
#include "jobset.h"
#include "repoarg.h"
#include "show.h"
#include "state.h"
#include "verbs.h"
#include "whyurl.h"

static const char usage[] =
    "usage: dassie why [--all] [--full] [--json] FILE | URL | REPO[@COMMIT]:PATH | PIPELINE | DATUM\n\n"
    "Of a file (in out/, of a commit, or where egress pushed it: s3://BUCKET/KEY): the datum that wrote it, with command and\n"
    "code, and what that saw, down to the sources. Of a source's file (its path, or its URL): where it lies, and which datums\n"
    "saw it. Of a datum (the first digits of its key): why it ran,\n"
    "and why it did not run since. Of a pipeline: why it is stale.\n\n"
    "        --all   fold no list\n"
    "        --full  shorten no command\n"
    "        --json  one object, recursive\n";

static int
answer(struct why *w, const char *repo, const char *path, const struct oid *id, const struct oid *commit, struct err *err)
{
	struct lin_file *f = lineage_file(&w->l, repo, path, id, commit, 0);

	if (!w->json)
		return why_print(w, f, err);
	if (why_json(w, f, err) < 0)
		return -1;
	buf_byte(w->out, '\n');
	return 0;
}

/* Of a commit, what its manifest says. */
static int
why_commit(struct why *w, const struct repoarg *r, struct err *err)
{
	const struct manifest *m;
	const struct entry *e;
	struct oid id;
	size_t lo, hi;

	if (repoarg_commit(r, w->l.q, &id, err) < 0)
		return -1;
	if (!(m = lineage_manifest(&w->l, &id)))
		return err_set(err, 0, "the list of files of that commit of '%s' is gone or damaged; 'dassie fsck' tells more", r->repo);
	if ((e = manifest_find(m, r->path)))
		return answer(w, r->repo, e->path, &e->id, &id, err);
	if (!r->path[0] || manifest_below(m, r->path, &lo, &hi))
		return err_set(err, SHOW_USAGE, "'%s:%s' is a directory: ask for one of its files ('dassie ls %s:%s')", r->repo, r->path,
		    r->repo, r->path);
	return err_set(err, SHOW_USAGE, "'%s' has no file '%s' in that commit; 'dassie ls %s' lists what it has", r->repo, r->path, r->repo);
}

enum disk { DISK_SAME, DISK_CHANGED, DISK_MISSING, DISK_DIR };

static int
look_at(const char *path, const struct oid *want, enum disk *ret, struct err *err)
{
	struct stat st;
	struct oid id;
	uint64_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	*ret = DISK_MISSING;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(err, errno, "cannot read '%s':", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		*ret = DISK_DIR;
		close(fd);
		return 0;
	}
	rc = sha256_fd(fd, &id, &size, err);
	close(fd);
	*ret = want && rc == 0 && oid_eq(&id, want) ? DISK_SAME : DISK_CHANGED;
	return rc;
}

static void
tell_disk(struct why *w, const char *path, enum disk disk, bool source)
{
	struct buf *b = w->out;

	if (disk == DISK_SAME || w->json)
		return;
	buf_str(b, show_color(SHOW_RED));
	show_name(b, path);
	if (disk == DISK_MISSING)
		buf_str(b, source ? " is not there any more" : " is not there; 'dassie fsck --out --repair' writes it again");
	else
		buf_str(b, source ? " has changed since the last scan" : " was changed by hand: its bytes are not those that dassie wrote");
	buf_fmt(b, "%s\n%s\n\n", show_color(SHOW_PLAIN), source ? "of the bytes that were scanned:" : "of the bytes that were written:");
}

/* A path of the working tree that belongs to a repo. */
static int
why_disk(struct why *w, const char *path, const char *repo, const char *rest, bool source, struct err *err)
{
	const struct manifest *m;
	const struct entry *e;
	struct ref ref = REF_INIT;
	enum disk disk;
	char ref_path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(ref_path, repo), &ref, err);
	struct oid id = ref.id;

	ref_release(&ref);
	if (rc < 0)
		return -1;
	m = rc == 1 ? lineage_manifest(&w->l, &id) : NULL;
	e = m ? manifest_find(m, rest) : NULL;
	if (look_at(path, e ? &e->id : NULL, &disk, err) < 0)
		return -1;
	if (disk == DISK_DIR)
		return err_set(err, SHOW_USAGE, "'%s' is a directory: ask for one of its files ('dassie ls %s')", path, repo);
	if (!e && rc == 0)
		return err_set(err, SHOW_USAGE, "'%s' has no commit yet: 'dassie status' says why, make makes one", repo);
	if (!e && disk == DISK_MISSING)
		return err_set(err, SHOW_USAGE, "'%s' is not there, and '%s' has no such file", path, repo);
	if (!e)
		return err_set(err, SHOW_USAGE, source ? "'%s' is no file of '%s' as of the last scan: it is new (make takes it in) or ignored" :
		    "'%s' was not written by dassie: '%s' has no such file", path, repo);
	tell_disk(w, path, disk, source);
	return answer(w, repo, e->path, &e->id, &id, err);
}

/* Without "//", "." and "..", as far as that goes without looking. */
static void
normalize(struct buf *b, const char *path)
{
	bool absolute = path[0] == '/';
	size_t root = b->n;

	if (absolute)
		buf_byte(b, '/');
	root += absolute;
	while (*path) {
		size_t n = strcspn(path, "/");
		char *slash;

		if (n == 2 && memcmp(path, "..", 2) == 0 && b->n > root && !(b->n - root >= 2 && strcmp(b->s + b->n - 2, "..") == 0)) {
			slash = strrchr(b->s + root, '/');
			b->n = slash ? (size_t)(slash - b->s) : root;
			b->s[b->n] = '\0';
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			if (b->n > root)
				buf_byte(b, '/');
			buf_add(b, path, n);
		}
		path += n + (path[n] == '/');
	}
	if (!b->s)
		buf_str(b, "");
}

/* The argument as a path from the project's folder. */
static void
project_path(struct buf *b, const char *prefix, const char *arg)
{
	struct buf whole = BUF_INIT;
	char cwd[PATH_MAX];
	size_t n;

	if (arg[0] != '/')
		buf_str(&whole, prefix);
	buf_str(&whole, arg);
	normalize(b, whole.s);
	buf_release(&whole);
	if (b->s[0] == '/' && getcwd(cwd, sizeof cwd) && (n = strlen(cwd)) > 1 && strncmp(b->s, cwd, n) == 0 && b->s[n] == '/') {
		memmove(b->s, b->s + n + 1, b->n - n);
		b->n -= n + 1;
	}
}

/* 1 answered, 0 it is no path of a repo, -1. */
static int
try_path(struct why *w, const char *prefix, const char *arg, struct err *err)
{
	struct buf path = BUF_INIT, dir = BUF_INIT;
	size_t best = 0;
	const char *repo = NULL, *rest = NULL;
	bool source = false;
	int rc = 0;

	project_path(&path, prefix, arg);
	if (strncmp(path.s, DIR_OUT "/", sizeof DIR_OUT) == 0) {
		const char *name = path.s + sizeof DIR_OUT;
		size_t n = strcspn(name, "/");

		repo = arena_dup(&w->l.a, name, n);
		rest = name[n] ? name + n + 1 : "";
		if (!index_find(&w->l.x, repo))
			repo = NULL;
	}
	for (size_t i = 0; !repo && i < w->l.x.n_source; i++) {
		const struct index_source *s = &w->l.x.source[i];

		if (!strcmp(s->dir, "-"))
			continue;
		buf_reset(&dir);
		normalize(&dir, s->dir);
		/* The innermost, if one source lies in another. */
		if (strncmp(path.s, dir.s, dir.n) == 0 && (dir.n == 0 || path.s[dir.n] == '/' || path.s[dir.n] == '\0') &&
		    (!rest || dir.n > best)) {
			best = dir.n;
			rest = path.s + dir.n + (path.s[dir.n] == '/');
			source = true;
		}
	}
	for (size_t i = 0; source && !repo && i < w->l.x.n_source; i++) {
		buf_reset(&dir);
		normalize(&dir, w->l.x.source[i].dir);
		if (dir.n == best && strncmp(path.s, dir.s, dir.n) == 0)
			repo = w->l.x.source[i].name;
	}
	if (repo)
		rc = why_disk(w, path.s, repo, rest, source, err) < 0 ? -1 : 1;
	buf_release(&path);
	buf_release(&dir);
	return rc;
}

static bool
is_there(const char *prefix, const char *arg)
{
	struct buf path = BUF_INIT;
	struct stat st;
	bool there;

	project_path(&path, prefix, arg);
	there = lstat(path.s[0] ? path.s : ".", &st) == 0;
	buf_release(&path);
	return there;
}

static bool
is_repo(const struct why *w, const char *name)
{
	return index_find(&w->l.x, name) || index_find_source(&w->l.x, name);
}

static int
try_key(struct why *w, const char *arg, struct err *err)
{
	struct oid *key;
	size_t n;

	if (strlen(arg) < 4 || strlen(arg) > OID_HEX || strspn(arg, "0123456789abcdef") != strlen(arg))
		return 0;
	if (jobset_keys(w->l.q, &w->l.a, arg, &key, &n, err) < 0)
		return -1;
	if (n > 1)
		return err_set(err, SHOW_USAGE, "'%s' is the beginning of several datum keys: give more digits", arg);
	return n == 0 ? 0 : why_datum(w, &key[0], err) < 0 ? -1 : 1;
}

/* Something that was pushed, or fetched. */
static int
why_url(struct why *w, const char *url, struct err *err)
{
	struct url_file f = { .repo = NULL };
	int rc = whyurl_find(&w->l.a, &w->l.x, url, &f, err);

	if (rc == 0)
		return err_set(err, SHOW_USAGE, "no pipeline here pushes to where '%s' is, and no source reads it; 'dassie status' lists the places", url);
	return rc < 0 ? -1 : answer(w, f.repo, f.path, &f.id, &f.commit, err);
}

static int
why(struct why *w, const char *prefix, const char *arg, struct err *err)
{
	const char *reason;
	struct repoarg r;
	bool named = !is_there(prefix, arg) && repoarg_parse(&r, arg, &reason) && is_repo(w, r.repo);
	int rc;

	if (named && r.path)
		return why_commit(w, &r, err);
	if (named && !r.commit[0] && r.back == 0 && index_find(&w->l.x, r.repo))
		return why_pipeline(w, r.repo, err);
	if (strstr(arg, "://"))
		return why_url(w, arg, err);
	if ((rc = try_path(w, prefix, arg, err)) != 0)
		return rc < 0 ? -1 : 0;
	/* A pipeline may be called as some file here is. */
	if (index_find(&w->l.x, arg))
		return why_pipeline(w, arg, err);
	if ((rc = try_key(w, arg, err)) != 0)
		return rc < 0 ? -1 : 0;
	return err_set(err, SHOW_USAGE, "'%s' is neither in %s/ nor in a source, nor REPO:PATH, a pipeline or a datum's key; 'dassie ls' lists "
	    "the repos", arg, DIR_OUT);
}

int
verb_why(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "all", no_argument, NULL, 'a' },
		{ "full", no_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct buf out = BUF_INIT, prefix = BUF_INIT;
	struct why w = { .l = LINEAGE_INIT, .out = &out };
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'j' && c != 'a' && c != 'f')
			return show_usage(usage, c == 'h');
		w.json |= c == 'j';
		w.all |= c == 'a';
		w.full |= c == 'f';
	}
	if (argc - optind != 1)
		return show_usage(usage, false);
	rc = state_find(&prefix, &err);
	if (rc == 0)
		rc = lineage_open(&w.l, &err);
	if (rc == 0)
		rc = why(&w, prefix.s ? prefix.s : "", argv[optind], &err);
	lineage_release(&w.l);
	buf_release(&prefix);
	return rc < 0 ? (buf_release(&out), show_err(&err)) : show_out(&out, EXIT_DONE);
}
