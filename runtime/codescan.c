/* codescan.c: the step hash covers the script, which the compiler hashed, and the code files, which are looked at here.
 * All pipelines are looked at before the first ref moves, so that missing code leaves everything as it was. */
#include "codescan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/forced.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "complaint.h"
#include "filecache.h"
#include "images.h"
#include "refscan.h"
#include "walk.h"

#include <sys/stat.h>

struct list {
	struct filecache *cache;
	struct arena *arena;
	struct step_code *v;
	size_t n, cap;
	struct err *err;
};

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct step_code *)a)->path, ((const struct step_code *)b)->path);
}

/* Returns the kind of the file, or -1. */
static int
add_file(struct list *l, const char *path)
{
	const struct filecache_entry *e;
	int kind = filecache_hash(l->cache, path, &e, l->err);

	if (kind == FILE_REGULAR) {
		GROW(l->v, l->n, l->cap);
		l->v[l->n++] = (struct step_code){ e->name, (e->sig.mode & S_IXUSR) != 0, e->id };
	}
	return kind;
}

static int
add_dir(struct list *l, const char *path)
{
	static const struct statcache empty = STATCACHE_INIT;
	struct walk w = WALK_INIT;
	struct buf file = BUF_INIT;
	size_t before = l->cache->bad.n;
	int rc = 0;

	w.root = path;
	w.cache = &empty;
	w.pycache = true;
	w.bad = &l->cache->bad;
	walk_run(&w);
	if (l->cache->bad.n > before)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < w.n_fresh; i++) {
		buf_reset(&file);
		shown_path(&file, path, w.fresh[i]->hash.dir, w.fresh[i]->hash.name);
		rc = add_file(l, file.s) < 0 ? -1 : 0;
	}
	buf_release(&file);
	walk_release(&w);
	return rc;
}

static int
add_code(struct list *l, const char *pipeline, const struct conf_code *code, struct complaints *missing)
{
	int kind = add_file(l, code->path);

	if (!code->declared || kind < 0 || kind == FILE_REGULAR)
		return kind < 0 ? -1 : 0;
	if (kind == FILE_DIRECTORY)
		return add_dir(l, code->path);
	if (kind == FILE_ABSENT)
		complain(missing, "pipeline '%s': there is no file '%s', which its 'code' names: make it or correct 'code'", pipeline,
		    code->path);
	else
		complain(missing, "pipeline '%s': '%s', which its 'code' names, is not a file or directory", pipeline, code->path);
	return 0;
}

static int
add_image(struct list *l, const struct images *images, const char *name)
{
	const struct image *i = images_find(images, name);

	if (!i)
		return err_set(l->err, 0, "image '%s' was not looked for: run make again", name);
	GROW(l->v, l->n, l->cap);
	l->v[l->n++] = (struct step_code){ arena_fmt(l->arena, STEP_IMAGE "%s", name), false, i->id };
	return 0;
}

int
codescan_files(struct filecache *c, const struct images *images, const struct index_pipeline *p, struct arena *a, struct step_code **ret, size_t *ret_n,
               struct complaints *missing, struct err *err)
{
	struct list l = { .cache = c, .arena = a, .err = err };
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->n_code; i++)
		rc = add_code(&l, p->name, &p->code[i], missing);
	if (rc == 0 && p->image)
		rc = add_image(&l, images, p->image);
	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, by_path);
	*ret = arena_alloc(a, (l.n ? l.n : 1) * sizeof **ret);
	for (size_t i = 0; i < l.n; i++)
		if (n == 0 || strcmp((*ret)[n - 1].path, l.v[i].path)) {
			(*ret)[n] = l.v[i];
			(*ret)[n++].path = arena_str(a, l.v[i].path);
		}
	*ret_n = n;
	free(l.v);
	return rc;
}

/* name: of the pipeline, or P.egress: what is pushed where has a ref of the same kind. */
struct moved { char name[EGRESS_NAME_MAX]; struct oid step, spec; };

static int
move(const struct moved *v, size_t n, struct err *err)
{
	struct clock clock = CLOCK_INIT;
	char path[LAYOUT_MAX];
	struct ref r;
	int rc = n ? clock_lock(&clock, err) : 0;

	for (size_t i = 0; rc == 0 && i < n; i++) {
		r = (struct ref){ .id = v[i].spec, .step = v[i].step };
		rc = ref_move(&clock, layout_spec(path, v[i].name), &r, err);
	}
	clock_unlock(&clock);
	return rc;
}

/* Does refs/NAME.spec say something else? */
static void
compare_one(struct filecache *refs, const struct moved *m, struct moved *ret, size_t *n)
{
	char ref[sizeof m->name + 5];
	struct oid old;

	snprintf(ref, sizeof ref, "%s.spec", m->name);
	if (!refscan_id(refs, ref, &old) || !oid_eq(&old, &m->spec))
		ret[(*n)++] = *m;
}

/* Those of the pipelines whose refs/P.spec or refs/P.egress.spec says something else. */
static int
compare(struct filecache *c, struct filecache *refs, const struct images *images, const struct index *x, struct moved *ret, size_t *ret_n,
        struct complaints *missing, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct forced forced = FORCED_INIT;
	int rc = forced_read(&forced, err);

	*ret_n = 0;
	for (size_t i = 0; rc == 0 && i < x->n_pipeline; i++) {
		const struct index_pipeline *p = &x->pipeline[i];
		struct step_code *code;
		struct moved m = { 0 };
		struct oid decides = p->decides;
		size_t n;

		rc = codescan_files(c, images, p, &a, &code, &n, missing, err);
		if (rc < 0)
			break;
		step_hash(&p->script_id, code, n, &m.step);
		forced_mix(&forced, p->name, &decides);
		spec_hash(&m.step, &decides, &m.spec);
		if (strlen(p->name) > NAME_MAX_REPO)
			continue;
		snprintf(m.name, sizeof m.name, "%s", p->name);
		compare_one(refs, &m, ret, ret_n);
		if (!p->has_egress)
			continue;
		m = (struct moved){ .spec = p->egress };
		layout_egress_name(m.name, p->name);
		compare_one(refs, &m, ret, ret_n);
	}
	arena_release(&a);
	forced_release(&forced);
	return rc;
}

int
codescan(struct filecache *c, struct filecache *refs, const struct index *x)
{
	struct complaints missing = COMPLAINTS_INIT;
	struct moved *moved = xcalloc(2 * x->n_pipeline + 1, sizeof *moved);
	struct images images = IMAGES_INIT;
	struct err err = ERR_INIT;
	size_t n;
	int rc = images_look(&images, x, c, &err), status = EXIT_DONE;

	if (rc == 0)
		rc = compare(c, refs, &images, x, moved, &n, &missing, &err);

	if (rc < 0 && complaints_tell(&c->bad, "code"))
		status = EXIT_WORLD;
	else if (rc < 0)
		status = talk_err(&err);
	else if (complaints_tell(&missing, "code"))
		status = EXIT_FAILED;
	else if (move(moved, n, &err) < 0)
		status = talk_err(&err);
	complaints_release(&missing);
	images_release(&images);
	free(moved);
	return status;
}
