/* failure.c: a failure says what to do: in a line when it happens, in full when its job has ended (or it was run alone),
 * each in one write, so that what parallel runners say does not mix. */
#include "failure.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/plan.h"
#include "../base/sha256.h"
#include "../base/talk.h"
#include "result.h"
#include "visible.h"

enum { TAIL_LINES = 20, TAIL_BYTES = 16 * 1024, LINE_BYTES = 400, KEY_DIGITS = 8, INPUTS_SHOWN = 5, ATTEMPTS_SHOWN = 5 };

static const struct { int sig; const char *name; } signal_name[] = {
	{ SIGHUP, "SIGHUP" }, { SIGINT, "SIGINT" }, { SIGQUIT, "SIGQUIT" }, { SIGILL, "SIGILL" },
	{ SIGTRAP, "SIGTRAP" }, { SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" },
	{ SIGKILL, "SIGKILL" }, { SIGUSR1, "SIGUSR1" }, { SIGSEGV, "SIGSEGV" }, { SIGUSR2, "SIGUSR2" },
	{ SIGPIPE, "SIGPIPE" }, { SIGALRM, "SIGALRM" }, { SIGTERM, "SIGTERM" }, { SIGXCPU, "SIGXCPU" },
	{ SIGXFSZ, "SIGXFSZ" }, { SIGSYS, "SIGSYS" },
};

const char *
failure_signal_name(int sig)
{
	static char other[24];

	for (size_t i = 0; i < sizeof signal_name / sizeof signal_name[0]; i++)
		if (signal_name[i].sig == sig)
			return signal_name[i].name;
	snprintf(other, sizeof other, "signal %d", sig);
	return other;
}

int
fault_set(struct fault *f, const char *class, const char *fmt, ...)
{
	va_list ap;

	f->class = class;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	return 1;
}

const char *
failure_duration(char ret[32], uint64_t ns)
{
	uint64_t ms = ns / 1000000, s = ms / 1000;

	if (ms % 1000)
		snprintf(ret, 32, s ? "%.3gs" : "%.0fms", s ? (double)ms / 1000 : (double)ms);
	else
		snprintf(ret, 32, s % 3600 == 0 && s ? "%lluh" : s % 60 == 0 && s ? "%llum" : "%llus",
		    (unsigned long long)(s % 3600 == 0 && s ? s / 3600 : s % 60 == 0 && s ? s / 60 : s));
	return ret;
}

const char *
failure_size(char ret[32], uint64_t bytes)
{
	double m = (double)bytes / 1e6;

	snprintf(ret, 32, m >= 1000 ? "%.4gG" : "%.4gM", m >= 1000 ? m / 1000 : m);
	return ret;
}

const char *
failure_class(const char *name)
{
	static const char *const class[] = {
		CLASS_EXIT, CLASS_SIGNAL, CLASS_TIMEOUT, CLASS_TEMPORARY, CLASS_NETWORK, CLASS_MEMORY, CLASS_NOT_FOUND,
		CLASS_NOT_EXECUTABLE, CLASS_INPUT_CHANGED, CLASS_CODE_CHANGED, CLASS_INPUT_WRITTEN, CLASS_OUTPUT,
	};

	for (size_t i = 0; i < sizeof class / sizeof *class; i++)
		if (strcmp(class[i], name) == 0)
			return class[i];
	return "";
}

int
fault_of_end(struct fault *f, const struct attempt *a, const int *accept, size_t n_accept)
{
	char size[32];

	if (a->oom)
		return fault_set(f, CLASS_MEMORY, "out of memory: it used more than its limit of %s (%s)", failure_size(size, a->memory),
		    a->memory_by);
	if (a->signal)
		return fault_set(f, CLASS_SIGNAL, "killed by %s", failure_signal_name(a->signal));
	if (a->exit == 0)
		return 0;
	for (size_t i = 0; i < n_accept; i++)
		if (accept[i] == a->exit)
			return 0;
	if (a->exit == 127)
		return fault_set(f, CLASS_NOT_FOUND, "exit status 127: command not found");
	if (a->exit == 126)
		return fault_set(f, CLASS_NOT_EXECUTABLE, "exit status 126: the command is not executable");
	/* A shell reports a child's death by a signal so. */
	if (a->exit > 128 && a->exit <= 128 + 31)
		return fault_set(f, CLASS_EXIT, "exit status %d (%s)", a->exit, failure_signal_name(a->exit - 128));
	return fault_set(f, CLASS_EXIT, "exit status %d", a->exit);
}

/* "dassie: count: datum books:/hamlet.txt" */
static void
add_title(struct buf *b, const char *pipeline, const char *label)
{
	buf_fmt(b, "dassie: %s: datum ", pipeline);
	visible_str(b, label);
}

/* " failed: exit status 2 (3 tries)" */
static void
add_why(struct buf *b, const char *text, size_t attempts, bool recovered)
{
	bool color = talk_color(talk_fd());

	buf_fmt(b, " %s%s%s: ", color ? recovered ? "\033[33m" : "\033[31m" : "", recovered ? "recovered by err_cmd" : "failed",
	    color ? "\033[0m" : "");
	visible_str(b, text);
	if (attempts)
		buf_fmt(b, " (%zu %s)", attempts, attempts == 1 ? "try" : "tries");
	buf_byte(b, '\n');
}

void
failure_tell_again(const struct plan_head *h, const struct plan_datum *d, const struct fault *f, unsigned number, uint64_t wait)
{
	struct buf b = BUF_INIT;

	add_title(&b, h->pipeline, d->label);
	buf_fmt(&b, ": attempt %u of %u: ", number, h->tries);
	visible_str(&b, f->text);
	buf_str(&b, "; again");
	if (wait / 1000000)
		buf_fmt(&b, " in %.*f s", wait < 1000000000 ? 2 : 1, (double)wait / 1e9);
	buf_byte(&b, '\n');
	talk_raw(b.s, b.n);
	buf_release(&b);
}

void
failure_tell(const struct plan_head *h, const struct plan_datum *d, const struct fault *f, unsigned attempts, bool recovered)
{
	struct buf b = BUF_INIT;

	add_title(&b, h->pipeline, d->label);
	add_why(&b, f->text, attempts, recovered);
	talk_raw(b.s, b.n);
	buf_release(&b);
}

static void
add_line(struct buf *b, const char *s, size_t n)
{
	bool cut = n > LINE_BYTES;

	buf_str(b, "    | ");
	visible(b, s, cut ? LINE_BYTES : n);
	buf_str(b, cut ? " …\n" : "\n");
}

static void
add_tail(struct buf *b, const char *log)
{
	char text[TAIL_BYTES];
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;
	size_t at, lines = 0;

	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, text, sizeof text, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	if (fd >= 0)
		close(fd);
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	for (at = (size_t)n; at > 0; at--)
		if (text[at - 1] == '\n' && ++lines == TAIL_LINES)
			break;
	while (at <= (size_t)n) {
		const char *s = text + at, *nl = memchr(s, '\n', (size_t)n - at);
		size_t len = nl ? (size_t)(nl - s) : (size_t)n - at;

		add_line(b, s, len);
		at += len + 1;
	}
}

/* As files of the project where they are such: a source's folder and the path below it. */
static void
add_inputs(struct buf *b, const struct result *r)
{
	struct index x = INDEX_INIT;
	struct err ignored = ERR_INIT;
	bool known = index_read(&x, &ignored) == 1;

	for (size_t i = 0; i < r->n_input && i < INPUTS_SHOWN; i++) {
		const struct result_input *in = &r->input[i];
		const struct index_source *source = known ? index_find_source(&x, in->repo) : NULL;

		buf_str(b, i == 0 ? "  input  " : "         ");
		if (source && strcmp(source->dir, "-") == 0)
			source = NULL;
		visible_str(b, source ? source->dir : in->repo);
		buf_str(b, source && in->path[0] ? "/" : source ? "" : ":/");
		visible_str(b, in->path);
		buf_byte(b, '\n');
	}
	if (r->n_input > INPUTS_SHOWN)
		buf_fmt(b, "         and %zu more\n", r->n_input - INPUTS_SHOWN);
	index_release(&x);
}

static void
add_attempt(struct buf *b, const struct attempt *a, size_t k, size_t n)
{
	char when[32], took[32];

	time_rfc3339(when, a->started);
	buf_fmt(b, "  try    %zu of %zu  %.10s %.8sZ  %s, ", k, n, when, when + 11,
	    failure_duration(took, a->ended > a->started ? a->ended - a->started : 0));
	if (a->signal)
		buf_str(b, failure_signal_name(a->signal));
	else
		buf_fmt(b, "exit status %d", a->exit);
	if (a->class && a->class[0] && strcmp(a->class, CLASS_EXIT) != 0 && strcmp(a->class, CLASS_SIGNAL) != 0)
		buf_fmt(b, ", %s", a->class);
	buf_byte(b, '\n');
}

/* When which attempt ran; of very many the first and the last ones. */
static void
add_attempts(struct buf *b, const struct result *r)
{
	struct conf c = CONF_INIT;
	struct err ignored = ERR_INIT;
	size_t n = conf_read(&c, r->pipeline, &ignored) == 0 && c.tries > r->n_attempt ? c.tries : r->n_attempt;

	for (size_t i = 0; i < r->n_attempt; i++) {
		if (r->n_attempt > 2 * ATTEMPTS_SHOWN && i == ATTEMPTS_SHOWN) {
			buf_fmt(b, "         … %zu more …\n", r->n_attempt - 2 * ATTEMPTS_SHOWN);
			i = r->n_attempt - ATTEMPTS_SHOWN;
		}
		add_attempt(b, &r->attempt[i], i + 1, n);
	}
	conf_release(&c);
}

void
failure_show(const struct result *r)
{
	struct buf b = BUF_INIT;
	char hex[OID_HEX + 1], log[LAYOUT_MAX];

	add_title(&b, r->pipeline, r->label);
	add_why(&b, r->reason, r->n_attempt, strcmp(r->state, "recovered") == 0);
	if (r->class && r->class[0])
		buf_fmt(&b, "  class  %s\n", r->class);
	add_inputs(&b, r);
	add_attempts(&b, r);
	if (r->n_attempt && r->attempt[r->n_attempt - 1].log) {
		layout_log(log, &r->key, r->job, (unsigned)r->n_attempt);
		add_tail(&b, log);
		buf_fmt(&b, "  log    %s\n", log);
	} else if (r->n_attempt) {
		buf_str(&b, "  log    it printed nothing\n");
	}
	oid_hex(&r->key, hex);
	buf_fmt(&b, "  rerun  dassie rerun %.*s\n  debug  dassie debug %s %.*s\n", KEY_DIGITS, hex, r->pipeline, KEY_DIGITS, hex);
	talk_raw(b.s, b.n);
	buf_release(&b);
}
