/* ends.c: lines "NAME STATUS", each in one write to an O_APPEND descriptor.  DASSIE_ENDS=FD:DEV:INO: a number alone could be
 * somebody else's descriptor by the time it is used. */
#include "ends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"

static const char NAME[] = "DASSIE_ENDS";
enum { LINE = 96, ABOVE = 30 };

int
ends_open(struct err *err)
{
	int low = memfd_create("dassie-ends", 0), fd = low < 0 ? -1 : fcntl(low, F_DUPFD, ABOVE);
	char text[64];
	struct stat st;

	if (low >= 0)
		close(low);
	if (fd < 0 || fstat(fd, &st) < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		return err_set(err, errno, "cannot make a file in memory:");
	snprintf(text, sizeof text, "%d:%llu:%llu", fd, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv(NAME, text, 1);
	return fd;
}

static int
inherited(void)
{
	const char *text = getenv(NAME);
	unsigned long long dev, ino;
	struct stat st;
	int fd;

	if (!text || sscanf(text, "%d:%llu:%llu", &fd, &dev, &ino) != 3 || fstat(fd, &st) < 0 || st.st_dev != dev || st.st_ino != ino)
		return -1;
	return fd;
}

bool
ends_wanted(void)
{
	return inherited() >= 0;
}

void
ends_add(const char *name, int status)
{
	int fd = status == EXIT_DONE ? -1 : inherited();
	char line[LINE];
	int n;

	if (fd < 0)
		return;
	n = snprintf(line, sizeof line, "%s %d\n", name, status);
	/* Memory that is out: then make's own exit status has to do. */
	if (write(fd, line, (size_t)n) < 0)
		return;
}

int
ends_of(int fd, const char *name)
{
	static char text[256 * 1024 + 1];
	char *line, *next, word[LINE];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	int status = EXIT_DONE, one;

	text[n > 0 ? n : 0] = '\0';
	for (line = text; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		if (sscanf(line, "%95s %d", word, &one) != 2)
			continue;
		if (name && strcmp(word, name) == 0)
			status = one;
		else if (!name && one > status)
			status = one;
	}
	return status;
}
