/* lineage.c: files first, the index where they are silent: P.job says which datum wrote which path of the newest
 * output, a result says what its datum saw, the index says what a job ran and what it read from, and who wrote what
 * nobody shows any more. */
#include "lineage.h"

#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "../base/key.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "jobset.h"
#include "newest.h"
#include "fetched.h"

struct lin_pipeline { struct lin_pipeline *next; const char *name; struct newest newest; };
struct lin_fetched { struct lin_fetched *next; const char *repo; struct oid commit; struct fetched o; };
struct lin_commit { struct lin_commit *next; struct oid id; struct manifest m; bool have; };

/* Nodes by the hash of what they are. */
struct memo_slot { struct oid id; void *node; };

static void **
memo(struct lineage *l, const struct oid *id)
{
	size_t mask, i;

	if ((l->n_slot + 1) * 2 > l->cap_slot) {
		struct memo_slot *old = l->slot;
		size_t n = l->cap_slot;

		l->cap_slot = n ? n * 2 : 256;
		l->slot = xcalloc(l->cap_slot, sizeof *l->slot);
		l->n_slot = 0;
		for (size_t k = 0; k < n; k++)
			if (old[k].node)
				*memo(l, &old[k].id) = old[k].node;
		free(old);
	}
	mask = l->cap_slot - 1;
	memcpy(&i, id->b, sizeof i);
	for (i &= mask; l->slot[i].node && !oid_eq(&l->slot[i].id, id); i = (i + 1) & mask)
		;
	if (!l->slot[i].node) {
		l->slot[i].id = *id;
		l->n_slot++;    /* the caller puts a node there */
	}
	return &l->slot[i].node;
}

static void
node_id(struct oid *ret, const char *what, const char *a, const char *b, const struct oid *id)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, what);
	sha256_field_str(&h, a);
	sha256_field_str(&h, b);
	if (id)
		sha256_field_oid(&h, id);
	sha256_final(&h, ret);
}

int
lineage_open(struct lineage *l, struct err *err)
{
	return query_open(&l->q, err) < 0 || index_read(&l->x, err) < 0 ? -1 : 0;
}

void
lineage_release(struct lineage *l)
{
	for (size_t i = 0; i < l->n_datum; i++)
		result_release(&l->datum[i]->r);
	for (struct lin_pipeline *p = l->pipeline; p; p = p->next)
		newest_release(&p->newest);
	for (struct lin_commit *c = l->commit; c; c = c->next)
		manifest_release(&c->m);
	for (struct lin_fetched *o = l->fetched; o; o = o->next)
		fetched_release(&o->o);
	free(l->datum);
	free(l->slot);
	query_close(l->q);
	index_release(&l->x);
	arena_release(&l->a);
	*l = (struct lineage)LINEAGE_INIT;
}

struct lin_file *
lineage_file(struct lineage *l, const char *repo, const char *path, const struct oid *id, const struct oid *commit,
             uint64_t before)
{
	const struct index_source *s;
	struct lin_file *f;
	struct oid key;
	void **slot;

	/* The commits of a branch are the repo's. */
	if (repo[layout_repo_len(repo)])
		repo = arena_dup(&l->a, repo, layout_repo_len(repo));
	s = index_find_source(&l->x, repo);
	node_id(&key, "file", repo, path, id);
	slot = memo(l, &key);
	if (*slot)
		return *slot;
	*slot = f = arena_alloc(&l->a, sizeof *f);
	*f = (struct lin_file){ .repo = arena_str(&l->a, repo), .path = arena_str(&l->a, path), .id = *id, .size = SIZE_UNKNOWN,
	    .dir = s ? index_place(s) : NULL, .before = before };
	if (commit) {
		const struct manifest *m = lineage_manifest(l, commit);
		const struct entry *e = m ? manifest_find(m, path) : NULL;

		f->commit = *commit;
		f->has_commit = true;
		if (e)
			f->size = e->size;
	}
	return f;
}

static int
get_step(struct lineage *l, const char *job, struct lin_step **ret, struct err *err)
{
	struct lin_step *s;
	struct q_job *v;
	struct oid key;
	size_t n;
	void **slot;

	node_id(&key, "step", job, "", NULL);
	slot = memo(l, &key);
	if ((*ret = *slot))
		return 0;
	*slot = *ret = s = arena_alloc(&l->a, sizeof *s);
	s->diff = "";
	if (jobset_jobs(l->q, &l->a, NULL, job, 0, &v, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !s->known; i++)
		if (strcmp(v[i].id, job) == 0) {
			s->job = v[i];
			s->known = true;
		}
	if (!s->known)
		return 0;
	if (query_code(l->q, &l->a, s->job.row, &s->code, &s->n_code, err) < 0 ||
	    query_job_inputs(l->q, &l->a, s->job.row, &s->input, &s->n_input, err) < 0 ||
	    query_diff(l->q, &l->a, s->job.row, &s->diff, err) < 0)
		return -1;
	return s->job.has_spec && query_version(l->q, &l->a, s->job.pipeline, &s->job.spec, &s->version, err) < 0 ? -1 : 0;
}

int
lineage_datum(struct lineage *l, const struct oid *key, struct lin_datum **ret, struct err *err)
{
	struct lin_datum *d;
	struct oid id;
	void **slot;
	int rc;

	node_id(&id, "datum", "", "", key);
	slot = memo(l, &id);
	if ((*ret = *slot))
		return 0;
	*slot = *ret = d = arena_alloc(&l->a, sizeof *d);
	d->key = *key;
	d->r = (struct result)RESULT_INIT;
	GROW(l->datum, l->n_datum, l->cap_datum);
	l->datum[l->n_datum++] = d;
	if ((rc = jobset_result(l->q, &l->a, key, NULL, &d->r, err)) < 0)
		return -1;
	d->have = rc == 1;
	if (!d->have)
		return 0;
	d->n_input = d->r.n_input;
	d->input = arena_alloc(&l->a, (d->n_input + 1) * sizeof *d->input);
	for (size_t i = 0; i < d->n_input; i++)
		d->input[i].in = &d->r.input[i];
	return get_step(l, d->r.job, &d->step, err);
}

static const struct newest *
newest_of(struct lineage *l, const char *pipeline, struct err *err)
{
	struct lin_pipeline *p = l->pipeline;

	while (p && strcmp(p->name, pipeline) != 0)
		p = p->next;
	if (!p) {
		p = arena_alloc(&l->a, sizeof *p);
		*p = (struct lin_pipeline){ l->pipeline, arena_str(&l->a, pipeline), NEWEST_INIT };
		l->pipeline = p;
		if (newest_read(&p->newest, pipeline, err) < 0)
			return NULL;
	}
	return &p->newest;
}

const struct manifest *
lineage_manifest(struct lineage *l, const struct oid *commit)
{
	struct lin_commit *c = l->commit;
	struct err gone = ERR_INIT;

	while (c && !oid_eq(&c->id, commit))
		c = c->next;
	if (!c) {
		c = arena_alloc(&l->a, sizeof *c);
		*c = (struct lin_commit){ l->commit, *commit, MANIFEST_INIT, false };
		l->commit = c;
		c->have = manifest_load(&c->m, commit, &gone) == 0;
	}
	return c->have ? &c->m : NULL;
}

const struct fetched_file *
lineage_fetched(struct lineage *l, const struct lin_file *f, struct buf *ret_url)
{
	struct err ignored = ERR_INIT;
	struct lin_fetched *o = l->fetched;
	const struct fetched_file *one;

	if (!f->dir || !strstr(f->dir, "://") || !f->has_commit)
		return NULL;
	while (o && (strcmp(o->repo, f->repo) || !oid_eq(&o->commit, &f->commit)))
		o = o->next;
	if (!o) {
		o = arena_alloc(&l->a, sizeof *o);
		*o = (struct lin_fetched){ l->fetched, f->repo, f->commit, FETCHED_INIT };
		l->fetched = o;
		fetched_read(&o->o, f->repo, &f->commit, &ignored);
	}
	one = fetched_find(&o->o, f->path);
	if (one)
		fetched_url(ret_url, &o->o, one);
	return one;
}

static void
add_writer(struct lineage *l, struct lin_file *f, struct lin_datum *d)
{
	struct lin_datum **v;

	for (size_t i = 0; i < f->n_by; i++)
		if (f->by[i] == d)
			return;
	if ((f->n_by & (f->n_by - 1)) == 0) {
		v = arena_alloc(&l->a, (f->n_by ? f->n_by * 2 : 1) * sizeof *v);
		if (f->n_by > 0)
			memcpy(v, f->by, f->n_by * sizeof *v);
		f->by = v;
	}
	f->by[f->n_by++] = d;
}

static uint64_t
ended(const struct lin_datum *d)
{
	return d->have && d->r.n_attempt > 0 ? d->r.attempt[d->r.n_attempt - 1].ended : 0;
}

/* Whoever wrote the path in the newest output: if that is the commit in question, or has the same content there and
 * is not younger than the reader. */
static int
writers_now(struct lineage *l, struct lin_file *f, const struct newest *now, struct err *err)
{
	const struct manifest *m = now->job.job ? lineage_manifest(l, &now->job.commit) : NULL;
	const struct entry *e = m ? manifest_find(m, f->path) : NULL;
	bool same_commit = f->has_commit && oid_eq(&f->commit, &now->job.commit);
	const struct job_part *part;
	size_t n = e ? newest_writers(now, (size_t)(e - m->v), &part) : 0;

	for (size_t i = 0; i < n; i++) {
		struct lin_datum *d;
		struct oid key;

		if (!same_commit && !oid_eq(part[i].kind ? &part[i].id : &e->id, &f->id))
			continue;
		if (!newest_key(now, part[i].number, &key))
			continue;
		if (lineage_datum(l, &key, &d, err) < 0)
			return -1;
		if (same_commit || !f->before || ended(d) <= f->before)
			add_writer(l, f, d);
	}
	return 0;
}

/* Out of the index: the youngest that is not younger than the reader. Parts of a concatenation have other contents than
 * the whole: of each datum of that path, then, the youngest. */
static int
writers_then(struct lineage *l, struct lin_file *f, bool parts, struct err *err)
{
	struct oid *key;
	size_t n;

	if (query_writers(l->q, &l->a, f->repo, f->path, parts ? NULL : &f->id, &key, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && (parts || f->n_by == 0); i++) {
		struct lin_datum *d;
		bool have = false;

		if (lineage_datum(l, &key[i], &d, err) < 0)
			return -1;
		for (size_t k = 0; k < f->n_by && !have; k++)
			have = d->have && strcmp(f->by[k]->r.label, d->r.label) == 0;
		if (d->have && !have && (!f->before || ended(d) <= f->before))
			add_writer(l, f, d);
	}
	return 0;
}

int
lineage_writers(struct lineage *l, struct lin_file *f, struct err *err)
{
	const struct newest *now;

	if (f->resolved || f->dir)
		return 0;
	f->resolved = true;
	if (!(now = newest_of(l, f->repo, err)) || writers_now(l, f, now, err) < 0)
		return -1;
	if (f->n_by == 0 && writers_then(l, f, false, err) < 0)
		return -1;
	return f->n_by == 0 ? writers_then(l, f, true, err) : 0;
}

/* The commit of a repo that the datum's job read; of the newest one where nobody recorded it. */
static bool
commit_read(struct lineage *l, const struct lin_datum *d, const char *repo, struct oid *ret)
{
	struct ref ref = REF_INIT;
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	int rc;

	for (size_t i = 0; d->step && i < d->step->n_input; i++)
		if (strcmp(d->step->input[i].repo, repo) == 0) {
			*ret = d->step->input[i].commit;
			return true;
		}
	rc = ref_read(layout_ref(path, repo), &ref, &ignored);
	*ret = ref.id;
	ref_release(&ref);
	(void)l;
	return rc == 1;
}

static bool
dir_fits(const struct manifest *m, size_t lo, size_t hi, const struct oid *id)
{
	struct oid got;

	key_dir_hash(m, lo, hi, &got);
	return oid_eq(&got, id);
}

int
lineage_files(struct lineage *l, struct lin_datum *d, struct lin_input *in, struct err *err)
{
	const struct result_input *r = in->in;
	uint64_t began = d->r.n_attempt > 0 ? d->r.attempt[0].started : 0;
	const struct manifest *m;
	struct oid commit;
	bool known;
	size_t lo = 0, hi = 0;

	(void)err;
	if (in->resolved)
		return 0;
	in->resolved = true;
	known = commit_read(l, d, r->repo, &commit);
	m = known ? lineage_manifest(l, &commit) : NULL;
	if (r->kind != 'd') {
		const struct entry *e = m ? manifest_find(m, r->path) : NULL;

		in->n_file = 1;
		in->file = arena_alloc(&l->a, sizeof *in->file);
		in->file[0] = lineage_file(l, r->repo, r->path, &r->id, e && oid_eq(&e->id, &r->id) ? &commit : NULL, began);
		return 0;
	}
	if (m && r->path[0])
		manifest_below(m, r->path, &lo, &hi);
	else if (m)
		hi = m->n;
	in->lost = !m || !dir_fits(m, lo, hi, &r->id);
	if (in->lost)
		return 0;
	in->n_file = hi - lo;
	in->file = arena_alloc(&l->a, (hi - lo + 1) * sizeof *in->file);
	for (size_t i = lo; i < hi; i++)
		in->file[i - lo] = lineage_file(l, r->repo, m->v[i].path, &m->v[i].id, &commit, began);
	return 0;
}
