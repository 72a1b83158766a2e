/* stepdir.c: two files a pipeline, a thousand pipelines: what is not there is not asked for file by file.
 *
 *   NAME-HASH.sh        a script; HASH: how the SHA-256 of its bytes begins
 *   NAME.conf           settings (base/conf.h)
 *
 * What is new is written under its own name at once: nobody asks for it before the index and the Makefile name its pipeline, and
 * those are written last.  Of a kill in between comes a file that is too short, which the next compile writes again; its seal,
 * or for a script the hash in its name, is wrong until then.  What is there is replaced in one step. */
#include "stepdir.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "graph.h"

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
stepdir_open(struct stepdir *d, struct err *err)
{
	const struct dirent *e;
	DIR *dir;

	*d = (struct stepdir)STEPDIR_INIT;
	if (fs_mkdirs(DIR_STEPS, err) < 0)
		return -1;
	if (!(dir = opendir(DIR_STEPS)))
		return err_set(err, errno, "cannot read '%s':", DIR_STEPS);
	while ((e = readdir(dir))) {
		GROW(d->name, d->n, d->cap);
		d->name[d->n++] = arena_str(&d->arena, e->d_name);
	}
	closedir(dir);
	qsort(d->name, d->n, sizeof *d->name, by_text);
	return 0;
}

/* A new file: 1, 0 there is one, -1. */
static int
create(const struct stepdir *d, const char *path, const struct buf *b, mode_t mode, struct err *err)
{
	const char *name = path + sizeof DIR_STEPS;

	return bsearch(&name, d->name, d->n, sizeof *d->name, by_text) ? 0 : fs_create(path, b->s, b->n, mode, err);
}

int
stepdir_step(struct stepdir *d, const char *path, const struct buf *b, struct err *err)
{
	struct stat st;
	int rc = create(d, path, b, 0755, err);

	/* One of this name and size was written by this compiler. */
	if (rc == 0 && (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size != b->n))
		rc = fs_replace_if_new(path, b->s, b->n, 0755, err);
	d->changed |= rc > 0;
	return rc;
}

int
stepdir_conf(struct stepdir *d, const char *pipeline, const struct buf *b, struct err *err)
{
	char path[LAYOUT_MAX];
	int rc = create(d, layout_conf(path, pipeline), b, 0644, err);

	if (rc == 0)
		rc = fs_replace_if_new(path, b->s, b->n, 0644, err);
	d->changed |= rc > 0;
	return rc;
}

int
stepdir_tidy(struct stepdir *d, const struct specset *s, struct err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		size_t n = strlen(d->name[i]);
		char path[LAYOUT_MAX], *name;

		if (n < 6 || n > NAME_MAX_REPO + 5 || strcmp(d->name[i] + n - 5, ".conf") != 0)
			continue;
		name = arena_dup(&d->arena, d->name[i], n - 5);
		if (!graph_pipeline(s, name) && unlink(layout_conf(path, name)) < 0 && errno != ENOENT)
			return err_set(err, errno, "cannot remove '%s':", path);
	}
	return 0;
}

void
stepdir_close(struct stepdir *d)
{
	free(d->name);
	arena_release(&d->arena);
}
