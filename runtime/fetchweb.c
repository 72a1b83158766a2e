/* fetchweb.c: each URL is asked for once, with what is known of it (RFC 9110, 13.1: If-None-Match, If-Modified-Since): 304 costs no
 * bytes.  A server that gives neither ETag nor Last-Modified sends its file each time.  What breaks on its way begins again. */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

#include "../base/err.h"
#include "http.h"

enum { TRIES = 4, FIRST_WAIT_MS = 200, LONGEST_WAIT_S = 30 };

struct page {
	struct incoming in;         /* comes first: that is what fetch_bytes() is given */
	struct http *h;
	const char *url;
	unsigned tries;
};

static void start(void *ctx);

/* "abc" of "\"abc\""; a weak one stays as it is. */
static char *
etag_of(struct arena *a, const struct http_answer *answer)
{
	const char *t = http_header(answer, "etag");
	size_t n = t ? strlen(t) : 0;

	return n >= 2 && t[0] == '"' && t[n - 1] == '"' ? arena_dup(a, t + 1, n - 2) : arena_dup(a, n ? t : "", n);
}

/* RFC 9110, 10.2.3, as a number of seconds; else doubling, within limits. */
static uint64_t
wait_ms(const struct page *p, const struct http_answer *a)
{
	const char *after = http_header(a, "retry-after");
	unsigned long s = after ? strtoul(after, NULL, 10) : 0;

	return s ? (s < LONGEST_WAIT_S ? s : LONGEST_WAIT_S) * 1000 : (uint64_t)FIRST_WAIT_MS << p->tries;
}

static bool
passes(const struct http_answer *a)
{
	return a->fault ? http_fault_passes(a->fault) : a->status == 408 || a->status == 429 || a->status >= 500;
}

static const char *
advice(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ": it wants to know who asks; write name and password of the host into ~/.netrc";
	case 404:
	case 410:
		return ": it is not there; correct the URL in 'repos'";
	default:
		return "";
	}
}

static void
explain(struct page *p, const struct http_answer *a)
{
	struct complaints *bad = &p->in.f->bad;

	if (a->fault)
		complain(bad, "cannot fetch '%s': %s: %s%s", p->url, http_fault_words(a->fault), a->text,
		    a->fault == HTTP_FAULT_TLS ? "; a CA of your own is named by CURL_CA_BUNDLE=/path/ca.pem" : "");
	else
		complain(bad, "cannot fetch '%s': the server answers %d%s", p->url, a->status, advice(a->status));
}

static void
unchanged(struct page *p)
{
	const struct fetched_file *o = fetch_known(p->in.f, p->in.to->o.path, UINT64_MAX, p->in.to->o.etag, p->in.to->o.modified);
	const char *url = p->in.to->o.url;

	if (o) {
		p->in.to->o = *o;
		p->in.to->o.url = url;
		p->in.to->known = true;
	} else {
		complain(&p->in.f->bad, "'%s' answers that it has not changed since then, but was not asked that", p->url);
	}
}

static void
answered(void *ctx, const struct http_answer *a)
{
	struct page *p = ctx;
	struct fetch *f = p->in.f;
	const char *modified = http_header(a, "last-modified"), *version = http_header(a, "x-amz-version-id");

	if (!a->fault && a->status == 200) {
		fetch_end(&p->in, etag_of(&f->a, a), modified ? modified : "", version ? version : "");
		return;
	}
	fetch_drop(&p->in);
	if (!a->fault && a->status == 304)
		unchanged(p);
	else if (passes(a) && ++p->tries < TRIES)
		http_after(p->h, wait_ms(p, a), start, p);
	else if (a->fault != HTTP_FAULT_LOCAL || f->bad.n == 0)
		explain(p, a);
}

static void
start(void *ctx)
{
	struct page *p = ctx;
	struct fetch *f = p->in.f;
	struct remote *to = p->in.to;
	const struct fetched_file *o = fetch_known(f, to->o.path, UINT64_MAX, to->o.etag, to->o.modified);
	struct http_request r = HTTP_REQUEST_INIT;
	const char *header[2];

	fetch_begin(&p->in, f, to);
	if (o && *o->etag)
		header[r.n_header++] = arena_fmt(&f->a, strncmp(o->etag, "W/", 2) ? "If-None-Match: \"%s\"" : "If-None-Match: %s", o->etag);
	if (o && *o->modified)
		header[r.n_header++] = arena_fmt(&f->a, "If-Modified-Since: %s", o->modified);
	r.method = "GET";
	r.url = p->url;
	r.header = header;
	r.sink = fetch_bytes;
	r.done = answered;
	r.ctx = p;
	r.follow = true;
	r.netrc = true;
	http_start(p->h, &r);
}

/* What is known of a URL stands there before it is asked for, so that its answer is compared with that. */
static void
add_known(struct fetch *f, struct remote *r)
{
	const struct fetched_file *o = fetched_find(&f->old, r->o.path);

	if (!o)
		o = fetched_find(&f->part, r->o.path);
	if (o) {
		r->o.etag = o->etag;
		r->o.modified = o->modified;
		r->o.size = o->size;
	}
}

int
fetch_web(struct fetch *f, struct err *err)
{
	const struct index_source *s = f->src;
	struct page *page = xcalloc(s->n_from + 1, sizeof *page);

	(void)err;
	for (size_t i = 0; i < s->n_from; i++) {
		struct remote *r = fetch_add(f, s->with[i].value, s->from[i]);

		if (r) {
			r->o.url = s->from[i];
			add_known(f, r);
		}
	}
	if (fetch_compare(f) == 0) {
		for (size_t i = 0; i < f->n; i++) {
			f->v[i].known = false;
			page[i] = (struct page){ .h = f->h, .url = f->v[i].o.url };
			page[i].in.f = f;
			page[i].in.to = &f->v[i];
			start(&page[i]);
		}
		while (fetch_step(f))
			;
	}
	free(page);
	return f->bad.n ? -1 : 0;
}
