/* moving.c: .dassie/moving/PID says where the process of that id is with its push or fetch:
 *
 *   dassie-moving 1
 *   moving RUN NAME FILES OF BYTES OF RATE LEFT        LEFT: seconds, -1 not known
 *
 * It is replaced five times a second and goes with the process; what a killed one left is told by its process not being there, and
 * removed by the next.  The time left is by work, a file counting as some bytes: many small files are not done when half of the
 * bytes are. */
#include "moving.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/rec.h"
#include "../base/talk.h"
#include "show.h"

enum { A_FILE = 16384, USUAL = 80 };
static const uint64_t EVERY = 200000000;

static uint64_t
work(uint64_t files, uint64_t bytes)
{
	return bytes + files * A_FILE;
}

/* 0: nobody watches. */
static size_t
watched_columns(void)
{
	const char *how = getenv("DASSIE_PROGRESS");
	struct winsize w;

	if (!talk_color(talk_fd()) || (how && strcmp(how, "plain") == 0))
		return 0;
	return ioctl(talk_fd(), TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : USUAL;
}

static bool
is_alive(const char *pid)
{
	char *end;
	long n = strtol(pid, &end, 10);

	return *end == '\0' && n > 0 && (kill((pid_t)n, 0) == 0 || errno == EPERM);
}

static void
remove_dead(void)
{
	DIR *d = opendir(DIR_MOVING);
	struct dirent *e;
	char path[LAYOUT_MAX];

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && !is_alive(e->d_name) && snprintf(path, sizeof path, "%s/%s", DIR_MOVING, e->d_name) < (int)sizeof path)
			unlink(path);
	if (d)
		closedir(d);
}

void
moving_begin(struct moving *m, const char *name, bool silent)
{
	struct err ignored = ERR_INIT;

	*m = (struct moving)MOVING_INIT;
	snprintf(m->name, sizeof m->name, "%s", name);
	snprintf(m->path, sizeof m->path, "%s/%ld", DIR_MOVING, (long)getpid());
	m->silent = silent;
	m->told = time_now_ns();
	if (getenv("DASSIE_RUN") && fs_mkdirs(DIR_MOVING, &ignored) == 0)
		remove_dead();
}

static void
write_down(const struct moving *m, const char *run)
{
	struct err ignored = ERR_INIT;
	struct buf b = BUF_INIT;

	rec_head(&b, "moving", 1);
	rec_word(&b, "moving");
	rec_str(&b, run);
	rec_str(&b, m->name);
	rec_u64(&b, m->files);
	rec_u64(&b, m->of_files);
	rec_u64(&b, m->bytes);
	rec_u64(&b, m->of_bytes);
	rec_u64(&b, m->rate);
	rec_i64(&b, m->left);
	rec_end(&b);
	/* Nothing depends on it. */
	fs_replace(m->path, b.s, b.n, 0644, &ignored);
	buf_release(&b);
}

static void
draw(const struct moving *m, size_t columns)
{
	struct buf b = BUF_INIT;

	moving_line(&b, m, strlen(m->name), columns);
	talk_status(b.s, b.n);
	buf_release(&b);
}

void
moving_at(struct moving *m, uint64_t files, uint64_t of_files, uint64_t bytes, uint64_t of_bytes)
{
	const char *run = getenv("DASSIE_RUN");
	uint64_t now = time_now_ns(), done = work(files, bytes), all = work(of_files, of_bytes);
	size_t columns;
	double rate;

	gauge_add(&m->moved, now, bytes);
	gauge_add(&m->work, now, done);
	if (now < m->told + EVERY)
		return;
	rate = gauge_rate(&m->work);
	m->told = now;
	m->files = files;
	m->of_files = of_files;
	m->bytes = bytes < of_bytes ? bytes : of_bytes;
	m->of_bytes = of_bytes;
	m->rate = (uint64_t)gauge_rate(&m->moved);
	m->left = rate > 0 && all > done ? (int64_t)((double)(all - done) / rate) : -1;
	columns = m->silent ? 0 : watched_columns();
	if (columns)
		draw(m, columns);
	else if (run)
		write_down(m, run);
}

void
moving_end(struct moving *m)
{
	talk_status(NULL, 0);
	if (m->path[0])
		unlink(m->path);
	*m = (struct moving)MOVING_INIT;
}

static bool
read_one(struct moving *m, const char *path, const char *run)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	bool ok = recfile_open(&f, path, "moving", 1, &ignored) == 1 && recfile_next(&f, &r) && rec_is(&r, "moving", 9) && !strcmp(r.f[1], run) &&
	    rec_get_u64(&r, 3, &m->files) && rec_get_u64(&r, 4, &m->of_files) && rec_get_u64(&r, 5, &m->bytes) && rec_get_u64(&r, 6, &m->of_bytes) &&
	    rec_get_u64(&r, 7, &m->rate) && rec_get_i64(&r, 8, &m->left);

	if (ok)
		snprintf(m->name, sizeof m->name, "%s", r.f[2]);
	recfile_release(&f);
	return ok;
}

void
moving_look(const char *run, void (*each)(void *ctx, const struct moving *m), void *ctx)
{
	DIR *d = opendir(DIR_MOVING);
	struct dirent *e;
	char path[LAYOUT_MAX];

	while (d && (e = readdir(d))) {
		struct moving m = MOVING_INIT;

		if (!is_alive(e->d_name) || snprintf(path, sizeof path, "%s/%s", DIR_MOVING, e->d_name) >= (int)sizeof path)
			continue;
		if (read_one(&m, path, run))
			each(ctx, &m);
	}
	if (d)
		closedir(d);
}

void
moving_line(struct buf *b, const struct moving *m, size_t name, size_t columns)
{
	bool sized = m->of_bytes > 0;

	buf_fmt(b, "%-*s ", (int)name, m->name);
	if (m->of_files)
		gauge_bar(b, work(m->files, m->bytes), work(m->of_files, m->of_bytes), columns);
	buf_fmt(b, "%llu", (unsigned long long)m->files);
	if (m->of_files)
		buf_fmt(b, "/%llu", (unsigned long long)m->of_files);
	buf_str(b, m->of_files ? "  " : " files  ");
	if (sized || m->bytes)
		show_size(b, m->bytes);
	if (sized) {
		buf_str(b, " of ");
		show_size(b, m->of_bytes);
	}
	if (m->rate) {
		buf_str(b, "  ");
		show_size(b, m->rate);
		buf_str(b, "/s");
	}
	if (m->left >= 0) {
		buf_str(b, "  ");
		gauge_seconds(b, (double)m->left);
		buf_str(b, " left");
	}
}
