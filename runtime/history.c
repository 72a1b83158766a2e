/* history.c: `log`, `ls`, `cat`, `diff`: the history of data, by its manifests. A commit's manifest is kept for every
 * repo; the index adds when it came and which job made it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "capture.h"
#include "content.h"
#include "query.h"
#include "repoarg.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

enum { COMMITS_SHOWN = 20, MAX_DIFF = 64 << 20, LARGE = 16 << 20 };

static const char log_usage[] =
    "usage: dassie log [-n N] [-0] [--json] REPO[:PATH]\n\n"
    "The commits of a repo, newest first; with a PATH only those that changed it or what is below it.\n\n"
    "    -n, --limit N   at most N commits, 0 for all (20; with --json all)\n"
    "    -0              a NUL instead of a newline after each, nothing escaped\n"
    "        --json      one object a line\n";

static const char ls_usage[] =
    "usage: dassie ls [-l] [-0] [--json] [REPO[@COMMIT][:PATH]]\n\n"
    "The files of a commit (the newest; or REPO@^, the one before), or those below PATH; without a REPO, the repos.\n\n"
    "    -l          with kind (f, x: executable), size and SHA-256\n"
    "    -0          a NUL instead of a newline after each, nothing escaped\n"
    "        --json  one object a line\n";

static const char cat_usage[] =
    "usage: dassie cat REPO[@COMMIT]:PATH…\n\n"
    "The bytes of files of a commit.\n";

static const char diff_usage[] =
    "usage: dassie diff [--names] [-0] [--json] REPO[@A] [[REPO][@B]] [:PATH]\n\n"
    "What changed from A to B: A(dded), M(odified), D(eleted) names, then the changes of texts. B is the newest commit\n"
    "if it is not given, and A the one before it.\n\n"
    "        --names  only the names\n"
    "    -0           names only, NUL after state and name, nothing escaped\n"
    "        --json   one object a line\n";

struct how { bool json, zero, wide, names; int64_t limit; };
struct asked { struct how how; struct repoarg r; char **arg; };      /* arg: of cat, up to its NULL */

/* What the options say; -1 and the exit status in *ret if that is all. */
static int
options(int argc, char **argv, const char *usage, const char *letters, struct how *how, int *ret)
{
	static const struct option longer[] = { { "json", no_argument, NULL, 'j' }, { "names", no_argument, NULL, 's' },
		{ "limit", required_argument, NULL, 'n' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	char *end;
	int c;

	how->limit = -1;
	while ((c = getopt_long(argc, argv, letters, longer, NULL)) != -1) {
		how->json |= c == 'j';
		how->zero |= c == '0';
		how->wide |= c == 'l';
		how->names |= c == 's';
		if (c == 'n')
			how->limit = strtol(optarg, &end, 10);
		if (c == 'h' || c == '?' || (c == 'n' && (optarg[0] < '0' || optarg[0] > '9' || *end))) {
			*ret = show_usage(usage, c == 'h');
			return -1;
		}
	}
	return 0;
}

/* Find the project, open its index, let `body` answer into b, print that. */
static int
answer(int (*body)(struct query *q, void *asked, struct buf *b, struct err *err), void *asked)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct query *q = NULL;
	int rc = state_find(NULL, &err);

	if (rc == 0 && (rc = query_open(&q, &err)) >= 0)
		rc = body(q, asked, &b, &err);
	query_close(q);
	if (rc >= 0)
		return show_out(&b, EXIT_DONE);
	fflush(stdout);
	buf_release(&b);
	return show_err(&err);
}

static void
put_name(struct buf *b, const char *name, bool exact)
{
	if (exact)
		buf_str(b, name);
	else
		show_name(b, name);
}

struct tally { uint64_t added, changed, removed; const char *path; const struct entry *old, *now; };

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	while (n > 0 && dir[n - 1] == '/')
		n--;
	return n == 0 || (strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

static int
count_one(void *ctx, const struct entry *old, const struct entry *now)
{
	struct tally *t = ctx;

	if (t->path && !is_below(now ? now->path : old->path, t->path))
		return 0;
	t->added += !old;
	t->removed += !now;
	t->changed += old && now;
	return 0;
}

static uint64_t
bytes_of(const struct manifest *m)
{
	uint64_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->v[i].size;
	return n;
}

static void
log_json(struct buf *b, const char *repo, const struct q_commit *c, const struct manifest *m, const struct tally *t,
         const struct oid *parent)
{
	json_open(b, NULL, '{');
	json_str(b, "repo", repo);
	json_oid(b, "commit", &c->id);
	json_time(b, "time", c->time);
	json_str(b, "job", c->job);
	if (m) {
		json_i64(b, "files", (int64_t)m->n);
		json_i64(b, "bytes", (int64_t)bytes_of(m));
	}
	if (parent)
		json_oid(b, "parent", parent);
	else
		json_no_value(b, "parent");
	if (t) {
		json_i64(b, "added", (int64_t)t->added);
		json_i64(b, "changed", (int64_t)t->changed);
		json_i64(b, "removed", (int64_t)t->removed);
	}
	json_close(b, '}');
	buf_byte(b, '\n');
}

static void
log_text(struct buf *b, const struct q_commit *c, const struct manifest *m, const struct tally *t, char end)
{
	buf_str(b, show_color(SHOW_YELLOW));
	show_id(b, &c->id);
	buf_fmt(b, "%s  ", show_color(SHOW_PLAIN));
	show_when(b, c->time);
	buf_str(b, "  (");
	show_ago(b, c->time);
	buf_str(b, ")  ");
	if (m)
		show_count(b, m->n, "file", "files");
	else
		buf_str(b, "manifest gone");
	if (t)
		buf_fmt(b, "  +%llu ~%llu -%llu", (unsigned long long)t->added, (unsigned long long)t->changed,
		    (unsigned long long)t->removed);
	if (c->job)
		buf_fmt(b, "  job %.*s", SHORT_HEX, c->job);
	buf_byte(b, end);
}

/* The history out of the index, and before it the newest commit if no job has recorded that yet. */
static int
history(struct query *q, struct arena *a, const char *repo, struct q_commit **ret, size_t *ret_n, struct err *err)
{
	struct ref ref = REF_INIT;
	struct q_commit *v;
	size_t n;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, repo), &ref, err);

	if (rc < 0 || query_commits(q, a, repo, &v, &n, err) < 0)
		return -1;
	*ret = v;
	*ret_n = n;
	if (rc == 1 && (n == 0 || !oid_eq(&v[0].id, &ref.id))) {
		*ret = arena_alloc(a, (n + 1) * sizeof *v);
		(*ret)[0] = (struct q_commit){ .id = ref.id, .time = ref.asof ? ref.asof : ref.stamp };
		if (n > 0)
			memcpy(*ret + 1, v, n * sizeof *v);
		*ret_n = n + 1;
	}
	ref_release(&ref);
	return *ret_n > 0 ? 0 : err_set(err, SHOW_USAGE, "there is no repo '%s' with a commit here: 'dassie ls' lists the repos", repo);
}

static void
log_one(struct buf *b, const struct repoarg *r, const struct how *how, const struct q_commit *v, const struct manifest *m,
        const struct manifest *parent, bool first, uint64_t *shown)
{
	struct tally t = { .path = r->path };

	if (m && (parent || first))
		manifest_diff(parent ? parent : &(struct manifest)MANIFEST_INIT, m, count_one, &t);
	/* A parent or a manifest that is gone: nobody knows what changed, so it may have been this path. */
	bool counted = m && (parent || first);
	if (r->path && counted && t.added + t.changed + t.removed == 0)
		return;
	++*shown;
	if (how->json)
		log_json(b, r->repo, v, m, counted ? &t : NULL, first ? NULL : &v[1].id);
	else
		log_text(b, v, m, counted ? &t : NULL, how->zero ? '\0' : '\n');
}

/* From the commit that the argument names on. */
static int
from_named(struct query *q, const struct repoarg *r, struct q_commit **v, size_t *n, struct err *err)
{
	struct oid id;

	if (!r->commit[0] && !r->branch[0] && r->back == 0)
		return 0;
	if (repoarg_commit(r, q, &id, err) < 0)
		return -1;
	for (; *n && !oid_eq(&(*v)->id, &id); ++*v, --*n)
		;
	return *n ? 0 : err_set(err, SHOW_USAGE, "that commit of '%s' is in no history", r->repo);
}

static int
log_repo(struct query *q, void *asked, struct buf *b, struct err *err)
{
	const struct how *how = &((struct asked *)asked)->how;
	const struct repoarg *r = &((struct asked *)asked)->r;
	struct manifest m[2] = { MANIFEST_INIT, MANIFEST_INIT };
	struct arena a = ARENA_INIT;
	struct err gone = ERR_INIT;
	struct q_commit *v;
	size_t n;
	uint64_t shown = 0, limit = how->limit >= 0 ? (uint64_t)how->limit : how->json ? 0 : COMMITS_SHOWN;
	int rc = history(q, &a, r->repo, &v, &n, err) < 0 ? -1 : from_named(q, r, &v, &n, err);
	bool have = rc == 0 && manifest_load(&m[0], &v[0].id, &gone) == 0, older;

	for (size_t i = 0; rc == 0 && i < n; i++, have = older) {
		struct manifest *now = &m[i % 2], *before = &m[(i + 1) % 2];

		if (limit && shown == limit) {
			if (!how->json && !how->zero)
				buf_fmt(b, "… older ones: dassie log -n 0 %s\n", r->repo);
			break;
		}
		older = i + 1 < n && manifest_load(before, &v[i + 1].id, &gone) == 0;
		log_one(b, r, how, &v[i], have ? now : NULL, older ? before : NULL, i + 1 == n, &shown);
		manifest_release(now);
		*now = (struct manifest)MANIFEST_INIT;
	}
	manifest_release(&m[0]);
	manifest_release(&m[1]);
	arena_release(&a);
	return rc;
}

int
verb_log(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct asked a = { .arg = NULL };
	int rc;

	if (options(argc, argv, log_usage, "n:0h", &a.how, &rc) < 0)
		return rc;
	if (argc - optind != 1)
		return show_usage(log_usage, false);
	return content_arg(&a.r, argv[optind], &err) < 0 ? show_err(&err) : answer(log_repo, &a);
}

static void
ls_entry(struct buf *b, struct table *t, const struct entry *e, const struct how *how)
{
	char hex[OID_HEX + 1];

	if (how->json) {
		json_open(b, NULL, '{');
		json_str(b, "path", e->path);
		json_str(b, "kind", (char[]){ e->kind, '\0' });
		json_i64(b, "size", (int64_t)e->size);
		json_oid(b, "hash", &e->id);
		json_close(b, '}');
		buf_byte(b, '\n');
	} else if (how->wide && !how->zero) {
		buf_byte(&t->cell, e->kind);
		show_cell(t);
		buf_u64(&t->cell, e->size);
		show_cell(t);
		oid_hex(&e->id, hex);
		buf_str(&t->cell, hex);
		show_cell(t);
		show_name(&t->cell, e->path);
		show_cell(t);
		show_row(t);
	} else {
		if (how->wide) {
			oid_hex(&e->id, hex);
			buf_fmt(b, "%c %llu %s ", e->kind, (unsigned long long)e->size, hex);
		}
		put_name(b, e->path, how->zero);
		buf_byte(b, how->zero ? '\0' : '\n');
	}
}

static int
ls_commit(struct query *q, void *asked, struct buf *b, struct err *err)
{
	const struct how *how = &((struct asked *)asked)->how;
	const struct repoarg *r = &((struct asked *)asked)->r;
	struct manifest m = MANIFEST_INIT;
	struct table t = TABLE_INIT;
	const struct entry *e = NULL;
	size_t lo = 0, hi = 0, len;
	int rc = content_commit(r, q, &m, err);

	if (rc == 0 && r->path && r->path[0]) {
		char *dir = xstrdup(r->path);

		for (len = strlen(dir); len > 0 && dir[len - 1] == '/'; )
			dir[--len] = '\0';
		e = manifest_find(&m, dir);
		if (!e && !manifest_below(&m, dir, &lo, &hi))
			rc = err_set(err, SHOW_USAGE, "'%s' has no file or directory '%s'; 'dassie ls %s' lists what it has", r->repo, r->path,
			    r->repo);
		free(dir);
	} else if (rc == 0) {
		hi = m.n;
	}
	t.right[1] = true;
	if (rc == 0 && e)
		ls_entry(b, &t, e, how);
	for (; rc == 0 && lo < hi; lo++)
		ls_entry(b, &t, &m.v[lo], how);
	if (t.n > 0)
		show_table(b, &t, "");
	table_release(&t);
	manifest_release(&m);
	return rc;
}

static int
ls_repos(struct query *q, void *asked, struct buf *b, struct err *err)
{
	const struct asked *a = asked;

	(void)q;
	return content_repos(b, a->how.json, a->how.zero, err);
}

int
verb_ls(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct asked a = { .arg = NULL };
	int rc;

	if (options(argc, argv, ls_usage, "l0h", &a.how, &rc) < 0)
		return rc;
	if (argc - optind > 1)
		return show_usage(ls_usage, false);
	if (argc == optind)
		return answer(ls_repos, &a);
	return content_arg(&a.r, argv[optind], &err) < 0 ? show_err(&err) : answer(ls_commit, &a);
}

/* The bytes, hashed on their way: a damaged object is not handed out as if it were sound. */
static int
copy_out(const char *path, const struct entry *e, struct err *err)
{
	char piece[65536];
	struct sha256 h;
	struct oid id;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "cannot read '%s':", path);
	sha256_init(&h);
	while ((n = read(fd, piece, sizeof piece)) > 0) {
		sha256_update(&h, piece, (size_t)n);
		if (fwrite(piece, 1, (size_t)n, stdout) < (size_t)n)
			break;
	}
	close(fd);
	if (n < 0)
		return err_set(err, errno, "cannot read '%s':", path);
	sha256_final(&h, &id);
	if (n == 0 && !oid_eq(&id, &e->id))
		return err_set(err, 0, "'%s' is damaged: its bytes are not those that were written; 'dassie fsck --repair' removes it, then "
		    "make computes it again", path);
	return 0;
}

static int
cat_one(struct query *q, const char *arg, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct buf path = BUF_INIT;
	const struct entry *e = NULL;
	struct repoarg r;
	size_t lo, hi;
	int rc = content_arg(&r, arg, err);

	if (rc == 0 && (!r.path || !r.path[0]))
		rc = err_set(err, SHOW_USAGE, "'%s' names no file: REPO[@COMMIT]:PATH", arg);
	if (rc == 0 && (rc = content_commit(&r, q, &m, err)) == 0 && !(e = manifest_find(&m, r.path)))
		rc = manifest_below(&m, r.path, &lo, &hi) ?
		    err_set(err, SHOW_USAGE, "'%s' is a directory: 'dassie ls %s' lists it", arg, arg) :
		    err_set(err, SHOW_USAGE, "'%s' has no file '%s'; 'dassie ls %s' lists what it has", r.repo, r.path, r.repo);
	if (rc == 0 && (rc = content_find(r.repo, e, &path, err)) == 1)
		rc = copy_out(path.s, e, err);
	else if (rc == 0)
		rc = err_set(err, 0, "the bytes of '%s' are gone: old bytes of a source are not kept unless its repo says 'keep: true', and "
		    "the file is another one today", arg);
	manifest_release(&m);
	buf_release(&path);
	return rc;
}

static int
cat_all(struct query *q, void *asked, struct buf *b, struct err *err)
{
	int rc = 0;

	(void)b;
	for (char **arg = ((struct asked *)asked)->arg; *arg && rc == 0; arg++)
		rc = cat_one(q, *arg, err);
	return rc;
}

int
verb_cat(int argc, char **argv)
{
	struct asked a = { .arg = NULL };
	int rc;

	if (options(argc, argv, cat_usage, "h", &a.how, &rc) < 0)
		return rc;
	if (argc == optind)
		return show_usage(cat_usage, false);
	a.arg = argv + optind;
	return answer(cat_all, &a);
}

struct diff {
	struct repoarg a, b;
	struct how how;
	const char *path;
	struct buf *out, text;           /* names and objects; changes of texts */
	struct err *err;
};

/* One side for diff(1): a file to read, and what to call it. */
static int
side(const char *repo, const struct entry *e, struct buf *path, struct buf *label, struct err *err)
{
	int rc = 1;

	if (e)
		rc = content_find(repo, e, path, err);
	else
		buf_str(path, "/dev/null");
	if (e) {
		buf_fmt(label, "%s/", repo);
		show_name(label, e->path);
	} else {
		buf_str(label, "/dev/null");
	}
	return rc;
}

static int
diff_texts(struct diff *d, const struct entry *old, const struct entry *now)
{
	struct buf pa = BUF_INIT, pb = BUF_INIT, la = BUF_INIT, lb = BUF_INIT;
	int ra = side(d->a.repo, old, &pa, &la, d->err), rb = ra < 0 ? -1 : side(d->b.repo, now, &pb, &lb, d->err), rc = 0;

	if (ra < 0 || rb < 0) {
		rc = -1;
	} else if (ra == 0 || rb == 0) {
		buf_fmt(&d->text, "--- %s\n+++ %s\n", la.s, lb.s);
		buf_fmt(&d->text, "(the %s bytes are not kept: a source's old bytes are only with 'keep: true')\n", ra == 0 ? "old" : "new");
	} else if ((old && old->size > LARGE) || (now && now->size > LARGE)) {
		buf_fmt(&d->text, "--- %s\n+++ %s\n(too large to compare here)\n", la.s, lb.s);
	} else {
		const char *argv[] = { "diff", "-u", "--label", la.s, "--label", lb.s, "--", pa.s, pb.s, NULL };

		rc = capture(argv, &d->text, MAX_DIFF, d->err);
		rc = rc == -1 ? -1 : 0;
	}
	buf_release(&pa);
	buf_release(&pb);
	buf_release(&la);
	buf_release(&lb);
	return rc;
}

static void
diff_json(struct buf *b, const char *state, const struct entry *old, const struct entry *now)
{
	const struct entry *v[2] = { old, now };
	static const char *const name[2] = { "old", "new" };

	json_open(b, NULL, '{');
	json_str(b, "state", state);
	json_str(b, "path", now ? now->path : old->path);
	for (int i = 0; i < 2; i++) {
		if (!v[i]) {
			json_no_value(b, name[i]);
			continue;
		}
		json_open(b, name[i], '{');
		json_oid(b, "hash", &v[i]->id);
		json_i64(b, "size", (int64_t)v[i]->size);
		json_str(b, "kind", (char[]){ v[i]->kind, '\0' });
		json_close(b, '}');
	}
	json_close(b, '}');
	buf_byte(b, '\n');
}

static int
diff_one(void *ctx, const struct entry *old, const struct entry *now)
{
	struct diff *d = ctx;
	const char *name = now ? now->path : old->path, *state = !old ? "A" : !now ? "D" : "M";

	if (d->path && !is_below(name, d->path))
		return 0;
	if (d->how.json) {
		diff_json(d->out, state, old, now);
		return 0;
	}
	buf_str(d->out, state);
	buf_byte(d->out, d->how.zero ? '\0' : ' ');
	put_name(d->out, name, d->how.zero);
	if (old && now && oid_eq(&old->id, &now->id) && !d->how.zero)
		buf_str(d->out, now->kind == 'x' ? "  (now executable)" : "  (no more executable)");
	buf_byte(d->out, d->how.zero ? '\0' : '\n');
	if (d->how.names || d->how.zero || (old && now && oid_eq(&old->id, &now->id)))
		return 0;
	return diff_texts(d, old, now);
}

static int
diff_commits(struct query *q, void *asked, struct buf *out, struct err *err)
{
	struct manifest a = MANIFEST_INIT, b = MANIFEST_INIT;
	struct diff *d = asked;
	int rc = content_commit(&d->a, q, &a, err);

	d->out = out;
	d->err = err;
	if (rc == 0 && (rc = content_commit(&d->b, q, &b, err)) == 0)
		rc = manifest_diff(&a, &b, diff_one, d);
	manifest_release(&a);
	manifest_release(&b);
	buf_add(out, d->text.s, d->text.n);
	return rc < 0 ? -1 : 0;
}

/* REPO@A [REPO]@B [:PATH]; what is left out is the newest commit, and before it the one before. */
static int
diff_args(int n, char **arg, struct repoarg *a, struct repoarg *b, const char **path, struct err *err)
{
	struct buf full = BUF_INIT;
	int rc = n > 0 ? content_arg(a, arg[0], err) : -1;

	*path = rc == 0 ? a->path : NULL;
	if (rc == 0 && n > 1 && arg[n - 1][0] == ':') {
		*path = arg[--n] + 1;
		*path += strspn(*path, "/");
	}
	if (rc == 0 && n > 2)
		rc = err_set(err, SHOW_USAGE, "two commits are compared, not %d", n);
	if (rc == 0 && n == 2) {
		if (arg[1][0] == '@')
			buf_str(&full, a->repo);
		buf_str(&full, arg[1]);
		rc = content_arg(b, full.s, err);
		if (rc == 0 && b->path)
			*path = arg[1] + strlen(arg[1]) - strlen(b->path);
	} else if (rc == 0) {
		bool newest = !a->commit[0] && !a->branch[0] && a->back == 0;

		*b = *a;
		b->commit[0] = b->branch[0] = '\0';
		b->back = 0;
		a->back += newest;
	}
	buf_release(&full);
	return rc;
}

int
verb_diff(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct diff d = { .text = BUF_INIT };
	int rc;

	if (options(argc, argv, diff_usage, "0h", &d.how, &rc) < 0)
		return rc;
	if (argc == optind)
		return show_usage(diff_usage, false);
	rc = diff_args(argc - optind, argv + optind, &d.a, &d.b, &d.path, &err);
	rc = rc < 0 ? show_err(&err) : answer(diff_commits, &d);
	buf_release(&d.text);
	return rc;
}
