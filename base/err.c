/* err.c: sentences are built in place; what does not fit is cut, never an overflow. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
err_set(struct err *e, int num, const char *fmt, ...)
{
	size_t n = strlen(fmt);
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	e->num = num;
	if (n && fmt[n - 1] == ':' && len >= 0 && (size_t)len < sizeof e->text)
		snprintf(e->text + len, sizeof e->text - (size_t)len, " %s", strerror(num));
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char head[ERR_MAX];
	va_list ap;
	size_t n, rest = strlen(e->text);
	int len;

	va_start(ap, fmt);
	len = vsnprintf(head, sizeof head - 2, fmt, ap);
	va_end(ap);
	if (len < 0)
		return -1;
	n = strlen(head);
	head[n++] = ':';
	head[n++] = ' ';
	if (n + rest >= sizeof e->text)
		rest = sizeof e->text - 1 - n;
	memmove(e->text + n, e->text, rest);
	memcpy(e->text, head, n);
	e->text[n + rest] = '\0';
	return -1;
}

_Noreturn void
bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "dassie: our own fault at %s:%d: %s\n", file, line, what);
	abort();
}
