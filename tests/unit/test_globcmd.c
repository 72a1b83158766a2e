/* The verb `glob` in a project made for it: what it prints, and what it says where it cannot. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/conf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/layout.h"
#include "../../base/manifest.h"
#include "../../compiler/verbs.h"
#include "tap.h"

static char dir[] = "/tmp/test_globcmd.XXXXXX", out[64], err_out[64];

static void
must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	printf("Bail out! %s\n", err->text);
	exit(2);
}

/* Both outputs of `glob ARGS` in files; the status. */
static int
glob(const char *a, const char *b, const char *c)
{
	char verb[] = "glob", arg[3][64];
	char *argv[5] = { verb };
	int keep[2] = { dup(1), dup(2) }, argc = 1, status;
	const char *const given[3] = { a, b, c };

	for (int i = 0; i < 3 && given[i]; i++) {
		snprintf(arg[i], sizeof arg[i], "%s", given[i]);
		argv[argc++] = arg[i];
	}
	for (int fd = 1; fd <= 2; fd++) {
		int to = open(fd == 1 ? out : err_out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		fflush(stdout);
		dup2(to, fd);
		close(to);
	}
	status = verb_glob(argc, argv);
	fflush(stdout);
	for (int fd = 1; fd <= 2; fd++) {
		dup2(keep[fd - 1], fd);
		close(keep[fd - 1]);
	}
	return status;
}

static void
is_file(const char *path, const char *want, size_t n, const char *what)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	must(fs_read(path, &b, &err), &err);
	if (!ok(b.n == n && memcmp(b.s, want, n) == 0, "%s", what))
		tap_show(" got", b.s);
	buf_release(&b);
}

static void
says(const char *path, const char *what)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	must(fs_read(path, &b, &err), &err);
	ok(strstr(b.s, what) != NULL, "it says: %s (%s)", what, b.s);
	buf_release(&b);
}

static void
project(void)
{
	static const char *const path[] = { "a/1.csv", "a/2\n.csv", "top \xff" };
	struct index x = INDEX_INIT;
	struct index_source source[] = { { .name = "books", .dir = "data" }, { .name = "later", .dir = "data2" } };
	char hex[OID_HEX + 1], ref[LAYOUT_MAX];
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT;
	struct oid id;

	must(fs_mkdirs(DIR_COMMITS, &err), &err);
	must(fs_mkdirs(DIR_REFS, &err), &err);
	must(fs_mkdirs(DIR_STEPS, &err), &err);
	must(fs_mkdirs("sub/folder", &err), &err);
	manifest_head(&b);
	for (size_t i = 0; i < 3; i++) {
		sha256_bytes(path[i], strlen(path[i]), &id);
		manifest_line(&b, 'f', 1, &id, path[i]);
	}
	must(manifest_store(&b, &id, &err), &err);
	oid_hex(&id, hex);
	buf_reset(&b);
	buf_fmt(&b, "dassie-ref 1\nstamp 5\nid %s\nasof 5\nend\n", hex);
	must(fs_replace(layout_ref(ref, "books"), b.s, b.n, 0644, &err), &err);
	buf_reset(&b);
	x.compiler = x.makefile = "";
	x.source = source;
	x.n_source = 2;
	index_write(&b, &x);
	must(fs_replace(FILE_INDEX, b.s, b.n, 0644, &err), &err);
	buf_release(&b);
}

int
main(void)
{
	static const char nuls[] = "/a/1.csv\0/a/2\n.csv";
	char path[64];
	struct err err = ERR_INIT;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 2;
	snprintf(out, sizeof out, "%s/out", dir);
	snprintf(err_out, sizeof err_out, "%s/err", dir);
	must(fs_mkdirs("p", &err), &err);
	if (chdir("p") < 0)
		return 2;
	is_u64((uint64_t)glob("books", "/*", NULL), EXIT_WORLD, "no project: 3");
	says(err_out, "no project here or above");
	snprintf(path, sizeof path, "%s/p", dir);
	if (chdir(path) < 0)
		return 2;
	project();
	is_u64((uint64_t)glob("books", "*", NULL), EXIT_DONE, "a glob");
	is_file(out, "/a/\n/top \xff\n", 11, "directories end in a slash");
	if (chdir("sub/folder") < 0)
		return 2;
	glob("-0", "books", "/a/*");
	is_file(out, nuls, sizeof nuls, "-0 ends each with NUL; the project is found from below");
	glob("books", "/**", NULL);
	says(err_out, "note: 2 of these lie in a directory that matches, too");
	is_u64((uint64_t)glob("books", "/nope", NULL), EXIT_DONE, "no match is no error");
	is_file(out, "", 0, "and no line");
	glob("--json", "books", "/a/1*");
	says(out, "{\"path\":\"/a/1.csv\",\"kind\":\"file\",\"hash\":\"");
	is_u64((uint64_t)glob("books", "/a[", NULL), EXIT_USAGE, "no glob: 2");
	says(err_out, "\n   /a[\n     ^\n");
	is_u64((uint64_t)glob("bokos", "/*", NULL), EXIT_FAILED, "no repo: 1");
	says(err_out, "there is no repo 'bokos'; did you mean 'books'?");
	is_u64((uint64_t)glob("later", "/*", NULL), EXIT_FAILED, "no commit: 1");
	says(err_out, "repo 'later' has no commit yet; 'make' makes the first");
	is_u64((uint64_t)glob("../x", "/*", NULL), EXIT_FAILED, "a repo's name is never a path");
	is_u64((uint64_t)glob("books", NULL, NULL), EXIT_USAGE, "too few arguments: 2");
	if (chdir("/") == 0)
		must(fs_remove_tree(dir, &err), &err);
	return done();
}
