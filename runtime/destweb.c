/* destweb.c: https:// and sftp://: a request a file, over http.h.  What may pass is tried again as for S3.  By ssh a file comes under
 * a temporary name and is then renamed; a web server is trusted to show what it got whole. */
#include "dest.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "http.h"
#include "place.h"
#include "s3retry.h"
#include "sshhome.h"

enum { CONCURRENCY = 4, AHEAD = 2, KEY_MAX = 4096 };

struct web {
	struct dest d;
	struct http *http;
	struct s3_pace pace;
	unsigned seed;
	bool known;                         /* it has answered once */
	struct sshhome ssh;
	size_t key;                         /* which of its keys we are let in by, as far as we know */
	const char *user;                   /* by ssh: who we are here, where the URL does not say; NULL */
};

/* One file to be sent, or removed: put NULL. */
struct errand {
	struct web *w;
	const struct dest_put *put;
	struct removal *removal;
	char *key, *url, *path, *tmp;       /* path, tmp: quoted for sftp's commands */
	int fd;
	unsigned tries;
	size_t with;                        /* the key that it was last sent with */
};

struct removal { dest_done *done; void *ctx; size_t left; char *text; };

static bool
is_ssh(const struct web *w)
{
	return w->d.place->to.kind == DEST_SFTP;
}

/* Each byte but unreserved ones and '/' as %XX (RFC 3986). */
static void
encode(struct buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";

	for (; *s; s++)
		if (strchr(plain, *s))
			buf_byte(b, *s);
		else
			buf_fmt(b, "%%%02X", (unsigned char)*s);
}

static char *
url_of(const struct web *w, const char *path)
{
	struct buf b = BUF_INIT;

	buf_fmt(&b, "%s://%s", w->d.place->to.scheme, w->d.place->to.host);
	encode(&b, path);
	return buf_detach(&b);
}

/* As libcurl takes names in sftp's commands. */
static char *
quoted(const char *path)
{
	struct buf b = BUF_INIT;

	buf_byte(&b, '"');
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			buf_byte(&b, '\\');
		buf_byte(&b, *path);
	}
	buf_byte(&b, '"');
	return buf_detach(&b);
}

static char *
tmp_of(const struct web *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf b = BUF_INIT;
	char hex[OID_HEX + 1];
	struct oid id;

	sha256_bytes(path, strlen(path), &id);
	oid_hex(&id, hex);
	buf_fmt(&b, "%.*s.dassie-%s-%.8s.tmp", (int)(slash + 1 - path), path, w->d.place->pipeline, hex);
	return buf_detach(&b);
}

static struct errand *
errand_new(struct web *w, const char *key)
{
	struct errand *e = xcalloc(1, sizeof *e);
	struct buf path = BUF_INIT;
	char *tmp;

	e->w = w;
	e->fd = -1;
	e->key = xstrdup(key);
	buf_fmt(&path, "%s%s", w->d.place->to.prefix, key);
	tmp = tmp_of(w, path.s);
	e->url = url_of(w, is_ssh(w) ? tmp : path.s);
	e->path = quoted(path.s);
	e->tmp = quoted(tmp);
	free(tmp);
	buf_release(&path);
	return e;
}

static void
removal_part(struct removal *v, const char *text)
{
	struct dest_result r = { DEST_FINE, "", "" };

	if (*text && !v->text)
		v->text = xstrdup(text);
	if (--v->left)
		return;
	if (v->text)
		r = (struct dest_result){ DEST_ONE, v->text, "" };
	v->done(v->ctx, &r);
	free(v->text);
	free(v);
}

static void
errand_end(struct errand *e, enum dest_failure failure, const char *text)
{
	struct dest_result r = { failure, text, "" };

	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
	if (e->put)
		e->put->done(e->put->ctx, &r);
	else
		removal_part(e->removal, text);
	free(e->key);
	free(e->url);
	free(e->path);
	free(e->tmp);
	free(e);
}

/* "host", "-p 2222 host", as ssh is called; and "[host]:2222", as it writes it down. */
static void
add_host(struct buf *b, const struct errand *e, bool written)
{
	const char *at = e->w->d.place->to.host, *name = strchr(at, '@'), *port;
	size_t n;

	name = name ? name + 1 : at;
	port = strrchr(name, ':');
	if (port && strchr(port, ']'))
		port = NULL;
	n = port ? (size_t)(port - name) : strlen(name);
	if (port && written)
		buf_fmt(b, "[%.*s]%s", (int)n, name, port);
	else
		buf_fmt(b, "%s%s%s%.*s", port ? "-p " : "", port ? port + 1 : "", port ? " " : "", (int)n, name);
}

static void
way_out_ssh(struct buf *b, const struct errand *e, const struct http_answer *a)
{
	if (a->fault == HTTP_FAULT_HOST_UNKNOWN) {
		buf_fmt(b, "; it is not in '%s': 'ssh ", e->w->ssh.known_hosts);
		add_host(b, e, false);
		buf_str(b, "' once shows the key, and asks whether to put it there");
	} else if (a->fault == HTTP_FAULT_HOST_CHANGED) {
		buf_fmt(b, "; '%s' has another. Somebody may be listening in between; if the host was set up anew: 'ssh-keygen -R ",
		    e->w->ssh.known_hosts);
		add_host(b, e, true);
		buf_str(b, "', then 'ssh ");
		add_host(b, e, false);
		buf_str(b, "' once");
	} else if (a->fault == HTTP_FAULT_LOGIN) {
		buf_str(b, "; we had ");
		sshhome_tell(b, &e->w->ssh);
		buf_str(b, ". 'ssh-copy-id ");
		add_host(b, e, false);
		buf_str(b, "' lets a key in; one with a passphrase has to be in an agent ('ssh-add')");
		if (strncmp(http_ssh_library(), "libssh2/1.10", 12) == 0 || strncmp(http_ssh_library(), "libssh2/1.9", 11) == 0)
			buf_fmt(b, "; RSA keys as %s uses them are refused by servers of today: 'ssh-keygen -t ed25519' makes another", http_ssh_library());
	} else if (a->fault == HTTP_FAULT_REFUSED) {
		buf_str(b, "; may the user of the URL write there, and is there room?");
	}
}

static void
way_out(struct buf *b, const struct errand *e, const struct http_answer *a)
{
	if (is_ssh(e->w))
		way_out_ssh(b, e, a);
	else if (a->fault == HTTP_FAULT_TLS)
		buf_str(b, "; a CA of your own is named by CURL_CA_BUNDLE=/path/ca.pem");
	else if (a->status == 401)
		buf_str(b, "; name and password of the host are read from ~/.netrc");
	else if (a->status == 403)
		buf_str(b, "; the server does not allow it: look at its rules for PUT");
	else if (a->status == 404 || a->status == 405 || a->status == 409)
		buf_str(b, "; does the server take PUT there, and is the folder there?");
}

static void
tell(struct errand *e, const struct http_answer *a)
{
	const struct place *p = e->w->d.place;
	struct buf b = BUF_INIT;
	bool final = (a->status >= 400 && a->status < 500 && a->status != 409) || a->fault == HTTP_FAULT_LOGIN || a->fault == HTTP_FAULT_TLS ||
	    a->fault == HTTP_FAULT_HOST_UNKNOWN || a->fault == HTTP_FAULT_HOST_CHANGED || a->fault == HTTP_FAULT_RESOLVE ||
	    a->fault == HTTP_FAULT_CONNECT;

	buf_fmt(&b, "cannot %s '%s' %s %s://%s%s: ", e->put ? "put" : "remove", e->key, e->put ? "to" : "from", p->to.scheme, p->to.host,
	    p->to.prefix);
	if (a->fault)
		buf_fmt(&b, "%s%s%s", http_fault_words(a->fault), a->text && *a->text ? ": " : "", a->text ? a->text : "");
	else
		buf_fmt(&b, "the server says %d", a->status);
	way_out(&b, e, a);
	if (e->tries > 1)
		buf_fmt(&b, " (%u tries)", e->tries);
	errand_end(e, final ? DEST_STOP : DEST_ONE, b.s);
	buf_release(&b);
}

static void start(void *ctx);

/* Not let in: there may be one more key. */
static bool
with_another_key(struct errand *e, const struct http_answer *a)
{
	struct web *w = e->w;

	if (a->fault != HTTP_FAULT_LOGIN || !is_ssh(w))
		return false;
	if (e->with == w->key && w->key + 1 < w->ssh.n)
		w->key++;
	if (e->with == w->key)
		return false;
	e->tries--;
	start(e);
	return true;
}

static bool
went_well(const struct errand *e, const struct http_answer *a)
{
	if (a->fault)
		return !e->put && is_ssh(e->w) && a->text && strstr(a->text, "No such file");
	return is_ssh(e->w) || (a->status >= 200 && a->status < 300) || (!e->put && (a->status == 404 || a->status == 410));
}

static void
answered(void *ctx, const struct http_answer *a)
{
	struct errand *e = ctx;
	struct web *w = e->w;
	const char *after = a->n_header ? http_header(a, "Retry-After") : NULL;
	enum s3_class class = s3_classify(a->fault, a->status, "");
	uint64_t ms, after_ms = after ? strtoull(after, NULL, 10) * 1000 : 0;

	w->known |= a->status != 0;
	if (went_well(e, a)) {
		s3_pace_good(&w->pace);
		errand_end(e, DEST_FINE, "");
	} else if (with_another_key(e, a)) {
		return;
	} else if ((class == S3_TRANSIENT || class == S3_TIMEOUT || class == S3_THROTTLE) &&
	    s3_pace_again(&w->pace, class, e->tries, w->known, after_ms, (double)rand_r(&w->seed) / ((double)RAND_MAX + 1), &ms)) {
		http_after(w->http, ms, start, e);
	} else {
		tell(e, a);
	}
}

static int
open_body(struct errand *e, struct http_request *r)
{
	if (e->fd < 0)
		e->fd = open(e->put->file, O_RDONLY | O_CLOEXEC);
	r->body = (struct http_body){ NULL, e->fd, 0, e->put->size };
	return e->fd;
}

/* Who we are there, and how it is known that it is there. */
static void
identify(struct errand *e, struct http_request *r)
{
	e->with = e->w->key;
	r->user = e->w->user;
	r->ssh_key = e->with < e->w->ssh.n ? e->w->ssh.key[e->with] : NULL;
	r->known_hosts = e->w->ssh.known_hosts;
}

static void
start_ssh(struct errand *e, struct http_request *r)
{
	struct buf rename = BUF_INIT, gone = BUF_INIT;
	const char *after[2];

	/* A rename does not replace in sftp's version 3, so the old file goes first; a '*' forgives that it is not there. */
	buf_fmt(&gone, "*rm %s", e->path);
	buf_fmt(&rename, "rename %s %s", e->tmp, e->path);
	after[0] = gone.s;
	after[1] = rename.s;
	identify(e, r);
	r->quote_after = after;
	r->n_quote_after = 2;
	r->make_dirs = true;
	http_start(e->w->http, r);
	buf_release(&rename);
	buf_release(&gone);
}

static void
start_put(struct errand *e)
{
	struct http_request r = HTTP_REQUEST_INIT;
	struct buf type = BUF_INIT, cache = BUF_INIT;
	const char *header[2];

	r.method = "PUT";
	r.url = e->url;
	r.done = answered;
	r.ctx = e;
	r.netrc = true;
	if (open_body(e, &r) < 0) {
		struct err err = ERR_INIT;

		err_set(&err, errno, "cannot read the content of '%s' (%s):", e->key, e->put->file);
		errand_end(e, DEST_ONE, err.text);
		return;
	}
	if (is_ssh(e->w)) {
		start_ssh(e, &r);
		return;
	}
	buf_fmt(&type, "Content-Type: %s", e->put->content_type);
	header[r.n_header++] = type.s;
	if (e->w->d.place->cache_control) {
		buf_fmt(&cache, "Cache-Control: %s", e->w->d.place->cache_control);
		header[r.n_header++] = cache.s;
	}
	r.header = header;
	http_start(e->w->http, &r);
	buf_release(&type);
	buf_release(&cache);
}

/* By ssh: a look at the folder, with the removal after it. */
static void
start_removal(struct errand *e)
{
	struct http_request r = HTTP_REQUEST_INIT;
	struct buf rm = BUF_INIT, left = BUF_INIT;
	const char *after[2];
	char *folder = NULL;

	/* What a killed push may have left of it goes, too. */
	buf_fmt(&left, "*rm %s", e->tmp);
	buf_fmt(&rm, "rm %s", e->path);
	after[0] = left.s;
	after[1] = rm.s;
	r.method = "DELETE";
	r.url = e->url;
	r.done = answered;
	r.ctx = e;
	r.netrc = true;
	if (is_ssh(e->w)) {
		folder = url_of(e->w, e->w->d.place->to.prefix);
		r.method = "HEAD";
		identify(e, &r);
		r.url = folder;
		r.quote_after = after;
		r.n_quote_after = 2;
	}
	http_start(e->w->http, &r);
	free(folder);
	buf_release(&rm);
	buf_release(&left);
}

static void
start(void *ctx)
{
	struct errand *e = ctx;

	e->tries++;
	if (e->put)
		start_put(e);
	else
		start_removal(e);
}

static void
web_put(struct dest *d, const struct dest_put *put)
{
	struct errand *e = errand_new((struct web *)d, put->key);

	e->put = put;
	start(e);
}

static void
web_remove(struct dest *d, const char *const *key, size_t n, dest_done *done, void *ctx)
{
	struct removal *v = xcalloc(1, sizeof *v);

	*v = (struct removal){ .done = done, .ctx = ctx, .left = n };
	for (size_t i = 0; i < n; i++) {
		struct errand *e = errand_new((struct web *)d, key[i]);

		e->removal = v;
		start(e);
	}
}

/* Whether it takes a file shows when it gets one: there is no probe that would not be one. */
static int
web_check(struct dest *d, void (*say)(void *ctx, const char *line), void *ctx, struct err *err)
{
	(void)d;
	(void)err;
	say(ctx, "there is no way to ask; the first file will tell");
	return 0;
}

static void
web_step(struct dest *d, unsigned ms)
{
	http_step(((struct web *)d)->http, ms);
}

static uint64_t
web_moved(struct dest *d)
{
	uint64_t sent, received;

	http_moved(((struct web *)d)->http, &sent, &received);
	return sent;
}

static void
web_free(struct dest *d)
{
	struct web *w = (struct web *)d;

	if (w->http)
		http_free(w->http);
	sshhome_release(&w->ssh);
	free(w);
}

static const struct dest_ops web_ops = {
	.check = web_check, .put = web_put, .remove = web_remove, .step = web_step, .moved = web_moved, .free = web_free,
};

static const char *
local_user(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw ? pw->pw_name : getenv("USER");
}

struct dest *
dest_web(const struct place *p, struct err *err)
{
	struct web *w = xcalloc(1, sizeof *w);
	struct http_options options = { .concurrency = p->concurrency ? p->concurrency : CONCURRENCY, .rate = p->bandwidth };

	w->d = (struct dest){ .ops = &web_ops, .place = p, .window = AHEAD * options.concurrency, .max_size = UINT64_MAX, .max_key = KEY_MAX };
	w->seed = (unsigned)(time_now_ns() ^ (uint64_t)getpid());
	s3_pace_init(&w->pace, options.concurrency);
	if (is_ssh(w) && !strchr(p->to.host, '@'))
		w->user = local_user();
	sshhome_init(&w->ssh);
	w->http = http_new(&options, err);
	if (w->http)
		return &w->d;
	web_free(&w->d);
	return NULL;
}
