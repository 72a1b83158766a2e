/* notify.c: the file between the spec's `notify` and those who tell. */
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "layout.h"
#include "rec.h"

static void
put_list(struct buf *b, const char *word, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rec_word(b, word);
		rec_str(b, v[i]);
		rec_end(b);
	}
}

void
notify_write(struct buf *b, const struct notify *n)
{
	rec_head(b, "notify", 1);
	for (size_t i = 0; i < n->n; i++) {
		const struct notify_route *r = &n->route[i];
		char on[4];

		snprintf(on, sizeof on, "%s%s%s", r->failure ? "f" : "", r->recovery ? "r" : "", r->long_run ? "l" : "");
		rec_word(b, "route");
		rec_str(b, on);
		rec_u64(b, r->long_ns);
		rec_str(b, r->from);
		rec_str(b, r->smtp);
		rec_end(b);
		put_list(b, "mail", r->mail, r->n_mail);
		put_list(b, "webhook", r->webhook, r->n_webhook);
		put_list(b, "pipeline", r->pipeline, r->n_pipeline);
	}
	rec_seal(b);
}

static bool
take_route(struct notify *n, const struct rec *r)
{
	struct notify_route *t;

	if (r->n != 5)
		return false;
	GROW(n->route, n->n, n->cap);
	t = &n->route[n->n++];
	*t = (struct notify_route){ .failure = strchr(r->f[1], 'f'), .recovery = strchr(r->f[1], 'r'), .long_run = strchr(r->f[1], 'l'),
	    .from = arena_str(&n->arena, r->f[3]), .smtp = arena_str(&n->arena, r->f[4]) };
	return rec_get_u64(r, 2, &t->long_ns);
}

static bool
take_line(struct notify *n, const struct rec *r)
{
	struct notify_route *t = n->n ? &n->route[n->n - 1] : NULL;
	const char *value;

	if (rec_is(r, "route", 5))
		return take_route(n, r);
	if (!t || r->n != 2)
		return rec_is(r, "sha256", 2);
	value = arena_str(&n->arena, r->f[1]);
	if (rec_is(r, "mail", 2)) {
		GROW(t->mail, t->n_mail, t->cap_mail);
		t->mail[t->n_mail++] = value;
	} else if (rec_is(r, "webhook", 2)) {
		GROW(t->webhook, t->n_webhook, t->cap_webhook);
		t->webhook[t->n_webhook++] = value;
	} else if (rec_is(r, "pipeline", 2)) {
		GROW(t->pipeline, t->n_pipeline, t->cap_pipeline);
		t->pipeline[t->n_pipeline++] = value;
	}
	return true;
}

int
notify_read(struct notify *n, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	int rc = recfile_open_sealed(&f, FILE_NOTIFY, "notify", 1, err);

	while (rc == 1 && recfile_next(&f, &r))
		if (!take_line(n, &r))
			rc = err_set(err, 0, "'%s' is damaged: 'dassie compile' makes it again", FILE_NOTIFY);
	recfile_release(&f);
	return rc;
}

void
notify_release(struct notify *n)
{
	for (size_t i = 0; i < n->n; i++) {
		free(n->route[i].mail);
		free(n->route[i].webhook);
		free(n->route[i].pipeline);
	}
	free(n->route);
	arena_release(&n->arena);
	*n = (struct notify)NOTIFY_INIT;
}
