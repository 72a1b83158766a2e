/* confs.c: a pipeline's settings as base/conf.h wants them.
 *
 * What has a line of its own there is filled in; every other field that was given goes along as text under its name,
 * so that a part which comes to honour a field finds it without a change here. */
#include "confs.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/mem.h"
#include "check.h"
#include "checklimits.h"
#include "checksecrets.h"
#include "egress.h"
#include "fields.h"
#include "pattern.h"
#include "print.h"
#include "spec.h"
#include "step.h"
#include "words.h"

static const char *
text_or(const struct str *t, const char *otherwise)
{
	return t->s && *t->s ? t->s : otherwise;
}

void
confs_schedule(const struct schedule *h, struct conf_schedule *c)
{
	if (h)
		*c = (struct conf_schedule){ h->spec.s, text_or(&h->tz, ""), text_or(&h->missed, ""), text_or(&h->overlap, ""), text_or(&h->jitter, "") };
}

static const char *
trigger_text(struct specset *s, const struct trigger *t)
{
	if (!t)
		return "";
	return arena_fmt(s->a, "branch=%s all=%d rate=%s size=%lld commits=%lld cron=%s", text_or(&t->branch, "master"), t->all.v != 0,
	    text_or(&t->rate_limit_spec, ""), (long long)t->size.v, (long long)t->commits.v, text_or(&t->cron_spec, ""));
}

static void
make_input(struct specset *s, const struct input *in, struct conf_input *c)
{
	const struct pfs *p = in->pfs;
	const struct cron *cr = in->cron;
	const struct input *member;
	const char *word;
	size_t n;

	if (p) {
		*c = (struct conf_input){ .kind = CONF_PFS, .name = pfs_name(p), .repo = p->reads.s, .branch = text_or(&p->branch, "master"),
		    .glob = p->glob.s, .match = p->match.s, .join_on = text_or(&p->join_on, ""), .group_by = text_or(&p->group_by, ""),
		    .outer = p->outer_join.v, .lazy = p->lazy.v, .empty = p->empty_files.v, .trigger = trigger_text(s, p->trigger) };
		return;
	}
	if (cr) {
		*c = (struct conf_input){ .kind = CONF_CRON, .name = cr->name.s, .repo = cr->ticks.s, .spec = cr->spec.s,
		    .start = text_or(&cr->start, ""), .overwrite = cr->overwrite.v, .tz = text_or(&cr->tz, ""),
		    .missed = text_or(&cr->missed, ""), .overlap = text_or(&cr->overlap, ""), .jitter = text_or(&cr->jitter, "") };
		return;
	}
	member = input_members(in, &n, &word);
	c->kind = in->cross.set ? CONF_CROSS : in->union_.set ? CONF_UNION : in->join.set ? CONF_JOIN : CONF_GROUP;
	c->kids = arena_alloc(s->a, n * sizeof *c->kids);
	c->n_kids = n;
	for (size_t i = 0; i < n; i++)
		make_input(s, &member[i], &c->kids[i]);
}

/* Fields that have lines of their own. */
static bool
has_line(const struct table *t, const struct field *f)
{
	static const char *const top[] = {
		"pipeline", "description", "transform", "input", "merge", "output_branch", "egress", "notify", "datum_tries", "retry", "datum_timeout",
		"job_timeout", "reprocess_spec", "salt", "schedule",
	};
	static const char *const transform[] = { "cmd", "stdin", "err_cmd", "err_stdin", "env", "code", "accept_return_code", "working_dir", "secrets", "user",
		"sandbox" };
	const char *const *v = t == &pipeline_table ? top : transform;
	size_t n = t == &pipeline_table ? sizeof top / sizeof *top : sizeof transform / sizeof *transform;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(v[i], f->name))
			return true;
	return false;
}

static size_t
count_given(const struct table *t, const void *obj)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += print_given(&t->field[i], obj);
	return n;
}

static void
add_sets(struct specset *s, const struct table *t, const void *obj, struct conf *c)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->field[i];
		if (!print_given(f, obj) || has_line(t, f))
			continue;
		buf_reset(&b);
		print_value(&b, f, obj);
		c->set[c->n_set].key = *t->path ? arena_fmt(s->a, "%s.%s", t->path, f->name) : f->name;
		c->set[c->n_set++].value = arena_dup(s->a, b.n ? b.s : "", b.n);
	}
	buf_release(&b);
}

/* Its stage looks at them when its commit moves. */
static void
add_followers(struct specset *s, struct conf *c)
{
	for (size_t i = 0; i < s->n_triggered; i++)
		if (!strcmp(s->triggered[i]->of->s, c->pipeline)) {
			c->set[c->n_set++] = (struct conf_set){ CONF_TRIGGERS, "1" };
			return;
		}
}

static void
make_code(struct specset *s, const struct transform *t, const struct words *found, struct conf *c)
{
	c->code = arena_alloc(s->a, (t->code.n + found->n + 1) * sizeof *c->code);
	for (size_t i = 0; i < t->code.n; i++)
		c->code[c->n_code++] = (struct conf_code){ t->code.v[i].s, true };
	for (size_t i = 0; i < found->n; i++)
		c->code[c->n_code++] = (struct conf_code){ found->v[i], false };
}

static void
add_rules(struct retry *r, const struct strs *list, bool never)
{
	char msg[PATTERN_MSG];

	for (size_t i = 0; i < list->n; i++) {
		struct retry_rule rule;

		if (!retry_rule_of(list->v[i].s, &rule, msg))
			continue;
		rule.never = never;
		GROW(r->rule, r->n_rule, r->cap_rule);
		r->rule[r->n_rule++] = rule;
	}
}

static void
make_retry(const struct pipeline *p, struct conf *c)
{
	static const uint64_t second = 1000000000;
	const struct retry_form *t = p->retry;
	int64_t tries = p->datum_tries.v ? p->datum_tries.v : t ? t->tries.v : 0;

	c->tries = tries ? (unsigned)tries : 3;
	c->retry.delay = t && t->delay.set ? (uint64_t)t->delay.v : second;
	c->retry.max_delay = t && t->max_delay.set ? (uint64_t)t->max_delay.v : 60 * second;
	c->retry.factor = t && t->factor.s ? (unsigned)(strtod(t->factor.s, NULL) * 1000 + 0.5) : 2000;
	if (t) {
		add_rules(&c->retry, &t->on, false);
		add_rules(&c->retry, &t->never, true);
	}
}

void
confs_make(struct specset *s, const struct pipeline *p, const char *script, const struct words *found, struct buf *spec, struct conf *c)
{
	struct pipeline without;
	const struct transform *t = p->transform;

	c->pipeline = pipeline_name(p);
	c->description = text_or(&p->description, "");
	c->script = script;
	c->salt = text_or(&p->salt, "");
	c->branch = text_or(&p->output_branch, "master");
	c->concat = p->merge.s && !strcmp(p->merge.s, "concat");
	c->every_job = p->reprocess_spec.s && !strcmp(p->reprocess_spec.s, "every_job");
	c->input = arena_alloc(s->a, sizeof *c->input);
	make_input(s, p->input, c->input);
	make_retry(p, c);
	c->accept = arena_alloc(s->a, (t->accept_return_code.n + 1) * sizeof *c->accept);
	for (size_t i = 0; i < t->accept_return_code.n; i++)
		c->accept[c->n_accept++] = (int)t->accept_return_code.v[i].v;
	c->timeout_ns = (uint64_t)p->datum_timeout.v;
	c->job_timeout_ns = (uint64_t)p->job_timeout.v;
	limits_of(s, p, &c->limits);
	secrets_of(&t->secrets, &c->secrets);
	if (step_in_image(s, p)) {
		c->runtime = s->runtime;
		c->image = t->image.s;
	}
	c->user = t->user.s && *t->user.s ? t->user.s : NULL;
	c->sandbox = t->sandbox.s && !strcmp(t->sandbox.s, "strict") ? t->sandbox.s : NULL;
	c->working_dir = c->sandbox && t->working_dir.s && *t->working_dir.s ? t->working_dir.s : NULL;
	make_code(s, t, found, c);
	egress_conf(s, p, c);
	confs_schedule(p->schedule, &c->schedule);
	c->set = arena_alloc(s->a, (count_given(&pipeline_table, p) + count_given(&transform_table, t) + 2) * sizeof *c->set);
	add_followers(s, c);
	add_sets(s, &pipeline_table, p, c);
	add_sets(s, &transform_table, t, c);
	buf_reset(spec);
	/* The database keeps it: whom to tell is nobody's business there. */
	without = *p;
	without.notify = NULL;
	print_pipeline(spec, &without);
	c->spec = spec->s;
}
