/* secretmount.c: copies on a tmpfs rather than the user's files themselves: what is masked in the log is what the command
 * reads, also where somebody changes a secret meanwhile, and another user's command can read its own. */
#include "secretmount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "mountpoint.h"
#include "secrets.h"

enum { PAGE = 4096 };

bool
secretmount_wanted(const struct secret_uses *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].mount[0])
			return true;
	return false;
}

int
secretmount_refuse(const struct secret_uses *u, struct err *err)
{
	const struct secret_use *v = u->v;

	while (!v->mount[0])
		v++;
	return err_set(err, 0, "secret '%s' cannot be shown in '%s': this machine gives no mount namespaces ('dassie doctor' says why); "
	    "give the command the keys in variables, with 'key' and 'env_var'", v->name, v->mount);
}

static int
write_key(const char *folder, const struct secret_value *v, uid_t uid, gid_t gid, struct err *err)
{
	char path[PATH_MAX];
	int fd, rc;

	if (snprintf(path, sizeof path, "%s/%s", folder, v->key) >= (int)sizeof path)
		return err_set(err, ENAMETOOLONG, "'%s':", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0)
		return err_set(err, errno, "cannot make '%s':", path);
	rc = fs_write_all(fd, v->v, v->n, err);
	if (rc == 0 && geteuid() == 0 && fchown(fd, uid, gid) < 0)
		rc = err_set(err, errno, "chown '%s':", path);
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "cannot write '%s':", path);
	return rc;
}

static int
mount_one(const struct secrets *s, const struct secret_use *u, uid_t uid, gid_t gid, struct err *err)
{
	static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	size_t size = 16 * PAGE;
	char options[64];
	int rc = 0;

	for (size_t i = 0; i < s->n; i++)
		size += (s->v[i].n / PAGE + 2) * PAGE;
	snprintf(options, sizeof options, "mode=755,size=%zu", size);
	if (mount("tmpfs", u->mount, "tmpfs", flags, options) < 0)
		return err_set(err, errno, "cannot mount a tmpfs on '%s':", u->mount);
	for (size_t i = 0; rc == 0 && i < s->n; i++)
		if (strcmp(s->v[i].name, u->name) == 0)
			rc = write_key(u->mount, &s->v[i], uid, gid, err);
	if (rc == 0 && mount(NULL, u->mount, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
		rc = err_set(err, errno, "cannot make '%s' read-only:", u->mount);
	return rc;
}

int
secretmount(const struct secrets *s, const struct secret_uses *u, const char *project, uid_t uid, gid_t gid, struct err *err)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].mount[0] && (mountpoint_make(project, u->v[i].mount, err) < 0 || mount_one(s, &u->v[i], uid, gid, err) < 0))
			return err_wrap(err, "secret '%s' cannot be shown in '%s'", u->v[i].name, u->v[i].mount);
	return 0;
}
