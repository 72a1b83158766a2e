/* fetched.c: a line a file, in the order of the commit, so that a listing is compared with it in one pass. */
#include "fetched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/spool.h"

enum { VERSION = 1 };

static char *
fetched_path(char ret[LAYOUT_MAX], const char *repo, const struct oid *commit)
{
	char hex[OID_HEX + 1];

	oid_hex(commit, hex);
	snprintf(ret, LAYOUT_MAX, "%s/%s.%s", DIR_FETCHED, repo, hex);
	return ret;
}

void
fetched_line(struct buf *b, const struct fetched_file *o)
{
	rec_word(b, "file");
	rec_str(b, o->path);
	rec_u64(b, o->size);
	rec_oid(b, &o->id);
	rec_str(b, o->etag);
	rec_str(b, o->modified);
	rec_str(b, o->version);
	rec_str(b, o->url);
	rec_end(b);
}

bool
fetched_parse(const struct rec *r, struct fetched_file *ret)
{
	if (!rec_is(r, "file", 8))
		return false;
	*ret = (struct fetched_file){ .path = r->f[1], .etag = r->f[4], .modified = r->f[5], .version = r->f[6], .url = r->f[7] };
	return rec_get_u64(r, 2, &ret->size) && rec_get_oid(r, 3, &ret->id);
}

static bool
read_line(struct fetched *o, const struct rec *r, size_t *cap)
{
	if (rec_is(r, "settings", 2))
		return rec_get_oid(r, 1, &o->settings);
	if (rec_is(r, "base", 2)) {
		o->base = r->f[1];
		return true;
	}
	GROW(o->v, o->n, *cap);
	return fetched_parse(r, &o->v[o->n]) && (o->n == 0 || strcmp(o->v[o->n - 1].path, o->v[o->n].path) < 0) && ++o->n;
}

int
fetched_read(struct fetched *o, const char *repo, const struct oid *commit, struct err *err)
{
	char path[LAYOUT_MAX];
	size_t cap = 0;
	struct rec r;
	bool ok = true;
	int rc;

	*o = (struct fetched)FETCHED_INIT;
	rc = recfile_open_sealed(&o->text, fetched_path(path, repo, commit), "fetched", VERSION, err);
	if (rc <= 0)
		return err->num ? rc : 0;
	while (ok && recfile_next(&o->text, &r))
		ok = read_line(o, &r, &cap);
	if (ok && o->base)
		return 1;
	fetched_release(o);
	return 0;
}

void
fetched_release(struct fetched *o)
{
	free(o->v);
	recfile_release(&o->text);
	*o = (struct fetched)FETCHED_INIT;
}

int
fetched_write(const struct fetched *o, const char *repo, const struct oid *commit, const struct fetched_file *(*at)(const void *ctx, size_t i),
    const void *ctx, struct err *err)
{
	struct spool to = SPOOL_INIT;
	char path[LAYOUT_MAX];
	int rc;

	fetched_path(path, repo, commit);
	rc = fs_mkdirs(DIR_FETCHED, err) < 0 ? -1 : spool_open(&to, path, err);
	if (rc == 0) {
		rec_head(&to.b, "fetched", VERSION);
		rec_word(&to.b, "settings");
		rec_oid(&to.b, &o->settings);
		rec_end(&to.b);
		rec_word(&to.b, "base");
		rec_str(&to.b, o->base);
		rec_end(&to.b);
	}
	for (size_t i = 0; rc == 0 && i < o->n; i++) {
		fetched_line(&to.b, at(ctx, i));
		rc = spool_step(&to, err);
	}
	if (rc == 0)
		rc = spool_seal(&to, err);
	if (rc == 0)
		rc = spool_commit(&to, path, err);
	spool_release(&to);
	return rc;
}

static int
by_path(const void *key, const void *one)
{
	return strcmp(key, ((const struct fetched_file *)one)->path);
}

const struct fetched_file *
fetched_find(const struct fetched *o, const char *path)
{
	return o->n ? bsearch(path, o->v, o->n, sizeof *o->v, by_path) : NULL;
}

void
fetched_url(struct buf *b, const struct fetched *o, const struct fetched_file *one)
{
	if (*one->url)
		buf_str(b, one->url);
	else
		buf_fmt(b, "%s%s", o->base, one->path);
}

void
fetched_settings(const struct index_source *s, struct oid *ret)
{
	static const char *const deciding[] = { "endpoint", "include", "exclude", "name" };
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, "dassie-fetched 1");
	for (size_t i = 0; i < s->n_from; i++)
		sha256_field_str(&h, s->from[i]);
	for (size_t i = 0; i < s->n_with; i++)
		for (size_t k = 0; k < sizeof deciding / sizeof *deciding; k++)
			if (strcmp(s->with[i].key, deciding[k]) == 0) {
				sha256_field_str(&h, s->with[i].key);
				sha256_field_str(&h, s->with[i].value);
			}
	sha256_final(&h, ret);
}
