/* check.c: what tables cannot say: what must be there, what excludes what, which names are possible.
 *
 * Messages say what to write instead.  A pipeline that did not load whole is not told what it lacks. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/retry.h"
#include "../base/sha256.h"
#include "alerts.h"
#include "branches.h"
#include "checklimits.h"
#include "checksecrets.h"
#include "checkmatch.h"
#include "croncheck.h"
#include "egress.h"
#include "graph.h"
#include "origin.h"
#include "pattern.h"
#include "spec.h"
#include "value.h"
#include "yaml.h"

enum { INPUT_DEPTH = 50 };

/* Input names in the order of the spec, to find those that are used twice; depth: how deep the input is nested. */
struct names { const char **text; struct span *at; size_t n, cap; unsigned depth; };

static size_t
input_kinds(const struct input *in)
{
	return (size_t)(!!in->pfs + !!in->cron + !!in->git + in->cross.set + in->join.set + in->group.set + in->union_.set);
}

struct input *
input_members(const struct input *in, size_t *ret_n, const char **ret_word)
{
	const struct objs *o = in->cross.set ? &in->cross : in->union_.set ? &in->union_ : in->join.set ? &in->join :
	    in->group.set ? &in->group : 0;

	*ret_n = o ? o->n : 0;
	*ret_word = in->cross.set ? "cross" : in->union_.set ? "union" : in->join.set ? "join" : "group";
	return o ? o->v : 0;
}

bool
input_starts(const struct input *in, const char *repo)
{
	const char *word;
	size_t n = 0;
	const struct input *member = input_members(in, &n, &word);
	/* Nothing is read by an input that is not right. */
	bool starts = in->cron && in->cron->ticks.s && !strcmp(in->cron->ticks.s, repo);

	if (in->pfs)
		return in->pfs->reads.s && !strcmp(in->pfs->reads.s, repo) && !(in->pfs->propagation_spec && in->pfs->propagation_spec->never.v);
	for (size_t i = 0; !starts && i < n; i++)
		starts = input_starts(&member[i], repo);
	return starts;
}

const char *
pfs_name(const struct pfs *p)
{
	return p->name.s && *p->name.s ? p->name.s : p->repo.s;
}

static bool
given(const struct str *t)
{
	return t->s && *t->s;
}

static bool
plain_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && n <= NAME_MAX_REPO && !s[n] && s[0] != '-';
}

static bool
check_input_name(struct specset *s, const char *name, struct span at, bool own)
{
	const char *fix = own ? "choose another name" : "give the input a 'name' of its own";

	if (!strcmp(name, "out"))
		return diag_error(s->d, at, "an input cannot be called 'out': that is where the output goes; %s", fix);
	if (!plain_name(name))
		return diag_error(s->d, at, "'%s' cannot be an input's name: letters, digits, '_' and '-', at most 63; %s", name, fix);
	if (check_takes_over(name))
		return diag_error(s->d, at, "an input cannot be called '%s': the variable means something to the system; %s", name, fix);
	return true;
}

/* One of the words of a list that ends with NULL. */
static bool
check_word(struct specset *s, const struct str *t, const char *field, const char *const *word)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; word[i]; i++)
		if (!given(t) || !strcmp(t->s, word[i]))
			return true;
	for (size_t i = 0; word[i]; i++)
		buf_fmt(&b, "%s'%s'", i == 0 ? "" : word[i + 1] ? ", " : " or ", word[i]);
	diag_error(s->d, t->at, "'%s' is %s, not '%s'", field, b.s, t->s);
	buf_release(&b);
	return false;
}

static bool
check_pfs(struct specset *s, struct pipeline *p, struct pfs *pfs, struct span at)
{
	bool ok = true;

	if (!given(&pfs->repo)) {
		if (!p->broken)
			ok = diag_error(s->d, at, "an input must specify a repo; write 'repo: NAME'");
	} else {
		ok &= branches_read(s, p, pfs, at);
		graph_read(s, p, &pfs->reads);
		ok &= check_input_name(s, pfs_name(pfs), given(&pfs->name) ? pfs->name.at : pfs->repo.at, given(&pfs->name));
	}
	ok &= check_selection(s, p, pfs, at);
	if (pfs->trigger) {
		ok &= croncheck_expr(s, &pfs->trigger->rate_limit_spec);
		ok &= croncheck_expr(s, &pfs->trigger->cron_spec);
	}
	return ok;
}

/* The repo of a cron's ticks is called PIPELINE_NAME, cut where that is too long for a name. */
static void
name_ticks(struct specset *s, const struct pipeline *p, struct cron *c)
{
	const char *name = arena_fmt(s->a, "%s_%s", pipeline_name(p), c->name.s);
	char hex[OID_HEX + 1];
	struct oid id;

	c->ticks = given(&c->repo) ? c->repo : (struct str){ name, c->name.at };
	if (given(&c->repo) || strlen(name) <= NAME_MAX_REPO)
		return;
	sha256_bytes(name, strlen(name), &id);
	oid_hex(&id, hex);
	c->ticks.s = arena_fmt(s->a, "%.50s_%.12s", name, hex);
}

static bool
check_cron(struct specset *s, struct pipeline *p, struct cron *c, struct span at)
{
	bool ok = true;

	if (!given(&c->name) && !p->broken)
		ok = diag_error(s->d, at, "a cron input must specify a name; write 'name: tick', and the command finds $tick");
	if (!given(&c->spec) && !p->broken)
		ok = diag_error(s->d, at, "a cron input must specify a spec; write 'spec: \"0 3 * * *\"' or 'spec: \"@every 1h\"'");
	ok &= croncheck_input(s, c);
	if (!given(&c->name) || !*pipeline_name(p))
		return ok;
	ok &= check_input_name(s, c->name.s, c->name.at, true);
	name_ticks(s, p, c);
	if (!layout_name_ok(c->ticks.s))
		return diag_error(s->d, c->ticks.at, "'%s' cannot be the repo of the ticks: letters, digits, '_' and '-', the first a letter or digit, "
		    "at most %d", c->ticks.s, NAME_MAX_REPO);
	graph_read(s, p, &c->ticks);
	GROW(s->source, s->n_source, s->cap_source);
	s->source[s->n_source++] = (struct source){ .name = c->ticks.s, .dir = "-", .at = c->ticks.at, .ticks = true };
	return ok;
}

static void
name_add(struct names *v, const char *text, struct span at)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 8;
		v->text = xrealloc(v->text, v->cap * sizeof *v->text);
		v->at = xrealloc(v->at, v->cap * sizeof *v->at);
	}
	v->text[v->n] = text;
	v->at[v->n++] = at;
}

static bool
name_twice(struct specset *s, const struct names *v, size_t from, const char *text, struct span at)
{
	for (size_t i = from; i < v->n; i++) {
		if (strcmp(v->text[i], text) != 0)
			continue;
		diag_error(s->d, at, "the input name '%s' is used more than once; give one a 'name' of its own", text);
		diag_note(s->d, v->at[i], "first here");
		return true;
	}
	return false;
}

static bool check_input(struct specset *s, struct pipeline *p, const struct input *in, struct names *v);

/* Names of a union's members may repeat among them, but not beside the union. */
static bool
check_members(struct specset *s, struct pipeline *p, const struct input *in, struct names *v)
{
	const char *word;
	size_t n, first = v->n;
	const struct input *member = input_members(in, &n, &word);
	bool ok = true;

	if (n == 0)
		return p->broken || diag_error(s->d, in->at, "'%s' has no members", word);
	if (v->depth >= INPUT_DEPTH)
		return diag_error(s->d, in->at, "inputs nested more than %d deep", INPUT_DEPTH);
	for (size_t i = 0; i < n; i++) {
		struct names own = { .depth = v->depth + 1 };

		ok &= check_input(s, p, &member[i], &own);
		if (ok && (in->join.set || in->group.set) && member[i].cron)
			ok = diag_error(s->d, member[i].at, "a cron input cannot be in a '%s'; put it beside in a 'cross'", word);
		for (size_t k = 0; k < own.n; k++)
			if (in->union_.set || !name_twice(s, v, first, own.text[k], own.at[k]))
				name_add(v, own.text[k], own.at[k]);
			else
				ok = false;
		free(own.text);
		free(own.at);
	}
	return ok;
}

static bool
check_input(struct specset *s, struct pipeline *p, const struct input *in, struct names *v)
{
	size_t kinds = input_kinds(in);

	if (kinds == 0)
		return p->broken || diag_error(s->d, in->at, "no input set: an input is one of pfs, cross, union, join, group, cron");
	if (kinds > 1)
		return diag_error(s->d, in->at, "multiple input types set: an input is one of pfs, cross, union, join, group, cron; combine two with 'cross'");
	if (in->pfs) {
		if (!check_pfs(s, p, in->pfs, in->at))
			return false;
		if (given(&in->pfs->repo))
			name_add(v, pfs_name(in->pfs), given(&in->pfs->name) ? in->pfs->name.at : in->pfs->repo.at);
		return true;
	}
	if (in->cron) {
		if (!check_cron(s, p, in->cron, in->at))
			return false;
		if (given(&in->cron->name))
			name_add(v, in->cron->name.s, in->cron->name.at);
		return true;
	}
	if (in->git)
		return false;
	return check_members(s, p, in, v);
}

static bool
is_input(const struct names *inputs, const char *name)
{
	for (size_t i = 0; i < inputs->n; i++)
		if (!strcmp(inputs->text[i], name))
			return true;
	return false;
}

/* What people's Pachyderm specs have is told where it is odd, and means what it means there. */
static bool
check_variable(struct specset *s, const struct pipeline *p, const struct str *k, const struct names *inputs, bool *ret_drop)
{
	bool pachyderm = p->pachyderm;

	if (!strncmp(k->s, "DASSIE_", 7))
		return diag_error(s->d, k->at, "'%s': names that begin with DASSIE_ are dassie's own", k->s);
	if (!value_shell_name(k->s) && (!pachyderm || !*k->s || strpbrk(k->s, "=\n")))
		return diag_error(s->d, k->at, "'%s' cannot be a variable's name: letters, digits and '_'", k->s);
	if (is_input(inputs, k->s)) {
		*ret_drop = true;
		if (!pachyderm)
			return diag_error(s->d, k->at, "'%s' is an input's name already, and the input's path would be lost; choose another", k->s);
		diag_warn(s->d, k->at, "'%s' is an input's name, too: the variable is the input's path, as with Pachyderm, and this value is lost", k->s);
	} else if ((!strcmp(k->s, "out") || !strcmp(k->s, "PFS")) && !pachyderm) {
		return diag_error(s->d, k->at, "'%s' is set by dassie to a path; choose another name", k->s);
	}
	return true;
}

static bool
check_env(struct specset *s, struct pipeline *p, const struct names *inputs)
{
	struct pairs *env = &p->transform->env;
	size_t kept = 0;
	bool ok = true;

	for (size_t i = 0; i < env->n; i++) {
		bool drop = false;

		ok &= check_variable(s, p, &env->v[i].key, inputs, &drop);
		if (!drop)
			env->v[kept++] = env->v[i];
	}
	env->n = kept;
	return ok;
}

static bool
check_code(struct specset *s, struct strs *code)
{
	bool ok = true;

	for (size_t i = 0; i < code->n; i++) {
		struct str *c = &code->v[i];

		while (c->s[0] == '.' && c->s[1] == '/')
			c->s += 2;
		if (!*c->s)
			ok = diag_error(s->d, c->at, "'code' names files");
		else if (c->s[0] == '/' || !strcmp(c->s, "..") || !strncmp(c->s, "../", 3) || strstr(c->s, "/../"))
			ok = diag_error(s->d, c->at, "code file '%s' is outside of the project", c->s);
	}
	return ok;
}

static bool
check_transform(struct specset *s, struct pipeline *p, const struct names *inputs)
{
	static const char *const sandbox[] = { "strict", "none", 0 };
	struct transform *t = p->transform;
	bool ok = true;

	if (t && !t->cmd.set && given(&t->image) && !p->broken && s->runtime) {
		;       /* the image knows what to run */
	} else if (t && !t->cmd.set && given(&t->image) && !p->broken) {
		diag_warn(s->d, t->image.at, "pipeline '%s' has no 'cmd', and the entrypoint of its image is not run here: its datums will fail until it has one, or until it is compiled with --runtime",
		    pipeline_name(p));
	} else if (!t || !t->cmd.n || !given(&t->cmd.v[0])) {
		if (p->broken)
			return false;
		return diag_error(s->d, t && t->cmd.set ? t->cmd.at : p->at, "pipeline '%s' has no command; write 'run: |' and lines for sh below it, "
		    "or 'transform: {cmd: [PROGRAM, …]}'", pipeline_name(p));
	}
	if (t->datum_batching.v && s->runtime && given(&t->image))
		ok = diag_error(s->d, t->datum_batching.at, "'datum_batching' does not work in an image: take the loop around 'pachctl next datum' out of the command, "
		    "which is started for each datum, and this field");
	if (t->err_stdin.n && !t->err_cmd.n)
		diag_warn(s->d, t->err_stdin.at, "'err_stdin' without 'err_cmd' does nothing; write 'err_cmd: [sh]' beside it");
	for (size_t i = 0; i < t->accept_return_code.n; i++)
		if (t->accept_return_code.v[i].v < 0 || t->accept_return_code.v[i].v > 255)
			ok = diag_error(s->d, t->accept_return_code.v[i].at, "an exit code is 0 to 255");
	ok &= check_word(s, &t->sandbox, "sandbox", sandbox);
	ok &= check_env(s, p, inputs);
	ok &= check_secrets(s, t, inputs->text, inputs->n);
	ok &= check_code(s, &t->code);
	return ok;
}

static bool
check_rules(struct specset *s, const struct strs *list, const char *name)
{
	bool ok = true;

	for (size_t i = 0; i < list->n; i++) {
		const struct str *t = &list->v[i];
		struct retry_rule rule;
		char msg[PATTERN_MSG];

		if (!retry_rule_of(t->s, &rule, msg))
			ok = diag_error(s->d, t->at, "retry.%s: %s", name, msg);
	}
	return ok;
}

static bool
check_retry(struct specset *s, const struct pipeline *p)
{
	const struct retry_form *t = p->retry;
	double factor = t && given(&t->factor) ? strtod(t->factor.s, NULL) : 2;
	bool ok = true;

	if (!t)
		return true;
	if (t->tries.set && p->datum_tries.set) {
		ok = diag_error(s->d, t->tries.at, "the number of tries is given twice");
		diag_note(s->d, p->datum_tries.at, "first here");
	}
	if (t->tries.v < 0 || t->tries.v > 1000000)
		ok = diag_error(s->d, t->tries.at, "'tries' is the number of attempts in all: 1 for no retry");
	if (!(factor >= 1 && factor <= 1000))
		ok = diag_error(s->d, t->factor.at, "'factor' is a number from 1 to 1000");
	ok &= check_rules(s, &t->on, "on");
	return check_rules(s, &t->never, "never") && ok;
}

static bool
check_settings(struct specset *s, const struct pipeline *p)
{
	static const char *const merge[] = { "error", "concat", 0 }, *const reprocess[] = { "until_success", "every_job", 0 };
	const struct parallelism *par = p->parallelism_spec;
	bool ok = check_word(s, &p->merge, "merge", merge);

	ok &= check_retry(s, p);
	ok &= check_word(s, &p->reprocess_spec, "reprocess_spec", reprocess);
	ok &= croncheck_schedule(s, p->schedule);
	if (p->datum_tries.v < 0 || p->datum_tries.v > 1000000)
		ok = diag_error(s->d, p->datum_tries.at, "tries are the number of attempts in all: 1 for no retry");
	if (par && (par->constant.v < 0 || par->constant.v > 1000000))
		ok = diag_error(s->d, par->constant.at, "'constant' is a number of workers: 1 or more");
	if (par && par->constant.v && given(&par->coefficient) && strcmp(par->coefficient.s, "0") != 0)
		ok = diag_error(s->d, par->coefficient.at, "'constant' and 'coefficient' exclude each other");
	return ok;
}

static bool
check_name(struct specset *s, struct pipeline *p)
{
	const char *name = pipeline_name(p);

	if (!*name) {
		if (!p->id)
			return p->broken || diag_error(s->d, p->at, "no 'pipeline' specified; write 'pipeline: {name: NAME}'");
		return p->broken || diag_error(s->d, p->at, "no pipeline name specified; write 'pipeline: {name: NAME}'");
	}
	if (layout_name_ok(name))
		return true;
	return diag_error(s->d, p->id->name.at, "'%s' cannot be a pipeline's name: letters, digits, '_' and '-', the first a letter or digit, at most %d",
	    name, NAME_MAX_REPO);
}

static bool
starts_at_all(const struct pipeline *p)
{
	for (size_t i = 0; i < p->n_reads; i++)
		if (input_starts(p->input, p->reads[i]->s))
			return true;
	return false;
}

static bool
check_pipeline(struct specset *s, struct pipeline *p)
{
	struct names inputs = { 0 };
	bool ok = check_name(s, p);

	if (p->input)
		ok &= check_input(s, p, p->input, &inputs);
	else if (!p->broken && !p->spout)
		ok = diag_error(s->d, p->at, "no input set: pipeline '%s' needs one; write 'input: REPO/*' or 'input: {pfs: {repo: REPO, glob: \"/*\"}}'",
		    pipeline_name(p));
	if (p->input)
		ok &= check_captured(s, p, inputs.text, inputs.n);
	if (ok && p->input && p->n_reads && !starts_at_all(p))
		diag_warn(s->d, p->input->at, "all inputs of '%s' say propagation_spec: {never: true}: it runs once, and when its spec changes", pipeline_name(p));
	ok &= check_transform(s, p, &inputs);
	ok &= check_settings(s, p);
	ok &= !p->notify || alerts_check(s, p->notify);
	ok &= egress_check(s, p);
	ok &= check_limits(s, p);
	free(inputs.text);
	free(inputs.at);
	return ok;
}

/* "./a//b/" is "a/b". */
static const char *
clean_path(struct arena *a, const char *s)
{
	char *out = arena_str(a, s), *w = out;

	for (const char *p = s; *p; ) {
		size_t n = strcspn(p, "/");

		if (p == s && n == 0)
			*w++ = '/';
		if (n && !(n == 1 && *p == '.')) {
			if (w > out && w[-1] != '/')
				*w++ = '/';
			memcpy(w, p, n);
			w += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	*w = 0;
	return out;
}

static bool
below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

static bool
check_source(struct specset *s, struct source *src)
{
	const char *up;

	if (!layout_name_ok(src->name))
		return diag_error(s->d, src->at, "'%s' cannot be a repo's name: letters, digits, '_' and '-', the first a letter or digit, at most %d",
		    src->name, NAME_MAX_REPO);
	if (!strcmp(src->name, DIR_OUT))
		return diag_error(s->d, src->at, "a repo cannot be called 'out': that is where outputs go");
	if (src->form && !origin_check(s, src))
		return false;
	if (origin_is(src)) {
		src->dir = "-";
		return true;
	}
	src->form = NULL;
	src->dir = clean_path(s->a, src->dir);
	if (!strcmp(src->dir, "-"))
		src->dir = "./-";       /* "-" is where ticks are */
	for (up = src->dir; !strncmp(up, "../", 3); up += 3)
		;
	if (!*up || !strcmp(up, ".."))
		return diag_error(s->d, src->at, "repo '%s' holds the project itself with its out/ and .dassie/; name a folder in it", src->name);
	if (below(src->dir, DIR_OUT) || below(src->dir, DIR_STATE))
		return diag_error(s->d, src->at, "repo '%s': '%s' is written by dassie; to read a pipeline's output, name the pipeline as input",
		    src->name, src->dir);
	return true;
}

bool
check_set(struct specset *s)
{
	bool ok = check_pools(s);

	for (size_t i = 0; i < s->n_source; i++)
		ok &= check_source(s, &s->source[i]);
	ok &= croncheck_schedule(s, s->schedule);
	ok &= branches_begin(s);
	for (size_t i = 0; i < s->n_pipeline; i++) {
		diag_within(s->d, s->pipeline[i].made.at, s->pipeline[i].made.text);
		ok &= check_pipeline(s, &s->pipeline[i]);
	}
	diag_within(s->d, (struct span){ 0, 0 }, NULL);
	egress_check_places(s);
	ok &= !s->notify || alerts_check(s, s->notify);
	ok &= graph_build(s);
	return ok;
}
