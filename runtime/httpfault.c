/* httpfault.c: what an answer, or its absence, says; without libcurl, so that pure code can ask. */
#include "http.h"

#include <strings.h>

const char *
http_fault_words(enum http_fault fault)
{
	static const char *const words[] = {
		[HTTP_NO_FAULT] = "no fault", [HTTP_FAULT_URL] = "the URL cannot be used",
		[HTTP_FAULT_RESOLVE] = "the host name has no address", [HTTP_FAULT_CONNECT] = "cannot connect",
		[HTTP_FAULT_PROXY] = "the proxy refused", [HTTP_FAULT_TLS] = "no secure connection",
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
