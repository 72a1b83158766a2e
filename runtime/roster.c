/* roster.c: what the two jobs share is never listed, so a job costs what is new in it; only where somebody asks for
 * places or labels is each datum looked at. */
#include "roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/spool.h"

static void
add_piece(struct roster *r, bool same, size_t from, size_t n)
{
	struct roster_piece *p = r->n_piece ? &r->piece[r->n_piece - 1] : NULL;

	r->n += n;
	if (p && p->same == same && p->from + p->n == from) {
		p->n += n;
		return;
	}
	GROW(r->piece, r->n_piece, r->cap_piece);
	r->piece[r->n_piece++] = (struct roster_piece){ same, from, n };
}

static bool
same_line(struct roster *r, const struct rec *line)
{
	uint64_t from, n;

	if (!rec_get_u64(line, 1, &from) || !rec_get_u64(line, 2, &n) || from > r->last.n_datum || n > r->last.n_datum - from)
		return false;
	add_piece(r, true, from, n);
	return true;
}

static bool
datum_line(struct roster *r, const struct rec *line)
{
	GROW(r->fresh, r->n_fresh, r->cap_fresh);
	r->fresh[r->n_fresh].label = line->f[2];
	r->fresh[r->n_fresh].left_out = false;
	add_piece(r, false, r->n_fresh, 1);
	return rec_get_oid(line, 1, &r->fresh[r->n_fresh++].key);
}

/* 1, 0 of another P.job, -1 malformed. */
static int
read_lines(struct roster *r)
{
	struct rec line;

	while (recfile_next(&r->set, &line)) {
		if (rec_is(&line, "last", 2)) {
			if (strcmp(line.f[1], "-") && (!r->last.job || strcmp(line.f[1], r->last.job)))
				return 0;
		} else if (rec_is(&line, "same", 3)) {
			if (!same_line(r, &line))
				return -1;
		} else if (rec_is(&line, "datum", 3) && !datum_line(r, &line)) {
			return -1;
		}
	}
	return 1;
}

static int
by_number(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

/* Datums of the last job that no piece has; false if one has two places. */
static bool
find_gone(struct roster *r)
{
	bool *kept = xcalloc(r->last.n_datum, sizeof *kept), good = true;

	for (size_t k = 0; k < r->n_piece; k++) {
		const struct roster_piece *p = &r->piece[k];

		for (size_t i = p->from; p->same && i < p->from + p->n; i++) {
			good &= !kept[i];
			kept[i] = true;
		}
	}
	for (size_t i = 0; i < r->last.n_datum; i++) {
		if (kept[i])
			continue;
		GROW(r->gone, r->n_gone, r->cap_gone);
		r->gone[r->n_gone++] = jobfile_number(&r->last, i);
	}
	if (r->n_gone)
		qsort(r->gone, r->n_gone, sizeof *r->gone, by_number);
	free(kept);
	return good;
}

int
roster_last(struct roster *r, const char *pipeline, struct err *err)
{
	return jobfile_read(&r->last, pipeline, err);
}

int
roster_read(struct roster *r, const char *pipeline, const char *job, struct err *err)
{
	char path[LAYOUT_MAX], suffix[128];
	int rc;

	snprintf(suffix, sizeof suffix, "%.64s.set", job);
	rc = recfile_open(&r->set, layout_plan(path, pipeline, suffix), "set", 2, err);
	if (rc <= 0)
		return rc;
	rc = read_lines(r);
	if (rc == 1 && !find_gone(r))
		rc = -1;
	return rc < 0 ? err_set(err, 0, "'%s' is malformed", path) : rc;
}

void
roster_release(struct roster *r)
{
	recfile_release(&r->set);
	jobfile_release(&r->last);
	free(r->piece);
	free(r->fresh);
	free(r->gone);
	free(r->place);
	*r = (struct roster)ROSTER_INIT;
}

uint64_t
roster_number(const struct roster *r, size_t fresh)
{
	return r->last.next + fresh;
}

bool
roster_is_gone(const struct roster *r, uint64_t number)
{
	return r->n_gone && bsearch(&number, r->gone, r->n_gone, sizeof *r->gone, by_number);
}

static void
find_places(struct roster *r)
{
	size_t n = 0;

	r->place = xcalloc(r->n, sizeof *r->place);
	for (size_t k = 0; k < r->n_piece; k++) {
		const struct roster_piece *p = &r->piece[k];

		for (size_t i = p->from; i < p->from + p->n; i++, n++)
			r->place[n] = (struct roster_place){ p->same ? jobfile_number(&r->last, i) : roster_number(r, i), n };
	}
	/* A place begins with its number. */
	qsort(r->place, n, sizeof *r->place, by_number);
}

size_t
roster_place(struct roster *r, uint64_t number)
{
	const struct roster_place *p;

	if (!r->place)
		find_places(r);
	p = bsearch(&number, r->place, r->n, sizeof *r->place, by_number);
	return p ? p->place : r->n;
}

const char *
roster_label(const struct roster *r, uint64_t number, struct arena *a)
{
	if (number >= r->last.next && number - r->last.next < r->n_fresh)
		return r->fresh[number - r->last.next].label;
	for (size_t i = 0; i < r->last.n_datum; i++)
		if (jobfile_number(&r->last, i) == number)
			return jobfile_label(&r->last, i, a);
	return "that is not known";
}

static int
put_fresh(const struct roster *r, const struct roster_piece *p, struct spool *s, struct err *err)
{
	int rc = 0;

	for (size_t i = p->from; rc == 0 && i < p->from + p->n; i++) {
		if (r->fresh[i].left_out)
			continue;
		jobfile_put_datum(&s->b, &r->fresh[i].key, roster_number(r, i), r->fresh[i].label);
		rc = spool_step(s, err);
	}
	return rc;
}

int
roster_put(const struct roster *r, struct spool *s, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->n_piece; i++) {
		const struct roster_piece *p = &r->piece[i];

		rc = p->same ? jobfile_put_same(s, &r->last, p->from, p->n, err) : put_fresh(r, p, s, err);
	}
	return rc;
}
