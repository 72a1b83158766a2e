/* screen.c: at the bottom of the terminal a line for each pipeline under way and one for the slowest datum; what is said scrolls
 * by above them.  All that make and the stages say goes into a file in memory, which the display copies out: when it is
 * killed, stopped or slow, they do not notice.  A frame is one write.  The cursor is never hidden and lines are never left
 * unwrappable past a frame, so a killed display leaves a sound terminal. */
#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "moving.h"
#include "progress.h"
#include "show.h"
#include "visible.h"

enum { NARROW = 40, LOW = 5, LANES = 10, NAME = 24, TICK_MS = 200, SHARE = 20, PIECE = 65536, PATIENCE_MS = 2000, POLITE = 10 };

struct frame {
	struct buf b;
	size_t columns, rows;
	size_t width[LANES + 4], n;         /* of the lines that are on the terminal */
};

static bool
size_of(size_t *columns, size_t *rows)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0)
		return false;
	*columns = w.ws_col;
	*rows = w.ws_row;
	return w.ws_col >= NARROW && w.ws_row >= LOW;
}

bool
screen_wanted(void)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	size_t columns, rows;

	return isatty(STDERR_FILENO) && term && term[0] && strcmp(term, "dumb") != 0 && (!no || !no[0]) && size_of(&columns, &rows);
}

static void
put(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(STDERR_FILENO, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;   /* the terminal is gone; the run is not */
		p += k;
		n -= (size_t)k;
	}
}

/* What was said since, up to the end of a line unless all is wanted.  The terminal sees it as harmless text. */
static void
take_said(struct screen *s, struct buf *b, bool all)
{
	char *piece = xmalloc(PIECE);
	ssize_t n;

	while ((n = pread(s->said, piece, PIECE, (off_t)*s->shown)) > 0) {
		size_t len = (size_t)n;

		while (!all && len > 0 && piece[len - 1] != '\n')
			len--;
		if (len == 0 && n < PIECE)
			break;
		len = len ? len : (size_t)n;
		for (size_t at = 0; at < len; ) {
			const char *nl = memchr(piece + at, '\n', len - at);
			size_t end = nl ? (size_t)(nl - piece) : len;

			visible(b, piece + at, end - at);
			if (nl)
				buf_byte(b, '\n');
			at = end + (nl != NULL);
		}
		*s->shown += len;
		s->partial = piece[len - 1] != '\n';
	}
	free(piece);
}

/* Up to the frame's first line; a terminal that is narrower now has wrapped what was wider. */
static void
clear(struct frame *f)
{
	size_t up = 0;

	for (size_t i = 0; i < f->n; i++)
		up += f->columns && f->width[i] > f->columns ? (f->width[i] + f->columns - 1) / f->columns : 1;
	if (up > 0)
		buf_fmt(&f->b, "\r\033[%zuA\033[J", up);
	f->n = 0;
}

static void
add_line(struct frame *f, const struct buf *text)
{
	size_t before = f->b.n;

	visible_cut(&f->b, text->s ? text->s : "", text->n, f->columns - 1);
	f->width[f->n++] = show_width(f->b.s + before, f->b.n - before);
	buf_byte(&f->b, '\n');
}

static void
add_lane(struct frame *f, const struct progress *p, const struct lane *l, size_t name)
{
	struct buf t = BUF_INIT;
	uint64_t over = l->done + l->failed + l->recovered;
	double rate = progress_rate(l), left = progress_left(p, l);

	buf_fmt(&t, "%-*s ", (int)name, l->pipeline);
	if (!l->planned) {
		buf_str(&t, "planning");
	} else {
		gauge_bar(&t, over, over + l->n_todo, f->columns);
		buf_fmt(&t, "%llu/%llu", (unsigned long long)over, (unsigned long long)(over + l->n_todo));
		if (l->failed)
			buf_fmt(&t, "  %llu failed", (unsigned long long)l->failed);
		if (l->recovered)
			buf_fmt(&t, "  %llu recovered", (unsigned long long)l->recovered);
		if (rate > 0)
			buf_fmt(&t, rate >= 10 ? "  %.0f/s" : rate >= 0.1 ? "  %.1f/s" : "  %.2f/s", rate);
		if (left >= 0 && l->n_todo) {
			buf_str(&t, "  ");
			gauge_seconds(&t, left);
			buf_str(&t, " left");
		}
		if (l->skipped)
			buf_fmt(&t, "  (%llu skipped)", (unsigned long long)l->skipped);
	}
	add_line(f, &t);
	buf_release(&t);
}

static void
add_slowest(struct frame *f, const struct progress *p)
{
	struct buf t = BUF_INIT;
	uint64_t now = time_now_ns();

	buf_str(&t, "  ");
	visible_cut(&t, p->label.s ? p->label.s : "", p->label.n, f->columns / 3);
	buf_str(&t, ", ");
	gauge_seconds(&t, now > p->slowest_since ? (double)(now - p->slowest_since) / 1e9 : 0);
	if (p->line.n) {
		buf_str(&t, ": ");
		buf_add(&t, p->line.s, p->line.n);
	}
	add_line(f, &t);
	buf_release(&t);
}

static void
add_moving(void *ctx, const struct moving *m)
{
	struct frame *f = ctx;
	struct buf t = BUF_INIT;

	if (f->n + 2 > f->rows || f->n == LANES + 4)
		return;
	moving_line(&t, m, strlen(m->name) < NAME ? strlen(m->name) : NAME, f->columns);
	add_line(f, &t);
	buf_release(&t);
}

static void
add_lanes(struct frame *f, const struct progress *p)
{
	size_t name = 0, shown = 0, more = 0, most = f->rows - 3 < LANES ? f->rows - 3 : LANES;
	struct buf t = BUF_INIT;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].there && strlen(p->v[i].pipeline) > name)
			name = strlen(p->v[i].pipeline);
	for (size_t i = 0; i < p->n; i++) {
		if (!p->v[i].there)
			continue;
		if (shown == most) {
			more++;
			continue;
		}
		add_lane(f, p, &p->v[i], name < NAME ? name : NAME);
		shown++;
	}
	if (more) {
		buf_fmt(&t, "and %zu more", more);
		add_line(f, &t);
	}
	if (p->slowest_of)
		add_slowest(f, p);
	buf_release(&t);
}

/* In the background nothing is drawn: another program has the terminal. */
static bool
in_foreground(void)
{
	pid_t group = tcgetpgrp(STDERR_FILENO);

	return group < 0 || group == getpgrp();
}

static void
draw(struct screen *s, struct frame *f, struct progress *p, bool last)
{
	bool room = size_of(&f->columns, &f->rows);

	buf_reset(&f->b);
	clear(f);
	take_said(s, &f->b, last);
	if (!last && room && in_foreground()) {
		size_t before = f->b.n;

		/* Lines that are wider than they seem (wide characters) are cut by the terminal itself. */
		buf_str(&f->b, "\033[?7l");
		add_lanes(f, p);
		moving_look(p->run, add_moving, f);
		buf_str(&f->b, "\033[?7h");
		if (f->n == 0)
			f->b.s[f->b.n = before] = '\0';
	}
	if (last && s->partial)
		buf_byte(&f->b, '\n');
	put(f->b.s ? f->b.s : "", f->b.n);
}

static _Noreturn void
display(struct screen *s, int stop, const char *run, unsigned slots)
{
	struct progress p = PROGRESS_INIT;
	struct frame f = { .b = BUF_INIT };
	struct pollfd wait = { .fd = stop, .events = POLLIN };
	bool over = false;

	p.run = run;
	p.begun = time_now_ns();
	p.slots = slots;
	setpriority(PRIO_PROCESS, 0, POLITE);
	while (!over) {
		uint64_t from = time_now_ns(), took;

		progress_look(&p);
		draw(s, &f, &p, false);
		/* Of the machine's time at most a twentieth. */
		took = (time_now_ns() - from) / 1000000 * SHARE;
		over = poll(&wait, 1, took > TICK_MS ? (int)took : TICK_MS) > 0;
	}
	draw(s, &f, &p, true);
	progress_release(&p);
	buf_release(&f.b);
	_exit(0);
}

/* ^C is for the run, which closes the pipe in time. */
static void
deaf(void)
{
	static const int sig[] = { SIGINT, SIGQUIT, SIGHUP };
	sigset_t none;

	for (size_t i = 0; i < sizeof sig / sizeof *sig; i++)
		signal(sig[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int
screen_start(struct screen *s, const char *run, unsigned slots, struct err *err)
{
	int pair[2] = { -1, -1 };

	s->said = memfd_create("dassie-said", MFD_CLOEXEC);
	s->shown = mmap(NULL, sizeof *s->shown, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->said < 0 || s->shown == MAP_FAILED || fcntl(s->said, F_SETFL, O_APPEND) < 0 || pipe2(pair, O_CLOEXEC) < 0) {
		err_set(err, errno, "cannot start the display:");
		goto fail;
	}
	s->pid = fork();
	if (s->pid == 0) {
		close(pair[1]);
		deaf();
		display(s, pair[0], run, slots);
	}
	close(pair[0]);
	s->stop = pair[1];
	if (s->pid > 0)
		return 0;
	err_set(err, errno, "cannot start the display:");
	close(pair[1]);
fail:
	if (s->said >= 0)
		close(s->said);
	if (s->shown && s->shown != MAP_FAILED)
		munmap(s->shown, sizeof *s->shown);
	*s = (struct screen)SCREEN_INIT;
	return -1;
}

void
screen_lost(struct screen *s)
{
	s->pid = 0;
	/* Its last frame stands; what comes now goes below. */
	put("\r\033[?7h\033[J", 9);
}

void
screen_pass(struct screen *s, bool all)
{
	struct buf b = BUF_INIT;

	if (s->pid == 0)
		take_said(s, &b, all);
	put(b.s ? b.s : "", b.n);
	if (all && s->partial)
		put("\n", 1);
	buf_release(&b);
}

/* One that was stopped does not keep us waiting. */
void
screen_end(struct screen *s)
{
	int status;

	close(s->stop);
	for (int ms = 0; s->pid > 0; ms += 10) {
		pid_t done = waitpid(s->pid, &status, WNOHANG);

		if (done == s->pid || (done < 0 && errno != EINTR)) {
			s->pid = 0;
		} else if (ms >= PATIENCE_MS) {
			kill(s->pid, SIGKILL);
			waitpid(s->pid, &status, 0);
			screen_lost(s);
		} else {
			poll(NULL, 0, 10);
		}
	}
	screen_pass(s, true);
	close(s->said);
	munmap(s->shown, sizeof *s->shown);
	*s = (struct screen)SCREEN_INIT;
}
