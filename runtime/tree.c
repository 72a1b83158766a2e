/* tree.c: merges new outputs into the last job's tree as text.  Two files say what that was, line by line: its commit (what
 * there is) and P.job (who wrote it).  A path that nothing happened to is two lines taken over as they are, nothing of
 * them parsed but path and size; only a path that lost a writer, got one or has several is taken apart.
 *
 * Paths come sorted, and each is compared with the one before it: how many bytes they share tells equal ones, and keeps
 * the files among those before that the path begins with, so that a '/' after such a one is a file that would have to be
 * a directory.  ("a" and "a/b" need not be neighbours: "a-b" and "a.b" stand between.) */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/jobfile.h"
#include "../base/spool.h"
#include "result.h"
#include "roster.h"
#include "store.h"

struct tree_output { const char *path; struct job_part part; };

struct span { const char *s; size_t n; };

struct file { size_t n; uint64_t number; };     /* a path's length, and who wrote it */

struct placed { size_t place; struct job_part part; };

struct merge {
	struct tree *t;
	struct roster *r;
	struct spool to;                /* the commit */
	bool concat;
	bool conflict;
	struct err *err;
	/* The last tree's path at hand; s NULL: no more */
	const char *pos, *end;          /* of the commit, after the line */
	struct span line, path;
	struct job_writers by;
	size_t k;                       /* the new output at hand */
	/* Who writes the path at hand now */
	struct job_part *part; size_t n, cap;
	struct span before;             /* the path that was put before */
	struct file *file; size_t n_file, cap_file;     /* that `before` begins with; the last is `before` itself */
	size_t cap_old, cap_new;        /* of the difference */
};

void
tree_add(struct tree *t, const struct result *r, uint64_t number)
{
	for (size_t i = 0; i < r->n_output; i++) {
		const struct result_output *o = &r->output[i];

		GROW(t->v, t->n, t->cap);
		t->v[t->n++] = (struct tree_output){ arena_str(&t->arena, o->path), { number, o->size, o->id, o->kind } };
	}
}

static int
by_path(const void *a, const void *b)
{
	const struct tree_output *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : x->part.number < y->part.number ? -1 : x->part.number > y->part.number;
}

static int
malformed(struct merge *m)
{
	return err_set(m->err, 0, "what the newest job of the pipeline left is malformed: 'dassie fsck --repair' drops it");
}

/* The path's bytes; escapes are rare. */
static struct span
path_of(struct merge *m, const char *s, const char *end)
{
	struct span path = { s, (size_t)(end - s) };
	char *copy;

	if (!memchr(s, '%', path.n))
		return path;
	copy = arena_dup(&m->t->arena, s, path.n);
	return (struct span){ copy, rec_unescape(copy, path.n) };
}

/* The next path of the last tree, with its writers.  "f SIZE HASH PATH" */
static int
next_old(struct merge *m)
{
	const char *nl, *path;
	int rc = job_writers_next(&m->by);

	m->line.s = NULL;
	if (rc < 0 || (rc == 1) != (m->pos < m->end))
		return malformed(m);
	if (rc == 0)
		return 0;
	nl = memchr(m->pos, '\n', (size_t)(m->end - m->pos));
	path = nl && nl - m->pos > 2 ? memchr(m->pos + 2, ' ', (size_t)(nl - m->pos) - 2) : NULL;
	if (!path || nl - path <= OID_HEX + 2)
		return malformed(m);
	m->line = (struct span){ m->pos, (size_t)(nl + 1 - m->pos) };
	m->path = path_of(m, path + OID_HEX + 2, nl);
	m->pos = nl + 1;
	return 0;
}

/* The size in the line at hand; where it ends. */
static const char *
parse_size(const struct merge *m, uint64_t *ret)
{
	const char *s = m->line.s + 2;

	for (*ret = 0; *s >= '0' && *s <= '9'; s++)
		*ret = *ret * 10 + (uint64_t)(*s - '0');
	return s;
}

static void
parse_old(const struct merge *m, struct entry *e)
{
	char hex[OID_HEX + 1];

	e->kind = m->line.s[0];
	memcpy(hex, parse_size(m, &e->size) + 1, OID_HEX);
	hex[OID_HEX] = '\0';
	oid_parse(hex, &e->id);
}

static int
two_kinds(struct merge *m, uint64_t file, struct span path, uint64_t number)
{
	struct arena *a = &m->t->arena;
	size_t n = m->file[m->n_file - 1].n;

	m->conflict = true;
	return err_set(m->err, 0, "'%s' is a file of datum %s and a directory of datum %s", arena_dup(a, path.s, n),
	    roster_label(m->r, file, a), roster_label(m->r, number, a));
}

/* A path more in the tree, written by this datum first. */
static int
put_path(struct merge *m, struct span path, uint64_t number)
{
	size_t n = m->before.n < path.n ? m->before.n : path.n, same = 0;

	while (same < n && m->before.s[same] == path.s[same])
		same++;
	while (m->n_file && m->file[m->n_file - 1].n > same)
		m->n_file--;
	if (m->n_file && m->file[m->n_file - 1].n == same && path.n > same && path.s[same] == '/')
		return two_kinds(m, m->file[m->n_file - 1].number, path, number);
	GROW(m->file, m->n_file, m->cap_file);
	m->file[m->n_file++] = (struct file){ path.n, number };
	m->before = path;
	m->t->files++;
	return 0;
}

/* Nothing happened to the path at hand. */
static int
take_over(struct merge *m)
{
	struct tree *t = m->t;
	uint64_t size;

	parse_size(m, &size);
	t->bytes += size;
	buf_add(&m->to.b, m->line.s, m->line.n);
	buf_add(&t->writers, m->by.line, (size_t)(m->by.pos - m->by.line));
	return put_path(m, m->path, m->by.part->number);
}

static void
add_part(struct merge *m, const struct job_part *p)
{
	GROW(m->part, m->n, m->cap);
	m->part[m->n++] = *p;
}

/* Of the last job's writers those who are still there. */
static void
add_old_parts(struct merge *m, const struct entry *had)
{
	for (size_t i = 0; i < m->by.n; i++) {
		struct job_part p = m->by.part[i];

		if (roster_is_gone(m->r, p.number))
			continue;
		if (!p.kind)
			p = (struct job_part){ p.number, had->size, had->id, had->kind };
		add_part(m, &p);
	}
}

static int
by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

/* Datums may have changed places since the last job. */
static void
sort_parts(struct merge *m)
{
	struct placed *v = xcalloc(m->n, sizeof *v);

	for (size_t i = 0; i < m->n; i++)
		v[i] = (struct placed){ roster_place(m->r, m->part[i].number), m->part[i] };
	qsort(v, m->n, sizeof *v, by_place);
	for (size_t i = 0; i < m->n; i++)
		m->part[i] = v[i].part;
	free(v);
}

static int
two_writers(struct merge *m, const char *path, const struct job_part *b)
{
	struct arena *a = &m->t->arena;

	m->conflict = true;
	return err_set(m->err, 0, "two datums wrote '%s' with different content: %s and %s; give each its own name, "
	    "or say 'merge: concat' to put them together", path, roster_label(m->r, m->part->number, a),
	    roster_label(m->r, b->number, a));
}

static int
put_together(struct merge *m, struct entry *e)
{
	struct oid *part = xcalloc(m->n, sizeof *part);
	int rc;

	for (size_t i = 0; i < m->n; i++) {
		part[i] = m->part[i].id;
		if (m->part[i].kind == 'x')
			e->kind = 'x';
	}
	rc = store_concat(part, m->n, &e->id, &e->size, m->err);
	free(part);
	return rc;
}

/* What the parts make under their path. */
static int
combine(struct merge *m, struct entry *e)
{
	const struct job_part *p = m->part;

	if (m->n > 1)
		sort_parts(m);
	*e = (struct entry){ e->path, p->size, p->id, p->kind };
	if (m->concat)
		return m->n > 1 ? put_together(m, e) : 0;
	for (size_t i = 1; i < m->n; i++)
		if (!oid_eq(&p[i].id, &p->id) || p[i].kind != p->kind)
			return two_writers(m, e->path, &p[i]);
	return 0;
}

static void
put_diff(struct manifest *to, size_t *cap, const struct entry *e)
{
	GROW(to->v, to->n, *cap);
	to->v[to->n++] = *e;
}

static void
note_diff(struct merge *m, const struct entry *had, const struct entry *has)
{
	if (had && has && had->kind == has->kind && oid_eq(&had->id, &has->id))
		return;
	if (had)
		put_diff(&m->t->diff.old, &m->cap_old, had);
	if (has)
		put_diff(&m->t->diff.new_, &m->cap_new, has);
}

static int
put_entry(struct merge *m, const struct entry *e)
{
	struct tree *t = m->t;

	manifest_line(&m->to.b, e->kind, e->size, &e->id, e->path);
	jobfile_put_writers(&t->writers, m->part, m->n);
	t->bytes += e->size;
	return put_path(m, (struct span){ e->path, strlen(e->path) }, m->part->number);
}

/* The path at hand, of the last tree (old), of new outputs, or of both: taken apart and put together again. */
static int
take_apart(struct merge *m, bool old)
{
	struct tree *t = m->t;
	const char *path = old ? arena_dup(&t->arena, m->path.s, m->path.n) : t->v[m->k].path;
	struct entry had = { .path = path }, has = { .path = path };

	m->n = 0;
	if (old) {
		parse_old(m, &had);
		add_old_parts(m, &had);
	}
	for (; m->k < t->n && strcmp(t->v[m->k].path, path) == 0; m->k++)
		add_part(m, &t->v[m->k].part);
	if (m->n && combine(m, &has) < 0)
		return -1;
	note_diff(m, old ? &had : NULL, m->n ? &has : NULL);
	return m->n ? put_entry(m, &has) : 0;
}

/* The path at hand of the last tree against that of the new outputs. */
static int
compare(const struct merge *m)
{
	const char *path;
	size_t n;
	int order;

	if (!m->line.s)
		return 1;
	if (m->k == m->t->n)
		return -1;
	path = m->t->v[m->k].path;
	n = strlen(path);
	order = memcmp(m->path.s, path, m->path.n < n ? m->path.n : n);
	return order ? order : m->path.n < n ? -1 : m->path.n > n;
}

static int
merge(struct merge *m)
{
	int rc = next_old(m);

	while (rc == 0 && (m->line.s || m->k < m->t->n)) {
		int order = compare(m);

		if (order < 0 && m->by.n == 1 && !roster_is_gone(m->r, m->by.part->number))
			rc = take_over(m);
		else
			rc = take_apart(m, order <= 0);
		if (rc == 0 && order <= 0)
			rc = next_old(m);
		if (rc == 0)
			rc = spool_step(&m->to, m->err);
	}
	return rc;
}

int
tree_make(struct tree *t, struct roster *r, const struct recfile *last, bool concat, struct oid *ret_commit,
          bool *ret_conflict, struct err *err)
{
	struct merge m = { .t = t, .r = r, .to = SPOOL_INIT, .concat = concat, .err = err };
	int rc;

	if (t->n)
		qsort(t->v, t->n, sizeof *t->v, by_path);
	if (last->text) {
		m.pos = last->text + last->pos;
		m.end = last->text + last->n;
	}
	t->diff.from = r->last.commit;
	job_writers_begin(&m.by, &r->last);
	rc = manifest_open(&m.to, err);
	if (rc == 0)
		rc = merge(&m);
	if (rc == 0)
		rc = manifest_close(&m.to, ret_commit, err);
	*ret_conflict = m.conflict;
	spool_release(&m.to);
	job_writers_release(&m.by);
	free(m.part);
	free(m.file);
	return rc;
}

void
tree_release(struct tree *t)
{
	free(t->v);
	buf_release(&t->writers);
	manifest_release(&t->diff.old);
	manifest_release(&t->diff.new_);
	arena_release(&t->arena);
	*t = (struct tree)TREE_INIT;
}
