/* http.c: a line of requests, an array of running transfers, a pool of easy handles that keep nothing but their memory
 * (connections and names live in the multi handle), and alarms.
 *
 * libcurl's callbacks only move bytes; done() is called after libcurl has returned, so that it may start, wait and free as it
 * likes.  A limit of bytes a second is one token bucket for all transfers: a reader that finds it empty pauses its transfer, and
 * http_step() lets it go on. */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "alarms.h"

enum { DEFAULT_CONCURRENCY = 8, BIG = 64 << 10, PAUSE_MS = 20, WORTH_ASKING = 1 << 20 };

struct transfer {
	struct http *h;
	CURL *easy;
	struct http_request r;            /* its texts are ours: url, method; lists of libcurl's hold the others */
	char *url, *method;
	struct curl_slist *header, *before, *after, *mail;
	uint64_t at, received;
	bool paused, sinking;
	struct buf head, body;            /* header lines, each ended by a NUL; the body */
	bool cut;
	int status;
	enum http_fault hostkey;          /* what is wrong with it */
	char shown_key[80];
	const char *local;                /* what our own side failed at */
	char text[CURL_ERROR_SIZE];
	struct transfer *next;
};

struct http {
	CURLM *multi;
	CURL *now;                        /* of http_now() */
	CURL **idle; size_t n_idle;
	struct transfer **running; size_t n_running;
	struct transfer *first, **last;   /* the line */
	size_t n_waiting;
	struct alarms alarms;
	unsigned concurrency;
	const char *ca_bundle;
	uint64_t rate, filled;            /* bytes a second; when the bucket was filled last, ms */
	int64_t tokens;
	uint64_t sent, received;          /* of finished transfers */
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- faults ------------------------------------------------------------------------------------------------------------ */

/* A handshake that the network broke is no fault of certificates. */
static enum http_fault
tls_fault(CURL *easy)
{
	long num = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &num);
	return num == ECONNRESET || num == EPIPE || num == ETIMEDOUT ? HTTP_FAULT_RESET : HTTP_FAULT_TLS;
}

static enum http_fault
lost_fault(CURL *easy)
{
	long tunnel = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	return tunnel >= 300 ? HTTP_FAULT_PROXY : HTTP_FAULT_RESET;
}

static enum http_fault
fault_of(CURL *easy, CURLcode code)
{
	char *ip = NULL;

	switch (code) {
	case CURLE_OK: return HTTP_NO_FAULT;
	case CURLE_URL_MALFORMAT: case CURLE_NOT_BUILT_IN: return HTTP_FAULT_URL;
	case CURLE_UNSUPPORTED_PROTOCOL:
		curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip);
		return ip && *ip ? HTTP_FAULT_PROTOCOL : HTTP_FAULT_URL;
	case CURLE_WEIRD_SERVER_REPLY: return HTTP_FAULT_PROTOCOL;
	case CURLE_COULDNT_RESOLVE_HOST: return HTTP_FAULT_RESOLVE;
	case CURLE_COULDNT_CONNECT: case CURLE_INTERFACE_FAILED: return HTTP_FAULT_CONNECT;
	case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_PROXY: return HTTP_FAULT_PROXY;
	case CURLE_SSL_CONNECT_ERROR: return tls_fault(easy);
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR: case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_USE_SSL_FAILED: case CURLE_SSL_CRL_BADFILE:
		return HTTP_FAULT_TLS;
	case CURLE_OPERATION_TIMEDOUT: return HTTP_FAULT_TIMEOUT;
	case CURLE_PARTIAL_FILE: return HTTP_FAULT_TRUNCATED;
	case CURLE_LOGIN_DENIED: case CURLE_AUTH_ERROR: return HTTP_FAULT_LOGIN;
	case CURLE_REMOTE_ACCESS_DENIED: case CURLE_UPLOAD_FAILED: case CURLE_QUOTE_ERROR: case CURLE_REMOTE_FILE_NOT_FOUND:
	case CURLE_REMOTE_DISK_FULL: case CURLE_REMOTE_FILE_EXISTS: case CURLE_TOO_MANY_REDIRECTS: case CURLE_SSH:
		return HTTP_FAULT_REFUSED;
	case CURLE_WRITE_ERROR: case CURLE_READ_ERROR: case CURLE_ABORTED_BY_CALLBACK: case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT: case CURLE_BAD_FUNCTION_ARGUMENT: case CURLE_SEND_FAIL_REWIND:
		return HTTP_FAULT_LOCAL;
	default: return lost_fault(easy);
	}
}

/* --- libcurl's callbacks: they only move bytes ------------------------------------------------------------------------- */

static void
refill(struct http *h)
{
	uint64_t now = now_ms(), ms = now - h->filled;
	int64_t most = (int64_t)(h->rate / 4 > BIG ? h->rate / 4 : BIG);

	if (!h->rate || !ms)
		return;
	if (ms > 1000)
		ms = 1000;
	if (h->rate * ms < 1000)
		return;
	h->tokens += (int64_t)(h->rate * ms / 1000);
	h->filled = now;
	if (h->tokens > most)
		h->tokens = most;
}

static size_t
on_read(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	const struct http_body *b = &t->r.body;
	uint64_t left = b->n - t->at;

	n *= size;
	if (n > left)
		n = (size_t)left;
	if (t->h->rate && n) {
		refill(t->h);
		if (t->h->tokens <= 0) {
			t->paused = true;
			return CURL_READFUNC_PAUSE;
		}
		if ((uint64_t)t->h->tokens < n)
			n = (size_t)t->h->tokens;
	}
	if (b->p) {
		memcpy(p, (const char *)b->p + t->at, n);
	} else if (n) {
		ssize_t got = pread(b->fd, p, n, (off_t)(b->offset + t->at));

		if (got <= 0) {
			t->local = got < 0 ? strerror(errno) : "the file is shorter than it was";
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)got;
	}
	t->at += n;
	if (t->h->rate)
		t->h->tokens -= (int64_t)n;
	return n;
}

/* libcurl wants to send from the start again: a kept connection had been closed by the other side. */
static int
on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct transfer *t = ctx;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->r.body.n)
		return CURL_SEEKFUNC_FAIL;
	t->at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = n * size, all = len;
	long status = 0;

	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		len--;
	if (len > 5 && memcmp(p, "HTTP/", 5) == 0) {
		buf_reset(&t->head);
		buf_reset(&t->body);
		t->received = 0;
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->status = (int)status;
		t->sinking = t->r.sink && status >= 200 && status < 300;
	} else if (len && t->head.n + len < BIG) {
		buf_add(&t->head, p, len);
		buf_byte(&t->head, '\0');
	}
	return all;
}

static size_t
on_write(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = n * size, room = HTTP_MAX_BODY - t->body.n;

	t->received += len;
	/* Schemes without a status line go to the sink as they are. */
	if (t->sinking || (t->r.sink && !t->status)) {
		if (t->r.began && t->received == len)
			t->r.began(t->r.ctx, t->status);
		if (t->r.sink(t->r.ctx, p, len))
			return len;
		t->local = "what came could not be kept";
		return 0;
	}
	t->cut |= len > room;
	buf_add(&t->body, p, len > room ? room : len);
	return len;
}

/* As ssh shows it: the SHA-256 of the key, in base64 without its '='. */
static int
on_host_key(CURL *e, const struct curl_khkey *known, const struct curl_khkey *found, enum curl_khmatch match, void *ctx)
{
	struct transfer *t = ctx;
	char sum[OID_BASE64 + 1];
	struct oid id;

	(void)e;
	(void)known;
	if (match == CURLKHMATCH_OK)
		return CURLKHSTAT_FINE;
	t->hostkey = match == CURLKHMATCH_MISMATCH ? HTTP_FAULT_HOST_CHANGED : HTTP_FAULT_HOST_UNKNOWN;
	if (found->len) {
		sha256_bytes(found->key, found->len, &id);
		oid_base64(&id, sum);
		snprintf(t->shown_key, sizeof t->shown_key, "its key is SHA256:%.*s", (int)strcspn(sum, "="), sum);
	}
	return CURLKHSTAT_REJECT;
}

/* --- one transfer ------------------------------------------------------------------------------------------------------- */

static struct curl_slist *
slist(const char *const *s, size_t n)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < n; i++)
		list = curl_slist_append(list, s[i]);
	return list;
}

static struct transfer *
transfer_new(struct http *h, const struct http_request *r)
{
	struct transfer *t = xcalloc(1, sizeof *t);

	t->h = h;
	t->r = *r;
	t->url = xstrdup(r->url);
	t->method = xstrdup(r->method ? r->method : "");
	t->r.user = r->user ? xstrdup(r->user) : NULL;
	t->r.password = r->password ? xstrdup(r->password) : NULL;
	t->r.mail_from = r->mail_from ? xstrdup(r->mail_from) : NULL;
	t->header = slist(r->header, r->n_header);
	/* To ask whether a body may come is one more way there and back, and a second where nobody answers. */
	if (strncasecmp(r->url, "http", 4) == 0 && (r->body.p || r->body.fd >= 0) && r->body.n <= WORTH_ASKING)
		t->header = curl_slist_append(t->header, "Expect:");
	t->before = slist(r->quote_before, r->n_quote_before);
	t->after = slist(r->quote_after, r->n_quote_after);
	t->mail = slist(r->mail_to, r->n_mail_to);
	return t;
}

static void
transfer_free(struct transfer *t)
{
	curl_slist_free_all(t->header);
	curl_slist_free_all(t->before);
	curl_slist_free_all(t->after);
	curl_slist_free_all(t->mail);
	free((char *)t->r.user);
	free((char *)t->r.password);
	free((char *)t->r.mail_from);
	free(t->url);
	free(t->method);
	buf_release(&t->head);
	buf_release(&t->body);
	free(t);
}

static bool
has_body(const struct transfer *t)
{
	return t->r.body.p || t->r.body.fd >= 0;
}

static void
set_method(CURL *e, const struct transfer *t)
{
	bool http = strncasecmp(t->url, "http", 4) == 0;

	if (has_body(t)) {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->r.body.n);
		if (t->r.body.n > BIG)
			curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 4L * BIG);
	} else if (strcmp(t->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	if (http && *t->method && strcmp(t->method, "HEAD") && strcmp(t->method, "GET") && (strcmp(t->method, "PUT") || !has_body(t)))
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t->method);
}

static void
set_security(CURL *e, const struct transfer *t)
{
	bool https = strncasecmp(t->url, "https:", 6) == 0;

	if (t->r.fresh)
		curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
	if (t->r.direct)
		curl_easy_setopt(e, CURLOPT_PROXY, "");
	if (t->h->ca_bundle)
		curl_easy_setopt(e, CURLOPT_CAINFO, t->h->ca_bundle);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, (long)t->r.follow);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, 10L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https,sftp,smtp,smtps");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
#else
	curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_SFTP | CURLPROTO_SMTP | CURLPROTO_SMTPS));
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS, (long)(https ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void
set_others(CURL *e, const struct transfer *t)
{
	if (t->r.user)
		curl_easy_setopt(e, CURLOPT_USERNAME, t->r.user);
	if (t->r.password)
		curl_easy_setopt(e, CURLOPT_PASSWORD, t->r.password);
	if (t->r.known_hosts) {
		curl_easy_setopt(e, CURLOPT_SSH_KNOWNHOSTS, t->r.known_hosts);
		curl_easy_setopt(e, CURLOPT_SSH_KEYFUNCTION, on_host_key);
		curl_easy_setopt(e, CURLOPT_SSH_KEYDATA, t);
	}
	if (t->r.ssh_key)
		curl_easy_setopt(e, CURLOPT_SSH_PRIVATE_KEYFILE, t->r.ssh_key);
	if (t->r.netrc)
		curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	if (t->mail) {
		curl_easy_setopt(e, CURLOPT_MAIL_FROM, t->r.mail_from);
		curl_easy_setopt(e, CURLOPT_MAIL_RCPT, t->mail);
		curl_easy_setopt(e, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	}
	if (t->before)
		curl_easy_setopt(e, CURLOPT_PREQUOTE, t->before);
	if (t->after)
		curl_easy_setopt(e, CURLOPT_POSTQUOTE, t->after);
	if (t->r.make_dirs)
		curl_easy_setopt(e, CURLOPT_FTP_CREATE_MISSING_DIRS, (long)CURLFTP_CREATE_DIR_RETRY);
}

static void
set_up(struct transfer *t, CURL *e)
{
	t->easy = e;
	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_URL, t->url);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "dassie/" PACKAGE_VERSION);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->header);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->text);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(t->r.connect_ms ? t->r.connect_ms : 10000));
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)(t->r.stall_s ? t->r.stall_s : 60));
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)t->r.total_ms);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, t);
	curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	if (t->r.sink)
		curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 2L * BIG);
	set_method(e, t);
	set_security(e, t);
	set_others(e, t);
}

/* A server may refuse an upload and hang up before it has read it: that is an answer. */
static void
finish(struct transfer *t, CURLcode code)
{
	struct http_answer a = { .fault = fault_of(t->easy, code), .text = t->text, .status = t->status, .cut = t->cut };
	struct http_header *v = http_split_headers(&t->head, &a.n_header);

	if (a.fault == HTTP_FAULT_RESET && t->status >= 400)
		a.fault = HTTP_NO_FAULT;
	if (t->hostkey) {
		a.fault = t->hostkey;
		t->local = t->shown_key;
	}
	if (a.fault && t->local)
		a.text = t->local;
	else if (a.fault && !t->text[0])
		a.text = curl_easy_strerror(code);
	a.header = v;
	a.body = t->body.s ? t->body.s : "";
	a.n_body = t->body.n;
	a.sent = t->at;
	a.received = t->received;
	t->h->sent += t->at;
	t->h->received += t->received;
	t->r.done(t->r.ctx, &a);
	free(v);
	transfer_free(t);
}

/* --- the line, the loop --------------------------------------------------------------------------------------- */

struct http *
http_new(const struct http_options *o, struct err *err)
{
	struct http *h = xcalloc(1, sizeof *h);
	const char *ca = o && o->ca_bundle ? o->ca_bundle : http_bundle();

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(h->multi = curl_multi_init())) {
		free(h);
		err_set(err, 0, "libcurl does not start");
		return NULL;
	}
	h->concurrency = o && o->concurrency ? o->concurrency : DEFAULT_CONCURRENCY;
	h->rate = o ? o->rate : 0;
	h->filled = now_ms();
	h->ca_bundle = ca ? xstrdup(ca) : NULL;
	h->last = &h->first;
	h->idle = xcalloc(h->concurrency, sizeof *h->idle);
	h->running = xcalloc(h->concurrency, sizeof *h->running);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->concurrency + 4);
	return h;
}

void
http_free(struct http *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n_running; i++) {
		curl_multi_remove_handle(h->multi, h->running[i]->easy);
		curl_easy_cleanup(h->running[i]->easy);
		transfer_free(h->running[i]);
	}
	for (struct transfer *t = h->first, *next; t; t = next) {
		next = t->next;
		transfer_free(t);
	}
	alarms_release(&h->alarms);
	for (size_t i = 0; i < h->n_idle; i++)
		curl_easy_cleanup(h->idle[i]);
	curl_easy_cleanup(h->now);
	curl_multi_cleanup(h->multi);
	free(h->idle);
	free(h->running);
	free((char *)h->ca_bundle);
	free(h);
}

unsigned
http_concurrency(const struct http *h)
{
	return h->concurrency;
}

const char *
http_ssh_library(void)
{
	const char *s = curl_version_info(CURLVERSION_NOW)->libssh_version;

	return s ? s : "";
}

const char *
http_trusted(const struct http *h)
{
	return h->ca_bundle;
}

void
http_trust(struct http *h, const char *ca_bundle)
{
	if (!ca_bundle)
		return;
	free((char *)h->ca_bundle);
	h->ca_bundle = xstrdup(ca_bundle);
}

void
http_start(struct http *h, const struct http_request *r)
{
	struct transfer *t = transfer_new(h, r);

	*h->last = t;
	h->last = &t->next;
	h->n_waiting++;
}

void
http_after(struct http *h, uint64_t ms, void (*fn)(void *ctx), void *ctx)
{
	alarms_add(&h->alarms, now_ms() + ms, fn, ctx);
}

static void
admit(struct http *h)
{
	while (h->first && h->n_running < h->concurrency) {
		struct transfer *t = h->first;
		CURL *e = h->n_idle ? h->idle[--h->n_idle] : curl_easy_init();

		if (!e)
			return;
		h->first = t->next;
		if (!h->first)
			h->last = &h->first;
		h->n_waiting--;
		h->running[h->n_running++] = t;
		set_up(t, e);
		curl_multi_add_handle(h->multi, e);
	}
}

static bool
reap(struct http *h)
{
	bool any = false;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left))) {
		CURL *e = m->easy_handle;
		CURLcode code = m->data.result;
		struct transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		for (size_t i = 0; i < h->n_running; i++)
			if (h->running[i]->easy == e) {
				t = h->running[i];
				h->running[i] = h->running[--h->n_running];
				break;
			}
		curl_multi_remove_handle(h->multi, e);
		if (t)
			finish(t, code);
		if (h->n_idle < h->concurrency)
			h->idle[h->n_idle++] = e;
		else
			curl_easy_cleanup(e);
		any = true;
	}
	return any;
}

/* Let those go on that waited for the bucket.  Is any still waiting? */
static bool
resume(struct http *h)
{
	bool waiting = false;

	if (!h->rate)
		return false;
	refill(h);
	for (size_t i = 0; i < h->n_running; i++) {
		struct transfer *t = h->running[i];

		if (t->paused && h->tokens > 0) {
			t->paused = false;
			curl_easy_pause(t->easy, CURLPAUSE_CONT);
		}
		waiting |= t->paused;
	}
	return waiting;
}

static size_t
count(const struct http *h)
{
	return h->n_running + h->n_waiting + alarms_count(&h->alarms);
}

static bool
move(struct http *h)
{
	bool any = alarms_run(&h->alarms, now_ms());
	int running;

	admit(h);
	curl_multi_perform(h->multi, &running);
	any |= reap(h);
	admit(h);
	return any;
}

size_t
http_step(struct http *h, unsigned max_ms)
{
	bool any = move(h), waiting = resume(h);
	uint64_t ms = max_ms;

	if (any || !count(h) || !max_ms)
		return count(h);
	if (waiting && ms > PAUSE_MS)
		ms = PAUSE_MS;
	curl_multi_poll(h->multi, NULL, 0, (int)alarms_wait(&h->alarms, now_ms(), ms), NULL);
	move(h);
	return count(h);
}

void
http_moved(const struct http *h, uint64_t *ret_sent, uint64_t *ret_received)
{
	*ret_sent = h->sent;
	*ret_received = h->received;
	for (size_t i = 0; i < h->n_running; i++) {
		*ret_sent += h->running[i]->at;
		*ret_received += h->running[i]->received;
	}
}

void
http_now(struct http *h, const struct http_request *r)
{
	struct transfer *t = transfer_new(h, r);

	if (!h->now)
		h->now = curl_easy_init();
	set_up(t, h->now);
	finish(t, curl_easy_perform(h->now));
}
