/* memory.c: three ways, the best that is there:
 *
 *   cgroup v2   a cgroup an attempt below the one we are in, or beside it, where that was given to us with its memory
 *               controller (systemd does so for services and scopes of a user, or with Delegate=yes); memory.max holds the sum of
 *               all processes, swap included, memory.oom.group ends them together, memory.events tells it
 *   cgroup v1   the same with the older files, as far as they go: the kernel ends one process, and we the others when we see it
 *   rlimit      RLIMIT_DATA: private memory that a process can write, so that one which only reserves addresses is not
 *               hit, as RLIMIT_AS would hit it.  It holds for each process alone: so the sum over the attempt's processes
 *               (resident, shared pages by share) is looked at, at most four times a second, and too much is SIGKILLed.
 *               A malloc that fails tells nobody but the command: again.c says what it is guessed from.
 *
 * A cgroup is made for each attempt, since what its files keep in memory (a tmpfs) stays charged to it. */
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char VARIABLE[] = "DASSIE_CGROUP", PREFIX[] = "dassie-";
static const uint64_t MS = 1000000;
enum { FIRST_LOOK = 20, LAST_LOOK = 250, TEXT_MAX = 16 * 1024 };

/* A small file's text, NUL-terminated; "" if it cannot be read. */
static char *
read_text(const char *dir, const char *file, char ret[TEXT_MAX])
{
	char path[MEMORY_PATH + 128 + 64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret, TEXT_MAX - 1);
	if (fd >= 0)
		close(fd);
	ret[n > 0 ? n : 0] = '\0';
	return ret;
}

static bool
write_text(const char *dir, const char *file, const char *text)
{
	char path[MEMORY_PATH + 128 + 64];
	int fd;
	bool ok;

	snprintf(path, sizeof path, "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	return close(fd) == 0 && ok;
}

static bool
has(const char *dir, const char *file)
{
	char path[MEMORY_PATH + 128 + 64];

	snprintf(path, sizeof path, "%s/%s", dir, file);
	return access(path, W_OK) == 0;
}

/* Does a cgroup that is made here have a memory limit that we may set? */
static bool
try_base(struct memory *m, const char *base)
{
	char group[MEMORY_PATH + 64];

	if (strlen(base) >= sizeof m->base || !has(base, "cgroup.procs"))
		return false;
	snprintf(group, sizeof group, "%s/%sprobe-%ld", base, PREFIX, (long)getpid());
	if (mkdir(group, 0755) < 0)
		return false;
	m->how = has(group, "memory.max") ? MEMORY_CGROUP2 : has(group, "memory.limit_in_bytes") ? MEMORY_CGROUP1 : MEMORY_UNKNOWN;
	rmdir(group);
	if (m->how != MEMORY_UNKNOWN)
		snprintf(m->base, sizeof m->base, "%s", base);
	return m->how != MEMORY_UNKNOWN;
}

/* Where this hierarchy is mounted: the first line of /proc/self/mountinfo with this type and option. */
static bool
find_mount(const char *type, const char *option, char ret[PATH_MAX])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[2 * PATH_MAX], tail[32];
	bool found = false;

	snprintf(tail, sizeof tail, " - %s ", type);
	while (f && !found && fgets(line, sizeof line, f)) {
		char *end = strstr(line, tail), *s = line;

		if (!end || !strstr(end, option))
			continue;
		for (int field = 0; field < 4 && s; field++)
			s = strchr(s + 1, ' ');
		if (!s || s >= end)
			continue;
		s++;
		s[strcspn(s, " ")] = '\0';
		snprintf(ret, PATH_MAX, "%.*s", PATH_MAX - 1, s);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/* Our cgroup in a hierarchy, as /proc says it: "0::/user.slice/…", "4:memory:/…". */
static bool
find_own(const char *controller, char ret[PATH_MAX])
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 64];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		char *name = strchr(line, ':'), *path = name ? strchr(name + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(name + 1, controller))
			continue;
		path[strcspn(path, "\n")] = '\0';
		snprintf(ret, PATH_MAX, "%.*s", PATH_MAX - 1, path);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/* Ours, the one above it, or where a container shows only a part of the tree, its root. */
static bool
find_in(struct memory *m, const char *type, const char *option, const char *controller)
{
	char mount[PATH_MAX], own[PATH_MAX], base[2 * PATH_MAX], *slash;

	if (!find_mount(type, option, mount) || !find_own(controller, own))
		return false;
	snprintf(base, sizeof base, "%s%s", mount, strcmp(own, "/") ? own : "");
	if (try_base(m, base))
		return true;
	slash = strrchr(base, '/');
	if (slash && slash > base && strlen(base) > strlen(mount)) {
		*slash = '\0';
		return try_base(m, base);
	}
	return false;
}

void
memory_find(struct memory *m)
{
	const char *told = getenv(VARIABLE);

	if (m->how != MEMORY_UNKNOWN)
		return;
	if (told && told[0] == '/' && try_base(m, told))
		return;
	if (!told && (find_in(m, "cgroup2", "", "") || find_in(m, "cgroup", "memory", "memory")))
		return;
	m->how = MEMORY_RLIMIT;
}

void
memory_export(const struct memory *m)
{
	setenv(VARIABLE, m->how == MEMORY_RLIMIT ? "none" : m->base, 1);
}

const char *
memory_word(const struct memory *m)
{
	return m->how == MEMORY_CGROUP2 ? "cgroup v2" : m->how == MEMORY_CGROUP1 ? "cgroup v1" : "rlimit";
}

static bool
make_group(struct memory *m)
{
	char number[32], path[MEMORY_PATH + 128 + 64];

	snprintf(m->group, sizeof m->group, "%s/%s%ld", m->base, PREFIX, (long)getpid());
	snprintf(number, sizeof number, "%llu", (unsigned long long)m->limit);
	if (mkdir(m->group, 0755) < 0 && (errno != EEXIST || rmdir(m->group) < 0 || mkdir(m->group, 0755) < 0))
		return false;
	if (m->how == MEMORY_CGROUP2) {
		/* What is swapped out is used memory, too; not every kernel counts it. */
		write_text(m->group, "memory.swap.max", "0");
		write_text(m->group, "memory.oom.group", "1");
	}
	if (!write_text(m->group, m->how == MEMORY_CGROUP2 ? "memory.max" : "memory.limit_in_bytes", number))
		return false;
	if (m->how == MEMORY_CGROUP1)
		write_text(m->group, "memory.memsw.limit_in_bytes", number);
	snprintf(path, sizeof path, "%s/cgroup.procs", m->group);
	m->procs = open(path, O_WRONLY | O_CLOEXEC);
	return m->procs >= 0;
}

void
memory_begin(struct memory *m, uint64_t limit, uint64_t now)
{
	m->limit = limit;
	m->over = false;
	m->look = 0;
	m->group[0] = '\0';
	m->procs = -1;
	if (!limit)
		return;
	memory_find(m);
	m->pause = FIRST_LOOK * MS;
	if (m->how == MEMORY_CGROUP1 || m->how == MEMORY_RLIMIT)
		m->look = now + m->pause;
	if (m->how == MEMORY_RLIMIT || make_group(m))
		return;
	if (m->group[0])
		rmdir(m->group);
	m->group[0] = '\0';
	m->how = MEMORY_RLIMIT;
	m->look = now + m->pause;
}

int
memory_enter(const struct memory *m)
{
	struct rlimit r;

	if (!m->limit)
		return 0;
	if (m->procs >= 0)
		return write(m->procs, "0", 1) == 1 ? 0 : -1;
	if (getrlimit(RLIMIT_DATA, &r) < 0)
		return -1;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > m->limit)
		r.rlim_max = m->limit;
	r.rlim_cur = r.rlim_max;
	return setrlimit(RLIMIT_DATA, &r);
}

/* Bytes that it has in memory; shared pages by its share if that is asked for, which takes longer to find out. */
static uint64_t
resident(pid_t pid, bool by_share)
{
	char dir[64], text[TEXT_MAX], *s;
	unsigned long long kb, pages;

	snprintf(dir, sizeof dir, "/proc/%ld", (long)pid);
	if (by_share && (s = strstr(read_text(dir, "smaps_rollup", text), "\nPss:")) && sscanf(s, "\nPss: %llu", &kb) == 1)
		return kb * 1024;
	if (sscanf(read_text(dir, "statm", text), "%*u %llu", &pages) != 1)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
sum(const pid_t *v, size_t n, bool by_share)
{
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += resident(v[i], by_share);
	return all;
}

/* Has the kernel ended a process of the group for it? */
static bool
has_killed(const struct memory *m)
{
	char text[TEXT_MAX], *s;

	s = strstr(read_text(m->group, m->how == MEMORY_CGROUP2 ? "memory.events" : "memory.oom_control", text), "oom_kill ");
	return s && strtoull(s + strlen("oom_kill "), NULL, 10) > 0;
}

bool
memory_over(struct memory *m, const pid_t *v, size_t n, uint64_t now)
{
	m->pause = m->pause * 2 < LAST_LOOK * MS ? m->pause * 2 : LAST_LOOK * MS;
	m->look = now + m->pause;
	m->over = m->group[0] ? has_killed(m) : sum(v, n, false) > m->limit && sum(v, n, true) > m->limit;
	if (m->over)
		m->look = 0;
	return m->over;
}

void
memory_end(struct memory *m)
{
	const struct timespec moment = { 0, 1000000 };

	if (!m->group[0])
		return;
	m->over = has_killed(m);
	close(m->procs);
	m->procs = -1;
	for (int i = 0; i < 100 && rmdir(m->group) < 0 && errno == EBUSY; i++)
		nanosleep(&moment, NULL);
	m->group[0] = '\0';
}

void
memory_sweep(const struct memory *m)
{
	DIR *d = m->base[0] ? opendir(m->base) : NULL;
	char path[MEMORY_PATH + 300 + 64];
	struct dirent *e;

	while (d && (e = readdir(d))) {
		long pid = strncmp(e->d_name, PREFIX, strlen(PREFIX)) ? 0 : strtol(e->d_name + strlen(PREFIX), NULL, 10);

		if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof path, "%s/%s", m->base, e->d_name);
		rmdir(path);
	}
	if (d)
		closedir(d);
}
