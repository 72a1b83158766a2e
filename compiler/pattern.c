/* pattern.c: patterns over what an attempt said: checked when the spec is compiled, matched when an attempt failed.
 * `dassie-compile match LOG PATTERN…` prints the numbers (from 0) of those that match the last 64 KB of LOG, one a line: the
 * runner, which links no PCRE2, starts it.  Output is bytes, lines are lines for ^ and $.  One that takes too many
 * steps does not match, and its number is printed with a '!'. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <errno.h>
#include <pcre2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/retry.h"
#include "../base/talk.h"
#include "value.h"
#include "verbs.h"

enum { TAIL = 64 * 1024, STEPS = 1000 * 1000, HEAP_KB = 20 * 1024 };

static pcre2_code *
compile(const char *pattern, char msg[PATTERN_MSG])
{
	PCRE2_UCHAR text[256];
	PCRE2_SIZE at;
	int code;
	pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);

	if (re)
		return re;
	pcre2_get_error_message(code, text, sizeof text);
	snprintf(msg, PATTERN_MSG, "pattern '%.100s': %s at character %zu", pattern, (char *)text, (size_t)at + 1);
	return NULL;
}

static const struct { const char *name; int sig; } signals[] = {
	{ "SIGHUP", SIGHUP }, { "SIGINT", SIGINT }, { "SIGQUIT", SIGQUIT }, { "SIGILL", SIGILL }, { "SIGTRAP", SIGTRAP },
	{ "SIGABRT", SIGABRT }, { "SIGBUS", SIGBUS }, { "SIGFPE", SIGFPE }, { "SIGKILL", SIGKILL }, { "SIGUSR1", SIGUSR1 },
	{ "SIGSEGV", SIGSEGV }, { "SIGUSR2", SIGUSR2 }, { "SIGPIPE", SIGPIPE }, { "SIGALRM", SIGALRM }, { "SIGTERM", SIGTERM },
	{ "SIGXCPU", SIGXCPU }, { "SIGXFSZ", SIGXFSZ }, { "SIGSYS", SIGSYS },
};

bool
retry_rule_of(const char *text, struct retry_rule *ret, char msg[PATTERN_MSG])
{
	int64_t number;
	pcre2_code *re;

	*ret = (struct retry_rule){ .kind = RETRY_MATCH, .pattern = text };
	if (value_int(text, &number)) {
		*ret = (struct retry_rule){ .kind = RETRY_EXIT, .number = (int)number };
		if (number >= 1 && number <= 255)
			return true;
		snprintf(msg, PATTERN_MSG, "'%.40s' is no exit code of a failure: 1 to 255", text);
		return false;
	}
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (strcmp(text, signals[i].name) == 0) {
			*ret = (struct retry_rule){ .kind = RETRY_SIGNAL, .number = signals[i].sig };
			return true;
		}
	if (!*text || (strncmp(text, "SIG", 3) == 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(text))) {
		snprintf(msg, PATTERN_MSG, *text ? "'%.40s' is no signal that ends a command" : "an empty pattern matches everything", text);
		return false;
	}
	re = compile(text, msg);
	pcre2_code_free(re);
	return re;
}

/* 1, 0, or -1 where it is given up. */
static int
matches(const char *pattern, const char *s, size_t n)
{
	char msg[PATTERN_MSG];
	pcre2_code *re = compile(pattern, msg);
	pcre2_match_data *data = re ? pcre2_match_data_create_from_pattern(re, NULL) : NULL;
	pcre2_match_context *ctx = pcre2_match_context_create(NULL);
	int rc = -1;

	if (data && ctx) {
		pcre2_set_match_limit(ctx, STEPS);
		pcre2_set_heap_limit(ctx, HEAP_KB);
		rc = pcre2_match(re, (PCRE2_SPTR)s, n, 0, 0, data, ctx);
		rc = rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(ctx);
	pcre2_code_free(re);
	return rc;
}

int
verb_match(int argc, char **argv)
{
	static char text[TAIL];
	struct err err = ERR_INIT;
	ssize_t n;

	if (argc < 3) {
		talk("usage: dassie-compile match LOG PATTERN… (dassie-datum calls it)");
		return EXIT_USAGE;
	}
	n = fs_read_tail(argv[1], text, TAIL);
	if (n < 0) {
		err_set(&err, errno, "cannot read '%s':", argv[1]);
		return talk_err(&err);
	}
	for (int i = 2; i < argc; i++) {
		int rc = matches(argv[i], text, (size_t)n);

		if (rc)
			printf("%s%d\n", rc < 0 ? "!" : "", i - 2);
	}
	return talk_done(EXIT_DONE);
}
