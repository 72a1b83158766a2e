/* fetch.c: dassie-net fetch: the scan's other half, for sources that lie elsewhere.
 *
 * The order is that of a scan: contents into the store, manifest, one syncfs, what the far side said (fetched.h), ref.  Nothing moves until all of a source is
 * here: a far side that cannot be reached changes nothing.  What was fetched before a kill is not lost, for each file is noted in
 * .dassie/fetched/REPO.part when it is in the store:
 *
 *   dassie-part 1
 *   boot ID            of another boot: contents may be half written, the file is dropped
 *   file …             as in fetched.h
 *
 * It is not sealed; a last line without its end is none. */
#include "fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/ref.h"
#include "../base/spool.h"
#include "../base/talk.h"
#include "http.h"
#include "netverbs.h"
#include "sourceref.h"

/* So many small objects at a time as make the way there and back cheap; a web server has few, and is often somebody else's. */
enum { CONCURRENCY_S3 = 32, CONCURRENCY_WEB = 8 };
enum { NAME_LIMIT = 255, PATH_LIMIT = PATH_MAX - 256 };

/* --- what was fetched before ------------------------------------------------------------------------------------ */

static char *
part_path(char ret[LAYOUT_MAX], const struct fetch *f)
{
	snprintf(ret, LAYOUT_MAX, "%s/%s.part", DIR_FETCHED, f->src->name);
	return ret;
}

static int
fetched_order(const void *a, const void *b)
{
	return strcmp(((const struct fetched_file *)a)->path, ((const struct fetched_file *)b)->path);
}

/* An interrupted fetch's; damage is as if there were none. */
static void
read_part(struct fetch *f)
{
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	bool ours = false;
	size_t cap = 0, n = 0;
	struct rec r;

	if (recfile_open(&f->part.text, part_path(path, f), "part", 1, &ignored) != 1)
		return;
	/* What was written last may be half a line. */
	while (f->part.text.n > f->part.text.pos && f->part.text.text[f->part.text.n - 1] != '\n')
		f->part.text.n--;
	while (recfile_next(&f->part.text, &r)) {
		if (rec_is(&r, "boot", 2))
			ours = strcmp(r.f[1], fs_boot_id()) == 0;
		GROW(f->part.v, f->part.n, cap);
		if (ours && fetched_parse(&r, &f->part.v[f->part.n]))
			f->part.n++;
	}
	if (f->part.n > 1)
		qsort(f->part.v, f->part.n, sizeof *f->part.v, fetched_order);
	/* Twice the same name, of two interrupted fetches: either is right or fits nothing. */
	for (size_t i = 0; i < f->part.n; i++)
		if (n == 0 || strcmp(f->part.v[n - 1].path, f->part.v[i].path))
			f->part.v[n++] = f->part.v[i];
	f->part.n = n;
}

static int
open_journal(struct fetch *f, struct err *err)
{
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	if (f->journal >= 0)
		return 0;
	if (fs_mkdirs(DIR_FETCHED, err) < 0)
		return -1;
	rec_head(&b, "part", 1);
	rec_word(&b, "boot");
	rec_str(&b, fs_boot_id());
	rec_end(&b);
	/* What the last one left stays known. */
	for (size_t i = 0; i < f->part.n; i++)
		fetched_line(&b, &f->part.v[i]);
	/* In its place, for the old one is mapped. */
	rc = fs_replace(part_path(path, f), b.s, b.n, 0644, err);
	buf_release(&b);
	if (rc == 0 && (f->journal = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
		rc = err_set(err, errno, "cannot open '%s':", path);
	return rc;
}

static int
note(struct fetch *f, const struct fetched_file *o, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = open_journal(f, err);

	fetched_line(&b, o);
	if (rc == 0)
		rc = fs_write_all(f->journal, b.s, b.n, err);
	buf_release(&b);
	return rc;
}

static bool
fits(const struct fetched_file *o, uint64_t size, const char *etag, const char *modified)
{
	return o && (size == UINT64_MAX || o->size == size) &&
	    (*etag || *o->etag ? strcmp(o->etag, etag) == 0 : *modified && strcmp(o->modified, modified) == 0) && store_has(&o->id, o->size);
}

const struct fetched_file *
fetch_known(const struct fetch *f, const char *path, uint64_t size, const char *etag, const char *modified)
{
	const struct fetched_file *o = fetched_find(&f->old, path);

	if (fits(o, size, etag, modified))
		return o;
	o = fetched_find(&f->part, path);
	return fits(o, size, etag, modified) ? o : NULL;
}

/* --- what there is ---------------------------------------------------------------------------------------------- */

/* NULL, or why no file can be called so. */
static const char *
bad_path(const char *path)
{
	const char *s = path;

	if (strlen(path) > PATH_LIMIT)
		return "it is too long for a path";
	for (;;) {
		size_t n = strcspn(s, "/");

		if (n == 0)
			return "a part of its path is empty";
		if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return "a part of its path is '.' or '..'";
		if (n > NAME_LIMIT)
			return "a part of its path is longer than 255 bytes";
		if (!s[n])
			return NULL;
		s += n + 1;
	}
}

struct remote *
fetch_add(struct fetch *f, const char *path, const char *shown)
{
	const char *why = bad_path(path);

	if (why) {
		complain(&f->bad, "'%s' cannot be a file: %s; leave it out by 'exclude'", shown, why);
		return NULL;
	}
	GROW(f->v, f->n, f->cap);
	f->v[f->n] = (struct remote){ .o = { .path = path, .etag = "", .modified = "", .version = "", .url = "" } };
	return &f->v[f->n++];
}

static int
remote_order(const void *a, const void *b)
{
	return strcmp(((const struct remote *)a)->o.path, ((const struct remote *)b)->o.path);
}

static bool
is_there(const struct fetch *f, const char *path)
{
	struct remote want = { .o.path = path };

	return bsearch(&want, f->v, f->n, sizeof *f->v, remote_order);
}

/* Is one of the directories that this file is in a file, too?  What lies beside the file before it in one was seen then. */
static void
check_dirs(struct fetch *f, const char *path, const char *before)
{
	char dir[PATH_MAX];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		size_t n = (size_t)(s - path);

		if (before && strncmp(before, path, n + 1) == 0)
			continue;
		memcpy(dir, path, n);
		dir[n] = '\0';
		if (is_there(f, dir))
			complain(&f->bad, "'%s' and '%s' cannot both be files: leave one of them out by 'exclude'", dir, path);
	}
}

int
fetch_compare(struct fetch *f)
{
	bool sorted = true;

	for (size_t i = 1; i < f->n; i++)
		sorted &= strcmp(f->v[i - 1].o.path, f->v[i].o.path) < 0;
	if (!sorted)
		qsort(f->v, f->n, sizeof *f->v, remote_order);
	for (size_t i = 0; i < f->n; i++) {
		struct remote *r = &f->v[i];
		const struct fetched_file *o = fetch_known(f, r->o.path, r->o.size, r->o.etag, r->o.modified);

		if (i && strcmp(f->v[i - 1].o.path, r->o.path) == 0)
			complain(&f->bad, "'%s' is listed twice", r->o.path);
		check_dirs(f, r->o.path, i ? f->v[i - 1].o.path : NULL);
		if (o) {
			r->o.id = o->id;
			r->o.version = o->version;
			r->known = true;
		} else {
			f->bytes += r->o.size;
			f->n_todo++;
		}
	}
	return f->bad.n ? -1 : 0;
}

bool
fetch_step(struct fetch *f)
{
	size_t left = http_step(f->h, 100);

	/* While it is listed nobody knows of how many. */
	if (f->n_todo)
		moving_at(&f->moving, f->n_got, f->n_todo, f->got, f->bytes);
	else
		moving_at(&f->moving, f->n, 0, 0, 0);
	return left > 0;
}

/* --- bytes ------------------------------------------------------------------------------------------------------ */

void
fetch_begin(struct incoming *in, struct fetch *f, struct remote *to)
{
	*in = (struct incoming){ .f = f, .to = to };
	store_begin(&in->in);
}

bool
fetch_bytes(void *ctx, const void *p, size_t n)
{
	struct incoming *in = ctx;
	struct err err = ERR_INIT;

	in->f->got += n;
	if (store_add(&in->in, p, n, &err) == 0)
		return true;
	complain(&in->f->bad, "cannot store '%s': %s", in->to->o.path, err.text);
	return false;
}

/* There are as many as files, and the listing has said most of them. */
static const char *
kept(struct fetch *f, const char *have, const char *text)
{
	return strcmp(have, text) == 0 ? have : arena_str(&f->a, text);
}

bool
fetch_end(struct incoming *in, const char *etag, const char *modified, const char *version)
{
	struct fetch *f = in->f;
	struct fetched_file *o = &in->to->o;
	struct err err = ERR_INIT;

	if (store_end(&in->in, &o->id, &o->size, &err) < 0) {
		store_drop(&in->in);
		complain(&f->bad, "cannot store '%s': %s", o->path, err.text);
		return false;
	}
	o->etag = kept(f, o->etag, etag);
	o->modified = kept(f, o->modified, modified);
	o->version = kept(f, o->version, version);
	in->to->known = true;
	f->n_got++;
	if (note(f, o, &err) < 0)
		return complain(&f->bad, "%s", err.text), false;
	return true;
}

void
fetch_drop(struct incoming *in)
{
	in->f->got -= in->in.size;
	store_drop(&in->in);
}

/* --- one source ------------------------------------------------------------------------------------------------- */

static int
read_old(struct fetch *f, struct oid *ret_id, struct err *err)
{
	struct ref ref = REF_INIT;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, f->src->name), &ref, err);

	f->have = rc == 1;
	*ret_id = ref.id;
	ref_release(&ref);
	if (rc == 1)
		rc = fetched_read(&f->old, f->src->name, ret_id, err);
	/* Elsewhere the same ETag may mean other bytes. */
	if (rc == 1 && !oid_eq(&f->old.settings, &f->settings))
		fetched_release(&f->old);
	read_part(f);
	return rc < 0 ? -1 : 0;
}

static bool
is_stored(const struct oid *commit)
{
	char path[LAYOUT_MAX];
	struct oid empty;

	manifest_empty_id(&empty);
	return oid_eq(commit, &empty) || access(layout_commit(path, commit), F_OK) == 0;
}

/* Nothing is new, nothing is gone, and so are what the far side says of each. */
static bool
as_before(const struct fetch *f)
{
	if (!f->old.base || f->old.n != f->n || f->n_got)
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->old.v[i].path, f->v[i].o.path) || strcmp(f->old.v[i].etag, f->v[i].o.etag) ||
		    !oid_eq(&f->old.v[i].id, &f->v[i].o.id))
			return false;
	return true;
}

static int
store_manifest(const struct fetch *f, struct oid *ret_id, struct err *err)
{
	struct spool to = SPOOL_INIT;
	int rc = manifest_open(&to, err);

	for (size_t i = 0; rc == 0 && i < f->n; i++) {
		manifest_line(&to.b, 'f', f->v[i].o.size, &f->v[i].o.id, f->v[i].o.path);
		rc = spool_step(&to, err);
	}
	if (rc == 0)
		rc = manifest_close(&to, ret_id, err);
	spool_release(&to);
	return rc;
}

static int
settle(struct err *err)
{
	int fd = open(DIR_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", DIR_STATE);
	rc = syncfs(fd);
	close(fd);
	return rc < 0 ? err_set(err, errno, "cannot write '%s' to the disk:", DIR_STATE) : 0;
}

static const struct fetched_file *
entry(const void *ctx, size_t i)
{
	return &((const struct fetch *)ctx)->v[i].o;
}

static int
write_fetched(const struct fetch *f, const struct oid *id, struct err *err)
{
	struct fetched o = { .settings = f->settings, .base = f->base, .n = f->n, .text = RECFILE_INIT };

	return fetched_write(&o, f->src->name, id, entry, f, err);
}

static void
drop_gone(struct fetch *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].gone)
			f->v[n++] = f->v[i];
	f->n = n;
}

static int
commit(struct fetch *f, uint64_t asof, struct err *err)
{
	char path[LAYOUT_MAX];
	struct oid id;

	if (store_manifest(f, &id, err) < 0 || settle(err) < 0 || write_fetched(f, &id, err) < 0 ||
	    sourceref_move(f->src->name, &id, asof, err) < 0)
		return -1;
	unlink(part_path(path, f));
	return 0;
}

static bool
is_filtered(const struct fetch *f)
{
	for (size_t i = 0; i < f->src->n_with; i++)
		if (strstr(f->src->with[i].key, "clude"))
			return true;
	return false;
}

static void
say_got(const struct fetch *f, bool first)
{
	if (f->n_got)
		talk("%s: %zu of %zu %s fetched from '%s'", f->shown, f->n_got, f->n, f->n == 1 ? "file" : "files", f->src->from[0]);
	else if (f->n == 0 && (first || f->old.n || !f->old.base))
		talk("%s: nothing lies under '%s'%s: is that the right place?", f->shown, f->src->from[0],
		    is_filtered(f) ? " that 'include' and 'exclude' leave" : "");
}

static int
fetch_locked(struct fetch *f, struct err *err)
{
	uint64_t asof = time_now_ns();
	bool s3 = strncmp(f->src->from[0], "s3://", 5) == 0;
	struct oid id;

	if (read_old(f, &id, err) < 0 || (s3 ? fetch_s3(f, err) : fetch_web(f, err)) < 0 || f->bad.n)
		return -1;
	drop_gone(f);
	if (f->have && as_before(f) && is_stored(&id))
		return 0;
	say_got(f, !f->have);
	return commit(f, asof, err);
}

static int
fetch_source(const struct index_source *src)
{
	bool s3 = strncmp(src->from[0], "s3://", 5) == 0;
	struct http_options options = { .concurrency = s3 ? CONCURRENCY_S3 : CONCURRENCY_WEB };
	struct fetch f = { .src = src, .a = ARENA_INIT, .base = "", .old = FETCHED_INIT, .part = FETCHED_INIT,
		.bad = COMPLAINTS_INIT, .journal = -1 };
	struct err err = ERR_INIT;
	int lock, rc;

	snprintf(f.shown, sizeof f.shown, "source '%s'", src->name);
	fetched_settings(src, &f.settings);
	moving_begin(&f.moving, src->name, false);
	lock = lock_take(src->name, false, false, &err);
	f.h = lock < 0 ? NULL : http_new(&options, &err);
	rc = f.h ? fetch_locked(&f, &err) : -1;
	moving_end(&f.moving);
	if (rc < 0 && err.text[0])
		talk("%s: %s", f.shown, err.text);
	if (complaints_tell(&f.bad, f.shown))
		rc = -1;
	if (rc < 0 && f.old.base)
		talk("%s: nothing has changed; DASSIE_OFFLINE=1 goes on with what was fetched last", f.shown);
	if (f.journal >= 0)
		close(f.journal);
	if (lock >= 0)
		close(lock);
	http_free(f.h);
	fetched_release(&f.old);
	fetched_release(&f.part);
	complaints_release(&f.bad);
	free(f.v);
	arena_release(&f.a);
	return rc < 0 ? EXIT_WORLD : EXIT_DONE;
}

int
net_fetch(int argc, char **argv)
{
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	int status = EXIT_DONE;

	if (argc < 2) {
		talk("usage: dassie-net fetch SOURCE…   (the scan runs it)");
		return EXIT_USAGE;
	}
	if (index_read(&x, &err) < 0)
		return talk_err(&err);
	for (int i = 1; i < argc; i++) {
		const struct index_source *src = index_find_source(&x, argv[i]);

		if (!src || src->n_from == 0) {
			talk("'%s' is no source that is fetched", argv[i]);
			status = EXIT_USAGE;
		} else if (fetch_source(src) != EXIT_DONE && status == EXIT_DONE) {
			status = EXIT_WORLD;
		}
	}
	index_release(&x);
	return status;
}
