/* readspec.c: which files are the spec, and their way into the model.
 *
 * Texts are kept whole: places in diagnostics and text of scalars point into them.  If one file is no YAML, the graph
 * is not checked: repos would be unknown only because their file could not be read. */
#include "readspec.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"
#include "check.h"
#include "diag.h"
#include "document.h"
#include "include.h"
#include "load.h"
#include "params.h"
#include "scope.h"
#include "spec.h"
#include "template.h"
#include "yaml.h"

enum { READSPEC_DEEP = 20 };

const char *
readspec_default(struct err *err)
{
	static const char *const name[] = { "pipeline.yaml", "pipeline.yml", "pipeline.json", "specs" };
	const char *found = 0;

	for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
		struct stat st;

		if (stat(name[i], &st) < 0)
			continue;
		if (found) {
			err_set(err, 0, "both '%s' and '%s' are here; say which: dassie compile %s", found, name[i], found);
			return 0;
		}
		found = name[i];
	}
	if (!found)
		err_set(err, 0, "no pipeline.yaml, pipeline.yml, pipeline.json or specs/ here; name the spec: dassie compile SPEC");
	return found;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct specfile *)a)->path, ((const struct specfile *)b)->path);
}

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/* "." in any spelling: the project's own folder, which holds all sorts of files. */
static bool
is_here(const char *path)
{
	return !path[strspn(path, "./")] && !strstr(path, "..") && path[0] == '.';
}

static bool
is_folder(const char *path, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Its specs and those of its subfolders; links to folders are not followed. */
static int
walk_folder(struct specset *s, const char *path, struct specfiles *ret, unsigned deep, struct err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	int rc = 0;

	if (!dir)
		return err_set(err, errno, "cannot read '%s':", path);
	if (deep > READSPEC_DEEP) {
		closedir(dir);
		return err_set(err, 0, "'%s' is more than %d folders deep", path, READSPEC_DEEP);
	}
	while (rc == 0 && (errno = 0, e = readdir(dir))) {
		bool spec = ends_with(e->d_name, ".yaml") || ends_with(e->d_name, ".yml") || ends_with(e->d_name, ".json");
		struct buf b = BUF_INIT;

		if (e->d_name[0] == '.')
			continue;
		fs_join(&b, path, e->d_name);
		if (is_folder(b.s, e)) {
			rc = is_here(path) ? 0 : walk_folder(s, b.s, ret, deep + 1, err);
		} else if (spec) {
			GROW(ret->v, ret->n, ret->cap);
			ret->v[ret->n++] = (struct specfile){ .path = arena_dup(s->a, b.s, b.n), .found = true };
		}
		buf_release(&b);
	}
	closedir(dir);
	return rc;
}

static int
add_folder(struct specset *s, const char *path, struct specfiles *ret, struct err *err)
{
	size_t from = ret->n;

	if (walk_folder(s, path, ret, 0, err) < 0)
		return -1;
	if (ret->n == from)
		return err_set(err, 0, "no *.yaml, *.yml or *.json in '%s'", path);
	qsort(ret->v + from, ret->n - from, sizeof *ret->v, by_path);
	return 0;
}

int
readspec_text(struct specset *s, struct specfile *f, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = fs_read(f->path, &b, err);
	char *text;

	if (rc <= 0) {
		if (rc == 0)
			err_set(err, ENOENT, "cannot read '%s':", f->path);
		return rc;
	}
	if (b.n > YAML_BYTES) {
		buf_release(&b);
		return err_set(err, 0, "'%s' is larger than %d MB, which no spec is", f->path, YAML_BYTES >> 20);
	}
	sha256_bytes(b.s, b.n, &f->id);
	text = arena_dup(s->a, b.n ? b.s : "", b.n);
	f->text = (struct text){ text, b.n, 0 };
	if (!diag_add_file(s->d, f->path, text, b.n, &f->text.base))
		rc = err_set(err, 0, "the specs are larger than 4 GB together");
	buf_release(&b);
	return rc;
}

static int
add_names(struct specset *s, const char *const *path, size_t n, struct specfiles *ret, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct stat st = { 0 };

		if (stat(path[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			if (add_folder(s, path[i], ret, err) < 0)
				return -1;
			continue;
		}
		if (st.st_size > YAML_BYTES)
			return err_set(err, 0, "'%s' is larger than %d MB, which no spec is", path[i], YAML_BYTES >> 20);
		GROW(ret->v, ret->n, ret->cap);
		ret->v[ret->n++] = (struct specfile){ .path = path[i] };
	}
	return 0;
}

bool
readspec_passed(struct specset *s, const struct specfile *f, const struct ynode *docs)
{
	if (!f->found || f->included || s->strict || !document_none(docs))
		return false;
	GROW(s->passed, s->n_passed, s->cap_passed);
	s->passed[s->n_passed++] = f->path;
	return true;
}

static void
take_doc(void *arg, struct ynode *doc)
{
	struct specset *s = arg;

	load_params(s, doc);
	load_docs(s, doc);
	arena_reset(s->nodes);
}

/* A file that includes nothing.  Params hold for all of it, wherever they stand, and one that was only found is a spec if any of its
 * documents is; else a document is loaded as soon as it is read, and its nodes go: memory that is touched once costs more than to
 * parse into it. */
static void
load_one(struct specset *s, const struct specfile *f)
{
	const struct text *t = &f->text;
	struct ynode *docs;
	bool ok;

	if (!f->found && !params_maybe(t->s, t->n)) {
		s->unread |= !yaml_parse(s->a, s->nodes, s->d, t->s, t->n, t->base, take_doc, s);
		scope_end(s);
		return;
	}
	ok = yaml_parse_all(s->a, s->nodes, s->d, t->s, t->n, t->base, &docs);
	s->unread |= !ok;
	if (ok && readspec_passed(s, f, docs))
		return;
	load_params(s, docs);
	load_docs(s, docs);
	scope_end(s);
}

/* In the order of the names, whichever includes whom. */
static void
load_all(struct specset *s, struct specfiles *f, size_t n)
{
	struct modules *m = modules_new(s, f);

	for (size_t i = 0; i < n; i++) {
		struct text t = f->v[i].text;

		if (include_maybe(&t))
			modules_add(m, i, &t);
	}
	for (size_t i = 0; i < n; i++) {
		enum module_state state = modules_state(m, i);
		const struct text *t = &f->v[i].text;
		const char *why;
		size_t at;

		if (state == MODULE_INCLUDED)
			continue;
		if (state == MODULE_NONE && (why = template_file(f->v[i].path, t->s, t->n, &at))) {
			s->unread = !diag_error(s->d, (struct span){ t->base + (uint32_t)at, 1 }, "%s", why);
			continue;
		}
		if (state == MODULE_ROOT)
			modules_load(m, i);
		else
			load_one(s, &f->v[i]);
		arena_reset(s->nodes);
	}
	modules_free(m);
}

int
readspec(struct specset *s, const char *const *path, size_t n, struct specfiles *ret, bool *ret_missing, struct err *err)
{
	*ret_missing = false;
	if (add_names(s, path, n, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->n; i++) {
		int rc = readspec_text(s, &ret->v[i], err);

		*ret_missing = rc == 0;
		if (rc <= 0)
			return -1;
	}
	load_all(s, ret, ret->n);
	params_check_defines(s);
	if (!s->unread)
		check_set(s);
	if (!s->unread && !s->n_pipeline && !s->d->errors)
		diag_error(s->d, (struct span){ 0, 0 }, "no pipeline in '%s'", ret->v[0].path);
	return 0;
}
