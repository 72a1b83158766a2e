/* init.c: a folder to begin with: a spec that runs as it is, a file for it to read, and two lines for git. Files are
 * made with O_EXCL: what is there stays what it is. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/talk.h"
#include "show.h"
#include "verbs.h"

#define SPEC "pipeline.yaml"

static const char usage[] =
    "usage: dassie init [DIR]\n\n"
    "Begins a project in DIR (here, if none is given): " SPEC ", a spec with comments that runs as it is, data/ with a\n"
    "file for it to read, and in .gitignore what git need not keep. What is there already stays as it is.\n";

static const char starter[] =
    "# yaml-language-server: $schema=.dassie/spec.schema.json\n"
    "# Pipelines: what they read, what they run. 'dassie compile' makes a Makefile of it, 'make' runs what is stale.\n"
    "\n"
    "repos:\n"
    "  data: data                  # a folder of yours, read in place\n"
    "\n"
    "pipelines:\n"
    "  count:\n"
    "    input: data/*             # one datum a file; 'data' alone is the whole folder as one\n"
    "    run: |                    # a shell script: $data is the file, $out the folder to write to\n"
    "      wc -w < \"$data\" > \"$out/${data##*/}\"\n"
    "\n"
    "  total:\n"
    "    input: count              # the output of count, all of it\n"
    "    run: cat \"$count\"/* | awk '{ n += $1 } END { print n }' > \"$out/total\"\n"
    "    # code: [total.awk]       # files that the command runs: a change of them reruns it\n"
    "    # datum_tries: 3          # attempts before a datum has failed\n"
    "\n"
    "# 'dassie why out/total/total' tells where a result came from, 'dassie status' what is stale and why.\n";

/* 1 made, 0 there is one, -1. */
static int
make_file(const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), rc;

	if (fd < 0)
		return errno == EEXIST ? 0 : err_set(err, errno, "cannot make '%s':", path);
	rc = fs_write_all(fd, text, strlen(text), err);
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "cannot write '%s':", path);
	if (rc < 0)
		unlink(path);
	return rc < 0 ? -1 : 1;
}

static bool
has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *s = text; s && *s; s = strchr(s, '\n'), s = s ? s + 1 : NULL)
		if (strncmp(s, line, n) == 0 && (s[n] == '\n' || s[n] == '\0' || s[n] == '\r'))
			return true;
	return false;
}

/* Only what is missing is added, at the end. */
static int
add_ignores(struct err *err)
{
	static const char *const line[] = { "/.dassie/", "/out/" };
	struct buf old = BUF_INIT, more = BUF_INIT;
	int rc = fs_read(".gitignore", &old, err), fd;

	for (size_t i = 0; rc >= 0 && i < sizeof line / sizeof *line; i++)
		if (!has_line(old.s, line[i]))
			buf_fmt(&more, "%s%s\n", more.n == 0 && old.n && old.s[old.n - 1] != '\n' ? "\n" : "", line[i]);
	if (rc >= 0 && more.n) {
		fd = open(".gitignore", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		rc = fd < 0 ? err_set(err, errno, "cannot open '.gitignore':") : fs_write_all(fd, more.s, more.n, err);
		if (fd >= 0 && close(fd) < 0 && rc == 0)
			rc = err_set(err, errno, "cannot write '.gitignore':");
	}
	buf_release(&old);
	buf_release(&more);
	return rc < 0 ? -1 : 0;
}

static int
begin(void)
{
	static const char *const spec[] = { SPEC, "pipeline.yml", "pipeline.json", "pipelines.yaml" };
	struct err err = ERR_INIT;
	bool makefile = access("Makefile", F_OK) == 0;
	int rc;

	for (size_t i = 0; i < sizeof spec / sizeof *spec; i++)
		if (access(spec[i], F_OK) == 0) {
			talk("'%s' is here already: nothing was changed; 'dassie compile' compiles it", spec[i]);
			return EXIT_FAILED;
		}
	if (mkdir("data", 0777) == 0)
		rc = make_file("data/hello.txt", "hello pipelines\n", &err);
	else
		rc = errno == EEXIST ? 0 : err_set(&err, errno, "cannot make 'data':");
	if (rc >= 0)
		rc = add_ignores(&err);
	if (rc < 0 || (rc = make_file(SPEC, starter, &err)) < 0)
		return talk_err(&err);
	printf("made %s: next 'dassie compile%s', then 'make%s', then 'dassie why out/total/total'\n", SPEC,
	    makefile ? " -o pipelines.mk" : "", makefile ? " -f pipelines.mk" : "");
	return talk_done(EXIT_DONE);
}

int
verb_init(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct err err = ERR_INIT;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		return show_usage(usage, c == 'h');
	if (argc - optind > 1)
		return show_usage(usage, false);
	if (argc > optind) {
		if (fs_mkdirs(argv[optind], &err) < 0)
			return talk_err(&err);
		if (chdir(argv[optind]) < 0) {
			talk("cannot go to '%s': %s", argv[optind], strerror(errno));
			return EXIT_WORLD;
		}
	}
	return begin();
}
