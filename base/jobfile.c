/* jobfile.c: P.job as text: reading it finds where its lines are, a line is taken apart when somebody asks for it.
 * Its seal is what makes it worth believing: a damaged one counts as absent, since everything in it can be found
 * again in results. */
#include "jobfile.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "layout.h"
#include "mem.h"
#include "spool.h"

/* "datum KEY NUMBER LABEL": the key has its place, the number begins at its own. */
enum { KEY_AT = 6, NUMBER_AT = KEY_AT + OID_HEX + 1, SHORT_LINE = 512 };

static bool
begins(const char *s, const char *end, const char *word, size_t n)
{
	return (size_t)(end - s) >= n && memcmp(s, word, n) == 0;
}

/* Digits; where they end. */
static const char *
number(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	*ret = v;
	return s;
}

/* One of the short lines, split in a copy. */
static bool
split(char copy[SHORT_LINE], const char *line, const char *end, struct rec *r)
{
	struct recfile f;
	size_t n = (size_t)(end - line);

	if (n >= SHORT_LINE)
		return false;
	memcpy(copy, line, n);
	copy[n] = '\0';
	recfile_memory(&f, copy, n);
	return recfile_next(&f, r);
}

static bool
head_line(struct jobfile *j, const char *line, const char *end)
{
	char copy[SHORT_LINE];
	struct rec r;

	if (!split(copy, line, end, &r))
		return false;
	if (rec_is(&r, "job", 2) && !j->job) {
		j->job = xstrdup(r.f[1]);
		return true;
	}
	if (rec_is(&r, "commit", 2))
		return rec_get_oid(&r, 1, &j->commit);
	if (rec_is(&r, "spec", 2))
		return rec_get_oid(&r, 1, &j->spec);
	return rec_is(&r, "next", 2) && rec_get_u64(&r, 1, &j->next);
}

/* The head and the datums; what follows is for job_writers_next(). */
static bool
find_lines(struct jobfile *j)
{
	const char *s = j->text.text + j->text.pos, *end = j->text.text + j->text.n, *nl;

	for (; s < end && !begins(s, end, "by ", 3) && !begins(s, end, "part ", 5); s = nl + 1) {
		nl = memchr(s, '\n', (size_t)(end - s));
		if (!begins(s, end, "datum ", KEY_AT)) {
			if (j->n_datum || !head_line(j, s, nl))
				return false;
			continue;
		}
		if (nl - s < NUMBER_AT || s[NUMBER_AT - 1] != ' ' || j->n_datum == UINT32_MAX)
			return false;
		GROW(j->datum, j->n_datum, j->cap_datum);
		j->datum[j->n_datum++] = s;
	}
	GROW(j->datum, j->n_datum, j->cap_datum);
	j->datum[j->n_datum] = s;
	return j->job != NULL;
}

int
jobfile_read(struct jobfile *j, const char *pipeline, struct err *err)
{
	char path[LAYOUT_MAX];
	int rc;

	*j = (struct jobfile)JOBFILE_INIT;
	rc = recfile_view_sealed(&j->text, layout_plan(path, pipeline, "job"), "job", 2, err);
	if (rc <= 0)
		return rc < 0 && err->num == 0 ? 0 : rc;
	if (find_lines(j))
		return 1;
	jobfile_release(j);
	return 0;
}

void
jobfile_release(struct jobfile *j)
{
	free(j->datum);
	free(j->job);
	recfile_release(&j->text);
	*j = (struct jobfile)JOBFILE_INIT;
}

void
jobfile_key(const struct jobfile *j, size_t i, struct oid *ret)
{
	char hex[OID_HEX + 1];

	memcpy(hex, j->datum[i] + KEY_AT, OID_HEX);
	hex[OID_HEX] = '\0';
	/* One that is no key is that of no datum. */
	if (!oid_parse(hex, ret))
		memset(ret, 0, sizeof *ret);
}

uint64_t
jobfile_number(const struct jobfile *j, size_t i)
{
	uint64_t v;

	number(j->datum[i] + NUMBER_AT, &v);
	return v;
}

char *
jobfile_label(const struct jobfile *j, size_t i, struct arena *a)
{
	uint64_t v;
	const char *s = number(j->datum[i] + NUMBER_AT, &v), *end = j->datum[i + 1] - 1;
	char *label = s < end ? arena_dup(a, s + 1, (size_t)(end - s - 1)) : arena_str(a, "");

	label[rec_unescape(label, strlen(label))] = '\0';
	return label;
}

void
job_writers_begin(struct job_writers *w, const struct jobfile *j)
{
	*w = (struct job_writers){ .pos = j->text.text ? j->datum[j->n_datum] : NULL };
	w->end = j->text.text ? j->text.text + j->text.n : NULL;
}

static struct job_part *
add_part(struct job_writers *w)
{
	GROW(w->part, w->n, w->cap);
	return &w->part[w->n++];
}

static bool
part_line(struct job_part *p, const char *line, const char *end)
{
	char copy[SHORT_LINE];
	struct rec r;

	if (!split(copy, line, end, &r) || r.n != 5 || (r.f[2][0] != 'f' && r.f[2][0] != 'x'))
		return false;
	p->kind = r.f[2][0];
	return rec_get_u64(&r, 1, &p->number) && rec_get_u64(&r, 3, &p->size) && rec_get_oid(&r, 4, &p->id);
}

int
job_writers_next(struct job_writers *w)
{
	const char *nl;

	w->line = w->pos;
	w->n = 0;
	for (; w->pos < w->end && begins(w->pos, w->end, "part ", 5); w->pos = nl + 1) {
		nl = memchr(w->pos, '\n', (size_t)(w->end - w->pos));
		if (!part_line(add_part(w), w->pos, nl))
			return -1;
	}
	if (w->pos == w->end)
		return w->n ? -1 : 0;
	if (!begins(w->pos, w->end, "by ", 3))
		return -1;
	if (w->n && begins(w->pos, w->end, "by -\n", 5)) {
		w->pos += 5;
	} else {
		struct job_part *p = add_part(w);

		p->kind = '\0';
		nl = number(w->pos + 3, &p->number);
		if (nl == w->pos + 3 || *nl != '\n' || w->n > 1)
			return -1;
		w->pos = nl + 1;
	}
	return 1;
}

void
job_writers_release(struct job_writers *w)
{
	free(w->part);
	*w = (struct job_writers){ 0 };
}

void
jobfile_put_head(struct buf *b, const char *job, const struct oid *commit, const struct oid *spec, uint64_t next)
{
	rec_head(b, "job", 2);
	rec_word(b, "job");
	rec_str(b, job);
	rec_end(b);
	rec_word(b, "commit");
	rec_oid(b, commit);
	rec_end(b);
	rec_word(b, "spec");
	rec_oid(b, spec);
	rec_end(b);
	rec_word(b, "next");
	rec_u64(b, next);
	rec_end(b);
}

void
jobfile_put_datum(struct buf *b, const struct oid *key, uint64_t n, const char *label)
{
	rec_word(b, "datum");
	rec_oid(b, key);
	rec_u64(b, n);
	rec_str(b, label);
	rec_end(b);
}

void
jobfile_put_writers(struct buf *b, const struct job_part *part, size_t n)
{
	for (size_t i = 0; n > 1 && i < n; i++) {
		rec_word(b, "part");
		rec_u64(b, part[i].number);
		rec_bytes(b, &part[i].kind, 1);
		rec_u64(b, part[i].size);
		rec_oid(b, &part[i].id);
		rec_end(b);
	}
	rec_word(b, "by");
	if (n > 1)
		rec_str(b, "-");
	else
		rec_u64(b, part->number);
	rec_end(b);
}

int
jobfile_put_same(struct spool *s, const struct jobfile *last, size_t i, size_t n, struct err *err)
{
	return spool_copy(s, last->datum[i], (size_t)(last->datum[i + n] - last->datum[i]), err);
}

int
jobfile_open(struct spool *s, const char *pipeline, struct err *err)
{
	char path[LAYOUT_MAX];

	return spool_open(s, layout_plan(path, pipeline, "job"), err);
}

int
jobfile_close(struct spool *s, const char *pipeline, struct err *err)
{
	char path[LAYOUT_MAX];

	return spool_seal(s, err) < 0 ? -1 : spool_commit(s, layout_plan(path, pipeline, "job"), err);
}
