/* push.c: the order is what makes a kill at any moment harmless, and half a push recognisable:
 *
 *   1. what a killed push noted is taken into the record; all keys and sizes are looked at: what cannot be sent stops it here
 *   2. the difference of record and commit is sent, many at once; each is noted before and after (placerec.c)
 *   3. the manifest object, which names them all
 *   4. what left the output is removed, if that is wished
 *   5. the journal is taken into the record: complete
 *
 * A journal grows with what is sent, so after some hundred thousand lines it is taken in and the comparison begins again: memory
 * does not depend on how many files there are. */
#include "push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/talk.h"
#include "dest.h"
#include "mediatype.h"
#include "place.h"

enum { MANY_LINES = 400000, STEP_MS = 100, REASONS = 3, REASONS_ENOUGH = 20, BATCH = 1000, LARGE = 16 << 20 };

static const uint64_t SLACK_NS = 900000000000;      /* S3 refuses clocks that are further away */

struct item {
	struct push *push;
	struct dest_put put;
	uint64_t index;
	struct oid id;
	char commit[OID_HEX + 1], datum[OID_HEX + 1], file[LAYOUT_MAX];
	char key[];
};

static bool
wanted(const void *ctx, const char *path)
{
	return place_wants(ctx, path);
}

int
push_compare(struct push *p, bool record, struct err *err)
{
	p->old = p->new_ = (struct entries)ENTRIES_INIT;
	if ((record ? placerec_entries(&p->rec, p->base, &p->old, err) : (entries_array(&p->old, &(struct manifest)MANIFEST_INIT), 0)) < 0 ||
	    entries_commit(&p->new_, &p->commit, err) < 0)
		return -1;
	p->new_.wants = wanted;
	p->new_.wants_ctx = p->place;
	return 0;
}

void
push_compared(struct push *p)
{
	entries_release(&p->old);
	entries_release(&p->new_);
}

/* Is it there, but for a mode that the place does not know? */
static bool
lies_there(const struct push *p, const struct entry *old, const struct entry *new_)
{
	return old && !p->dest->modes && oid_eq(&old->id, &new_->id);
}

static int
count_one(void *ctx, const struct entry *old, const struct entry *new_)
{
	struct push *p = ctx;

	if (!new_) {
		p->going++;
		if (p->opt.dry && p->place->delete_)
			push_plan_line(p, "delete", old->path, old->size);
	} else if (!lies_there(p, old, new_)) {
		p->todo++;
		p->todo_bytes += new_->size;
		p->dest->large |= new_->size > LARGE;
		if (p->opt.dry)
			push_plan_line(p, "put", new_->path, new_->size);
	}
	return 0;
}

/* A few failures in full, the rest by their number. */
static void
note_failure(struct push *p, const char *text)
{
	if (p->n_reason++ >= REASONS)
		return;
	if (p->reason.n)
		buf_byte(&p->reason, '\n');
	buf_str(&p->reason, text);
}

static int
look_at(struct push *p, const struct entry *e, const char *manifest)
{
	size_t n = strlen(p->base) + strlen(e->path) + (p->place->to.kind == DEST_S3 ? strlen(p->place->to.prefix) : 0);
	struct buf b = BUF_INIT;

	if (n > p->dest->max_key)
		buf_fmt(&b, "the key of '%s' would have %zu bytes, and at most %zu are possible there: shorten it, or the URL's prefix", e->path, n,
		    p->dest->max_key);
	else if (e->size > p->dest->max_size)
		buf_fmt(&b, "'%s' has %llu bytes, and at most %llu are possible there: let the pipeline split it", e->path,
		    (unsigned long long)e->size, (unsigned long long)p->dest->max_size);
	else if (!strncmp(manifest, p->base, strlen(p->base)) && !strcmp(e->path, manifest + strlen(p->base)))
		buf_fmt(&b, "'%s' would be two things under one key: a file of the output, and the manifest that dassie writes there: rename the file",
		    e->path);
	if (b.n)
		note_failure(p, b.s);
	buf_release(&b);
	return b.n != 0;
}

/* 1: something cannot be sent, so nothing is. */
static int
preflight(struct push *p, struct err *err)
{
	const char *manifest = place_manifest(p->place, p->base, &p->arena);
	int rc = push_compare(p, false, err);
	uint64_t all = 0, bytes = 0;

	while (rc == 0 && (rc = entries_next(&p->new_, err)) == 1) {
		look_at(p, p->new_.e, manifest);
		all++;
		bytes += p->new_.e->size;
		rc = 0;
	}
	push_compared(p);
	if (rc < 0)
		return -1;
	p->out.same = all;
	p->todo = p->n_reason ? all : 0;
	p->todo_bytes = p->n_reason ? bytes : 0;
	return p->n_reason > 0;
}

static int
plan(struct push *p, struct err *err)
{
	int rc = push_compare(p, !p->opt.all, err);

	p->todo = p->todo_bytes = p->going = 0;
	if (rc == 0)
		rc = entries_diff(&p->old, &p->new_, count_one, p, err);
	push_compared(p);
	p->out.same -= rc == 0 ? p->todo : 0;
	return rc;
}

static void
step(struct push *p)
{
	p->dest->ops->step(p->dest, STEP_MS);
	push_progress(p);
}

static void
drain(struct push *p)
{
	while (p->under_way)
		step(p);
}

static void
put_done(void *ctx, const struct dest_result *r)
{
	struct item *it = ctx;
	struct push *p = it->push;
	struct placerec_upload *u = placerec_upload(&p->rec, it->key, &it->id);

	p->under_way--;
	if (r->failure == DEST_FINE) {
		placerec_put(&p->rec, it->index, r->etag);
		if (u)
			placerec_ended(&p->rec, u);
		p->out.put++;
		p->out.put_bytes += it->put.size;
	} else if (r->failure == DEST_ROOM && p->place->delete_ && !p->room) {
		p->again = true;
	} else {
		/* What stops all is told once, not by each of those that were under way. */
		if (!p->stop || r->failure != DEST_STOP)
			note_failure(p, r->text);
		p->stop |= r->failure == DEST_STOP || p->n_reason >= REASONS_ENOUGH;
	}
	free(it);
}

static struct item *
make_item(struct push *p, const struct entry *e)
{
	struct item *it = xcalloc(1, sizeof *it + strlen(p->base) + strlen(e->path) + 1);
	struct placerec_upload *u;
	struct oid datum;

	memcpy(it->key, p->base, strlen(p->base));
	memcpy(it->key + strlen(p->base), e->path, strlen(e->path));
	it->push = p;
	it->index = p->new_.index;
	it->id = e->id;
	oid_hex(&p->commit, it->commit);
	if (origin_of(&p->origin, it->index, &datum))
		oid_hex(&datum, it->datum);
	layout_object(it->file, &e->id);
	u = placerec_upload(&p->rec, it->key, &e->id);
	it->put = (struct dest_put){ .key = it->key, .file = it->file, .size = e->size, .sha256 = &it->id, .exec = e->kind == 'x',
		.content_type = p->place->content_type ? p->place->content_type : mediatype(e->path), .commit = it->commit, .datum = it->datum,
		.upload = u ? &u->up : NULL, .done = put_done, .ctx = it };
	return it;
}

static int
send_one(void *ctx, const struct entry *old, const struct entry *new_)
{
	struct push *p = ctx;
	struct item *it;

	if (!new_ || (p->opt.all && p->new_.index < p->from))
		return 0;
	while (p->under_way >= p->dest->window && !p->stop)
		step(p);
	if (p->stop || p->rec.broken)
		return 1;
	if (lies_there(p, old, new_)) {
		placerec_put(&p->rec, p->new_.index, p->old.more);
		return 0;
	}
	it = make_item(p, new_);
	placerec_try(&p->rec, it->index);
	p->under_way++;
	p->dest->ops->put(p->dest, &it->put);
	push_progress(p);
	if (p->rec.lines < MANY_LINES)
		return 0;
	p->from = p->new_.index + 1;
	p->again = true;
	return 1;
}

/* The journal into the record, and a new one. */
static int
take_in(struct push *p, struct err *err)
{
	return placerec_end(&p->rec, false, err) < 0 ? -1 : placerec_begin(&p->rec, &p->commit, p->base, err);
}

static void
remove_done(void *ctx, const struct dest_result *r)
{
	struct push *p = ctx;

	p->under_way--;
	if (r->failure == DEST_FINE)
		return;
	note_failure(p, r->text);
	p->stop = true;
}

struct batch { struct push *p; struct arena a; const char *key[BATCH], *path[BATCH]; size_t n; };

static int
flush(struct batch *b)
{
	struct push *p = b->p;

	if (b->n == 0)
		return 0;
	for (size_t i = 0; i < b->n; i++)
		placerec_going(&p->rec, b->path[i]);
	if (p->rec.broken)
		return 1;
	p->under_way++;
	p->dest->ops->remove(p->dest, b->key, b->n, remove_done, p);
	drain(p);
	for (size_t i = 0; !p->stop && i < b->n; i++)
		placerec_gone(&p->rec, b->path[i]);
	p->out.gone += p->stop ? 0 : b->n;
	b->n = 0;
	arena_release(&b->a);
	b->a = (struct arena)ARENA_INIT;
	return p->stop;
}

static int
remove_one(void *ctx, const struct entry *old, const struct entry *new_)
{
	struct batch *b = ctx;

	if (new_)
		return 0;
	b->key[b->n] = arena_fmt(&b->a, "%s%s", b->p->base, old->path);
	b->path[b->n++] = arena_str(&b->a, old->path);
	return b->n == BATCH ? flush(b) : 0;
}

static int
remove_gone(struct push *p, struct err *err)
{
	struct batch *b = xcalloc(1, sizeof *b);
	int rc;

	b->p = p;
	rc = push_compare(p, true, err);
	if (rc == 0)
		rc = entries_diff(&p->old, &p->new_, remove_one, b, err);
	if (rc == 0)
		flush(b);
	push_compared(p);
	arena_release(&b->a);
	free(b);
	return rc < 0 || p->rec.broken ? -1 : 0;
}

/* All that differs.  What something lies in the way of comes a second time, when that is gone. */
static int
send_all(struct push *p, struct err *err)
{
	int rc = 0;

	do {
		bool in_way;

		p->again = false;
		origin_rewind(&p->origin);
		rc = push_compare(p, !p->opt.all, err);
		if (rc == 0)
			rc = entries_diff(&p->old, &p->new_, send_one, p, err);
		drain(p);
		push_compared(p);
		in_way = p->again && p->rec.lines < MANY_LINES;
		if (rc >= 0 && p->again && !p->stop && in_way) {
			p->room = true;
			rc = take_in(p, err) < 0 ? -1 : remove_gone(p, err);
		}
		if (rc >= 0 && p->again && !p->stop)
			rc = take_in(p, err);
	} while (rc >= 0 && p->again && !p->stop && !p->rec.broken);
	return rc < 0 || p->rec.broken ? -1 : 0;
}

static void
object_done(void *ctx, const struct dest_result *r)
{
	struct push *p = ctx;

	p->under_way--;
	if (r->failure != DEST_FINE) {
		note_failure(p, r->text);
		p->stop = true;
	}
}

static int
send_manifest(struct push *p, struct err *err)
{
	char file[LAYOUT_MAX], commit[OID_HEX + 1];
	struct dest_put put = { .file = place_file(file, p->place, ".manifest"), .content_type = "application/json", .datum = "",
		.done = object_done, .ctx = p };
	struct oid id;
	int rc = push_manifest(p, err);

	if (rc == 0) {
		struct recfile f;

		rc = recfile_view(&f, file, err) < 0 ? -1 : 0;
		if (rc == 0) {
			sha256_bytes(f.text, f.n, &id);
			put.size = f.n;
			recfile_release(&f);
		}
	}
	if (rc < 0)
		return -1;
	oid_hex(&p->commit, commit);
	put.key = place_manifest(p->place, p->base, &p->arena);
	put.sha256 = &id;
	put.commit = commit;
	p->under_way++;
	p->dest->ops->put(p->dest, &put);
	drain(p);
	unlink(file);
	return 0;
}

static void
nothing(void *ctx, const struct dest_result *r)
{
	struct push *p = ctx;

	(void)r;
	p->under_way--;
}

/* What was begun and has no use any more would be paid for as long as it is there. */
static void
abort_uploads(struct push *p)
{
	for (size_t i = 0; p->dest->ops->abort && i < p->rec.n_upload; i++) {
		struct placerec_upload *u = &p->rec.upload[i];

		if (u->ended)
			continue;
		p->under_way++;
		p->dest->ops->abort(p->dest, u->key, u->up.id, nothing, p);
		drain(p);
		placerec_ended(&p->rec, u);
	}
}

/* Uploads to one key that nobody knows: begun by a request whose answer was lost, or whose sender was killed. */
struct strangers { struct push *p; uint64_t since; char **id; size_t n, cap; const char *key; };

static void
note_stranger(void *ctx, const char *upload_id, uint64_t began)
{
	struct strangers *s = ctx;

	/* Its clock may not be ours. */
	if (began + SLACK_NS < s->since || placerec_knows(&s->p->rec, upload_id))
		return;
	GROW(s->id, s->n, s->cap);
	s->id[s->n++] = xstrdup(upload_id);
}

static void
asked(void *ctx, const struct dest_result *r)
{
	struct strangers *s = ctx;

	s->p->under_way--;
	if (r->failure != DEST_FINE)
		talk("%s: what a lost answer may have left of '%s' cannot be looked for, and is paid for until a lifecycle rule of the bucket "
		    "(AbortIncompleteMultipartUpload) ends it: %s", s->p->place->pipeline, s->key, r->text);
}

/* It is a key of ours, it was begun when we began one there, and it is none that we know: so it is ours. */
static void
abort_strangers(struct push *p, const char *key, uint64_t since)
{
	struct strangers s = { .p = p, .since = since, .key = key };

	p->under_way++;
	p->dest->ops->uploads(p->dest, key, note_stranger, asked, &s);
	drain(p);
	for (size_t i = 0; i < s.n; i++) {
		p->under_way++;
		p->dest->ops->abort(p->dest, key, s.id[i], nothing, p);
		drain(p);
		free(s.id[i]);
	}
	free(s.id);
}

static void
look_for_strangers(struct push *p)
{
	for (size_t i = 0; p->dest->ops->uploads && i < p->rec.n_beginning; i++) {
		struct placerec_beginning *b = &p->rec.beginning[i];

		if (b->over)
			continue;
		abort_strangers(p, b->key, b->when);
		placerec_settled(&p->rec, b);
	}
}

static void
note_beginning(void *ctx, const struct dest_put *put)
{
	struct push *p = ctx;

	placerec_beginning(&p->rec, put->key);
}

static void
note_begun(void *ctx, const struct dest_put *put, const char *upload_id, uint64_t part_size, bool sure)
{
	struct push *p = ctx;

	struct placerec_beginning *b = placerec_newest(&p->rec, put->key);

	placerec_begun(&p->rec, put->key, put->sha256, upload_id, part_size);
	if (sure && b)
		placerec_settled(&p->rec, b);
}

static void
note_part(void *ctx, const struct dest_put *put, const struct dest_part *part)
{
	struct push *p = ctx;
	const struct placerec_upload *u = placerec_upload(&p->rec, put->key, put->sha256);

	if (u)
		placerec_part(&p->rec, u, part);
}

static void
say(void *ctx, const char *line)
{
	const struct push *p = ctx;

	if (p->opt.check)
		talk("%s: %s", p->place->pipeline, line);
}

/* Before anything is sent, and all that is done if only that was asked. */
static int
check(struct push *p)
{
	struct err no = ERR_INIT;

	if (p->dest->ops->check(p->dest, say, p, &no) == 0)
		return 0;
	note_failure(p, no.text);
	return 1;
}

static int
deliver(struct push *p, struct err *err)
{
	bool complete;

	if (placerec_begin(&p->rec, &p->commit, p->base, err) < 0)
		return -1;
	p->dest->notes = (struct dest_notes){ note_beginning, note_begun, note_part, p };
	if (send_all(p, err) < 0)
		return -1;
	p->dest->notes = (struct dest_notes){ 0 };
	if (!p->n_reason) {
		abort_uploads(p);
		look_for_strangers(p);
		if (send_manifest(p, err) < 0)
			return -1;
	}
	if (!p->n_reason && p->place->delete_ && remove_gone(p, err) < 0)
		return -1;
	if (!p->n_reason && p->dest->ops->settle && p->dest->ops->settle(p->dest, err) < 0)
		return -1;
	complete = !p->n_reason;
	return placerec_end(&p->rec, complete, err) < 0 ? -1 : !complete;
}

static int
open_place(struct push *p, struct err *err)
{
	p->dest = p->place->to.kind == DEST_S3 ? dest_s3(p->place, err) : p->place->to.kind == DEST_FILE ? dest_file(p->place, err) :
	    dest_web(p->place, err);
	return p->dest ? 0 : -1;
}

/* It got all of this commit, as far as we know. */
static bool
is_whole(const struct push *p)
{
	return p->rec.have && p->rec.complete && oid_eq(&p->rec.commit, &p->commit) && !strcmp(p->rec.base, p->base) &&
	    oid_eq(&p->rec.filter, &p->place->filter) && !p->opt.all;
}

static int
push(struct push *p, struct err *err)
{
	char name[NAME_MAX_REPO + 16];
	bool lost, whole, relist;
	int rc;

	if (placerec_open(&p->rec, p->place, &lost, err) < 0)
		return -1;
	p->base = place_base(p->place, &p->commit, p->when, &p->arena);
	whole = is_whole(p);
	relist = !p->opt.all && (p->opt.verify || p->place->verify || !p->rec.have || strcmp(p->rec.base, p->base));
	p->manifest_there = true;
	rc = preflight(p, err);
	if (rc == 0 && p->opt.check)
		return check(p);
	if (rc == 0 && relist)
		rc = push_relist(p, err);
	if (rc == 0)
		rc = plan(p, err);
	if (rc != 0 || p->opt.dry)
		return rc;
	if (whole && p->todo == 0 && p->manifest_there && !(p->place->delete_ && p->going))
		return !relist ? 0 : placerec_begin(&p->rec, &p->commit, p->base, err) < 0 ? -1 : placerec_end(&p->rec, true, err);
	if (p->todo && (rc = check(p)))
		return rc;
	snprintf(name, sizeof name, "%s.egress", p->place->pipeline);
	moving_begin(&p->moving, name, p->opt.quiet || p->opt.json);
	origin_open(&p->origin, p->place->pipeline, &p->commit);
	return deliver(p, err);
}

/* Where the destination itself is wrong that is a failure of this push, told with the way out. */
static int
run(struct push *p, struct err *err)
{
	struct err no = ERR_INIT;

	if (open_place(p, &no) < 0) {
		note_failure(p, no.text);
		return 1;
	}
	return push(p, err);
}

int
push_place(struct push *p, struct err *err)
{
	int rc;

	p->out = (struct pushed){ .pipeline = p->place->pipeline, .url = p->place->url, .commit = p->commit, .started = time_now_ns(), .reason = "" };
	p->rec = (struct placerec)PLACEREC_INIT;
	p->moving = (struct moving)MOVING_INIT;
	p->err = err;
	rc = run(p, err);
	if (rc < 0)
		note_failure(p, err->text);
	moving_end(&p->moving);
	p->out.failed = rc != 0;
	p->out.finished = time_now_ns();
	p->out.left = p->todo - p->out.put;
	p->out.left_bytes = p->todo_bytes - p->out.put_bytes;
	p->out.reason = p->reason.n ? p->reason.s : "";
	if (!p->opt.dry && !p->opt.check && pushed_write(&p->out, p->place, err) < 0)
		rc = -1;
	push_tell(p);
	if (p->dest)
		p->dest->ops->free(p->dest);
	origin_release(&p->origin);
	placerec_release(&p->rec);
	buf_release(&p->reason);
	arena_release(&p->arena);
	return rc < 0 ? -1 : rc != 0;
}
