/* plan.c: the verb `plan`: which datums a job has and which of them have no result yet.
 *
 * It reads what the stage froze in P.open, so that a ref that moves meanwhile changes nothing.  A datum that the newest
 * successful job had needs not even a look at the disk, and jobs mostly have the same datums in the same order: so the
 * next one of that job is tried before any search, and the list of all names only stretches of that job and what is new.
 * A datum that is new costs 48 bytes until the list is written (its head says how many are missing). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/forced.h"
#include "../base/jobfile.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/spool.h"
#include "../base/talk.h"
#include "datums.h"
#include "keyset.h"
#include "planmk.h"
#include "times.h"
#include "verbs.h"

/* A stretch of the last job's datums, or one that is not in it (old KEYSET_NONE). */
struct piece { struct oid key; uint32_t old, n, datum; };

struct old { struct oid key; bool taken; };

struct planner {
	const char *pipeline;
	unsigned slots, max;
	bool dry, unbound;
	bool all;                   /* every datum, its result or not; nothing but the plan is written */
	const char *from;           /* P.FROM is planned from */
	struct arena arena;
	struct open_job open;
	struct conf conf;
	struct manifest *m;         /* of each input of open */
	struct datums *datums;
	struct plan_head head;
	const char **join_name, **group_name;   /* of each input: the variables for what it was joined and grouped on */
	struct plan_datum one;      /* the datum at hand */
	struct buf label;
	struct jobfile last;
	struct old *old;            /* its datums */
	uint32_t next;              /* the one of them that probably comes next */
	struct keyset old_keys, new_keys;
	struct piece *v;            /* the job's datums, each key once */
	size_t n_v, cap;
	size_t n;                   /* datums in all */
	struct planmk_datum *missing;
	size_t n_missing, cap_missing;
	struct times times;
};

static int
check_spec(struct planner *p, struct err *err)
{
	struct oid now;

	spec_hash(&p->open.step, &p->conf.decides, &now);
	if (!p->conf.input) {
		err_set(err, 0, "pipeline '%s' has no input", p->pipeline);
		return -2;
	}
	if (oid_eq(&now, &p->open.spec))
		return 0;
	err_set(err, 0, "the spec of '%s' changed while make was running; run make again", p->pipeline);
	return -2;
}

static int
load(struct planner *p, struct err *err)
{
	struct datums_repo *repo;
	int rc = open_job_read_as(&p->open, p->pipeline, p->from, err);

	if (rc == 0)
		return err_set(err, 0, "pipeline '%s' has no job under way; 'dassie stage' begins one", p->pipeline);
	if (rc < 0 || conf_read(&p->conf, p->pipeline, err) < 0 || forced_conf(&p->conf, err) < 0)
		return -1;
	rc = check_spec(p, err);
	if (rc < 0)
		return rc;
	p->m = arena_alloc(&p->arena, p->open.n_input * sizeof *p->m);
	repo = arena_alloc(&p->arena, p->open.n_input * sizeof *repo);
	for (size_t i = 0; i < p->open.n_input; i++) {
		repo[i] = (struct datums_repo){ p->open.input[i].repo, &p->m[i] };
		if (manifest_load(&p->m[i], &p->open.input[i].commit, err) < 0)
			return err_wrap(err, "input repo '%s'", p->open.input[i].repo);
	}
	return datums_new(&p->datums, p->conf.input, repo, p->open.n_input, err);
}

static void
set_head(struct planner *p)
{
	const struct datums_input *in;
	struct plan_head *h = &p->head;

	h->pipeline = p->pipeline;
	h->job = p->open.job;
	h->run = p->open.run;
	h->script = p->conf.script ? p->conf.script : "";
	h->salt = p->conf.salt ? p->conf.salt : "";
	if (p->conf.every_job)
		h->salt = arena_fmt(&p->arena, "%s %s", h->salt, p->open.job);
	h->step = p->open.step;
	h->tries = p->conf.tries;
	h->retry = p->conf.retry;
	h->limits = p->conf.limits;
	h->secrets = p->conf.secrets;
	if (h->limits.cpu > p->slots)
		h->limits.cpu = p->slots;
	h->err_script = p->conf.err_script;
	h->user = p->conf.user;
	h->runtime = p->conf.runtime;
	h->image = p->conf.image;
	h->sandbox = p->conf.sandbox;
	h->working_dir = p->conf.working_dir;
	h->timeout = p->conf.timeout_ns;
	h->accept = p->conf.accept;
	h->n_accept = p->conf.n_accept;
	h->code = p->open.code;
	h->n_code = p->open.n_code;
	h->n_input = datums_inputs(p->datums, &in);
	h->input = arena_alloc(&p->arena, h->n_input * sizeof *h->input);
	p->join_name = arena_alloc(&p->arena, h->n_input * sizeof *p->join_name);
	p->group_name = arena_alloc(&p->arena, h->n_input * sizeof *p->group_name);
	for (size_t i = 0; i < h->n_input; i++) {
		const struct open_input *o = p->open.input;

		while (strcmp(o->repo, in[i].repo))
			o++;
		h->input[i] = (struct plan_input){ in[i].name, o->repo, o->dir, o->commit, o->asof };
		p->join_name[i] = arena_fmt(&p->arena, "PACH_DATUM_%s_JOIN_ON", in[i].name);
		p->group_name[i] = arena_fmt(&p->arena, "PACH_DATUM_%s_GROUP_BY", in[i].name);
	}
}

static void
add_var(struct plan_datum *d, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	GROW(d->var, d->n_var, d->cap_var);
	d->var[d->n_var++] = (struct plan_var){ name, value };
}

/* A named capture is a variable.  Two inputs may have one of the same name: joined on it, they have the same value. */
static int
add_capture(struct planner *p, const struct dmatch *m, const struct dvar *v, struct err *err)
{
	struct plan_datum *d = &p->one;

	for (size_t i = 0; i < d->n_var; i++) {
		if (strcmp(d->var[i].name, v->name) != 0)
			continue;
		if (strcmp(d->var[i].value, v->value) == 0)
			return 0;
		err_set(err, 0, "two inputs capture '%s', and in one datum it is '%s' and '%s' (%s:/%s): give one another name", v->name, d->var[i].value,
		    v->value, p->head.input[m->input].name, m->path);
		return -2;
	}
	GROW(d->var, d->n_var, d->cap_var);
	d->var[d->n_var++] = (struct plan_var){ v->name, v->value };
	return 0;
}

/* Captured values that the command sees: of several files of one input the last one's, as Pachyderm does it. */
static int
set_vars(struct planner *p, const struct dmatch *const *m, size_t n, struct err *err)
{
	p->one.n_var = 0;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && m[i + 1]->input == m[i]->input)
			continue;
		add_var(&p->one, p->join_name[m[i]->input], m[i]->join_on);
		add_var(&p->one, p->group_name[m[i]->input], m[i]->group_by);
		for (unsigned k = 0; k < m[i]->n_var; k++)
			if (add_capture(p, m[i], &m[i]->var[k], err) < 0)
				return -2;
	}
	return 0;
}

/* "books:/hamlet.txt", "a:/x b:/dir/"; of a large group the first few. */
static const char *
label(struct planner *p, const struct dmatch *const *m, size_t n)
{
	enum { FEW = 8 };
	struct buf *b = &p->label;

	buf_reset(b);
	for (size_t i = 0; i < n && i < FEW; i++) {
		if (i)
			buf_byte(b, ' ');
		buf_str(b, p->head.input[m[i]->input].name);
		buf_str(b, ":/");
		buf_str(b, m[i]->path);
		if (m[i]->kind == 'd' && m[i]->path[0])
			buf_byte(b, '/');
	}
	if (n > FEW)
		buf_fmt(b, " and %zu more", n - FEW);
	return b->s;
}

static void
set_matches(struct planner *p, const struct dmatch *const *m, size_t n)
{
	struct plan_datum *d = &p->one;

	d->n_match = 0;
	for (size_t i = 0; i < n; i++) {
		GROW(d->match, d->n_match, d->cap_match);
		d->match[d->n_match++] = (struct plan_match){ m[i]->input, m[i]->kind, m[i]->empty, m[i]->path, *m[i]->id, m[i]->size };
	}
}

static bool
has_result(const struct oid *key)
{
	char path[LAYOUT_MAX];

	return access(layout_datum(path, key), F_OK) == 0;
}

static int
add_missing(struct planner *p, struct spool *plan, const struct dmatch *const *m, size_t n, struct err *err)
{
	GROW(p->missing, p->n_missing, p->cap_missing);
	p->missing[p->n_missing] = (struct planmk_datum){ .key = p->one.key, .at = spool_at(plan) };
	p->n_missing++;
	if (p->dry)
		return 0;
	p->one.label = label(p, m, n);
	p->missing[p->n_missing - 1].ms = times_of(&p->times, p->one.label);
	plan_datum_write(&plan->b, &p->one);
	return spool_step(plan, err);
}

static void
read_last(struct planner *p)
{
	p->old = xmalloc(p->last.n_datum * sizeof *p->old);
	for (size_t i = 0; i < p->last.n_datum; i++) {
		jobfile_key(&p->last, i, &p->old[i].key);
		p->old[i].taken = false;
	}
	keyset_init(&p->new_keys, sizeof *p->v, 0);
}

/* Its place in the last job, or KEYSET_NONE.  The set of all its keys is made for the first one that has to be searched. */
static uint32_t
find_old(struct planner *p, const struct oid *key)
{
	uint32_t n = (uint32_t)p->last.n_datum, i = p->next;

	if (i == n || !oid_eq(&p->old[i].key, key)) {
		if (!p->old_keys.slot) {
			keyset_init(&p->old_keys, sizeof *p->old, n);
			for (uint32_t k = 0; k < n; k++)
				keyset_add(&p->old_keys, p->old, k);
		}
		i = keyset_find(&p->old_keys, p->old, key);
	}
	if (i != KEYSET_NONE)
		p->next = i + 1;
	return i;
}

static void
take_old(struct planner *p, uint32_t i)
{
	struct piece *at = p->n_v ? &p->v[p->n_v - 1] : NULL;

	if (p->old[i].taken)
		return;
	p->old[i].taken = true;
	p->n++;
	if (at && at->old != KEYSET_NONE && at->old + at->n == i) {
		at->n++;
		return;
	}
	GROW(p->v, p->n_v, p->cap);
	p->v[p->n_v++] = (struct piece){ .old = i, .n = 1 };
}

/* A datum: is it new to this job, to the last one, to the disk? */
static int
look_at(struct planner *p, uint32_t i, struct spool *plan, struct err *err)
{
	const struct dmatch *const *m;
	size_t n = datums_get(p->datums, i, &m);
	struct oid *key = &p->one.key;
	uint32_t old;

	set_matches(p, m, n);
	if (set_vars(p, m, n, err) < 0)
		return -2;
	plan_datum_key(&p->head, &p->one, key);
	old = find_old(p, key);
	if (old != KEYSET_NONE) {
		take_old(p, old);
		return 0;
	}
	if (keyset_find(&p->new_keys, p->v, key) != KEYSET_NONE)
		return 0;
	p->n++;
	GROW(p->v, p->n_v, p->cap);
	p->v[p->n_v] = (struct piece){ *key, KEYSET_NONE, 1, i };
	keyset_add(&p->new_keys, p->v, (uint32_t)p->n_v++);
	return has_result(key) && !p->all ? 0 : add_missing(p, plan, m, n, err);
}

static int
make_plan(struct planner *p, struct err *err)
{
	uint64_t count = datums_count(p->datums);
	struct spool plan = SPOOL_INIT;
	char path[LAYOUT_MAX];
	int rc = 0;

	if (count > UINT32_MAX - 1) {
		err_set(err, 0, "pipeline '%s' has %llu datums, more than %u", p->pipeline, (unsigned long long)count, UINT32_MAX - 1);
		return -2;
	}
	if (!p->dry) {
		rc = spool_open(&plan, layout_plan(path, p->pipeline, p->open.job), err);
		plan_head_write(&plan.b, &p->head);
	}
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = look_at(p, i, &plan, err);
	if (rc == 0 && !p->dry)
		rc = spool_commit(&plan, path, err);
	spool_release(&plan);
	return rc;
}

static void
put_piece(struct planner *p, struct buf *b, const struct piece *at)
{
	const struct dmatch *const *m;
	size_t n;

	if (at->old != KEYSET_NONE) {
		rec_word(b, "same");
		rec_u64(b, at->old);
		rec_u64(b, at->n);
	} else {
		n = datums_get(p->datums, at->datum, &m);
		rec_word(b, "datum");
		rec_oid(b, &at->key);
		rec_str(b, label(p, m, n));
	}
	rec_end(b);
}

static int
put_set(struct planner *p, struct spool *set, struct err *err)
{
	struct buf *b = &set->b;

	rec_head(b, "set", 2);
	buf_fmt(b, "total %zu\nmissing %zu\n", p->n, p->n_missing);
	rec_word(b, "last");
	rec_str(b, p->last.job ? p->last.job : "-");
	rec_end(b);
	for (size_t i = 0; i < p->n_v; i++) {
		put_piece(p, b, &p->v[i]);
		if (spool_step(set, err) < 0)
			return -1;
	}
	return 0;
}

static int
make_set(struct planner *p, struct err *err)
{
	struct spool set = SPOOL_INIT;
	struct buf suffix = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	buf_fmt(&suffix, "%s.set", p->open.job);
	rc = spool_open(&set, layout_plan(path, p->pipeline, suffix.s), err);
	if (rc == 0)
		rc = put_set(p, &set, err);
	if (rc == 0)
		rc = spool_commit(&set, path, err);
	spool_release(&set);
	buf_release(&suffix);
	return rc;
}

/* Tokens of make bound what runs as well, where they are fewer; not who waits for a pool that others have emptied. */
static unsigned
lanes_of(const struct planner *p)
{
	const struct limits *l = &p->head.limits;
	unsigned n = limits_lanes(l);

	return n && (l->n_pool || p->unbound || n < p->slots) ? n : 0;
}

static int
make_mk(struct planner *p, struct err *err)
{
	unsigned lanes = lanes_of(p);
	bool one_hand = p->slots == 1 && !p->unbound;
	struct planmk mk = { p->pipeline, p->open.job, p->n, p->slots, p->max, lanes, p->head.tries > 1 && (lanes || one_hand), p->missing,
		p->n_missing };

	return planmk_write(&mk, err);
}

static int
plan(struct planner *p, struct err *err)
{
	int rc = load(p, err);

	if (rc < 0)
		return rc;
	set_head(p);
	/* With a salt of its own the job shares no key with the last one. */
	if (!p->conf.every_job && !p->all && jobfile_read(&p->last, p->pipeline, err) < 0)
		return -1;
	read_last(p);
	if (!p->dry)
		times_read(&p->times, p->pipeline);
	rc = make_plan(p, err);
	if (rc == 0 && !p->dry && !p->all)
		rc = make_set(p, err);
	/* The sub-make's file comes last: where it is, the others are. */
	if (rc == 0 && !p->dry && !p->all)
		rc = make_mk(p, err);
	return rc;
}

static void
planner_release(struct planner *p)
{
	datums_free(p->datums);
	for (size_t i = 0; p->m && i < p->open.n_input; i++)
		manifest_release(&p->m[i]);
	keyset_release(&p->old_keys);
	keyset_release(&p->new_keys);
	free(p->old);
	jobfile_release(&p->last);
	plan_datum_release(&p->one);
	buf_release(&p->label);
	free(p->v);
	free(p->missing);
	times_release(&p->times);
	conf_release(&p->conf);
	open_job_release(&p->open);
	arena_release(&p->arena);
}

/* "--NAME=N" with N from 1 on. */
static bool
number(const char *arg, const char *name, unsigned *ret)
{
	size_t n = strlen(name);
	char *end;
	unsigned long v;

	if (strncmp(arg, name, n) || arg[n] < '0' || arg[n] > '9')
		return false;
	v = strtoul(arg + n, &end, 10);
	if (*end || v < 1 || v > 1000000)
		return false;
	*ret = (unsigned)v;
	return true;
}

static bool
arguments(struct planner *p, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dry") == 0)
			p->dry = true;
		else if (strcmp(argv[i], "--unbound") == 0)
			p->unbound = true;
		else if (strcmp(argv[i], "--all") == 0)
			p->all = true;
		else if (strncmp(argv[i], "--open=", 7) == 0)
			p->from = argv[i] + 7;
		else if (argv[i][0] != '-' && !p->pipeline)
			p->pipeline = argv[i];
		else if (!number(argv[i], "--slots=", &p->slots) && !number(argv[i], "--chunk=", &p->max))
			return false;
	}
	return p->pipeline && layout_name_ok(p->pipeline);
}

int
verb_plan(int argc, char **argv)
{
	struct planner p = { .from = "open", .slots = 1, .max = 256 };
	struct err err = ERR_INIT;
	int rc;

	if (!arguments(&p, argc, argv)) {
		talk("usage: dassie plan PIPELINE [--slots=N] [--chunk=MAX] [--unbound] [--dry] [--all] [--open=SUFFIX]");
		return EXIT_USAGE;
	}
	rc = plan(&p, &err);
	if (rc == 0 && p.dry)
		printf("total %zu\nmissing %zu\n", p.n, p.n_missing);
	planner_release(&p);
	if (rc == 0)
		return talk_done(EXIT_DONE);
	talk_err(&err);
	return rc == -2 ? EXIT_FAILED : EXIT_WORLD;
}
