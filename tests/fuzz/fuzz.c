/* fuzz.c: a place for a target's files, and the end of what must not be. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/err.h"
#include "../../base/fs.h"

static char place[4096];
static pid_t owner;

void
fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
	abort();
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	want(s, "memory is out");
	if (size)
		memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

static void
leave(void)
{
	struct err ignored = ERR_INIT;

	if (getpid() == owner && chdir("/") == 0)
		fs_remove_tree(place, &ignored);
}

void
fuzz_place(void)
{
	const char *tmp = getenv("TMPDIR");

	if (place[0])
		return;
	snprintf(place, sizeof place, "%s/dassie-fuzz.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	want(mkdtemp(place) && chdir(place) == 0, "a folder of its own can be made");
	owner = getpid();
	atexit(leave);
}

void
fuzz_put(const char *path, const void *p, size_t n)
{
	struct err err = ERR_INIT;

	want(fs_mkdirs_for(path, &err) == 0 && fs_replace(path, p, n, 0644, &err) == 0, "a file can be written");
}
