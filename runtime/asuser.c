/* asuser.c: users come from `getent`, so that those of LDAP and the like are known, too: dassie-datum is linked statically, and a
 * static getpwnam knows only what it was built with. */
#include "asuser.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "capture.h"

enum { ANSWER_MAX = 65536 };

static bool
number(const char *s, unsigned long *ret)
{
	char *end;

	if (s[0] < '0' || s[0] > '9')
		return false;
	*ret = strtoul(s, &end, 10);
	return *end == '\0' && *ret < (uid_t)-1;
}

/* The fields of an answer of getent, at most n of them; how many. */
static size_t
fields_of(char *line, char **v, size_t n)
{
	size_t k = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *p = line; p && k < n; v[k++] = p, p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL)
		;
	for (size_t i = 0; i < k; i++)
		v[i][strcspn(v[i], ":")] = '\0';
	return k;
}

/* What a small tool says: 1, 0 it knows nothing, -1. */
static int
ask(const char *const argv[], struct buf *ret, struct err *err)
{
	int rc = capture(argv, ret, ANSWER_MAX, err);

	if (rc == -2)
		return err_set(err, 0, "'user' needs the program '%s', which is not here", argv[0]);
	return rc < 0 ? -1 : rc == 0 && ret->n;
}

static int
find_user(struct asuser *u, const char *name, struct err *err)
{
	struct buf b = BUF_INIT;
	char *f[7];
	unsigned long id;
	int rc = ask((const char *const[]){ "getent", "passwd", name, NULL }, &b, err);

	if (rc == 1 && fields_of(b.s, f, 7) == 7 && number(f[2], &id)) {
		u->uid = (uid_t)id;
		u->gid = number(f[3], &id) ? (gid_t)id : u->gid;
		u->name = xstrdup(f[0]);
		u->home = xstrdup(f[5]);
	} else if (rc >= 0 && number(name, &id)) {
		/* A number need not be anybody's. */
		u->uid = (uid_t)id;
		u->gid = 0;
		u->name = xstrdup(name);
		u->home = xstrdup("/");
		rc = 1;
	} else if (rc == 0) {
		rc = err_set(err, 0, "there is no user '%s' on this machine: make one, or correct 'user'", name);
	}
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

static int
find_group(struct asuser *u, const char *name, struct err *err)
{
	struct buf b = BUF_INIT;
	char *f[3];
	unsigned long id;
	int rc = 1;

	if (number(name, &id))
		u->gid = (gid_t)id;
	else if ((rc = ask((const char *const[]){ "getent", "group", name, NULL }, &b, err)) == 1 && fields_of(b.s, f, 3) == 3 && number(f[2], &id))
		u->gid = (gid_t)id;
	else if (rc >= 0)
		rc = err_set(err, 0, "there is no group '%s' on this machine: make one, or correct 'user'", name);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

/* As for a container: with a group given, that one alone; else all that the user is in. */
static int
find_groups(struct asuser *u, bool alone, struct err *err)
{
	struct buf b = BUF_INIT;
	size_t cap = 0;
	int rc = alone ? 0 : ask((const char *const[]){ "id", "-G", u->name, NULL }, &b, err);

	GROW(u->group, u->n_group, cap);
	u->group[u->n_group++] = u->gid;
	for (char *p = rc == 1 ? b.s : NULL, *end; p && *p; p = end) {
		gid_t g = (gid_t)strtoul(p, &end, 10);

		if (end == p)
			break;
		GROW(u->group, u->n_group, cap);
		if (g != u->gid)
			u->group[u->n_group++] = g;
	}
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

int
asuser_find(struct asuser *u, const char *text, struct err *err)
{
	char *user, *group;
	int rc;

	if (!text || !*text)
		return 0;
	user = xstrdup(text);
	group = strchr(user, ':');
	if (group)
		*group++ = '\0';
	rc = find_user(u, user, err);
	if (rc == 0 && group && *group)
		rc = find_group(u, group, err);
	if (rc == 0)
		rc = find_groups(u, group && *group, err);
	free(user);
	if (rc < 0)
		return -1;
	if (u->uid == geteuid() && (geteuid() != 0 || u->gid == getegid()))
		return 0;
	u->set = geteuid() == 0;
	return u->set ? 0 : 1;
}

int
asuser_become(const struct asuser *u)
{
	if (!u || !u->set)
		return 0;
	/* Not the library's: this may be a child of vfork, and the library's would tell all threads. */
	if (syscall(SYS_setgroups, u->n_group, u->group) < 0 || syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0)
		return -1;
	return syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0 ? -1 : 0;
}

int
asuser_give(const struct asuser *u, const char *path, struct err *err)
{
	if (u->set && lchown(path, u->uid, u->gid) < 0)
		return err_set(err, errno, "chown '%s':", path);
	return 0;
}

/* For as long as the open takes: with another user's file rights the kernel leaves us none of root's. */
bool
asuser_may_read(const struct asuser *u, const char *path)
{
	gid_t *mine;
	int n, fd;

	if (!u || !u->set)
		return true;
	n = getgroups(0, NULL);
	mine = xcalloc((size_t)(n > 0 ? n : 0) + 1, sizeof *mine);
	n = getgroups(n, mine);
	if (n < 0 || setgroups(u->n_group, u->group) < 0) {
		free(mine);
		return false;
	}
	setfsgid(u->gid);
	setfsuid(u->uid);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	setfsuid(geteuid());
	setfsgid(getegid());
	if (fd >= 0)
		close(fd);
	if (setgroups((size_t)n, mine) < 0)
		fd = -1;
	free(mine);
	return fd >= 0;
}

void
asuser_release(struct asuser *u)
{
	free(u->group);
	free(u->name);
	free(u->home);
	*u = (struct asuser)ASUSER_INIT;
}
