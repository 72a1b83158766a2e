/* viewfile.c: copying 64 KiB costs what mounting a file, and taking /pfs down and up again for it, does: 0.1 ms.  So
 * small files are copied; what is mounted needs a file to be mounted on, which is an inode as well. */
#include "viewfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/plan.h"
#include "failure.h"
#include "pfs.h"
#include "shown.h"
#include "view.h"

enum { PAGE = 4096 };

static mode_t
mode_of(const struct shown *s)
{
	return s->kind == 'x' ? 0555 : 0644;
}

static enum shown_as
choose(const struct view *v, const struct shown *s, bool empty)
{
	bool source = strcmp(v->head->input[s->input].dir, "-") != 0;

	if (empty)
		return SHOWN_EMPTY;
	/* A link into this machine would be no file in a container. */
	if (v->in_image && (source || s->size <= COPY_MAX))
		return SHOWN_COPY;
	if (!v->pfs)
		return source ? SHOWN_SOURCE : s->kind == 'x' ? SHOWN_COPY : SHOWN_OBJECT;
	if (s->size <= COPY_MAX && (v->on_disk || v->copied + s->size <= COPIED_MAX || v->n_bound >= BOUND_MAX))
		return SHOWN_COPY;
	if (!source && s->kind == 'x')
		return SHOWN_COPY;
	return source || !v->on_disk ? SHOWN_BOUND : SHOWN_OBJECT;
}

static int
cannot_show(const struct view *v, const struct shown *s, struct err *err)
{
	return err_set(err, errno, "cannot show '%s:/%s':", view_repo(v, s), view_repo_path(v, s));
}

static int
too_much(struct view *v, const struct shown *s, struct err *err)
{
	v->too_much = true;
	return cannot_show(v, s, err);
}

static int
write_new(const struct view *v, struct shown *s, const char *p, size_t n, mode_t mode, bool *ret_new, struct err *err)
{
	int fd = openat(v->base, view_path(v, s), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int rc;

	*ret_new = fd >= 0;
	if (fd < 0)
		return errno == EEXIST ? 0 : cannot_show(v, s, err);
	rc = n ? fs_write_all(fd, p, n, err) : 0;
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "close:");
	return rc < 0 ? err_wrap(err, "cannot show '%s:/%s'", view_repo(v, s), view_repo_path(v, s)) : 0;
}

static int
put_small(struct view *v, struct shown *s, bool *ret_new, struct fault *fault, struct err *err)
{
	static char bytes[COPY_MAX + 1];
	int rc = shown_read(v, s, bytes, fault, err);

	if (rc == 0)
		rc = write_new(v, s, bytes, s->size, mode_of(s), ret_new, err);
	if (rc == 0)
		v->copied += (s->size + PAGE - 1) / PAGE * PAGE;
	else if (rc < 0 && err->num == ENOSPC && !v->on_disk)
		v->too_much = true;
	return rc;
}

static int
put_copy(struct view *v, struct shown *s, bool *ret_new, struct err *err)
{
	struct stat st;

	if (v->pfs && !v->on_disk)
		return too_much(v, s, err);
	*ret_new = lstat(view_path(v, s), &st) < 0;
	return *ret_new ? fs_copy(shown_behind(v, s), view_path(v, s), mode_of(s), err) : 0;
}

/* What cannot be mounted is copied, whatever its size. */
static int
put_bound(struct view *v, struct shown *s, bool *ret_new, struct err *err)
{
	struct buf at = BUF_INIT;
	int rc = write_new(v, s, "", 0, mode_of(s), ret_new, err);

	if (rc < 0 || !*ret_new)
		return rc;
	if (!v->on_disk && v->n_bound >= BOUND_MAX) {
		errno = ENOSPC;
		return too_much(v, s, err);
	}
	if (!v->too_much) {
		buf_str(&at, PFS_DIR);
		buf_str(&at, view_path(v, s) + strlen(v->root));
		rc = pfs_bind(v->pfs, shown_behind(v, s), at.s);
		buf_release(&at);
		v->n_bound += rc == 0;
		if (rc == 0)
			return 0;
		rc = too_much(v, s, err);
		if (!v->on_disk)
			return rc;
	}
	if (unlink(view_path(v, s)) < 0)
		return cannot_show(v, s, err);
	return fs_copy(shown_behind(v, s), view_path(v, s), mode_of(s), err);
}

/* The absolute path of the file behind it: a link is read from elsewhere. */
static int
put_symlink(struct view *v, struct shown *s)
{
	const char *file = shown_behind(v, s);
	struct buf b = BUF_INIT;
	int rc;

	if (file[0] != '/') {
		buf_str(&b, v->project);
		buf_byte(&b, '/');
	}
	buf_str(&b, file);
	rc = symlink(b.s, view_path(v, s));
	buf_release(&b);
	return rc;
}

static int
put_link(struct view *v, struct shown *s, bool *ret_new, struct err *err)
{
	int rc = s->as == SHOWN_OBJECT ? link(shown_behind(v, s), view_path(v, s)) : put_symlink(v, s);

	if (rc < 0 && (errno == EMLINK || errno == EXDEV || errno == EPERM || errno == ENOTSUP)) {
		if (v->pfs) {
			s->as = SHOWN_BOUND;
			return put_bound(v, s, ret_new, err);
		}
		rc = put_symlink(v, s);
	}
	*ret_new = rc == 0;
	return rc == 0 || errno == EEXIST ? 0 : cannot_show(v, s, err);
}

int
viewfile_put(struct view *v, struct shown *s, bool empty, bool *ret_new, struct fault *fault, struct err *err)
{
	int rc = 0;

	s->as = choose(v, s, empty);
	if (s->as == SHOWN_EMPTY)
		return write_new(v, s, "", 0, 0444, ret_new, err);
	if (s->as == SHOWN_COPY && (v->pfs || v->in_image) && s->size <= COPY_MAX)
		return put_small(v, s, ret_new, fault, err);
	rc = shown_check(v, s, fault, err);
	if (rc)
		return rc;
	switch (s->as) {
	case SHOWN_COPY:
		return put_copy(v, s, ret_new, err);
	case SHOWN_BOUND:
		return put_bound(v, s, ret_new, err);
	default:
		return put_link(v, s, ret_new, err);
	}
}
