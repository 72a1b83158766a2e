/* placerec.c: a place is never asked, key by key, what it holds: what we put there is on record.
 *
 *   .dassie/egress/P-ID, sealed:
 *     dassie-egress 1
 *     url URL           base TEXT      what stands before a path there: "", "2026-11-22/"
 *     commit HEX        complete 0|1   is all of it there?
 *     pushed NS         when it was, last           filter HEX    of include and exclude then
 *     f|x SIZE SHA256 PATH ETAG        what lies there, in the order of the paths; ETAG may be empty.  SHA256 all 0: something, but
 *                                      it is not known what: a put or a removal whose end nobody saw
 *   .dassie/egress/P-ID.open, lines appended one by one, a torn last one is passed over:
 *     dassie-egress-open 1
 *     commit HEX        base TEXT
 *     try N             entry N of the commit, from 0, is about to be sent;   put N ETAG    it is there
 *     going PATH        is about to be removed;   gone PATH     it is not there any more
 *     beginning KEY NS                    an upload in parts is about to be asked for;   settled KEY NS  all that came of it is known
 *     upload KEY SHA256 PART-SIZE ID      it is this one;   part ID NUMBER ETAG SHA256;   ended ID
 *
 * The journal is taken into the record when a push ends and before the next one begins, by reading both and the commit in step. */
#include "placerec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/entries.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "../base/spool.h"
#include "place.h"

enum { VERSION = 1 };

static int
read_head(struct placerec *r, struct entries *e, struct err *err)
{
	struct rec line;
	int rc;

	while ((rc = entries_head(e, &line, err)) == 1)
		if (rec_is(&line, "commit", 2) && !rec_get_oid(&line, 1, &r->commit))
			return err_set(err, 0, "its commit is malformed");
		else if (rec_is(&line, "complete", 2))
			r->complete = line.f[1][0] == '1';
		else if (rec_is(&line, "pushed", 2))
			rec_get_u64(&line, 1, &r->pushed);
		else if (rec_is(&line, "filter", 2))
			rec_get_oid(&line, 1, &r->filter);
		else if (rec_is(&line, "base", 2)) {
			free(r->base);
			r->base = xmemdup(line.f[1], line.len[1]);
		}
	return rc;
}

/* 1, 0 there is none, -1. */
static int
open_record(const struct place *p, struct entries *e, struct err *err)
{
	char path[LAYOUT_MAX];
	int rc = entries_sealed(e, place_file(path, p, ""), "egress", VERSION, err);

	e->name = "the record of an egress";
	return rc;
}

static int
read_record(struct placerec *r, struct err *err)
{
	struct entries e;
	int rc = open_record(r->place, &e, err);

	r->complete = r->have = false;
	if (rc == 1)
		rc = read_head(r, &e, err) < 0 ? -1 : 1;
	entries_release(&e);
	if (!r->base)
		r->base = xstrdup("");
	r->have = rc == 1;
	return rc;
}

int
placerec_entries(const struct placerec *r, const char *base, struct entries *ret, struct err *err)
{
	struct rec line;
	int rc;

	entries_array(ret, &(struct manifest)MANIFEST_INIT);
	if (!r->have || strcmp(r->base, base))
		return 0;
	rc = open_record(r->place, ret, err);
	while (rc == 1 && (rc = entries_head(ret, &line, err)) == 1)
		;
	return rc;
}

void
placerec_line(struct buf *b, char kind, uint64_t size, const struct oid *id, const char *path, const char *etag)
{
	buf_byte(b, kind);
	rec_u64(b, size);
	rec_oid(b, id);
	rec_str(b, path);
	rec_str(b, etag);
	rec_end(b);
}

static void
put_head(const struct placerec *r, struct buf *b, const char *base)
{
	rec_head(b, "egress", VERSION);
	rec_word(b, "url");
	rec_str(b, r->place->url);
	rec_end(b);
	rec_word(b, "base");
	rec_str(b, base);
	rec_end(b);
	rec_word(b, "commit");
	rec_oid(b, &r->commit);
	rec_end(b);
	rec_word(b, "complete");
	rec_u64(b, r->complete);
	rec_end(b);
	rec_word(b, "pushed");
	rec_u64(b, r->pushed);
	rec_end(b);
	rec_word(b, "filter");
	rec_oid(b, &r->filter);
	rec_end(b);
}

int
placerec_rewrite(struct placerec *r, const char *base, struct spool *to, struct err *err)
{
	char path[LAYOUT_MAX];

	if (spool_open(to, place_file(path, r->place, ""), err) < 0)
		return -1;
	put_head(r, &to->b, base);
	return 0;
}

int
placerec_replace(struct placerec *r, const char *base, struct spool *to, struct err *err)
{
	char path[LAYOUT_MAX];
	char *keep = xstrdup(base);

	free(r->base);
	r->base = keep;
	if (spool_seal(to, err) < 0 || spool_commit(to, place_file(path, r->place, ""), err) < 0)
		return -1;
	r->have = true;
	return 0;
}

/* What the journal says, sorted for the merge. */
struct did { uint64_t index; const char *etag; };           /* etag NULL: only tried */
struct went { const char *path; bool gone; };

struct story {
	struct arena a;
	struct oid commit;
	const char *base;
	struct did *did; size_t n_did, cap_did;
	struct went *went; size_t n_went, cap_went;
};

struct placerec_upload *
placerec_upload(struct placerec *r, const char *key, const struct oid *sha256)
{
	for (size_t i = r->n_upload; i-- > 0; )
		if (!r->upload[i].ended && !strcmp(r->upload[i].key, key) && oid_eq(&r->upload[i].sha256, sha256))
			return &r->upload[i];
	return NULL;
}

static struct placerec_upload *
by_id(struct placerec *r, const char *id)
{
	for (size_t i = 0; i < r->n_upload; i++)
		if (!strcmp(r->upload[i].up.id, id))
			return &r->upload[i];
	return NULL;
}

static void
remember_upload(struct placerec *r, const char *key, const struct oid *sha256, const char *id, uint64_t part_size)
{
	GROW(r->upload, r->n_upload, r->cap_upload);
	r->upload[r->n_upload++] = (struct placerec_upload){ xstrdup(key), *sha256, { .id = xstrdup(id), .part_size = part_size }, false };
}

static void
remember_part(struct placerec_upload *u, const struct dest_part *part)
{
	GROW(u->up.part, u->up.n_part, u->up.cap_part);
	u->up.part[u->up.n_part++] = *part;
}

static void
remember_beginning(struct placerec *r, const char *key, uint64_t when)
{
	GROW(r->beginning, r->n_beginning, r->cap_beginning);
	r->beginning[r->n_beginning++] = (struct placerec_beginning){ xstrdup(key), when, false };
}

bool
placerec_knows(const struct placerec *r, const char *upload_id)
{
	for (size_t i = 0; i < r->n_upload; i++)
		if (!strcmp(r->upload[i].up.id, upload_id))
			return true;
	return false;
}

static void
take_upload_line(struct placerec *r, const struct rec *l)
{
	struct placerec_upload *u = by_id(r, l->f[1]);
	struct dest_part part = { 0 };
	struct oid sha256;
	uint64_t n;

	if (rec_is(l, "upload", 5) && rec_get_oid(l, 2, &sha256) && rec_get_u64(l, 3, &n)) {
		remember_upload(r, l->f[1], &sha256, l->f[4], n);
	} else if (u && rec_is(l, "part", 5) && rec_get_u64(l, 2, &n) && rec_get_oid(l, 4, &part.sha256) && l->len[3] < sizeof part.etag) {
		part.number = (unsigned)n;
		memcpy(part.etag, l->f[3], l->len[3]);
		remember_part(u, &part);
	} else if (u && rec_is(l, "ended", 2)) {
		u->ended = true;
	} else if (rec_is(l, "beginning", 3) && rec_get_u64(l, 2, &n)) {
		remember_beginning(r, l->f[1], n);
	} else if (rec_is(l, "settled", 3) && rec_get_u64(l, 2, &n)) {
		for (size_t i = 0; i < r->n_beginning; i++)
			r->beginning[i].over |= r->beginning[i].when == n && !strcmp(r->beginning[i].key, l->f[1]);
	}
}

static void
take_line(struct placerec *r, struct story *s, const struct rec *l)
{
	uint64_t index;

	if (rec_is(l, "commit", 2)) {
		rec_get_oid(l, 1, &s->commit);
	} else if (rec_is(l, "base", 2)) {
		s->base = arena_dup(&s->a, l->f[1], l->len[1]);
	} else if ((rec_is(l, "try", 2) || rec_is(l, "put", 3)) && rec_get_u64(l, 1, &index)) {
		GROW(s->did, s->n_did, s->cap_did);
		s->did[s->n_did++] = (struct did){ index, l->f[0][0] == 'p' ? arena_dup(&s->a, l->f[2], l->len[2]) : NULL };
	} else if (rec_is(l, "going", 2) || rec_is(l, "gone", 2)) {
		GROW(s->went, s->n_went, s->cap_went);
		s->went[s->n_went++] = (struct went){ arena_dup(&s->a, l->f[1], l->len[1]), !strcmp(l->f[0], "gone") };
	} else if (l->n > 1) {
		take_upload_line(r, l);
	}
}

/* "put" before "try" of the same entry, "gone" before "going". */
static int
by_index(const void *pa, const void *pb)
{
	const struct did *a = pa, *b = pb;

	return a->index != b->index ? (a->index < b->index ? -1 : 1) : !a->etag - !b->etag;
}

static int
by_path(const void *pa, const void *pb)
{
	const struct went *a = pa, *b = pb;
	int order = strcmp(a->path, b->path);

	return order ? order : !a->gone - !b->gone;
}

/* 1, 0 there is no journal, -1. */
static int
read_story(struct placerec *r, struct story *s, struct err *err)
{
	struct buf text = BUF_INIT;
	struct recfile f;
	char path[LAYOUT_MAX];
	struct rec l;
	int rc = fs_read(place_file(path, r->place, ".open"), &text, err);

	*s = (struct story){ .base = "" };
	if (rc == 1) {
		while (text.n && text.s[text.n - 1] != '\n')
			text.n--;
		recfile_memory(&f, text.s, text.n);
		if (!recfile_next(&f, &l) || strcmp(l.f[0], "dassie-egress-open") || l.n < 2)
			rc = 0;
		else if (strcmp(l.f[1], "1"))
			rc = err_set(err, 0, "'%s' has format %s, this dassie reads 1: use the version that wrote it", path, l.f[1]);
		while (rc == 1 && recfile_next(&f, &l))
			take_line(r, s, &l);
	}
	buf_release(&text);
	if (s->n_did)
		qsort(s->did, s->n_did, sizeof *s->did, by_index);
	if (s->n_went)
		qsort(s->went, s->n_went, sizeof *s->went, by_path);
	return rc;
}

static void
story_release(struct story *s)
{
	free(s->did);
	free(s->went);
	arena_release(&s->a);
}

/* What to put into the record for one path.  old, new_: its entries in the record and in the commit, or NULL. */
static void
merge_one(struct story *s, size_t *at_did, size_t *at_went, const struct entries *old, const struct entries *new_, struct buf *b)
{
	static const struct oid unknown;
	const struct did *did = NULL;
	const struct went *went = NULL;
	const char *path = old ? old->e->path : new_->e->path;

	while (new_ && *at_did < s->n_did && s->did[*at_did].index < new_->index)
		++*at_did;
	if (new_ && *at_did < s->n_did && s->did[*at_did].index == new_->index)
		did = &s->did[*at_did];
	while (*at_went < s->n_went && strcmp(s->went[*at_went].path, path) < 0)
		++*at_went;
	if (*at_went < s->n_went && !strcmp(s->went[*at_went].path, path))
		went = &s->went[*at_went];
	if (did && did->etag)
		placerec_line(b, new_->e->kind, new_->e->size, &new_->e->id, path, did->etag);
	else if (did || (went && !went->gone))
		placerec_line(b, 'f', 0, &unknown, path, "");
	else if (old && !went)
		placerec_line(b, old->e->kind, old->e->size, &old->e->id, path, old->more);
}

static int
merge(struct story *s, struct entries *old, struct entries *new_, struct spool *to, struct err *err)
{
	int more_old = entries_next(old, err), more_new = more_old < 0 ? -1 : entries_next(new_, err);
	size_t did = 0, went = 0;

	while (more_old >= 0 && more_new >= 0 && (more_old || more_new)) {
		int order = !more_old ? 1 : !more_new ? -1 : strcmp(old->e->path, new_->e->path);

		merge_one(s, &did, &went, order <= 0 ? old : NULL, order >= 0 ? new_ : NULL, &to->b);
		if (spool_step(to, err) < 0)
			return -1;
		if (order <= 0)
			more_old = entries_next(old, err);
		if (order >= 0)
			more_new = entries_next(new_, err);
	}
	return more_old < 0 || more_new < 0 ? -1 : 0;
}

static int
fold(struct placerec *r, struct story *s, struct err *err)
{
	struct entries old = ENTRIES_INIT, new_ = ENTRIES_INIT;
	struct spool to = SPOOL_INIT;
	int rc = placerec_entries(r, s->base, &old, err);

	if (rc == 0)
		rc = entries_commit(&new_, &s->commit, err);
	r->commit = s->commit;
	if (rc == 0)
		rc = placerec_rewrite(r, s->base, &to, err);
	if (rc == 0)
		rc = merge(s, &old, &new_, &to, err);
	if (rc == 0)
		rc = placerec_replace(r, s->base, &to, err);
	spool_release(&to);
	entries_release(&old);
	entries_release(&new_);
	return rc;
}

static int
drop_journal(struct placerec *r, struct err *err)
{
	char path[LAYOUT_MAX];

	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	if (unlink(place_file(path, r->place, ".open")) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	return 0;
}

static void
forget_uploads(struct placerec *r)
{
	for (size_t i = 0; i < r->n_upload; i++) {
		free(r->upload[i].key);
		free(r->upload[i].up.id);
		free(r->upload[i].up.part);
	}
	for (size_t i = 0; i < r->n_beginning; i++)
		free(r->beginning[i].key);
	r->n_upload = r->n_beginning = 0;
}

static int
take_in(struct placerec *r, bool complete, struct err *err)
{
	struct story s;
	int rc;

	forget_uploads(r);
	rc = read_story(r, &s, err);
	if (rc == 1) {
		r->complete = complete;
		if (complete) {
			r->pushed = time_now_ns();
			r->filter = r->place->filter;
		}
		rc = fold(r, &s, err);
	}
	story_release(&s);
	return rc;
}

int
placerec_open(struct placerec *r, const struct place *p, bool *ret_lost, struct err *err)
{
	char path[LAYOUT_MAX];
	int rc;

	*r = (struct placerec)PLACEREC_INIT;
	r->place = p;
	*ret_lost = false;
	rc = fs_mkdirs(DIR_EGRESS, err);
	if (rc == 0)
		rc = read_record(r, err);
	if (rc >= 0)
		rc = take_in(r, false, err);
	if (rc >= 0)
		return 0;
	if (err->num)
		return -1;
	/* Damaged, or the commit of a killed push is gone: what lies there has to be found out again. */
	*ret_lost = true;
	r->have = r->complete = false;
	if (unlink(place_file(path, p, "")) < 0 && errno != ENOENT)
		return err_set(err, errno, "cannot remove '%s':", path);
	*err = (struct err)ERR_INIT;
	return 0;
}

int
placerec_read(struct placerec *r, const struct place *p, struct err *err)
{
	int rc;

	*r = (struct placerec)PLACEREC_INIT;
	r->place = p;
	rc = read_record(r, err);
	return rc < 0 && err->num == 0 ? 0 : rc;
}

void
placerec_release(struct placerec *r)
{
	if (r->fd >= 0)
		close(r->fd);
	forget_uploads(r);
	free(r->upload);
	free(r->beginning);
	free(r->base);
	buf_release(&r->line);
	*r = (struct placerec)PLACEREC_INIT;
}

/* Once it cannot be written nothing more may be sent: `broken` tells. */
static void
flush(struct placerec *r)
{
	rec_end(&r->line);
	if (!r->broken && fs_write_all(r->fd, r->line.s, r->line.n, r->err) < 0) {
		err_wrap(r->err, "cannot write into '%s'", DIR_EGRESS);
		r->broken = true;
	}
	buf_reset(&r->line);
	r->lines++;
}

static void
line_text(struct placerec *r, const char *word, const char *text)
{
	rec_word(&r->line, word);
	rec_str(&r->line, text);
	flush(r);
}

static void
line_upload(struct placerec *r, const char *key, const struct oid *sha256, const char *id, uint64_t part_size)
{
	rec_word(&r->line, "upload");
	rec_str(&r->line, key);
	rec_oid(&r->line, sha256);
	rec_u64(&r->line, part_size);
	rec_str(&r->line, id);
	flush(r);
}

static void
line_beginning(struct placerec *r, const char *word, const struct placerec_beginning *b)
{
	rec_word(&r->line, word);
	rec_str(&r->line, b->key);
	rec_u64(&r->line, b->when);
	flush(r);
}

static void
line_part(struct placerec *r, const char *id, const struct dest_part *part)
{
	rec_word(&r->line, "part");
	rec_str(&r->line, id);
	rec_u64(&r->line, part->number);
	rec_str(&r->line, part->etag);
	rec_oid(&r->line, &part->sha256);
	flush(r);
}

/* Beside the old one, with what is still open, and then in its place. */
int
placerec_begin(struct placerec *r, const struct oid *commit, const char *base, struct err *err)
{
	char path[LAYOUT_MAX], tmp[LAYOUT_MAX];

	r->err = err;
	r->broken = false;
	r->lines = 0;
	place_file(path, r->place, ".open");
	if (r->fd >= 0)
		close(r->fd);
	r->fd = open(place_file(tmp, r->place, ".open.tmp"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (r->fd < 0)
		return err_set(err, errno, "cannot write '%s':", tmp);
	rec_head(&r->line, "egress-open", 1);
	rec_word(&r->line, "commit");
	rec_oid(&r->line, commit);
	flush(r);
	line_text(r, "base", base);
	for (size_t i = 0; i < r->n_upload; i++) {
		const struct placerec_upload *u = &r->upload[i];

		if (!u->ended)
			line_upload(r, u->key, &u->sha256, u->up.id, u->up.part_size);
		for (size_t k = 0; !u->ended && k < u->up.n_part; k++)
			line_part(r, u->up.id, &u->up.part[k]);
	}
	for (size_t i = 0; i < r->n_beginning; i++)
		if (!r->beginning[i].over)
			line_beginning(r, "beginning", &r->beginning[i]);
	if (r->broken)
		return -1;
	return rename(tmp, path) < 0 ? err_set(err, errno, "cannot write '%s':", path) : 0;
}

void
placerec_try(struct placerec *r, uint64_t index)
{
	rec_word(&r->line, "try");
	rec_u64(&r->line, index);
	flush(r);
}

void
placerec_put(struct placerec *r, uint64_t index, const char *etag)
{
	rec_word(&r->line, "put");
	rec_u64(&r->line, index);
	rec_str(&r->line, etag);
	flush(r);
}

void
placerec_going(struct placerec *r, const char *path)
{
	line_text(r, "going", path);
}

void
placerec_gone(struct placerec *r, const char *path)
{
	line_text(r, "gone", path);
}

void
placerec_beginning(struct placerec *r, const char *key)
{
	remember_beginning(r, key, time_now_ns());
	line_beginning(r, "beginning", &r->beginning[r->n_beginning - 1]);
}

void
placerec_settled(struct placerec *r, struct placerec_beginning *b)
{
	b->over = true;
	line_beginning(r, "settled", b);
}

struct placerec_beginning *
placerec_newest(const struct placerec *r, const char *key)
{
	for (size_t i = r->n_beginning; i > 0; i--)
		if (!strcmp(r->beginning[i - 1].key, key))
			return &r->beginning[i - 1];
	return NULL;
}

void
placerec_begun(struct placerec *r, const char *key, const struct oid *sha256, const char *upload_id, uint64_t part_size)
{
	remember_upload(r, key, sha256, upload_id, part_size);
	line_upload(r, key, sha256, upload_id, part_size);
}

void
placerec_part(struct placerec *r, const struct placerec_upload *u, const struct dest_part *part)
{
	line_part(r, u->up.id, part);
}

void
placerec_ended(struct placerec *r, struct placerec_upload *u)
{
	u->ended = true;
	line_text(r, "ended", u->up.id);
}

int
placerec_end(struct placerec *r, bool complete, struct err *err)
{
	bool open = false;

	if (r->broken)
		return -1;
	if (take_in(r, complete, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_upload; i++)
		open |= !r->upload[i].ended;
	for (size_t i = 0; i < r->n_beginning; i++)
		open |= !r->beginning[i].over;
	/* Uploads that are still open are known by the journal alone. */
	return open ? 0 : drop_journal(r, err);
}
