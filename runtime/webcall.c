/* webcall.c: http_now() with its answer copied out of the callback. */
#include "webcall.h"

#include "../base/buf.h"
#include "../base/err.h"
#include "http.h"

struct got { struct buf *body; int status; struct err *err; };

static void
keep(void *ctx, const struct http_answer *a)
{
	struct got *g = ctx;

	if (a->fault) {
		g->status = err_set(g->err, 0, "%s: %s", http_fault_words(a->fault), a->text);
		return;
	}
	g->status = a->status;
	buf_add(g->body, a->body, a->n_body);
}

int
web_call(struct http *h, struct http_request *r, struct buf *ret_body, struct err *err)
{
	struct got g = { ret_body, -1, err };

	buf_str(ret_body, "");
	r->done = keep;
	r->ctx = &g;
	http_now(h, r);
	return g.status;
}
