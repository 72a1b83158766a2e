/* state.c: .dassie is made on first need, checked on every use (a stat, a short read, a mkdir a folder), and never believed when
 * a newer dassie or another user made it. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/format.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/sha256.h"

#ifndef DASSIE_LIBEXEC
#define DASSIE_LIBEXEC "/usr/local/libexec/dassie"
#endif

static int
check_owner(const struct stat *st, struct err *err)
{
	if (!S_ISDIR(st->st_mode))
		return err_set(err, 0, "'%s' is not a directory: move it away", DIR_STATE);
	if (st->st_uid != geteuid())
		return err_set(err, 0, "'%s' belongs to user %lu, you are user %lu: run as its owner, make it yours "
		    "(chown -R %lu %s), or remove it (everything in it can be computed again)", DIR_STATE, (unsigned long)st->st_uid,
		    (unsigned long)geteuid(), (unsigned long)geteuid(), DIR_STATE);
	if (st->st_mode & S_IWOTH)
		return err_set(err, 0, "'%s' can be written by everybody: chmod o-w %s", DIR_STATE, DIR_STATE);
	return 0;
}

/* Always all of them: somebody may have removed one. */
static int
make_dirs(struct err *err)
{
	static const char *const dirs[] = { DIR_REFS, DIR_STEPS, DIR_COMMITS, DIR_OBJECTS, DIR_DATUMS, DIR_PLAN, DIR_LOGS,
		DIR_SCAN, DIR_WORK, DIR_LOCK, DIR_MARKS, DIR_EGRESS, DIR_BRANCHES };

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (mkdir(dirs[i], 0755) < 0 && errno != EEXIST)
			return err_set(err, errno, "cannot make '%s':", dirs[i]);
	return 0;
}

static int
make_files(struct err *err)
{
	if (fs_replace_if_new(DIR_STATE "/.gitignore", "*\n", 2, 0644, err) < 0)
		return -1;
	return format_write(err);
}

int
state_make(struct err *err)
{
	struct stat st;
	int rc;

	if (mkdir(DIR_STATE, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "cannot make '%s':", DIR_STATE);
	if (stat(DIR_STATE, &st) < 0)
		return err_set(err, errno, "cannot look at '%s':", DIR_STATE);
	if (check_owner(&st, err) < 0 || (rc = format_check(err)) < 0 || make_dirs(err) < 0)
		return -1;
	return rc == 1 ? 0 : make_files(err);
}

/* A lost format file is made again; but a folder of this name that has nothing of ours is somebody else's. */
static int
check_ours(struct err *err)
{
	int rc = format_check(err);

	if (rc == 0 && access(DIR_STEPS, F_OK) < 0 && access(DIR_REFS, F_OK) < 0)
		return err_set(err, 0, "the folder '%s' here is not one that dassie made: nothing was changed; 'dassie compile' would begin "
		    "a project in it", DIR_STATE);
	return rc < 0 ? -1 : 0;
}

int
state_find(struct buf *ret_prefix, struct err *err)
{
	char cwd[PATH_MAX];
	size_t n;
	struct stat st;

	if (!getcwd(cwd, sizeof cwd))
		return err_set(err, errno, "cannot tell the current directory:");
	n = strlen(cwd);
	while (stat(DIR_STATE, &st) < 0 || !S_ISDIR(st.st_mode)) {
		while (n > 0 && cwd[n - 1] != '/')
			n--;
		if (n <= 1 && (strcmp(cwd, "/") == 0 || access("/" DIR_STATE, F_OK) < 0))
			return err_set(err, 0, "there is no '%s' here or in a folder above: 'dassie compile' in the folder of your "
			    "specs, then 'make', begins one", DIR_STATE);
		if (chdir("..") < 0)
			return err_set(err, errno, "cannot go up:");
		if (n > 1)
			n--;
	}
	if (ret_prefix && cwd[n] == '/' )
		n++;
	if (ret_prefix && cwd[n]) {
		buf_str(ret_prefix, cwd + n);
		buf_byte(ret_prefix, '/');
	}
	return check_ours(err);
}

static bool
runnable(const char *dir, const char *between, const char *program, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s%s/%s", dir, between, program);

	return n > 0 && (size_t)n < size && access(ret, X_OK) == 0;
}

const char *
state_helper(const char *program, char *ret, size_t size)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
		if (runnable(self, "", program, ret, size) || runnable(self, "/../libexec/dassie", program, ret, size))
			return ret;
	}
	snprintf(ret, size, "%s/%s", DASSIE_LIBEXEC, program);
	return ret;
}

/* Field 22 of /proc/PID/stat, counted after the command's closing parenthesis. */
static unsigned long long
start_of(pid_t pid)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	unsigned long long start = 0;
	char path[64], *s;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	if (fs_read(path, &b, &err) == 1 && (s = strrchr(b.s, ')'))) {
		for (int field = 2; s && field < 22; field++)
			s = strchr(s + 1, ' ');
		if (s)
			start = strtoull(s, NULL, 10);
	}
	buf_release(&b);
	return start;
}

const char *
state_run_id(void)
{
	static char id[17];
	const char *given = getenv("DASSIE_RUN");
	char hex[OID_HEX + 1];
	struct sha256 h;
	struct oid oid;

	if (id[0])
		return id;
	if (given && strlen(given) == 16 && strspn(given, "0123456789abcdef") == 16)
		return memcpy(id, given, 17);
	sha256_init(&h);
	sha256_field_str(&h, fs_boot_id());
	sha256_field_u64(&h, (uint64_t)getppid());
	sha256_field_u64(&h, start_of(getppid()));
	sha256_final(&h, &oid);
	oid_hex(&oid, hex);
	memcpy(id, hex, 16);
	return id;
}
