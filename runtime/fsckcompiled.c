/* fsckcompiled.c: what the compiler writes and others believe: steps, by the hash in their names, settings and index, by
 * their seals.  Each is made again by the scan of the next make where it is not there. */
#include "fsck.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"

static int
drop(struct fsck *f, const char *path, const char *what, struct err *err)
{
	if (f->repair && unlink(path) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	fsck_finding(f, path, what, "removing it; the next make writes it again", f->repair);
	return 0;
}

static int
check_step(struct fsck *f, const char *path, struct err *err)
{
	struct buf b = BUF_INIT;
	struct oid id;
	int rc = fs_read(path, &b, err);

	sha256_bytes(b.s ? b.s : "", b.n, &id);
	buf_release(&b);
	if (rc < 0)
		return -1;
	return layout_step_fits(path, &id) ? 0 : drop(f, path, "damaged or edited: it is not what was compiled", err);
}

static int
check_conf(struct fsck *f, const char *path, const char *pipeline, struct err *err)
{
	struct conf c = CONF_INIT;
	struct err why = ERR_INIT;
	int rc = conf_read(&c, pipeline, &why);

	conf_release(&c);
	return rc == 0 ? 0 : drop(f, path, "damaged: it does not fit its seal", err);
}

/* make reads it before dassie can look at it: comments only, in whole lines (specscan.c). */
static int
check_scanmk(struct fsck *f, struct err *err)
{
	struct buf b = BUF_INIT;
	bool sound = true, begins = true;
	int rc = fs_read(FILE_SCANMK, &b, err);

	for (size_t i = 0; i < b.n; i++) {
		sound &= b.s[i] != '\0' && (!begins || b.s[i] == '#');
		begins = b.s[i] == '\n';
	}
	buf_release(&b);
	if (rc == 1 && !(sound && begins))
		rc = drop(f, FILE_SCANMK, "damaged: make cannot read it", err);
	return rc < 0 ? -1 : 0;
}

static int
check_name(struct fsck *f, const char *name, struct err *err)
{
	const char *end = strrchr(name, '.');
	struct buf path = BUF_INIT;
	int rc = 0;

	buf_fmt(&path, "%s/%s", DIR_STEPS, name);
	if (end && strcmp(end, ".sh") == 0)
		rc = check_step(f, path.s, err);
	else if (end && strcmp(end, ".conf") == 0)
		rc = check_conf(f, path.s, arena_dup(&f->a, name, (size_t)(end - name)), err);
	buf_release(&path);
	return rc;
}

int
fsck_compiled(struct fsck *f, struct err *err)
{
	DIR *d = opendir(DIR_STEPS);
	struct dirent *e;
	int rc = check_scanmk(f, err);

	if (!d)
		return errno == ENOENT ? rc : err_set(err, errno, "cannot read '%s':", DIR_STEPS);
	while (rc == 0 && (e = readdir(d)))
		rc = check_name(f, e->d_name, err);
	closedir(d);
	return rc;
}
