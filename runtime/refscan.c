/* refscan.c: design: cp -r, tar, rsync, git clone, touch and clock jumps change mtimes and nothing else; each would make
 * make look where there is nothing to see, or not look where there is.  The cache's entries are believed by ctime alone:
 * the mtime is ours, and may lie in the future after a clock jump, while whoever changes it cannot but change the ctime.
 *
 * A clock file that was lost or is older than a ref (a power cut, a restored backup) would give out a stamp twice, so
 * the newest stamp among the refs is held against it. */
#include "refscan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "filecache.h"

struct verify {
	struct filecache *cache;
	struct clock clock;
	uint64_t newest;
	struct err *err;
};

/* A ref that may have been changed: under the clock, so that nobody moves it meanwhile. */
static int
look_into(struct verify *v, int dirfd, struct filecache_entry *e)
{
	char path[LAYOUT_MAX];
	struct signature sig;
	struct stat st;
	struct ref r;
	int rc;

	if (v->clock.fd < 0 && clock_lock(&v->clock, v->err) < 0)
		return -1;
	if (filecache_prepare(v->cache, v->err) < 0 || ref_heal(&v->clock, layout_ref(path, e->name), v->err) < 0)
		return -1;
	rc = ref_read(path, &r, v->err);
	if (rc <= 0)
		return rc;
	if (fstatat(dirfd, e->name, &st, 0) == 0) {
		signature_of(&sig, &st);
		filecache_set(v->cache, e, &sig, &r.id);
		if (r.stamp > v->newest)
			v->newest = r.stamp;
	}
	ref_release(&r);
	return 0;
}

/* Names of refs; what a killed fs_replace left is none. */
static bool
is_ref(const char *name, size_t n)
{
	return name[0] != '.' && n < LAYOUT_MAX - sizeof DIR_REFS - 1 && !(n > 4 && strcmp(name + n - 4, ".tmp") == 0);
}

static int
verify_name(struct verify *v, int dirfd, const char *name)
{
	size_t n = strlen(name);
	struct filecache_entry *e;
	struct signature sig;
	struct stat st;

	if (!is_ref(name, n) || fstatat(dirfd, name, &st, 0) < 0)
		return 0;
	e = filecache_entry(v->cache, name, n);
	signature_of(&sig, &st);
	if (!filecache_fits(v->cache, e, &sig))
		return look_into(v, dirfd, e);
	if (sig.mtime > v->newest)
		v->newest = sig.mtime;
	return 0;
}

static int
check_clock(struct verify *v)
{
	struct buf b = BUF_INIT;
	int rc = fs_read(FILE_CLOCK, &b, v->err);

	if (rc >= 0)
		rc = 0;
	if (rc == 0 && v->newest > (b.s ? strtoull(b.s, NULL, 10) : 0)) {
		if (v->clock.fd < 0)
			rc = clock_lock(&v->clock, v->err);
		if (rc == 0)
			rc = clock_note(&v->clock, v->newest, v->err);
	}
	buf_release(&b);
	return rc;
}

int
refscan_verify(struct filecache *c, struct err *err)
{
	struct verify v = { .cache = c, .clock = CLOCK_INIT, .err = err };
	DIR *d = opendir(DIR_REFS);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return err_set(err, errno, "cannot read directory '%s':", DIR_REFS);
	errno = 0;
	while (rc == 0 && (e = readdir(d))) {
		rc = verify_name(&v, dirfd(d), e->d_name);
		errno = 0;
	}
	if (rc == 0 && errno)
		rc = err_set(err, errno, "cannot read directory '%s':", DIR_REFS);
	closedir(d);
	if (rc == 0)
		rc = check_clock(&v);
	clock_unlock(&v.clock);
	return rc;
}

bool
refscan_id(struct filecache *c, const char *name, struct oid *ret_id)
{
	const struct filecache_entry *e = filecache_entry(c, name, strlen(name));

	if (e->pass != c->pass || !e->there)
		return false;
	*ret_id = e->id;
	return true;
}
