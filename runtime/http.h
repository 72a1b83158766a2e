/* http.h: transfers, many at a time, from one process and one thread, over libcurl's multi interface.  The only file that
 * includes curl.h.  It knows HTTP(S) and what else libcurl speaks (sftp, smtp); it knows nothing of S3, and never retries.
 *
 * Connections are kept and reused.  Memory is bounded: bodies are read from memory, or with pread from a descriptor; an answer
 * goes to a sink, or into memory up to HTTP_MAX_BODY.  Proxies come from the environment, as with curl (https_proxy, no_proxy …).
 * Neither URLs nor headers are ever logged. */
#ifndef RUNTIME_HTTP_H
#define RUNTIME_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct http;

enum { HTTP_MAX_BODY = 8 << 20 };    /* of an answer that is kept in memory: the rest is dropped, and `cut` says so */

/* Why there is no answer.  An answer of any status has HTTP_NO_FAULT. */
enum http_fault {
	HTTP_NO_FAULT,
	HTTP_FAULT_URL,          /* malformed, or a scheme that this libcurl lacks */
	HTTP_FAULT_RESOLVE,      /* no address for the name */
	HTTP_FAULT_CONNECT,      /* refused, unreachable */
	HTTP_FAULT_PROXY,        /* the proxy: no address for it, or it said no */
	HTTP_FAULT_TLS,          /* handshake, certificate, CA bundle */
	HTTP_FAULT_HOST_UNKNOWN, /* sftp: not in known_hosts, */
	HTTP_FAULT_HOST_CHANGED, /* or there with another key */
	HTTP_FAULT_LOGIN,        /* sftp, smtp: not let in */
	HTTP_FAULT_REFUSED,      /* sftp, smtp: let in, but not allowed to do that */
	HTTP_FAULT_TIMEOUT,      /* connecting took too long, or nothing moved any more */
	HTTP_FAULT_RESET,        /* the connection was lost */
	HTTP_FAULT_TRUNCATED,    /* fewer bytes came than were announced */
	HTTP_FAULT_PROTOCOL,     /* what answered does not speak this protocol */
	HTTP_FAULT_LOCAL,        /* our own file or sink */
};

/* "cannot connect", …: a few words; and whether the same request may well work a little later. */
const char *http_fault_words(enum http_fault fault);
bool http_fault_passes(enum http_fault fault);

struct http_header { const char *name, *value; };    /* name as the server wrote it */

struct http_answer {
	enum http_fault fault;
	const char *text;                 /* of a fault: libcurl's sentence */
	int status;                       /* HTTP's; 0 with a fault before the status line */
	const struct http_header *header; size_t n_header;
	const char *body; size_t n_body;  /* NUL-terminated; what did not go to the sink */
	bool cut;                         /* body is not all of it */
	uint64_t sent, received;          /* bytes of bodies */
};

/* The first header of that name, without regard to case, or NULL. */
const char *http_header(const struct http_answer *a, const char *name);

/* "Name: value" lines, each ended by a NUL, become pairs, in place; the caller frees the array. */
struct http_header *http_split_headers(struct buf *head, size_t *ret_n);

/* What is sent: n bytes of memory, or n bytes of fd from offset (the descriptor's own offset is not used, so that several
 * requests can share one).  fd < 0 and p NULL: no body.  Neither is copied: both stay until done() is called. */
struct http_body {
	const void *p;
	int fd;
	uint64_t offset, n;
};

#define HTTP_NO_BODY { NULL, -1, 0, 0 }

struct http_request {
	const char *method;               /* "GET", "PUT" …; ignored where the scheme has none */
	const char *url;                  /* encoded: goes out byte for byte, dots in the path too */
	const char *const *header; size_t n_header;    /* "Name: value"; "Name:" takes one of libcurl's own away */
	struct http_body body;
	/* Where the body of a 2xx answer goes; false stops the transfer with HTTP_FAULT_LOCAL.  Other answers' bodies, and all
	 * bodies without a sink, go to memory. */
	bool (*sink)(void *ctx, const void *p, size_t n);
	void (*began)(void *ctx, int status);                   /* before the first sink(); may be NULL */
	void (*done)(void *ctx, const struct http_answer *a);   /* once, from http_step(), never from http_start() */
	void *ctx;
	unsigned connect_ms;              /* 0: 10 s */
	unsigned stall_s;                 /* nothing moves for so long: a timeout.  0: 60 s */
	unsigned total_ms;                /* 0: no limit */
	bool fresh;                       /* on a new connection: what a kept one loses libcurl sends again by itself, and does not say so */
	bool direct;                      /* through no proxy, whatever the environment says */
	bool follow;                      /* redirects, of GET and HEAD, never from https to http */
	/* Other schemes. */
	const char *user, *password;      /* NULL: of the URL, for sftp also the keys and the agent of ssh */
	bool netrc;                       /* look for the host in ~/.netrc */
	const char *mail_from; const char *const *mail_to; size_t n_mail_to;    /* smtp: the body is the message */
	const char *const *quote_before, *const *quote_after; size_t n_quote_before, n_quote_after;   /* sftp: "rename A B" */
	bool make_dirs;                   /* sftp */
	const char *ssh_key;              /* sftp: a private key's file.  NULL: only an agent's.  Stays until done(), as the next one */
	const char *known_hosts;          /* sftp: only hosts of this file; NULL: any host.  Not copied: stays until done() */
};

#define HTTP_REQUEST_INIT { .body = HTTP_NO_BODY }

struct http_options {
	unsigned concurrency;             /* transfers at a time; others wait in line.  0: 8 */
	const char *ca_bundle;            /* NULL: http_bundle(), else libcurl's own */
	uint64_t rate;                    /* bytes a second that all together send; 0: no limit */
};

/* What the environment names: AWS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE, in that order; NULL: nothing. */
const char *http_bundle(void);
/* NULL and err: libcurl does not start.  options may be NULL. */
struct http *http_new(const struct http_options *options, struct err *err);
unsigned http_concurrency(const struct http *h);
/* "libssh2/1.10.0"; "": none. */
const char *http_ssh_library(void);
/* The bundle in use, NULL: libcurl's own. */
const char *http_trusted(const struct http *h);
/* Another CA bundle, for requests to come.  NULL: as it is. */
void http_trust(struct http *h, const char *ca_bundle);
/* Running transfers are dropped; their done() is not called. */
void http_free(struct http *h);

/* Put a request in line.  Texts are copied, bodies are not. */
void http_start(struct http *h, const struct http_request *r);
/* Call fn(ctx) from http_step() in ms or a little later. */
void http_after(struct http *h, uint64_t ms, void (*fn)(void *ctx), void *ctx);
/* Move everything on, at most for so long (0: only what can go at once); callbacks run in here and may start more.
 * How many transfers and timers there still are. */
size_t http_step(struct http *h, unsigned max_ms);
/* Bytes of bodies sent and received since http_new(), unfinished transfers too: for progress. */
void http_moved(const struct http *h, uint64_t *ret_sent, uint64_t *ret_received);

/* One request at once, while all others stand: for the small ones of which others depend (credentials).  done() is called
 * before it returns. */
void http_now(struct http *h, const struct http_request *r);

#endif
