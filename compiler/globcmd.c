/* globcmd.c: the verb `glob`: which paths of a repo's newest commit a glob makes datums of, so that a glob can be
 * tried before it stands in a spec.  Directories end in '/': such a datum is everything below. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "datums.h"
#include "glob.h"
#include "suggest.h"
#include "verbs.h"

enum how { LINES, NULS, JSON };

/* Upwards to the folder that has a .dassie. */
static int
find_project(struct err *err)
{
	struct stat here, up;

	while (access(DIR_STATE, F_OK) < 0) {
		if (stat(".", &here) < 0 || stat("..", &up) < 0)
			return err_set(err, errno, "cannot look for the project's folder:");
		if (here.st_dev == up.st_dev && here.st_ino == up.st_ino)
			return err_set(err, 0, "no project here or above: '%s' is not there; 'dassie compile' and 'make' begin one", DIR_STATE);
		if (chdir("..") < 0)
			return err_set(err, errno, "cannot look for the project's folder:");
	}
	return 0;
}

/* A repo that is not there: one that the specs do not name, or one that never had a commit. */
static int
no_such_repo(const char *repo, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct index x = INDEX_INIT;
	const char **name;
	size_t n = 0;
	bool known = false;

	if (index_read(&x, err) < 0)
		return -1;
	name = arena_alloc(&a, (x.n_source + x.n_pipeline + 1) * sizeof *name);
	for (size_t i = 0; i < x.n_source; i++)
		name[n++] = x.source[i].name;
	for (size_t i = 0; i < x.n_pipeline; i++)
		name[n++] = x.pipeline[i].name;
	for (size_t i = 0; i < n; i++)
		known |= strcmp(name[i], repo) == 0;
	if (known)
		err_set(err, 0, "repo '%s' has no commit yet; 'make' makes the first", repo);
	else
		err_set(err, 0, "there is no repo '%s'%s", repo, did_you_mean(&a, repo, name, n));
	index_release(&x);
	arena_release(&a);
	return -2;
}

static int
load(const char *repo, struct manifest *m, struct err *err)
{
	char path[LAYOUT_MAX];
	struct ref ref = REF_INIT;
	int rc = layout_name_ok(repo) ? ref_read(layout_ref(path, repo), &ref, err) : 0;

	if (rc == 0)
		return no_such_repo(repo, err);
	if (rc == 1)
		rc = manifest_load(m, &ref.id, err);
	ref_release(&ref);
	return rc;
}

static void
print(const struct dmatch *m, enum how how)
{
	struct buf b = BUF_INIT, line = BUF_INIT;

	buf_byte(&b, '/');
	buf_str(&b, m->path);
	if (m->kind == 'd' && m->path[0])
		buf_byte(&b, '/');
	if (how == JSON) {
		json_open(&line, NULL, '{');
		json_str(&line, "path", b.s);
		json_str(&line, "kind", m->kind == 'd' ? "directory" : m->kind == 'x' ? "exec" : "file");
		json_oid(&line, "hash", m->id);
		json_close(&line, '}');
	} else {
		buf_add(&line, b.s, b.n);
	}
	buf_byte(&line, how == NULS ? '\0' : '\n');
	fwrite(line.s, 1, line.n, stdout);
	buf_release(&line);
	buf_release(&b);
}

/* A directory comes before what is in it. */
static bool
is_inside(const struct dmatch *dir, const char *path)
{
	size_t n = strlen(dir->path);

	return dir->kind == 'd' && (n == 0 || (strncmp(dir->path, path, n) == 0 && path[n] == '/'));
}

static void
print_all(struct datums *d, enum how how)
{
	const struct dmatch *const *m, *dir = NULL;
	uint64_t inside = 0;

	for (uint64_t i = 0; i < datums_count(d); i++) {
		datums_get(d, i, &m);
		if (dir && is_inside(dir, m[0]->path))
			inside++;
		else
			dir = m[0];
		print(m[0], how);
	}
	if (inside)
		talk("note: %llu of these lie in a directory that matches, too: such data is worked on more than once",
		    (unsigned long long)inside);
}

static int
list(const char *repo, const char *glob, bool regex, enum how how, struct err *err)
{
	struct conf_input in = { .kind = CONF_PFS, .name = repo, .repo = repo, .glob = glob, .match = regex ? glob : NULL };
	struct manifest m = MANIFEST_INIT;
	struct datums_repo from = { repo, &m };
	struct datums *d = NULL;
	int rc = load(repo, &m, err);

	if (rc >= 0)
		rc = datums_new(&d, &in, &from, 1, err);
	if (rc == 0)
		print_all(d, how);
	datums_free(d);
	manifest_release(&m);
	return rc;
}

/* Is it what it is to be? */
static bool
is_good(const char *glob, bool regex, char text[GLOB_MSG], const char **ret_msg, size_t *ret_at)
{
	struct glob *g;

	if (!regex)
		return glob_check(glob, ret_msg, ret_at);
	g = glob_regex(glob, true, text, ret_at);
	*ret_msg = text;
	glob_free(g);
	return g;
}

static bool
check(const char *glob, bool regex)
{
	struct buf b = BUF_INIT;
	char text[GLOB_MSG];
	const char *msg;
	size_t at, column = 0;

	if (is_good(glob, regex, text, &msg, &at))
		return true;
	for (size_t i = 0; i < at; i++)
		column += ((unsigned char)glob[i] & 0xc0) != 0x80;
	buf_fmt(&b, "dassie: %s\n   %s\n   %*s^\n", msg, glob, (int)column, "");
	talk_raw(b.s, b.n);
	buf_release(&b);
	return false;
}

int
verb_glob(int argc, char **argv)
{
	const char *arg[2] = { NULL, NULL };
	enum how how = LINES;
	struct err err = ERR_INIT;
	bool regex = false;
	size_t n = 0;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-0") == 0)
			how = NULS;
		else if (strcmp(argv[i], "--json") == 0)
			how = JSON;
		else if (strcmp(argv[i], "--match") == 0)
			regex = true;
		else if (n < 2 && argv[i][0] != '-')
			arg[n++] = argv[i];
		else
			n = 3;
	}
	if (n != 2) {
		talk("usage: dassie glob [-0 | --json] [--match] REPO PATTERN   (--match: PATTERN is a regex)");
		return EXIT_USAGE;
	}
	if (!check(arg[1], regex))
		return EXIT_USAGE;
	rc = find_project(&err) < 0 ? -1 : list(arg[0], arg[1], regex, how, &err);
	if (rc >= 0)
		return talk_done(EXIT_DONE);
	talk_err(&err);
	return rc == -2 ? EXIT_FAILED : EXIT_WORLD;
}
