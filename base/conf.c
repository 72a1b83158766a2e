/* conf.c: one function a line, in the order of the file; the tree of inputs is written and read in prefix order.
 * What enters the spec hash is hashed as it is written, so the two cannot drift apart. */
#include "conf.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "layout.h"
#include "rec.h"

enum { VERSION = 1, MAX_DEPTH = 64 };

static const char *const kind_word[] = { "pfs", "cron", "cross", "union", "join", "group" };

static const char *
text(const char *s)
{
	return s ? s : "";
}

static void
line_str(struct buf *b, const char *word, const char *value)
{
	rec_word(b, word);
	rec_str(b, text(value));
	rec_end(b);
}

static void
line_u64(struct buf *b, const char *word, uint64_t v)
{
	rec_word(b, word);
	rec_u64(b, v);
	rec_end(b);
}

static void
strs(struct buf *b, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rec_str(b, text(v[i]));
}

static void
write_input(struct buf *b, const struct conf_input *in)
{
	rec_word(b, "input");
	rec_str(b, kind_word[in->kind]);
	if (in->kind == CONF_PFS) {
		strs(b, (const char *const[]){ in->name, in->repo, in->branch, in->glob, in->join_on, in->group_by }, 6);
		rec_u64(b, in->outer);
		rec_u64(b, in->lazy);
		rec_u64(b, in->empty);
		rec_str(b, text(in->trigger));
		if (in->match && *in->match)
			rec_str(b, in->match);
	} else if (in->kind == CONF_CRON) {
		strs(b, (const char *const[]){ in->name, in->repo, in->spec, in->start }, 4);
		rec_u64(b, in->overwrite);
		strs(b, (const char *const[]){ in->tz, in->missed, in->overlap, in->jitter }, 4);
	} else {
		rec_u64(b, in->n_kids);
	}
	rec_end(b);
	for (size_t i = 0; i < in->n_kids; i++)
		write_input(b, &in->kids[i]);
}

void
conf_write_schedule(struct buf *b, const struct conf_schedule *s)
{
	if (!s->spec)
		return;
	rec_word(b, "schedule");
	strs(b, (const char *const[]){ s->spec, s->tz, s->missed, s->overlap, s->jitter }, 5);
	rec_end(b);
}

static void
write_deciding(struct buf *b, const struct conf *c)
{
	line_str(b, "salt", c->salt);
	line_str(b, "merge", c->concat ? "concat" : "error");
	line_u64(b, "every_job", c->every_job);
	line_str(b, "branch", c->branch);
	if (c->input)
		write_input(b, c->input);
}

static void
write_code(struct buf *b, const struct conf_code *code, size_t n)
{
	for (size_t i = 0; i < n; i++)
		line_str(b, code[i].declared ? "code" : "found", code[i].path);
}

static void
line_set(struct buf *b, const char *word, const struct conf_set *set)
{
	rec_word(b, word);
	rec_str(b, set->key);
	rec_str(b, set->value);
	rec_end(b);
}

static void
write_limits(struct buf *b, const struct conf *c)
{
	line_u64(b, "tries", c->tries);
	retry_write(b, &c->retry);
	limits_write(b, &c->limits);
	secret_uses_write(b, &c->secrets);
	if (c->err_script)
		line_str(b, "err_script", c->err_script);
	if (c->user)
		line_str(b, "user", c->user);
	if (c->runtime)
		line_set(b, "container", &(struct conf_set){ c->runtime, c->image });
	if (c->sandbox)
		line_str(b, "sandbox", c->sandbox);
	if (c->sandbox && c->working_dir)
		line_str(b, "working_dir", c->working_dir);
	rec_word(b, "accept");
	for (size_t i = 0; i < c->n_accept; i++)
		rec_i64(b, c->accept[i]);
	rec_end(b);
	line_u64(b, "timeout", c->timeout_ns);
	line_u64(b, "job_timeout", c->job_timeout_ns);
}

static void
write_egress(struct buf *b, struct conf *c)
{
	size_t from = b->n;

	for (size_t i = 0; i < c->n_egress; i++) {
		line_str(b, "egress", c->egress[i].url);
		for (size_t k = 0; k < c->egress[i].n_with; k++)
			line_set(b, "with", &c->egress[i].with[k]);
	}
	sha256_bytes(b->s + from, b->n - from, &c->egress_id);
}

void
conf_write(struct buf *b, struct conf *c)
{
	struct buf deciding = BUF_INIT;

	write_deciding(&deciding, c);
	sha256_bytes(deciding.s, deciding.n, &c->decides);
	rec_head(b, "conf", VERSION);
	line_str(b, "pipeline", c->pipeline);
	line_str(b, "description", c->description);
	line_str(b, "script", c->script);
	rec_word(b, "decides");
	rec_oid(b, &c->decides);
	rec_end(b);
	buf_add(b, deciding.s, deciding.n);
	write_limits(b, c);
	write_code(b, c->code, c->n_code);
	write_egress(b, c);
	conf_write_schedule(b, &c->schedule);
	for (size_t i = 0; i < c->n_set; i++)
		line_set(b, "set", &c->set[i]);
	line_str(b, "spec", c->spec);
	rec_seal(b);
	buf_release(&deciding);
}

static bool
flag(const struct rec *r, size_t i)
{
	return i < r->n && strcmp(r->f[i], "1") == 0;
}

static const char *
keep(struct arena *a, const struct rec *r, size_t i)
{
	return i < r->n ? arena_dup(a, r->f[i], r->len[i]) : "";
}

bool
conf_read_schedule(struct arena *a, const struct rec *r, struct conf_schedule *ret)
{
	if (!rec_is(r, "schedule", 6))
		return false;
	*ret = (struct conf_schedule){ keep(a, r, 1), keep(a, r, 2), keep(a, r, 3), keep(a, r, 4), keep(a, r, 5) };
	return true;
}

static void
read_leaf(struct arena *a, struct conf_input *in, const struct rec *r)
{
	in->name = keep(a, r, 2);
	in->repo = keep(a, r, 3);
	if (in->kind == CONF_PFS) {
		in->branch = keep(a, r, 4);
		in->glob = keep(a, r, 5);
		in->join_on = keep(a, r, 6);
		in->group_by = keep(a, r, 7);
		in->outer = flag(r, 8);
		in->lazy = flag(r, 9);
		in->empty = flag(r, 10);
		in->trigger = keep(a, r, 11);
		in->match = keep(a, r, 12);
	} else {
		in->spec = keep(a, r, 4);
		in->start = keep(a, r, 5);
		in->overwrite = flag(r, 6);
		in->tz = keep(a, r, 7);
		in->missed = keep(a, r, 8);
		in->overlap = keep(a, r, 9);
		in->jitter = keep(a, r, 10);
	}
}

static bool
read_input(struct arena *a, struct conf_input *in, const struct rec *r, struct recfile *f, unsigned depth)
{
	struct rec kid;
	uint64_t n;
	size_t k = 0;

	while (k < sizeof kind_word / sizeof *kind_word && strcmp(r->f[1], kind_word[k]))
		k++;
	if (k == sizeof kind_word / sizeof *kind_word || depth > MAX_DEPTH)
		return false;
	in->kind = (enum conf_kind)k;
	if (in->kind == CONF_PFS || in->kind == CONF_CRON) {
		read_leaf(a, in, r);
		return true;
	}
	if (!rec_get_u64(r, 2, &n) || n > 100000)
		return false;
	in->kids = arena_alloc(a, n * sizeof *in->kids);
	in->n_kids = n;
	for (size_t i = 0; i < n; i++)
		if (!recfile_next(f, &kid) || !rec_is(&kid, "input", 3) || !read_input(a, &in->kids[i], &kid, f, depth + 1))
			return false;
	return true;
}

/* Arrays grow on the heap while reading and move into the arena at the end: see settle(). */
struct growing {
	struct conf_code *code; size_t cap_code;
	struct conf_egress *egress; size_t cap_egress;
	struct conf_set *with; size_t n_with, cap_with;     /* of the last egress */
	struct conf_set *set; size_t cap_set;
	int *accept;
};

static void *
settle_one(struct arena *a, void *v, size_t n, size_t size)
{
	void *p = NULL;

	if (n) {
		p = arena_alloc(a, n * size);
		memcpy(p, v, n * size);
	}
	free(v);
	return p;
}

static bool
read_number(struct conf *c, const struct rec *r)
{
	uint64_t v;

	if (!rec_get_u64(r, 1, &v))
		return false;
	if (rec_is(r, "tries", 2))
		c->tries = (unsigned)v;
	else if (rec_is(r, "timeout", 2))
		c->timeout_ns = v;
	else if (rec_is(r, "job_timeout", 2))
		c->job_timeout_ns = v;
	else if (rec_is(r, "every_job", 2))
		c->every_job = v != 0;
	return true;
}

static bool
read_text(struct conf *c, const struct rec *r)
{
	static const char *const words[] = { "pipeline", "description", "script", "salt", "branch", "spec", "err_script", "user", "sandbox",
		"working_dir" };
	const char **to[] = { &c->pipeline, &c->description, &c->script, &c->salt, &c->branch, &c->spec, &c->err_script, &c->user,
		&c->sandbox, &c->working_dir };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (rec_is(r, words[i], 2)) {
			*to[i] = keep(&c->arena, r, 1);
			return true;
		}
	return false;
}

/* An egress ends where another one begins, and at the end of the file. */
static void
end_egress(struct conf *c, struct growing *g)
{
	if (c->n_egress) {
		g->egress[c->n_egress - 1].with = settle_one(&c->arena, g->with, g->n_with, sizeof *g->with);
		g->egress[c->n_egress - 1].n_with = g->n_with;
	} else {
		free(g->with);
	}
	g->with = NULL;
	g->n_with = g->cap_with = 0;
}

static bool
read_list(struct conf *c, struct growing *g, const struct rec *r)
{
	if (rec_is(r, "code", 2) || rec_is(r, "found", 2)) {
		GROW(g->code, c->n_code, g->cap_code);
		g->code[c->n_code++] = (struct conf_code){ keep(&c->arena, r, 1), r->f[0][0] == 'c' };
	} else if (rec_is(r, "egress", 2)) {
		end_egress(c, g);
		GROW(g->egress, c->n_egress, g->cap_egress);
		g->egress[c->n_egress++] = (struct conf_egress){ .url = keep(&c->arena, r, 1) };
	} else if (rec_is(r, "with", 3)) {
		GROW(g->with, g->n_with, g->cap_with);
		g->with[g->n_with++] = (struct conf_set){ keep(&c->arena, r, 1), keep(&c->arena, r, 2) };
	} else if (rec_is(r, "set", 3)) {
		GROW(g->set, c->n_set, g->cap_set);
		g->set[c->n_set++] = (struct conf_set){ keep(&c->arena, r, 1), keep(&c->arena, r, 2) };
	} else {
		return false;
	}
	return true;
}

static bool
read_line(struct conf *c, struct growing *g, const struct rec *r, struct recfile *f)
{
	int taken = retry_read(&c->retry, &c->arena, r);

	if (!taken)
		taken = limits_read(&c->limits, &c->arena, r);
	if (!taken)
		taken = secret_uses_read(&c->secrets, &c->arena, r);
	if (taken)
		return taken > 0;
	if (read_text(c, r) || read_list(c, g, r) || conf_read_schedule(&c->arena, r, &c->schedule))
		return true;
	if (rec_is(r, "decides", 2))
		return rec_get_oid(r, 1, &c->decides);
	if (rec_is(r, "container", 3)) {
		c->runtime = keep(&c->arena, r, 1);
		c->image = keep(&c->arena, r, 2);
		return true;
	}
	if (rec_is(r, "merge", 2)) {
		c->concat = strcmp(r->f[1], "concat") == 0;
		return true;
	}
	if (rec_is(r, "accept", 1))
		return rec_get_ints(r, 1, 255, &g->accept, &c->n_accept);
	if (rec_is(r, "input", 3)) {
		c->input = arena_alloc(&c->arena, sizeof *c->input);
		return read_input(&c->arena, c->input, r, f, 0);
	}
	return read_number(c, r);
}

int
conf_read(struct conf *c, const char *pipeline, struct err *err)
{
	struct growing g = { 0 };
	char path[LAYOUT_MAX];
	struct recfile f;
	struct rec r;
	bool ok = true;
	int rc;

	*c = (struct conf)CONF_INIT;
	rc = recfile_open_sealed(&f, layout_conf(path, pipeline), "conf", VERSION, err);
	if (rc == 0)
		return err_set(err, 0, "there is no pipeline '%s' ('%s' is not there); 'dassie compile' makes it from the spec",
		    pipeline, path);
	if (rc < 0)
		return err_wrap(err, "'dassie compile' makes it again");
	while (ok && recfile_next(&f, &r))
		ok = read_line(c, &g, &r, &f);
	c->code = settle_one(&c->arena, g.code, c->n_code, sizeof *g.code);
	end_egress(c, &g);
	c->egress = settle_one(&c->arena, g.egress, c->n_egress, sizeof *g.egress);
	c->set = settle_one(&c->arena, g.set, c->n_set, sizeof *g.set);
	c->accept = settle_one(&c->arena, g.accept, c->n_accept, sizeof *g.accept);
	recfile_release(&f);
	if (ok)
		return 0;
	conf_release(c);
	return err_set(err, 0, "'%s' is malformed; 'dassie compile' makes it again", path);
}

void
conf_release(struct conf *c)
{
	retry_release(&c->retry);
	limits_release(&c->limits);
	secret_uses_release(&c->secrets);
	arena_release(&c->arena);
	*c = (struct conf)CONF_INIT;
}

static void
gather(const struct conf_input *in, const char **v, size_t *n)
{
	if (in->kind == CONF_PFS || in->kind == CONF_CRON) {
		if (v)
			v[*n] = in->repo;
		++*n;
	}
	for (size_t i = 0; i < in->n_kids; i++)
		gather(&in->kids[i], v, n);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t
conf_repos(struct conf *c, const char ***ret)
{
	const char **v;
	size_t n = 0, out = 0;

	*ret = NULL;
	if (!c->input)
		return 0;
	gather(c->input, NULL, &n);
	v = arena_alloc(&c->arena, (n ? n : 1) * sizeof *v);
	n = 0;
	gather(c->input, v, &n);
	qsort(v, n, sizeof *v, by_text);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || strcmp(v[out - 1], v[i]))
			v[out++] = v[i];
	*ret = v;
	return out;
}

void
step_hash(const struct oid *script, const struct step_code *code, size_t n, struct oid *ret)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, "dassie-step 1");
	sha256_field_oid(&h, script);
	for (size_t i = 0; i < n; i++) {
		sha256_field_str(&h, strncmp(code[i].path, STEP_IMAGE, sizeof STEP_IMAGE - 1) ? code[i].path : STEP_IMAGE);
		sha256_field_str(&h, code[i].exec ? "x" : "f");
		sha256_field_oid(&h, &code[i].id);
	}
	sha256_final(&h, ret);
}

void
spec_hash(const struct oid *step, const struct oid *decides, struct oid *ret)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, "dassie-spec 1");
	sha256_field_oid(&h, step);
	sha256_field_oid(&h, decides);
	sha256_final(&h, ret);
}
