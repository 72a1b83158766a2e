/* fsckstore.c: everything that is named by its content must be its content; everything that is sealed must fit its
 * seal; every object that a result names must be there. */
#include "fsck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "fanout.h"
#include "result.h"

struct fsck_object { struct oid id; uint64_t size; };

#define RECOMPUTE "the next make computes it again"

static int
by_id(const void *a, const void *b)
{
	return oid_cmp(&((const struct fsck_object *)a)->id, &((const struct fsck_object *)b)->id);
}

bool
fsck_has_object(const struct fsck *f, const struct oid *id, uint64_t size)
{
	struct fsck_object key = { *id, 0 };
	const struct fsck_object *o = f->n_object ? bsearch(&key, f->object, f->n_object, sizeof key, by_id) : NULL;

	return o && o->size == size;
}

static int
put_away(struct fsck *f, const char *path, const char *what, const char *cure, struct err *err)
{
	if (f->repair && fsck_move_away(path, err) < 0)
		return -1;
	fsck_finding(f, path, what, cure, f->repair);
	return 0;
}

static int
check_object(void *ctx, const char *path, const struct oid *id, const char *suffix, struct err *err)
{
	struct fsck *f = ctx;
	struct oid got;
	uint64_t size;
	int fd, rc;

	if (suffix[0])
		return 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return err_set(err, errno, "cannot read '%s':", path);
	rc = sha256_fd(fd, &got, &size, err);
	close(fd);
	if (rc < 0 && err->num == EIO)
		return put_away(f, path, "cannot be read: the disk reports an error", "removing it; " RECOMPUTE, err);
	if (rc < 0)
		return err_wrap(err, "cannot read '%s'", path);
	if (!oid_eq(&got, id))
		return put_away(f, path, "damaged: its bytes are not those that were written", "removing it; " RECOMPUTE, err);
	GROW(f->object, f->n_object, f->cap_object);
	f->object[f->n_object++] = (struct fsck_object){ *id, size };
	return 0;
}

int
fsck_objects(struct fsck *f, struct err *err)
{
	if (fanout_each(DIR_OBJECTS, check_object, f, err) < 0)
		return -1;
	if (f->n_object)
		qsort(f->object, f->n_object, sizeof *f->object, by_id);
	return 0;
}

static int
check_result(void *ctx, const char *path, const struct oid *key, const char *suffix, struct err *err)
{
	struct fsck *f = ctx;
	bool failed = strcmp(suffix, ".fail") == 0;
	struct result r = RESULT_INIT;
	struct err why = ERR_INIT;
	size_t gone = 0;
	int rc;

	if (suffix[0] && !failed)
		return 0;
	f->n_result++;
	rc = result_read(&r, key, failed, &why);
	if (rc < 0 && (why.num == EACCES || why.num == EPERM))
		return err_set(err, why.num, "cannot read '%s':", path);
	if (rc != 1)
		return put_away(f, path, "damaged: it does not fit its seal", "removing it; the next make runs that datum again", err);
	for (size_t i = 0; i < r.n_output; i++)
		gone += !fsck_has_object(f, &r.output[i].id, r.output[i].size);
	if (gone > 0) {
		fsck_reset(f, r.pipeline);
		rc = put_away(f, path, arena_fmt(&f->a, "%zu of its %zu output files are gone or damaged (datum %s of %s)", gone, r.n_output,
		    r.label, r.pipeline), "removing the result; the next make runs that datum again", err);
	} else {
		rc = 0;
	}
	result_release(&r);
	return rc;
}

int
fsck_results(struct fsck *f, struct err *err)
{
	return fanout_each(DIR_DATUMS, check_result, f, err);
}

int
fsck_commits(struct fsck *f, struct err *err)
{
	DIR *d = opendir(DIR_COMMITS);
	struct dirent *e;
	struct oid id, got;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", DIR_COMMITS);
	while (rc == 0 && (e = readdir(d))) {
		struct buf b = BUF_INIT;
		char path[LAYOUT_MAX];

		if (!oid_parse(e->d_name, &id))
			continue;
		f->n_commit++;
		rc = fs_read(layout_commit(path, &id), &b, err) < 0 ? -1 : 0;
		sha256_bytes(b.s ? b.s : "", b.n, &got);
		if (rc == 0 && !oid_eq(&got, &id))
			rc = put_away(f, path, "damaged: the list of files is not what was written",
			    "removing it; if a repo's newest commit needs it, the next make writes it again", err);
		buf_release(&b);
	}
	closedir(d);
	return rc;
}
