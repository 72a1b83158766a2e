/* httpfault.c: what an answer, or its absence, says, and what the environment says of certificates; without libcurl, so that pure
 * code can ask. */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/buf.h"
#include "../base/mem.h"

const char *
http_fault_words(enum http_fault fault)
{
	static const char *const words[] = {
		[HTTP_NO_FAULT] = "no fault", [HTTP_FAULT_URL] = "the URL cannot be used",
		[HTTP_FAULT_RESOLVE] = "the host name has no address", [HTTP_FAULT_CONNECT] = "cannot connect",
		[HTTP_FAULT_PROXY] = "the proxy refused", [HTTP_FAULT_TLS] = "no secure connection",
		[HTTP_FAULT_HOST_UNKNOWN] = "the host is not known", [HTTP_FAULT_HOST_CHANGED] = "the host's key has changed",
		[HTTP_FAULT_LOGIN] = "login refused", [HTTP_FAULT_REFUSED] = "the server refused",
		[HTTP_FAULT_TIMEOUT] = "timed out", [HTTP_FAULT_RESET] = "the connection was lost",
		[HTTP_FAULT_TRUNCATED] = "the answer was cut short", [HTTP_FAULT_PROTOCOL] = "that is no such server",
		[HTTP_FAULT_LOCAL] = "our own file failed",
	};

	return words[fault];
}

bool
http_fault_passes(enum http_fault fault)
{
	switch (fault) {
	case HTTP_FAULT_RESOLVE:
	case HTTP_FAULT_CONNECT:
	case HTTP_FAULT_TIMEOUT:
	case HTTP_FAULT_RESET:
	case HTTP_FAULT_TRUNCATED:
		return true;
	default:
		return false;
	}
}

const char *
http_header(const struct http_answer *a, const char *name)
{
	for (size_t i = 0; i < a->n_header; i++)
		if (strcasecmp(a->header[i].name, name) == 0)
			return a->header[i].value;
	return NULL;
}

struct http_header *
http_split_headers(struct buf *head, size_t *ret_n)
{
	struct http_header *v = NULL;
	size_t n = 0, cap = 0;

	for (char *line = head->s; line && line < head->s + head->n; line += strlen(line) + 1) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		GROW(v, n, cap);
		v[n].name = line;
		v[n++].value = colon + 1 + strspn(colon + 1, " \t");
	}
	/* Only now, since an end of line is how the next one is found. */
	for (size_t i = 0; i < n; i++)
		*strchr(v[i].name, ':') = '\0';
	*ret_n = n;
	return v;
}

const char *
http_bundle(void)
{
	static const char *const names[] = { "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *s = getenv(names[i]);

		if (s && *s)
			return s;
	}
	return NULL;
}
