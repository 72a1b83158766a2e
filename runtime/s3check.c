/* s3check.c: a probe object is written the way that the real ones will be, listed, written again in parts, and removed: only doing it
 * tells whether it may be done, for policies depend on key, headers and source. */
#include "s3check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "http.h"
#include "s3call.h"

static const uint64_t HOUR_NS = 3600000000000;
static const char PROBE[] = "written by dassie to see whether it may; remove it if you find it\n";

struct check {
	struct s3 *s;
	struct http *http;
	const struct s3_check *what;
	void (*say)(void *ctx, const char *line);
	void *ctx;
	char *key;
	bool done, there;                 /* there: the probe is in the bucket */
	struct s3_answer last;
	char *text, *upload_id, *etag;
	char **old; size_t n_old, cap_old;  /* uploads of a probe that nobody ended */
};

static void
keep(void *ctx, const struct s3_answer *a)
{
	struct check *c = ctx;

	c->last = *a;
	s3_remember(&c->text, a->text);
	s3_remember(&c->upload_id, a->upload_id);
	s3_remember(&c->etag, a->etag);
	c->done = true;
}

__attribute__((format(printf, 3, 4))) static void
say(struct check *c, const char *name, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	char text[ERR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_fmt(&b, "%-12s %s", name, text);
	c->say(c->ctx, b.s);
	buf_release(&b);
}

/* Wait for the answer; told either way. */
static int
answered(struct check *c, const char *name, struct err *err)
{
	while (!c->done)
		http_step(c->http, 1000);
	c->done = false;
	if (c->last.failure == S3_FINE) {
		if (name)
			say(c, name, "ok");
		return 0;
	}
	if (name)
		say(c, name, "no: %.*s", (int)strcspn(c->text, "\n"), c->text);
	return err_set(err, 0, "%s", c->text);
}

static void
say_place(struct check *c)
{
	say(c, "endpoint", "%s (from %s)", c->s->endpoint, c->s->endpoint_from);
	say(c, "region", "%s (from %s)", c->s->region, c->s->region_from);
}

static int
login(struct check *c, struct err *err)
{
	const char *who;

	if (s3_login(c->s, err) < 0) {
		say(c, "credentials", "none");
		return -1;
	}
	say(c, "credentials", "%s", s3_credentials_from(c->s));
	who = s3_who(c->s);
	if (*who)
		say(c, "identity", "%s", who);
	else
		say(c, "identity", "not known: no STS answers at %s", creds_sts_endpoint(c->s->chain));
	return 0;
}

static struct s3_bytes
probe_bytes(void)
{
	return (struct s3_bytes){ .p = PROBE, .size = sizeof PROBE - 1 };
}

static int
put(struct check *c, struct err *err)
{
	struct s3_bytes bytes = probe_bytes();
	int rc;

	s3_put(c->s, c->key, &bytes, c->what->how, keep, c);
	rc = answered(c, "put", err);
	c->there |= rc == 0;
	say_place(c);
	return rc;
}

static bool
seen(void *ctx, const struct s3_object *o)
{
	(void)ctx;
	(void)o;
	return false;
}

static int
list(struct check *c, struct err *err)
{
	s3_list(c->s, c->key, seen, keep, c);
	return answered(c, "list", err);
}

static void
note_old(void *ctx, const struct s3_held *u)
{
	struct check *c = ctx;

	/* Another push may be at its own just now. */
	if (strcmp(u->key, c->key) || u->began == 0 || u->began + HOUR_NS > time_now_ns())
		return;
	GROW(c->old, c->n_old, c->cap_old);
	c->old[c->n_old++] = xstrdup(u->upload_id);
}

/* What a push left that was killed between beginning and end of its probe.  Who may not list uploads leaves it there. */
static void
abort_old(struct check *c)
{
	struct err ignored = ERR_INIT;

	s3_list_uploads(c->s, c->key, note_old, keep, c);
	answered(c, NULL, &ignored);
	for (size_t i = 0; i < c->n_old; i++) {
		s3_abort(c->s, c->key, c->old[i], keep, c);
		answered(c, NULL, &ignored);
		free(c->old[i]);
	}
	free(c->old);
}

/* Begin and abort; then begin, a part, finish. */
static int
parts(struct check *c, struct err *err)
{
	struct s3_bytes bytes = probe_bytes();
	struct oid sha256;
	struct s3_part part = { .number = 1, .sha256 = &sha256, .size = bytes.size };
	char *id = NULL;
	int rc = -1;

	s3_begin(c->s, c->key, c->what->how, keep, c);
	if (answered(c, NULL, err) < 0)
		goto out;
	s3_remember(&id, c->upload_id);
	s3_part(c->s, c->key, id, 1, &bytes, &sha256, keep, c);
	if (answered(c, NULL, err) < 0)
		goto out;
	snprintf(part.etag, sizeof part.etag, "%s", c->etag);
	s3_finish(c->s, c->key, id, &part, 1, keep, c);
	if (answered(c, NULL, err) < 0)
		goto out;
	c->there = true;
	free(id);
	id = NULL;
	s3_begin(c->s, c->key, c->what->how, keep, c);
	if (answered(c, NULL, err) < 0)
		goto out;
	s3_remember(&id, c->upload_id);
	rc = 0;
out:
	if (id) {
		struct err cannot = ERR_INIT;

		s3_abort(c->s, c->key, id, keep, c);
		if (answered(c, NULL, &cannot) < 0 && rc == 0) {
			*err = cannot;
			rc = -1;
		}
	}
	if (rc < 0)
		say(c, "parts", "no: %.*s", (int)strcspn(err->text, "\n"), err->text);
	else
		say(c, "parts", "ok");
	if (rc == 0)
		abort_old(c);
	free(id);
	return rc;
}

static int
clean_up(struct check *c, struct err *err)
{
	struct err cannot = ERR_INIT;

	if (!c->there)
		return 0;
	s3_delete(c->s, c->key, keep, c);
	if (answered(c, c->what->delete ? "delete" : NULL, &cannot) == 0)
		return 0;
	if (!c->what->delete) {
		say(c, "delete", "not allowed, and not needed; the probe 's3://%s/%s' stays", c->s->bucket, c->key);
		return 0;
	}
	*err = cannot;
	return -1;
}

int
s3_check(struct s3 *s, struct http *h, const struct s3_check *what, void (*tell)(void *ctx, const char *line), void *ctx, struct err *err)
{
	struct check c = { .s = s, .http = h, .what = what, .say = tell, .ctx = ctx };
	struct buf key = BUF_INIT;
	struct err later = ERR_INIT;
	int rc;

	/* Always the same: where it may not be removed, one stays and not one a run. */
	buf_fmt(&key, "%s.dassie-probe", what->prefix ? what->prefix : "");
	c.key = key.s;
	rc = login(&c, err);
	if (rc == 0)
		rc = put(&c, err);
	if (rc == 0 && what->list)
		rc = list(&c, err);
	if (rc == 0 && what->multipart)
		rc = parts(&c, err);
	if (clean_up(&c, rc == 0 ? err : &later) < 0)
		rc = -1;
	buf_release(&key);
	free(c.text);
	free(c.upload_id);
	free(c.etag);
	return rc;
}
