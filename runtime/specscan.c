/* specscan.c: the index says which bytes of which files it was made from, and by which compiler.  A folder given as a spec
 * is remembered by the names in it ("FOLDER/" in the stat cache), since a new file in it is in no index yet.
 *
 * .dassie/scan.mk is included by the Makefile and holds comments only, one of them the hash of the Makefile.  make starts
 * over when the mtime of an included file moved, so it is rewritten, with a newer mtime, exactly when that hash is not the
 * Makefile's: after a compile, but also when a make was killed between the two, or when another make compiled after
 * this one had read the old Makefile.  Once rewritten it fits, hence make never loops. */
#include "specscan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/talk.h"
#include "child.h"
#include "complaint.h"
#include "filecache.h"
#include "state.h"

enum { TRIES = 3, HELPER_MAX = 4096, DEEP = 20 };

static bool
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* "specs" and "specs/" mean the same folder. */
static size_t
folder_len(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

static bool
is_below(const char *path, const char *folder)
{
	size_t n = folder_len(folder);

	if (strncmp(path, folder, n) == 0 && (path[n] == '/' || folder[n - 1] == '/'))
		return true;
	return n == 1 && folder[0] == '.' && path[0] != '/';
}

/* The index holds no file that was not asked for, and every one that was. */
static bool
covers(const struct index *x, const struct specs *s)
{
	bool *known = xcalloc(s->n_spec + 1, sizeof *known), *dir = xcalloc(s->n_spec + 1, sizeof *dir), all = true;

	for (size_t k = 0; k < s->n_spec; k++)
		known[k] = dir[k] = is_dir(s->spec[k]);
	for (size_t i = 0; all && i < x->n_spec; i++) {
		bool asked = x->spec[i].included;

		for (size_t k = 0; !asked && k < s->n_spec; k++) {
			bool same = strcmp(x->spec[i].path, s->spec[k]) == 0;

			asked = same || (dir[k] && is_below(x->spec[i].path, s->spec[k]));
			known[k] |= same;
		}
		all = asked;
	}
	for (size_t k = 0; k < s->n_spec; k++)
		all &= known[k];
	free(known);
	free(dir);
	return all;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names { char **v; size_t n, cap; };

/* The names below a folder as the compiler goes through them (readspec.c): not what is hidden, no links to folders; of "." only its own. */
static void
add_names(struct names *to, const char *folder, size_t root, unsigned deep)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;

	if (!d || deep > DEEP) {
		if (d)
			closedir(d);
		return;
	}
	while ((e = readdir(d))) {
		struct buf b = BUF_INIT;

		if (e->d_name[0] == '.')
			continue;
		fs_join(&b, folder, e->d_name);
		GROW(to->v, to->n, to->cap);
		to->v[to->n++] = xstrdup(b.s + root);
		if (e->d_type == DT_DIR || (e->d_type == DT_UNKNOWN && lstat(b.s, &st) == 0 && S_ISDIR(st.st_mode)))
			add_names(to, b.s, root, deep + 1);
		buf_release(&b);
	}
	closedir(d);
}

static bool
is_here(const char *folder)
{
	return folder[0] == '.' && !folder[strspn(folder, "./")] && !strstr(folder, "..");
}

/* A hash of the names in a folder; of none if it cannot be read (the compiler will say why). */
static struct oid
listing(const char *folder)
{
	struct names names = { 0 };
	struct sha256 h;
	struct oid id;

	add_names(&names, folder, 0, is_here(folder) ? DEEP : 0);
	if (names.n)
		qsort(names.v, names.n, sizeof *names.v, by_text);
	sha256_init(&h);
	for (size_t i = 0; i < names.n; i++) {
		sha256_field_str(&h, names.v[i]);
		free(names.v[i]);
	}
	free(names.v);
	sha256_final(&h, &id);
	return id;
}

/* Names are added to a folder and removed from it by changing it, so its own times tell of most runs that nothing was.  Not of
 * those in its subfolders: where it may have some, all names are looked at. */
static bool
folders_same(struct filecache *c, const struct specs *s)
{
	for (size_t i = 0; i < s->n_spec; i++) {
		struct filecache_entry *e;
		struct signature sig;
		struct stat st;
		struct oid id;

		if (stat(s->spec[i], &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		signature_of(&sig, &st);
		e = filecache_folder(c, s->spec[i]);
		if (filecache_fits(c, e, &sig) && (st.st_nlink == 2 || is_here(s->spec[i])))
			continue;
		id = listing(s->spec[i]);
		if (!e->t0 || !oid_eq(&e->id, &id))
			return false;
		e->pass = c->pass;
		e->there = true;
	}
	return true;
}

/* A folder given as a spec, before the compiler looked at it. */
struct folder {
	bool there;
	struct signature sig;
	struct oid id;
};

static int
folders_note(struct filecache *c, const struct specs *s, const struct folder *f, struct err *err)
{
	for (size_t i = 0; i < s->n_spec; i++)
		if (f[i].there) {
			if (filecache_prepare(c, err) < 0)
				return -1;
			filecache_set(c, filecache_folder(c, s->spec[i]), &f[i].sig, &f[i].id);
		}
	return 0;
}

/* Step and settings of every pipeline are there: 1, 0, -1. */
static int
steps_there(struct filecache *c, const struct index *x, struct err *err)
{
	struct arena a = ARENA_INIT;
	const char **name;
	size_t n = 0;
	int rc;

	if (filecache_held(c, DIR_STEPS, &x->file.seal))
		return 1;
	name = xcalloc(2 * x->n_pipeline + 1, sizeof *name);
	for (size_t i = 0; i < x->n_pipeline; i++) {
		const char *script = strrchr(x->pipeline[i].script, '/');

		name[n++] = arena_fmt(&a, "%s.conf", x->pipeline[i].name);
		if (script)
			name[n++] = script + 1;
	}
	rc = filecache_holds(c, DIR_STEPS, &x->file.seal, name, n, err);
	arena_release(&a);
	free(name);
	return rc;
}

/* 1 nothing to compile, 0 something changed, -1 error. */
static int
current(struct filecache *c, const struct specs *s, const struct index *x, struct err *err)
{
	const struct filecache_entry *e;
	int kind;

	if (!x->compiler || strcmp(x->compiler, PACKAGE_VERSION) || strcmp(x->makefile, s->makefile))
		return 0;
	if (!index_same_words(x->option, x->n_option, s->option, s->n_option) || !covers(x, s))
		return 0;
	for (size_t i = 0; i < x->n_spec; i++) {
		kind = filecache_hash(c, x->spec[i].path, &e, err);
		if (kind < 0)
			return -1;
		if (kind != FILE_REGULAR || !oid_eq(&e->id, &x->spec[i].id))
			return 0;
	}
	kind = filecache_hash(c, s->makefile, &e, err);
	if (kind != FILE_REGULAR)
		return kind < 0 ? -1 : 0;
	return folders_same(c, s) ? steps_there(c, x, err) : 0;
}

/* The helper's exit status, or -1. */
static int
compile(const struct specs *s, struct err *err)
{
	const char **argv = xcalloc(s->n_option + s->n_spec + 8, sizeof *argv);
	char helper[HELPER_MAX];
	size_t n = 0;
	bool dash = false;
	int rc;

	argv[n++] = state_helper("dassie-compile", helper, sizeof helper);
	argv[n++] = "compile";
	argv[n++] = "--quiet";
	/* What the environment says was taken in already, or does not count. */
	argv[n++] = "--runtime=host";
	for (size_t i = 0; i < s->n_option; i++)
		argv[n++] = s->option[i];
	argv[n++] = "-o";
	argv[n++] = s->makefile;
	for (size_t i = 0; i < s->n_spec; i++)
		dash |= s->spec[i][0] == '-';
	if (dash)
		argv[n++] = "--";
	for (size_t i = 0; i < s->n_spec; i++)
		argv[n++] = s->spec[i];
	rc = child_run(argv, -1, err);
	if (rc > 128)
		rc = err_set(err, 0, "the compiler was ended by signal %d", rc - 128);
	free(argv);
	return rc;
}

static int
compile_and_note(struct filecache *c, const struct specs *s, struct err *err)
{
	struct folder *f = xcalloc(s->n_spec + 1, sizeof *f);
	struct stat st;
	int rc;

	for (size_t i = 0; i < s->n_spec; i++)
		if (stat(s->spec[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			f[i].there = true;
			signature_of(&f[i].sig, &st);
			f[i].id = listing(s->spec[i]);
		}
	rc = compile(s, err);
	if (rc == 0)
		rc = folders_note(c, s, f, err);
	free(f);
	return rc;
}

/* Newer than the old one by at least what this file system can tell apart. */
static int
write_scanmk(const struct buf *text, struct err *err)
{
	uint64_t old = 0, now = time_now_ns(), want, kept, step = 1;
	struct stat st;
	int rc;

	if (stat(FILE_SCANMK, &st) == 0)
		old = fs_mtime_ns(&st);
	do {
		want = now > old ? now : old + step;
		rc = fs_replace_stamped(FILE_SCANMK, text->s, text->n, want, &kept, err);
		now = 0;
		step *= 10;
	} while (rc == 0 && kept <= old && step <= 10000000000u);
	return rc;
}

static int
update_scanmk(struct filecache *c, const struct specs *s, struct err *err)
{
	struct buf want = BUF_INIT, have = BUF_INIT;
	const struct filecache_entry *e;
	char hex[OID_HEX + 1];
	int rc = filecache_hash(c, s->makefile, &e, err);

	if (rc != FILE_REGULAR)
		return rc < 0 ? -1 : err_set(err, 0, "the compiler wrote no '%s'", s->makefile);
	oid_hex(&e->id, hex);
	buf_fmt(&want, "# Written by 'dassie scan', which make runs to bring this file up to date, before anything else.\n"
	    "# When it changes, make starts over and reads the new Makefile.\n# makefile %s\n", hex);
	rc = fs_read(FILE_SCANMK, &have, err);
	if (rc >= 0)
		rc = rc == 1 && have.n == want.n && memcmp(have.s, want.s, want.n) == 0 ? 0 : write_scanmk(&want, err);
	buf_release(&want);
	buf_release(&have);
	return rc;
}

static int
told(struct filecache *c, const struct err *err)
{
	return complaints_tell(&c->bad, "spec") ? EXIT_WORLD : talk_err(err);
}

int
specscan(struct filecache *c, const struct specs *s, struct index *ret_x)
{
	struct err err = ERR_INIT;
	int rc;

	for (int i = 0; i < TRIES; i++) {
		rc = index_read(ret_x, &err);
		/* A damaged index is made again like one that is not there. */
		if (rc == 1)
			rc = current(c, s, ret_x, &err);
		else if (rc < 0 && err.num)
			return talk_err(&err);
		else
			rc = 0;
		if (rc == 1)
			return update_scanmk(c, s, &err) < 0 ? told(c, &err) : EXIT_DONE;
		index_release(ret_x);
		if (rc < 0)
			return told(c, &err);
		filecache_again(c);
		rc = compile_and_note(c, s, &err);
		if (rc != 0)
			return rc < 0 ? told(c, &err) : rc;
	}
	rc = index_read(ret_x, &err);
	if (rc == 1 && strcmp(ret_x->compiler, PACKAGE_VERSION))
		talk("dassie-compile is of version %s, this dassie of " PACKAGE_VERSION ": install both from one build", ret_x->compiler);
	else
		talk("the specs change while they are compiled: run make again when whoever writes them is done");
	return EXIT_WORLD;
}
