/* alerts.c: an address may be a secret (whoever knows a webhook's can write to the channel), so it can be named instead of
 * written: env:NAME or file:PATH.  Pipelines with the same `notify` share a route, and a route gets one message a run. */
#include "alerts.h"

#include <stdlib.h>
#include <string.h>

#include "../base/mem.h"
#include "../base/notify.h"
#include "diag.h"
#include "spec.h"

static const char *const words[] = { "failure", "recovery", "long" };
enum { FAILURE, RECOVERY, LONG_RUN, N_WORDS };

static bool
names_secret(const char *s)
{
	return !strncmp(s, "env:", 4) || !strncmp(s, "file:", 5);
}

static bool
begins(const char *s, const char *const *scheme)
{
	for (; *scheme; scheme++)
		if (!strncmp(s, *scheme, strlen(*scheme)) && s[strlen(*scheme)])
			return true;
	return false;
}

static bool
check_address(struct specset *s, const struct str *t, const char *what, const char *const *scheme, const char *want)
{
	const char *text = t->s ? t->s : "";

	if (!strcmp(text, "env:") || !strcmp(text, "file:"))
		return diag_error(s->d, t->at, "%s '%s' names nothing; write env:VARIABLE or file:PATH", what, text);
	if (names_secret(text))
		return true;
	if (!begins(text, scheme) || text[strcspn(text, " \t\r\n\"<>")])
		return diag_error(s->d, t->at, "%s '%s' is none; write %s, or env:VARIABLE or file:PATH, which hold it", what, text, want);
	return true;
}

static bool
check_mail(struct specset *s, const struct str *t)
{
	const char *at = t->s ? strchr(t->s, '@') : 0;

	if (!at || at == t->s || !at[1] || strchr(at + 1, '@') || t->s[strcspn(t->s, " \t\r\n,;<>\"")] || *t->s == '-')
		return diag_error(s->d, t->at, "'%s' is no mail address; write NAME@HOST", t->s ? t->s : "");
	return true;
}

static bool
check_word(struct specset *s, const struct str *t)
{
	for (size_t i = 0; i < N_WORDS; i++)
		if (!strcmp(t->s, words[i]))
			return true;
	return diag_error(s->d, t->at, "'when' of notify is a list of failure, recovery and long, not '%s'", t->s);
}

bool
alerts_check(struct specset *s, const struct notify_form *f)
{
	static const char *const web[] = { "https://", "http://", 0 }, *const smtp[] = { "smtp://", "smtps://", 0 };
	static const int64_t second = 1000000000;
	bool ok = true;

	for (size_t i = 0; i < f->on.n; i++)
		ok &= check_word(s, &f->on.v[i]);
	for (size_t i = 0; i < f->mail.n; i++)
		ok &= check_mail(s, &f->mail.v[i]);
	for (size_t i = 0; i < f->webhook.n; i++) {
		ok &= check_address(s, &f->webhook.v[i], "a webhook", web, "https://…");
		if (!strncmp(f->webhook.v[i].s, "https://", 8))
			diag_warn(s->d, f->webhook.v[i].at, "a webhook's address is a secret for most services, and a spec is no place for one; "
			    "write env:VARIABLE or file:PATH");
	}
	if (f->smtp.s)
		ok &= check_address(s, &f->smtp, "smtp", smtp, "smtp://HOST:PORT");
	if (f->from.s)
		ok &= check_mail(s, &f->from);
	if (f->long_run.set && f->long_run.v < second)
		ok = diag_error(s->d, f->long_run.at, "'long' of notify is a duration from 1s on");
	return ok;
}

static bool
is_on(const struct notify_form *f, int which)
{
	if (which == LONG_RUN && !f->long_run.set)
		return false;
	for (size_t i = 0; i < f->on.n; i++)
		if (!strcmp(f->on.v[i].s, words[which]))
			return true;
	return !f->on.set;
}

static void
add_all(const char ***v, size_t *n, size_t *cap, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		GROW(*v, *n, *cap);
		(*v)[(*n)++] = list->v[i].s;
	}
}

static struct notify_route *
add_route(const struct specset *s, struct notify *n, const struct notify_form *f)
{
	const struct notify_form *all = s->notify;
	struct notify_route *r;

	GROW(n->route, n->n, n->cap);
	r = &n->route[n->n++];
	*r = (struct notify_route){ .failure = is_on(f, FAILURE), .recovery = is_on(f, RECOVERY), .long_run = is_on(f, LONG_RUN),
	    .long_ns = f->long_run.set ? (uint64_t)f->long_run.v : 0,
	    .from = f->from.s ? f->from.s : all && all->from.s ? all->from.s : "",
	    .smtp = f->smtp.s ? f->smtp.s : all && all->smtp.s ? all->smtp.s : "" };
	add_all(&r->mail, &r->n_mail, &r->cap_mail, &f->mail);
	add_all(&r->webhook, &r->n_webhook, &r->cap_webhook, &f->webhook);
	return r;
}

static bool
same_list(const char *const *a, size_t n, const char *const *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]))
			return false;
	return true;
}

static bool
same_route(const struct notify_route *a, const struct notify_route *b)
{
	return a->failure == b->failure && a->recovery == b->recovery && a->long_run == b->long_run && a->long_ns == b->long_ns &&
	    !strcmp(a->from, b->from) && !strcmp(a->smtp, b->smtp) && same_list(a->mail, a->n_mail, b->mail, b->n_mail) &&
	    same_list(a->webhook, a->n_webhook, b->webhook, b->n_webhook);
}

/* The last route, or the one before that is the same. */
static struct notify_route *
merge(struct notify *n)
{
	struct notify_route *last = &n->route[n->n - 1];

	for (size_t i = 0; i + 1 < n->n; i++)
		if (same_route(&n->route[i], last)) {
			free(last->mail);
			free(last->webhook);
			n->n--;
			return &n->route[i];
		}
	return last;
}

void
alerts_make(const struct specset *s, struct notify *ret)
{
	for (size_t i = 0; i < s->n_pipeline; i++) {
		const struct pipeline *p = &s->pipeline[i];
		const struct notify_form *f = p->notify ? p->notify : s->notify;
		struct notify_route *r;

		if (!f || (f->mail.n == 0 && f->webhook.n == 0) || !(is_on(f, FAILURE) || is_on(f, RECOVERY) || is_on(f, LONG_RUN)))
			continue;
		add_route(s, ret, f);
		r = merge(ret);
		GROW(r->pipeline, r->n_pipeline, r->cap_pipeline);
		r->pipeline[r->n_pipeline++] = pipeline_name(p);
	}
}
