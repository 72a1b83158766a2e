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
#include "load.h"
#include "spec.h"
#include "yaml.h"

/* Nodes are let go after so much text: memory that is touched once costs more than to parse into it. */
enum { NODES_KEPT = 128 << 10 };

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

static int
add_folder(struct specset *s, const char *path, struct specfiles *ret, struct err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	size_t from = ret->n;

	if (!dir)
		return err_set(err, errno, "cannot read '%s':", path);
	while ((errno = 0, e = readdir(dir))) {
		struct buf b = BUF_INIT;

		if (e->d_name[0] == '.' || !(ends_with(e->d_name, ".yaml") || ends_with(e->d_name, ".yml") || ends_with(e->d_name, ".json")))
			continue;
		fs_join(&b, path, e->d_name);
		GROW(ret->v, ret->n, ret->cap);
		ret->v[ret->n++].path = arena_dup(s->a, b.s, b.n);
		buf_release(&b);
	}
	closedir(dir);
	if (ret->n == from)
		return err_set(err, 0, "no *.yaml, *.yml or *.json in '%s'", path);
	qsort(ret->v + from, ret->n - from, sizeof *ret->v, by_path);
	return 0;
}

/* One file's bytes; the text stays. */
static int
read_one(struct specset *s, struct specfile *f, bool *ok, bool *ret_missing, struct err *err)
{
	struct buf b = BUF_INIT;
	struct ynode *docs;
	uint32_t base;
	char *text;
	int rc = fs_read(f->path, &b, err);

	if (rc <= 0) {
		*ret_missing = rc == 0;
		return rc < 0 ? -1 : err_set(err, ENOENT, "cannot read '%s':", f->path);
	}
	sha256_bytes(b.s, b.n, &f->id);
	text = arena_dup(s->a, b.n ? b.s : "", b.n);
	if (!diag_add_file(s->d, f->path, text, b.n, &base)) {
		buf_release(&b);
		return err_set(err, 0, "the specs are larger than 4 GB together");
	}
	*ok &= yaml_parse(s->a, s->nodes, s->d, text, b.n, base, &docs);
	load_docs(s, docs);
	buf_release(&b);
	return 0;
}

int
readspec(struct specset *s, const char *const *path, size_t n, struct specfiles *ret, bool *ret_missing, struct err *err)
{
	size_t read = 0;
	bool ok = true;

	*ret_missing = false;
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
		ret->v[ret->n++].path = path[i];
	}
	for (size_t i = 0; i < ret->n; i++) {
		size_t before = s->d->n_file ? s->d->file[s->d->n_file - 1].base : 0;

		if (read_one(s, &ret->v[i], &ok, ret_missing, err) < 0)
			return -1;
		read += s->d->file[s->d->n_file - 1].base - before;
		if (read < NODES_KEPT)
			continue;
		arena_release(s->nodes);
		read = 0;
	}
	if (ok)
		check_set(s);
	if (ok && !s->n_pipeline && !s->d->errors)
		diag_error(s->d, (struct span){ 0, 0 }, "no pipeline in '%s'", ret->v[0].path);
	return 0;
}
