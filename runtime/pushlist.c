/* pushlist.c: what lies at a place, told by one listing of it, and the list of what we put there.
 *
 * A listing comes in the order of the keys' bytes, as the record and the commit do, so the three are read in step.  What is
 * listed is known if it is as the record has it (size and ETag), or if the listing says its hash; what somebody else put there
 * is not ours: it is overwritten where the output has a file of that name, and never removed. */
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/spool.h"
#include "../base/talk.h"
#include "dest.h"
#include "etag.h"
#include "place.h"
#include "push.h"

struct relist {
	struct push *p;
	struct spool to;
	const char *manifest;
	int more_old, more_new;
	bool failed;
	struct err *err;
};

/* Go to the first entry that is not before path. */
static int
advance(struct entries *e, int more, const char *path, struct err *err)
{
	while (more == 1 && strcmp(e->e->path, path) < 0)
		more = entries_next(e, err);
	return more;
}

static bool
is_as_recorded(const struct entries *old, const struct dest_listed *l, bool modes)
{
	if (l->sha256)
		return oid_eq(l->sha256, &old->e->id) && (!modes || l->exec == (old->e->kind == 'x'));
	return l->size == old->e->size && *l->etag && !strcmp(l->etag, old->more);
}

/* The output's file, although we do not know that we put it there? */
static bool
is_as_wanted(const struct push *p, const struct dest_listed *l)
{
	const struct entry *e = p->new_.e;
	char file[LAYOUT_MAX];

	if (l->sha256)
		return oid_eq(l->sha256, &e->id) && (!p->dest->modes || l->exec == (e->kind == 'x'));
	return l->size == e->size && p->dest->part_size && etag_is_of(l->etag, layout_object(file, &e->id), e->size, p->dest->part_size(p->dest, e->size));
}

static bool
each(void *ctx, const struct dest_listed *l)
{
	static const struct oid unknown;
	struct relist *r = ctx;
	struct push *p = r->p;
	const char *path = l->key + strlen(p->base);
	bool in_old, in_new;

	if (!strcmp(l->key, r->manifest)) {
		p->manifest_there = true;
		return true;
	}
	if (strncmp(l->key, p->base, strlen(p->base)))
		return true;
	r->more_old = advance(&p->old, r->more_old, path, r->err);
	r->more_new = r->more_old < 0 ? -1 : advance(&p->new_, r->more_new, path, r->err);
	if (r->more_old < 0 || r->more_new < 0) {
		r->failed = true;
		return false;
	}
	in_old = r->more_old && !strcmp(p->old.e->path, path);
	in_new = r->more_new && !strcmp(p->new_.e->path, path);
	if (in_old && is_as_recorded(&p->old, l, p->dest->modes))
		placerec_line(&r->to.b, p->old.e->kind, p->old.e->size, &p->old.e->id, path, p->old.more);
	else if (in_new && is_as_wanted(p, l))
		placerec_line(&r->to.b, p->new_.e->kind, p->new_.e->size, &p->new_.e->id, path, l->etag);
	else if (in_old)
		placerec_line(&r->to.b, 'f', 0, &unknown, path, "");
	if (spool_step(&r->to, r->err) < 0)
		r->failed = true;
	return !r->failed && (r->more_old || r->more_new || strcmp(l->key, r->manifest) < 0);
}

int
push_relist(struct push *p, struct err *err)
{
	struct relist r = { .p = p, .to = SPOOL_INIT, .manifest = place_manifest(p->place, p->base, &p->arena), .err = err };
	const char *slash = strrchr(p->base, '/'), *folder = arena_dup(&p->arena, p->base, slash ? (size_t)(slash + 1 - p->base) : 0);
	struct err no = ERR_INIT;
	int rc;

	if (!p->dest->ops->list) {
		if (p->rec.have && !strcmp(p->rec.base, p->base))
			talk("%s: '%s' cannot be listed: what was recorded counts", p->place->pipeline, p->place->url);
		return 0;
	}
	p->rec.complete = p->manifest_there = false;
	rc = push_compare(p, true, err);
	if (rc == 0)
		rc = placerec_rewrite(&p->rec, p->base, &r.to, err);
	r.more_old = rc < 0 ? -1 : entries_next(&p->old, err);
	r.more_new = r.more_old < 0 ? -1 : entries_next(&p->new_, err);
	rc = r.more_new < 0 ? -1 : p->dest->ops->list(p->dest, folder, each, &r, &no);
	push_compared(p);
	if (rc < 0 && *no.text) {
		/* Who may write need not be allowed to list: then nothing is believed to be there, unless it was on record. */
		*err = no;
		if (p->rec.have && !strcmp(p->rec.base, p->base))
			rc = err_wrap(err, "cannot verify");
		else
			rc = 1;
	}
	if (rc == 0)
		rc = r.failed ? -1 : placerec_replace(&p->rec, p->base, &r.to, err);
	spool_release(&r.to);
	if (rc == 1)
		/* Its first line: where it matters, the first PUT tells all of it. */
		talk("%s: '%s' cannot be listed, so everything is sent: %.*s", p->place->pipeline, p->place->url, (int)strcspn(err->text, "\n"),
		    err->text);
	return rc < 0 ? -1 : 0;
}

static void
put_head(struct push *p, struct buf *b)
{
	json_open(b, NULL, '{');
	json_i64(b, "dassie", 1);
	json_str(b, "pipeline", p->place->pipeline);
	json_oid(b, "commit", &p->commit);
	json_str(b, "job", origin_job(&p->origin)[0] ? origin_job(&p->origin) : NULL);
	json_str(b, "url", p->place->url);
	json_time(b, "written", time_now_ns());
	json_open(b, "files", '[');
}

/* The key as the bucket has it; elsewhere below the URL. */
static void
put_entry(struct push *p, struct buf *b, struct buf *one)
{
	const struct entry *e = p->new_.e;
	struct oid datum;
	char *key = NULL;

	buf_reset(one);
	buf_fmt(one, "%s%s%s", p->place->to.kind == DEST_S3 ? p->place->to.prefix : "", p->base, e->path);
	key = buf_detach(one);
	json_open(one, NULL, '{');
	json_str(one, "key", key);
	json_oid(one, "sha256", &e->id);
	json_i64(one, "size", (int64_t)e->size);
	if (origin_of(&p->origin, p->new_.index, &datum))
		json_oid(one, "datum", &datum);
	else
		json_no_value(one, "datum");
	json_close(one, '}');
	buf_str(b, one->s);
	free(key);
}

/* As many entries as there are: line by line, into a file. */
int
push_manifest(struct push *p, struct err *err)
{
	struct spool to = SPOOL_INIT;
	struct buf one = BUF_INIT;
	char path[LAYOUT_MAX];
	const char *between = "\n";
	int rc = spool_open(&to, place_file(path, p->place, ".manifest"), err), more = 0;

	origin_rewind(&p->origin);
	if (rc == 0)
		rc = push_compare(p, false, err);
	if (rc == 0)
		put_head(p, &to.b);
	while (rc == 0 && (more = entries_next(&p->new_, err)) == 1) {
		buf_str(&to.b, between);
		put_entry(p, &to.b, &one);
		between = ",\n";
		rc = spool_step(&to, err);
	}
	push_compared(p);
	if (rc == 0 && more == 0) {
		buf_str(&to.b, "\n]}\n");
		rc = spool_commit(&to, path, err);
	} else {
		rc = -1;
	}
	spool_release(&to);
	buf_release(&one);
	return rc;
}
