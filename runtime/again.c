/* again.c: retries that make sense.  In this order:
 *
 *   never    a fault that an attempt cannot heal (its input changed), a rule of the spec's `never`
 *   again    a rule of `on`; exit 75 (EX_TEMPFAIL), a signal, a time-out, a well-known message of a network
 *   never    no such command (126, 127)
 *   again    out of memory, where the next try gets more
 *   once     anything else: if it ends alike twice (same end, same output but for numbers) it will a third time
 *
 * The spec's patterns are PCRE2, which this program does not link: dassie-compile matches them, started only when an attempt
 * has failed and there are patterns. */
#include "again.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "capture.h"
#include "failure.h"
#include "result.h"
#include "state.h"

enum { TAIL = 64 * 1024, TEMPORARY = 75, ID_DIGITS = 8 };
enum verdict { NO_RULE, RULE_ON, RULE_NEVER };

static const char *const network[] = {
	"Connection refused", "Connection reset", "Connection timed out", "Connection closed by remote host", "Connection aborted",
	"Network is unreachable", "Network is down", "No route to host", "Host is unreachable", "Operation timed out",
	"Temporary failure in name resolution", "Temporary failure resolving", "Could not resolve host", "Name or service not known",
	"Resource temporarily unavailable", "TLS handshake timeout", "i/o timeout", "Read timed out", "Remote end closed connection",
	"unexpected EOF while reading", "Too Many Requests", "Service Unavailable", "Bad Gateway", "Gateway Time-out", "Gateway Timeout",
	"SlowDown", "RequestTimeout", "ThrottlingException", "Rate exceeded",
};

/* Of malloc and its like. */
static const char *const memory[] = {
	"MemoryError", "bad_alloc", "Cannot allocate memory", "Out of memory", "OutOfMemory", "memory exhausted", "Unable to allocate",
	"cannot allocate vector", "failed to allocate", "allocation failed", "malloc failed", "not enough memory",
};

/* The one of these messages that is in this output; NULL if there is none. */
static const char *
find_message(const char *const *v, size_t n_v, const char *s, size_t n)
{
	for (size_t i = 0; i < n_v; i++) {
		size_t len = strlen(v[i]);
		char first[] = { v[i][0], (char)(isupper((unsigned char)v[i][0]) ? tolower((unsigned char)v[i][0]) : toupper((unsigned char)v[i][0])) };

		for (size_t c = 0; c < 2; c++)
			for (const char *p = s; (p = memchr(p, first[c], (size_t)(s + n - p))); p++)
				if ((size_t)(s + n - p) >= len && strncasecmp(p, v[i], len) == 0)
					return v[i];
	}
	return NULL;
}

size_t
again_blur(char *s, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n;) {
		size_t k = i;
		bool digit = false;

		while (k < n && isxdigit((unsigned char)s[k]))
			digit |= isdigit((unsigned char)s[k++]);
		if (k == i) {
			s[out++] = s[i++];
			continue;
		}
		/* An address, a hash, a process: one mark; a word that happens to be of such letters stays. */
		if ((digit && k - i >= ID_DIGITS) || (out && s[out - 1] == 'x')) {
			s[out++] = '#';
			i = k;
		}
		for (; i < k; i++)
			if (!isdigit((unsigned char)s[i]))
				s[out++] = s[i];
			else if (!out || s[out - 1] != '#')
				s[out++] = '#';
	}
	return out;
}

/* A shell says of a command that a signal ended: 128 and its number. */
static int
signal_of(const struct attempt *a)
{
	return a->signal ? a->signal : a->exit > 128 && a->exit <= 128 + 31 ? a->exit - 128 : 0;
}

/* Which of the spec's patterns match; hit has a place for each rule. */
static void
match(const struct retry *t, const char *log, bool *hit)
{
	const char **argv = xcalloc(t->n_rule + 4, sizeof *argv), *p;
	size_t *rule = xcalloc(t->n_rule + 1, sizeof *rule), n = 0;
	char program[PATH_MAX];
	struct buf said = BUF_INIT;
	struct err err = ERR_INIT;
	int rc;

	argv[0] = state_helper("dassie-compile", program, sizeof program);
	argv[1] = "match";
	argv[2] = log;
	for (size_t i = 0; i < t->n_rule; i++)
		if (t->rule[i].kind == RETRY_MATCH) {
			rule[n] = i;
			argv[3 + n++] = t->rule[i].pattern;
		}
	rc = n ? capture(argv, &said, TAIL, &err) : 0;
	if (rc)
		talk("'%s' could not match the patterns of 'retry'", program);
	for (p = rc == 0 && said.n ? said.s : ""; *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : "") {
		bool lost = *p == '!';
		size_t i = strtoul(p + lost, NULL, 10);

		if (i < n && lost)
			talk("retry: pattern '%s' takes too many steps on '%s': left out", t->rule[rule[i]].pattern, log);
		else if (i < n)
			hit[rule[i]] = true;
	}
	buf_release(&said);
	free(argv);
	free(rule);
}

static enum verdict
judge_rules(const struct retry *t, const struct attempt *a, const char *log)
{
	bool *hit = xcalloc(t->n_rule + 1, sizeof *hit);
	enum verdict v = NO_RULE;

	if (a->log)
		match(t, log, hit);
	for (size_t i = 0; i < t->n_rule; i++) {
		const struct retry_rule *r = &t->rule[i];
		bool applies = r->kind == RETRY_MATCH ? hit[i] : r->kind == RETRY_EXIT ? a->exit == r->number : signal_of(a) == r->number;

		if (applies && v != RULE_NEVER)
			v = r->never ? RULE_NEVER : RULE_ON;
	}
	free(hit);
	return v;
}

/* A limit that is held by rlimit makes malloc fail, and nobody is told.  What speaks for it: the output, or that it died
 * of a signal with most of what it may use.  true if so, and the fault says that it is a guess. */
static bool
guess_memory(struct fault *f, const struct attempt *a, const char *text, size_t n)
{
	const char *said = a->memory ? find_message(memory, sizeof memory / sizeof *memory, text, n) : NULL;
	int sig = signal_of(a);
	char limit[32], used[32];

	if (!a->memory || a->oom)
		return false;
	if (said)
		fault_set(f, CLASS_MEMORY, "probably out of memory: it says '%s', and its limit is %s (%s)", said, failure_size(limit, a->memory),
		    a->memory_by);
	else if ((sig == SIGKILL || sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS) && a->maxrss_kb * 1024 >= a->memory / 4 * 3)
		fault_set(f, CLASS_MEMORY, "probably out of memory: killed by %s when it used %s, and its limit is %s (%s)", failure_signal_name(sig),
		    failure_size(used, a->maxrss_kb * 1024), failure_size(limit, a->memory), a->memory_by);
	return strcmp(f->class, CLASS_MEMORY) == 0;
}

/* The class that is seen only in how it ended and what it said.  true: worth every try. */
static bool
classify(struct fault *f, const struct attempt *a, const char *text, size_t n)
{
	const char *said;

	if (strcmp(f->class, CLASS_TIMEOUT) == 0)
		return true;
	if (strcmp(f->class, CLASS_MEMORY) == 0 || guess_memory(f, a, text, n))
		return false;
	if (strcmp(f->class, CLASS_SIGNAL) == 0)
		return true;
	if (strcmp(f->class, CLASS_EXIT) != 0)
		return false;
	if (a->exit == TEMPORARY)
		return fault_set(f, CLASS_TEMPORARY, "exit status %d (temporary failure)", TEMPORARY);
	said = find_message(network, sizeof network / sizeof *network, text, n);
	if (said)
		return fault_set(f, CLASS_NETWORK, "exit status %d, network: %s", a->exit, said);
	return signal_of(a) != 0;
}

static bool
is_alike(struct again *last, const struct fault *f, const struct attempt *a, char *text, size_t n)
{
	struct oid before = last->alike, now;
	struct sha256 h;
	bool known = last->known;

	sha256_init(&h);
	sha256_field_str(&h, f->class);
	sha256_field_u64(&h, (uint64_t)(a->exit + 1));
	sha256_field(&h, text, again_blur(text, n));
	sha256_final(&h, &now);
	last->alike = now;
	last->known = true;
	return known && oid_eq(&before, &now);
}

static bool
is(const struct fault *f, const char *class)
{
	return strcmp(f->class, class) == 0;
}

/* No other attempt, and this is why. */
static bool
enough(struct fault *f, const char *why)
{
	size_t n = strlen(f->text);

	snprintf(f->text + n, sizeof f->text - n, ", %s", why);
	return false;
}

static bool
more_memory(struct again *last, const struct plan_head *h, struct fault *f)
{
	char limit[32];
	size_t n = strlen(f->text);

	snprintf(f->text + n, sizeof f->text - n, "; the next try gets %s", failure_size(limit, limits_memory(&h->limits, ++last->oom)));
	return true;
}

bool
again_wanted(struct again *last, const struct plan_head *h, struct fault *f, const struct attempt *a, const char *log, unsigned number)
{
	static char text[TAIL];
	ssize_t tail = a && a->log ? fs_read_tail(log, text, TAIL) : 0;
	size_t n = tail > 0 ? (size_t)tail : 0;
	enum verdict rule = NO_RULE;
	bool passing;

	/* The datum is not any more what its key says: only a new scan helps. */
	if (!a || is(f, CLASS_INPUT_CHANGED) || is(f, CLASS_INPUT_WRITTEN) || is(f, CLASS_CODE_CHANGED))
		return false;
	passing = classify(f, a, text, n);
	if (number >= h->tries)
		return false;
	if (h->retry.n_rule)
		rule = judge_rules(&h->retry, a, log);
	if (rule == RULE_NEVER)
		return enough(f, "which 'never' lists");
	if (is(f, CLASS_MEMORY) && h->limits.raise)
		return more_memory(last, h, f);
	if (rule == RULE_ON || passing)
		return true;
	if (is(f, CLASS_NOT_FOUND) || is(f, CLASS_NOT_EXECUTABLE))
		return false;
	return is_alike(last, f, a, text, n) ? enough(f, "the same way twice") : true;
}

uint64_t
again_wait(const struct plan_head *h, const struct fault *f, unsigned number)
{
	uint64_t longest = retry_longest(&h->retry, number), chance = 0;

	if (is(f, CLASS_MEMORY) && h->limits.raise)
		return 0;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
	return longest ? chance % (longest + 1) : 0;
}
