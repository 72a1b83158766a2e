/* shown.c: is the file behind a file of the view still the one that was hashed?
 *
 * What is shown as a copy is looked at while it is copied, and then no more: whatever happens to the file behind it, the
 * command sees what was hashed.  For the others: before the command every file is held against the manifest: its size, and its bytes again where its ctime is not
 * older by a second than the scan's look at it, since such a file may have changed within one tick of the
 * clock.  A look that lies in the future is from before the clock was set back, and says nothing.  After the command the inode, size and times must be those from before, else the bytes decide.
 * Objects are compared by size and mtime only: making a hard link of one changes its ctime. */
#include "shown.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/plan.h"
#include "failure.h"
#include "view.h"

static const uint64_t RACY_NS = 1000000000;
#define WAY_OUT "run 'dassie fsck --repair', then make"

static const struct plan_input *
input_of(const struct view *v, const struct shown *s)
{
	return &v->head->input[s->input];
}

static bool
is_source(const struct view *v, const struct shown *s)
{
	return strcmp(input_of(v, s)->dir, "-") != 0;
}

const char *
shown_behind(struct view *v, const struct shown *s)
{
	const struct plan_input *in = input_of(v, s);

	buf_reset(&v->path);
	if (is_source(v, s)) {
		fs_join(&v->path, in->dir, view_repo_path(v, s));
	} else {
		buf_reserve(&v->path, LAYOUT_MAX);
		layout_object(v->path.s, &s->id);
	}
	return v->path.s;
}

static int
changed(struct view *v, const struct shown *s, const char *what, struct fault *fault)
{
	return fault_set(fault, CLASS_INPUT_CHANGED, "'%s:/%s' %s since the scan: run make again", view_repo(v, s),
	    view_repo_path(v, s), what);
}

/* 1 these bytes, 0 others, -1 error. */
static int
has_hash(const char *path, const struct oid *id, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	struct oid have;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot open '%s':", path);
	rc = sha256_fd(fd, &have, NULL, err);
	close(fd);
	return rc < 0 ? err_wrap(err, "cannot read '%s'", path) : oid_eq(&have, id);
}

static void
remember(struct shown *s, const struct stat *st)
{
	s->dev = st->st_dev;
	s->ino = st->st_ino;
	s->mtime = fs_mtime_ns(st);
	s->ctime = fs_ctime_ns(st);
}

static bool
older_than_scan(const struct view *v, const struct shown *s)
{
	uint64_t asof = input_of(v, s)->asof;

	return s->ctime + RACY_NS < asof && asof <= time_now_ns();
}

static bool
looks_right(const struct shown *s, const struct stat *st)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_size == s->size && ((st->st_mode & S_IXUSR) != 0) == (s->kind == 'x');
}

/* What an open or a stat that failed means. */
static int
not_there(struct view *v, const struct shown *s, struct fault *fault, struct err *err)
{
	if (is_source(v, s))
		return errno == ENOENT || errno == ENOTDIR ? changed(v, s, "is gone", fault) :
		    err_set(err, errno, "cannot read '%s', which is '%s:/%s':", v->path.s, view_repo(v, s), view_repo_path(v, s));
	return err_set(err, errno, errno == ENOENT ? "object '%s' of '%s:/%s' is not there: " WAY_OUT : "cannot read '%s' of '%s:/%s':",
	    v->path.s, view_repo(v, s), view_repo_path(v, s));
}

static int
check_source(struct view *v, struct shown *s, struct fault *fault, struct err *err)
{
	const char *path = shown_behind(v, s);
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return not_there(v, s, fault, err);
	if (!looks_right(s, &st))
		return changed(v, s, "has changed", fault);
	remember(s, &st);
	if (older_than_scan(v, s))
		return 0;
	rc = has_hash(path, &s->id, err);
	return rc == 0 ? changed(v, s, "has changed", fault) : rc == 1 ? 0 : -1;
}

static int
damaged(struct view *v, const struct shown *s, struct err *err)
{
	return err_set(err, 0, "object '%s' of '%s:/%s' is damaged: " WAY_OUT, v->path.s, view_repo(v, s), view_repo_path(v, s));
}

static int
check_object(struct view *v, struct shown *s, struct err *err)
{
	const char *path = shown_behind(v, s);
	struct stat st;

	if (lstat(path, &st) < 0)
		return not_there(v, s, NULL, err);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != s->size)
		return damaged(v, s, err);
	remember(s, &st);
	return 0;
}

/* All of it, in one look: ret has room for a byte more. */
static int
read_whole(int fd, struct view *v, struct shown *s, char *ret, struct fault *fault, struct err *err)
{
	struct stat st, again;
	size_t n = 0;
	ssize_t k;
	struct oid id;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "cannot stat '%s':", v->path.s);
	if (is_source(v, s) ? !looks_right(s, &st) : (uint64_t)st.st_size != s->size)
		return is_source(v, s) ? changed(v, s, "has changed", fault) : damaged(v, s, err);
	while (n <= s->size && (k = read(fd, ret + n, s->size + 1 - n)) != 0) {
		if (k < 0)
			return err_set(err, errno, "cannot read '%s':", v->path.s);
		n += (size_t)k;
		if (n == s->size)
			break;
	}
	if (n != s->size)
		return is_source(v, s) ? changed(v, s, "has changed", fault) : damaged(v, s, err);
	if (!is_source(v, s))
		return 0;
	remember(s, &st);
	if (fstat(fd, &again) == 0 && fs_ctime_ns(&again) == s->ctime && fs_mtime_ns(&again) == s->mtime && older_than_scan(v, s))
		return 0;
	sha256_bytes(ret, n, &id);
	return oid_eq(&id, &s->id) ? 0 : changed(v, s, "has changed", fault);
}

int
shown_read(struct view *v, struct shown *s, char *ret, struct fault *fault, struct err *err)
{
	int fd = open(shown_behind(v, s), O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return not_there(v, s, fault, err);
	rc = read_whole(fd, v, s, ret, fault, err);
	close(fd);
	return rc;
}

/* Through a private /pfs or a container's the command cannot have done it. */
static int
written(const struct view *v, const struct shown *s, struct fault *fault)
{
	const char *way_out = is_source(v, s) ? "run make again" : WAY_OUT;

	if (v->pfs || v->in_image)
		return fault_set(fault, CLASS_INPUT_CHANGED, "its input '%s:/%s' changed while the command ran: %s", view_repo(v, s),
		    view_repo_path(v, s), way_out);
	return fault_set(fault, CLASS_INPUT_WRITTEN, "the command wrote to its input '%s:/%s' (or somebody else did, while it ran): %s",
	    view_repo(v, s), view_repo_path(v, s), way_out);
}

static int
recheck_source(struct view *v, const struct shown *s, struct fault *fault, struct err *err)
{
	const char *path = shown_behind(v, s);
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? written(v, s, fault) : err_set(err, errno, "cannot stat '%s':", path);
	if (st.st_dev == s->dev && st.st_ino == s->ino && (uint64_t)st.st_size == s->size && fs_mtime_ns(&st) == s->mtime &&
	    fs_ctime_ns(&st) == s->ctime)
		return 0;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != s->size)
		return written(v, s, fault);
	rc = has_hash(path, &s->id, err);
	return rc == 0 ? written(v, s, fault) : rc == 1 ? 0 : -1;
}

/* A damaged object goes at once, or others would take it for what its name says. */
static int
recheck_object(struct view *v, const struct shown *s, struct fault *fault, struct err *err)
{
	const char *path = shown_behind(v, s);
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino && (uint64_t)st.st_size == s->size &&
	    fs_mtime_ns(&st) == s->mtime)
		return 0;
	if (has_hash(path, &s->id, err) == 1)
		return 0;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove the damaged object '%s':", path);
	return written(v, s, fault);
}

int
shown_check(struct view *v, struct shown *s, struct fault *fault, struct err *err)
{
	return is_source(v, s) ? check_source(v, s, fault, err) : check_object(v, s, err);
}

int
shown_recheck(struct view *v, const struct shown *s, struct fault *fault, struct err *err)
{
	/* A small copy was checked as it was read; what a larger one was made of may have changed meanwhile. */
	if (s->as == SHOWN_EMPTY || (s->as == SHOWN_COPY && s->size <= COPY_MAX))
		return 0;
	return is_source(v, s) ? recheck_source(v, s, fault, err) : recheck_object(v, s, fault, err);
}
