/* egressstate.c: what refs/P is now, against what each place got last. */
#include "egressstate.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/ref.h"
#include "place.h"
#include "show.h"

static int
state_of(struct arena *a, const struct conf *c, size_t i, const struct ref *out, struct egress_state *s, struct err *err)
{
	struct place place = PLACE_INIT;
	int rc = place_init(&place, c, i, err);

	s->url = arena_str(a, c->egress[i].url);
	if (rc == 0)
		rc = pushed_read(&s->last, &place, a, err);
	s->last.url = s->url;
	s->known = rc == 1;
	s->word = rc != 1 ? "never pushed" : s->last.failed ? "failed" : oid_eq(&s->last.commit, &out->id) ? "pushed" : "stale";
	place_release(&place);
	return rc < 0 ? -1 : 0;
}

int
egress_states(struct arena *a, const char *pipeline, struct egress_state **ret, size_t *ret_n, struct err *err)
{
	struct conf c = CONF_INIT;
	struct ref out = REF_INIT;
	struct err gone = ERR_INIT;
	char path[LAYOUT_MAX];
	int rc;

	*ret = NULL;
	*ret_n = 0;
	if (conf_read(&c, pipeline, &gone) < 0)
		return 0;
	rc = c.n_egress ? ref_read(layout_ref(path, pipeline), &out, err) : 0;
	*ret = arena_alloc(a, (c.n_egress + 1) * sizeof **ret);
	for (size_t i = 0; rc >= 0 && i < c.n_egress; i++)
		rc = state_of(a, &c, i, &out, &(*ret)[(*ret_n)++], err);
	ref_release(&out);
	conf_release(&c);
	return rc < 0 ? -1 : 0;
}

void
egress_sentence(struct buf *b, const struct egress_state *s)
{
	bool failed = !strcmp(s->word, "failed");

	buf_str(b, failed ? "egress failed " : !s->known ? "not pushed yet" : "pushed ");
	if (s->known)
		show_ago(b, s->last.finished);
	buf_str(b, " to ");
	show_name(b, s->url);
	if (failed) {
		buf_str(b, ": ");
		show_files(b, s->last.left, s->last.left_bytes);
		buf_str(b, s->last.left == 1 ? " is left" : " are left");
	} else if (!strcmp(s->word, "stale")) {
		buf_str(b, ", before the newest output");
	}
}

void
egress_json(struct buf *b, const struct egress_state *v, size_t n)
{
	json_open(b, "egress", '[');
	for (size_t i = 0; i < n; i++) {
		const struct pushed *o = &v[i].last;

		json_open(b, NULL, '{');
		json_str(b, "url", v[i].url);
		json_str(b, "state", v[i].word);
		if (v[i].known) {
			json_oid(b, "commit", &o->commit);
			json_time(b, "finished", o->finished);
			json_i64(b, "put", (int64_t)o->put);
			json_i64(b, "put_bytes", (int64_t)o->put_bytes);
			json_i64(b, "unchanged", (int64_t)o->same);
			json_i64(b, "deleted", (int64_t)o->gone);
			json_i64(b, "left", (int64_t)o->left);
			json_i64(b, "left_bytes", (int64_t)o->left_bytes);
			json_str(b, "reason", *o->reason ? o->reason : NULL);
		}
		json_close(b, '}');
	}
	json_close(b, ']');
}
