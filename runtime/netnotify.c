/* netnotify.c: `dassie-net notify`: one alert (notify.c's format) from stdin to all whom it names, at once and within seconds.
 *
 * What cannot be told is said in a line each; addresses may be secrets, so a line names only the reference (env:NAME, file:PATH)
 * or scheme and host.  Nothing is sent twice: a receiver that answered badly may well have taken it.
 *
 * Mail goes to an SMTP server where the spec names one, else to sendmail(8), as a message of RFC 5322 with quoted 8-bit text. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "../base/talk.h"
#include "http.h"
#include "netverbs.h"

enum { CONNECT_MS = 4000, TOTAL_MS = 8000, STEP_MS = 500, ALERT_MAX = 4 << 20, TICK_MS = 20 };

struct alert {
	struct buf raw;
	const char *from, *smtp, *subject, *text, *json;
	const char **mail; size_t n_mail, cap_mail;
	const char **webhook; size_t n_webhook, cap_webhook;
};

struct delivery { const char *name; bool failed; };

/* How an address may be spoken of. */
static void
add_name(struct buf *b, const char *what, const char *address)
{
	const char *host = strstr(address, "://"), *at;
	size_t n;

	if (!host) {
		buf_fmt(b, "%s %s", what, address);
		return;
	}
	n = strcspn(host + 3, "/?#");
	at = memchr(host + 3, '@', n);
	buf_fmt(b, "%s %.*s", what, (int)(host + 3 - address), address);
	if (at) {
		n -= (size_t)(at + 1 - (host + 3));
		host = at + 1 - 3;
	}
	buf_add(b, host + 3, n);
}

/* The address itself, which the caller frees; NULL and told: it is not to be had. */
static char *
resolve(const char *what, const char *address)
{
	struct buf b = BUF_INIT;
	struct err err = ERR_INIT;
	const char *value;
	int rc;

	if (strncmp(address, "env:", 4) == 0) {
		value = getenv(address + 4);
		if (value && value[0])
			return xstrdup(value);
		talk("notify: %s %s: the variable is not set here; nobody was told by it", what, address);
		return NULL;
	}
	if (strncmp(address, "file:", 5) != 0)
		return xstrdup(address);
	rc = fs_read(address + 5, &b, &err);
	if (rc == 1)
		b.s[b.n = strcspn(b.s, "\r\n")] = '\0';
	if (rc == 1 && b.n)
		return buf_detach(&b);
	talk("notify: %s %s: %s; nobody was told by it", what, address, rc < 0 ? err.text : rc == 0 ? "there is no such file" : "the file is empty");
	buf_release(&b);
	return NULL;
}

static int
read_stdin(struct buf *b)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof piece)) > 0 && b->n < ALERT_MAX)
		buf_add(b, piece, (size_t)n);
	return n == 0 && b->n ? 0 : -1;
}

static bool
parse(struct alert *a)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;

	recfile_memory(&f, a->raw.s, a->raw.n);
	if (!recfile_next(&f, &r) || !rec_is(&r, "dassie-alert", 2) || strcmp(r.f[1], "1") != 0)
		return false;
	while (recfile_next(&f, &r)) {
		const char **one = rec_is(&r, "from", 2) ? &a->from : rec_is(&r, "smtp", 2) ? &a->smtp : rec_is(&r, "subject", 2) ? &a->subject :
		    rec_is(&r, "text", 2) ? &a->text : rec_is(&r, "json", 2) ? &a->json : NULL;

		if (one) {
			*one = r.f[1];
		} else if (rec_is(&r, "mail", 2)) {
			GROW(a->mail, a->n_mail, a->cap_mail);
			a->mail[a->n_mail++] = r.f[1];
		} else if (rec_is(&r, "webhook", 2)) {
			GROW(a->webhook, a->n_webhook, a->cap_webhook);
			a->webhook[a->n_webhook++] = r.f[1];
		}
	}
	return a->subject && a->text && a->json;
}

/* libcurl's sentences may name the address: only a fault's own words are said. */
static void
done(void *ctx, const struct http_answer *a)
{
	struct delivery *d = ctx;

	if (a->fault == HTTP_NO_FAULT && a->status < 300)
		return;
	d->failed = true;
	if (a->fault == HTTP_FAULT_TIMEOUT)
		talk("notify: %s did not answer within %d s; the run is not affected", d->name, TOTAL_MS / 1000);
	else if (a->fault != HTTP_NO_FAULT)
		talk("notify: %s: %s; the run is not affected", d->name, http_fault_words(a->fault));
	else
		talk("notify: %s answered with status %d; the run is not affected", d->name, a->status);
}

static char *
name_of(const char *what, const char *address)
{
	struct buf b = BUF_INIT;

	add_name(&b, what, address);
	return buf_detach(&b);
}

/* RFC 2047 where it is not plain ASCII. */
static void
add_subject(struct buf *b, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	bool plain = true;

	for (const char *p = s; *p; p++)
		plain &= *p >= 0x20 && *p < 0x7f;
	if (plain) {
		buf_str(b, s);
		return;
	}
	/* Each encoded word by itself is at most 75 bytes long; none ends inside of a character. */
	for (size_t used = 0, first = 1; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (first || (used > 40 && (c & 0xc0) != 0x80)) {
			buf_str(b, first ? "=?UTF-8?Q?" : "?=\r\n =?UTF-8?Q?");
			first = used = 0;
		}
		if (c < 0x21 || c > 0x7e || c == '=' || c == '?' || c == '_') {
			buf_byte(b, '=');
			buf_byte(b, hex[c >> 4]);
			buf_byte(b, hex[c & 15]);
		} else {
			buf_byte(b, (char)c);
		}
		used += 3;
	}
	buf_str(b, "?=");
}

static void
add_message(struct buf *b, const struct alert *a, const char *from)
{
	static const char *const day[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const month[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = (time_t)(time_now_ns() / 1000000000u);
	struct tm t;

	gmtime_r(&now, &t);
	buf_fmt(b, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\nFrom: dassie <%s>\r\nTo: ", day[t.tm_wday], t.tm_mday, month[t.tm_mon],
	    t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, from);
	for (size_t i = 0; i < a->n_mail; i++)
		buf_fmt(b, "%s%s", i ? ",\r\n " : "", a->mail[i]);
	buf_str(b, "\r\nSubject: ");
	add_subject(b, a->subject);
	buf_str(b, "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n"
	    "Auto-Submitted: auto-generated\r\n\r\n");
	for (const char *p = a->text; *p; p++) {
		if (*p == '\n')
			buf_byte(b, '\r');
		buf_byte(b, *p);
	}
}

static const char *
sendmail_program(void)
{
	static const char *const known[] = { "/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/sendmail" };
	const char *given = getenv("DASSIE_SENDMAIL");

	if (given && given[0])
		return given;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (access(known[i], X_OK) == 0)
			return known[i];
	return NULL;
}

static void
wait_for_sendmail(pid_t pid)
{
	int status = 0;

	for (int ms = 0; waitpid(pid, &status, WNOHANG) == 0; ms += TICK_MS) {
		if (ms >= TOTAL_MS) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			talk("notify: sendmail did not come to an end within %d s; the run is not affected", TOTAL_MS / 1000);
			return;
		}
		poll(NULL, 0, TICK_MS);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		talk("notify: sendmail failed (status %d); the run is not affected", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* It reads the message from a file, so that one that does not read cannot hold us up. */
static void
sendmail(const struct alert *a, const struct buf *message, const char *from)
{
	const char *program = sendmail_program();
	FILE *file = program ? tmpfile() : NULL;
	pid_t pid = -1;

	if (!program) {
		talk("notify: no mail: there is no sendmail here, and 'notify' names no 'smtp'");
		return;
	}
	/* sendmail takes lines as the system has them. */
	for (size_t i = 0; file && i < message->n; i++)
		if (message->s[i] != '\r')
			fputc(message->s[i], file);
	if (file && fflush(file) == 0 && fseek(file, 0, SEEK_SET) == 0)
		pid = fork();
	if (pid == 0) {
		const char **argv = xcalloc(a->n_mail + 6, sizeof *argv);
		size_t n = 0;

		argv[n++] = program;
		argv[n++] = "-i";
		argv[n++] = "-f";
		argv[n++] = from;
		argv[n++] = "--";
		for (size_t i = 0; i < a->n_mail; i++)
			argv[n++] = a->mail[i];
		dup2(fileno(file), STDIN_FILENO);
		execv(program, (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		wait_for_sendmail(pid);
	else
		talk("notify: cannot start '%s': %s", program, strerror(errno));
	if (file)
		fclose(file);
}

static struct http_request
request(const char *method, const char *url, const void *body, size_t n, struct delivery *d)
{
	struct http_request r = HTTP_REQUEST_INIT;

	r.method = method;
	r.url = url;
	r.body.p = body;
	r.body.n = n;
	r.done = done;
	r.ctx = d;
	r.connect_ms = CONNECT_MS;
	r.total_ms = TOTAL_MS;
	return r;
}

static void
start_webhook(struct http *h, const struct alert *a, const char *url, struct delivery *d)
{
	static const char *const header[] = { "Content-Type: application/json" };
	struct http_request r = request("POST", url, a->json, strlen(a->json), d);

	r.header = header;
	r.n_header = sizeof header / sizeof *header;
	http_start(h, &r);
}

static void
start_smtp(struct http *h, const struct alert *a, const char *url, const struct buf *message, const char *from, struct delivery *d)
{
	struct http_request r = request("PUT", url, message->s, message->n, d);

	r.mail_from = from;
	r.mail_to = a->mail;
	r.n_mail_to = a->n_mail;
	http_start(h, &r);
}

static void
add_sender(struct buf *b, const struct alert *a)
{
	const char *user = getenv("LOGNAME") ? getenv("LOGNAME") : getenv("USER");
	char host[256] = "localhost";

	if (a->from && a->from[0]) {
		buf_str(b, a->from);
		return;
	}
	gethostname(host, sizeof host - 1);
	buf_fmt(b, "%s@%s", user && user[0] ? user : "dassie", host);
}

/* Everybody at once; whether all were told. */
static int
deliver(const struct alert *a)
{
	struct err err = ERR_INIT;
	struct http *h = http_new(NULL, &err);
	struct delivery *d = xcalloc(a->n_webhook + 1, sizeof *d);
	char **address = xcalloc(a->n_webhook + 1, sizeof *address);
	struct buf message = BUF_INIT, from = BUF_INIT;
	size_t n = 0;
	int status = EXIT_DONE;

	if (!h)
		talk("notify: %s", err.text);
	add_sender(&from, a);
	add_message(&message, a, from.s);
	for (size_t i = 0; h && i < a->n_webhook; i++)
		if ((address[n] = resolve("webhook", a->webhook[i]))) {
			d[n].name = name_of("webhook", a->webhook[i]);
			start_webhook(h, a, address[n], &d[n]);
			n++;
		}
	if (h && a->n_mail && a->smtp && a->smtp[0] && (address[n] = resolve("smtp", a->smtp))) {
		d[n].name = name_of("smtp", a->smtp);
		start_smtp(h, a, address[n], &message, from.s, &d[n]);
		n++;
	}
	if (a->n_mail && !(a->smtp && a->smtp[0]))
		sendmail(a, &message, from.s);
	while (h && http_step(h, STEP_MS) > 0)
		;
	for (size_t i = 0; i < n; i++) {
		status = d[i].failed ? EXIT_WORLD : status;
		free((char *)d[i].name);
		free(address[i]);
	}
	http_free(h);
	free(address);
	free(d);
	buf_release(&message);
	buf_release(&from);
	return status;
}

int
net_notify(int argc, char **argv)
{
	struct alert a = { .raw = BUF_INIT };
	int status = EXIT_USAGE;

	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	if (argc != 1 || read_stdin(&a.raw) < 0 || !parse(&a))
		talk("usage: dassie-net notify <ALERT   (dassie run calls it)");
	else
		status = deliver(&a);
	free(a.mail);
	free(a.webhook);
	buf_release(&a.raw);
	return status;
}
