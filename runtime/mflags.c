/* mflags.c: MAKEFLAGS is "LETTERS --long --options -- VAR=x"; see the header for what was seen. */
#include "mflags.h"

#include <stdlib.h>
#include <string.h>

static void
letters(struct mflags *m, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		m->dry |= s[i] == 'n';
		m->question |= s[i] == 'q';
		m->touch |= s[i] == 't';
		m->silent |= s[i] == 's';
	}
}

/* "-j4" beside a jobserver; a bare "-j" is unlimited. */
static void
long_word(struct mflags *m, const char *s, size_t n, unsigned cores)
{
	unsigned long jobs;

	if (n < 2 || s[0] != '-' || s[1] != 'j')
		return;
	m->unbound = n == 2;
	jobs = strtoul(s + 2, NULL, 10);
	m->jobs = n == 2 ? cores : jobs > 0 && jobs < 100000 ? (unsigned)jobs : 1;
}

void
mflags_parse(struct mflags *m, const char *env, unsigned cores)
{
	const char *s = env;
	bool first = true;

	*m = (struct mflags){ .jobs = 1 };
	while (s && *s) {
		size_t n = strcspn(s, " ");

		if (n == 2 && memcmp(s, "--", 2) == 0)
			break;
		if (first && n > 0 && s[0] != '-' && !memchr(s, '=', n))
			letters(m, s, n);
		else
			long_word(m, s, n, cores);
		first = false;
		s += n;
		if (*s == ' ')
			s++;
	}
}
