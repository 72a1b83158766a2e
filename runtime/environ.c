/* environ.c: a command under cron and one under a terminal must see the same, so nothing passes but what is named here. */
#include "environ.h"

#include <stdlib.h>
#include <string.h>

#include "../base/mem.h"
#include "../base/plan.h"
#include "asuser.h"
#include "secrets.h"
#include "view.h"

static void
open_entry(struct environ *e, const char *name)
{
	GROW(e->at, e->n, e->cap);
	e->at[e->n++] = e->text.n;
	buf_str(&e->text, name);
}

static void
close_entry(struct environ *e)
{
	buf_byte(&e->text, '\0');
}

static void
add(struct environ *e, const char *name, const char *value)
{
	open_entry(e, name);
	buf_byte(&e->text, '=');
	buf_str(&e->text, value);
	close_entry(e);
}

void
environ_init(struct environ *e, const struct plan_head *h, const char *project, const struct asuser *as)
{
	static const char *const passed[] = { "HOME", "USER", "LOGNAME" };
	const char *path = getenv("PATH"), *own[] = { as->home, as->name, as->name };

	add(e, "PATH", path && path[0] ? path : "/usr/local/bin:/usr/bin:/bin");
	for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
		if (as->set || getenv(passed[i]))
			add(e, passed[i], as->set ? own[i] : getenv(passed[i]));
	add(e, "LC_ALL", "C.UTF-8");
	add(e, "TZ", "UTC");
	add(e, "DASSIE_PROJECT", project);
	add(e, "PPS_PIPELINE_NAME", h->pipeline);
	add(e, "PACH_JOB_ID", h->job);
	add(e, "PACH_OUTPUT_COMMIT_ID", h->job);
	e->same_text = e->text.n;
	e->same_n = e->n;
}

void
environ_secrets(struct environ *e, const struct plan_head *h, const struct secrets *s)
{
	for (size_t i = 0; i < h->secrets.n; i++)
		if (h->secrets.v[i].env[0])
			add(e, h->secrets.v[i].env, secrets_text(s, &h->secrets.v[i]));
	e->same_text = e->text.n;
	e->same_n = e->n;
}

static bool
shell_name(const char *s)
{
	if (!s[0] || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_'))
			return false;
	return true;
}

/* A name that a shell can write: every other byte is '_', and one is put before a digit. */
static void
twin_of(const char *name, struct buf *ret)
{
	buf_reset(ret);
	if (name[0] >= '0' && name[0] <= '9')
		buf_byte(ret, '_');
	for (const char *s = name; *s; s++) {
		char one[2] = { *s, '\0' };
		bool digit = *s >= '0' && *s <= '9';

		buf_byte(ret, digit || shell_name(one) ? *s : '_');
	}
}

static bool
is_input(const struct plan_head *h, const char *name)
{
	for (size_t i = 0; i < h->n_input; i++)
		if (strcmp(h->input[i].name, name) == 0)
			return true;
	return false;
}

static void
add_input_as(struct environ *e, const char *name, const struct plan_input *in, const struct plan_match *m, const struct view *v)
{
	char hex[OID_HEX + 1];

	open_entry(e, name);
	buf_byte(&e->text, '=');
	buf_str(&e->text, view_root(v));
	buf_byte(&e->text, '/');
	buf_str(&e->text, in->name);
	if (m->path[0]) {
		buf_byte(&e->text, '/');
		buf_str(&e->text, m->path);
	}
	close_entry(e);
	open_entry(e, name);
	buf_str(&e->text, "_COMMIT=");
	oid_hex(&in->commit, hex);
	buf_str(&e->text, hex);
	close_entry(e);
}

/* The twin yields to an input that really has its name. */
static void
add_input(struct environ *e, const struct plan_head *h, const struct plan_match *m, const struct view *v)
{
	const struct plan_input *in = &h->input[m->input];
	struct buf twin = BUF_INIT;

	add_input_as(e, in->name, in, m, v);
	if (shell_name(in->name))
		return;
	twin_of(in->name, &twin);
	if (!is_input(h, twin.s))
		add_input_as(e, twin.s, in, m, v);
	buf_release(&twin);
}

char **
environ_of(struct environ *e, const struct plan_head *h, const struct plan_datum *d, const struct view *v)
{
	char hex[OID_HEX + 1];

	e->text.n = e->same_text;
	e->n = e->same_n;
	oid_hex(&d->key, hex);
	add(e, "PACH_DATUM_ID", hex);
	add(e, "PFS", view_root(v));
	open_entry(e, "out=");
	buf_str(&e->text, view_root(v));
	buf_str(&e->text, "/out");
	close_entry(e);
	add(e, "TMPDIR", v->tmp_abs);
	/* Of several matches of one input the variable holds the last. */
	for (size_t i = 0; i < d->n_match; i++)
		if (i + 1 == d->n_match || d->match[i + 1].input != d->match[i].input)
			add_input(e, h, &d->match[i], v);
	for (size_t i = 0; i < d->n_var; i++)
		add(e, d->var[i].name, d->var[i].value);
	GROW(e->v, e->n, e->cap_v);
	for (size_t i = 0; i < e->n; i++)
		e->v[i] = e->text.s + e->at[i];
	e->v[e->n] = NULL;
	return e->v;
}

void
environ_release(struct environ *e)
{
	buf_release(&e->text);
	free(e->at);
	free(e->v);
	*e = (struct environ)ENVIRON_INIT;
}
