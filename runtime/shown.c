/* shown.c: is the file behind a link of the view still the one that was hashed?
 *
 * Before the command every file is held against the manifest: its size, and its bytes again where its ctime is not
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

static const char *
repo_path(const struct view *v, const struct shown *s)
{
	return v->text.s + s->at + s->name;
}

const char *
shown_behind(struct view *v, const struct shown *s)
{
	const struct plan_input *in = input_of(v, s);

	buf_reset(&v->path);
	if (strcmp(in->dir, "-") != 0) {
		if (in->dir[0] != '/') {
			buf_str(&v->path, v->project);
			buf_byte(&v->path, '/');
		}
		fs_join(&v->path, in->dir, repo_path(v, s));
	} else {
		buf_reserve(&v->path, LAYOUT_MAX);
		layout_object(v->path.s, &s->id);
	}
	return v->path.s;
}

static int
changed(struct view *v, const struct shown *s, const char *what, struct fault *fault)
{
	return fault_set(fault, CLASS_INPUT_CHANGED, "'%s:/%s' %s since the scan: run make again", input_of(v, s)->repo,
	    repo_path(v, s), what);
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

void
shown_remember(struct shown *s, const struct stat *st)
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

static int
check_source(struct view *v, struct shown *s, struct fault *fault, struct err *err)
{
	const char *path = shown_behind(v, s);
	struct stat st;
	int rc;

	if (stat(path, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? changed(v, s, "is gone", fault) :
		    err_set(err, errno, "cannot stat '%s':", path);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != s->size || ((st.st_mode & S_IXUSR) != 0) != (s->kind == 'x'))
		return changed(v, s, "has changed", fault);
	shown_remember(s, &st);
	if (older_than_scan(v, s))
		return 0;
	rc = has_hash(path, &s->id, err);
	return rc == 0 ? changed(v, s, "has changed", fault) : rc == 1 ? 0 : -1;
}

static int
check_object(struct view *v, struct shown *s, struct err *err)
{
	const char *path = shown_behind(v, s);
	struct stat st;

	if (lstat(path, &st) < 0)
		return err_set(err, errno, errno == ENOENT ? "object '%s' of '%s:/%s' is not there: " WAY_OUT : "cannot stat '%s' of '%s:/%s':",
		    path, input_of(v, s)->repo, repo_path(v, s));
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != s->size)
		return err_set(err, 0, "object '%s' of '%s:/%s' is damaged: " WAY_OUT, path, input_of(v, s)->repo, repo_path(v, s));
	shown_remember(s, &st);
	return 0;
}

static int
written(const struct view *v, const struct shown *s, struct fault *fault)
{
	return fault_set(fault, CLASS_INPUT_WRITTEN, "the command wrote to its input '%s:/%s' (or somebody else did, while it ran)%s",
	    input_of(v, s)->repo, repo_path(v, s), s->as == SHOWN_OBJECT ? ": " WAY_OUT : ": run make again");
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
	switch (s->as) {
	case SHOWN_SOURCE:
		return check_source(v, s, fault, err);
	case SHOWN_OBJECT:
	case SHOWN_COPY:
		return check_object(v, s, err);
	case SHOWN_EMPTY:
		break;
	}
	return 0;
}

int
shown_recheck(struct view *v, const struct shown *s, struct fault *fault, struct err *err)
{
	switch (s->as) {
	case SHOWN_SOURCE:
		return recheck_source(v, s, fault, err);
	case SHOWN_OBJECT:
		return recheck_object(v, s, fault, err);
	case SHOWN_COPY:
	case SHOWN_EMPTY:
		break;
	}
	return 0;
}
