/* progress.c: the plan lists what is missing; a datum of it is over when its result or its failure is there.  Runners take
 * chunks in the plan's order, so only a window at its front is looked at each time, and a part of the rest in turns: a look costs
 * the same for a hundred datums and for a million. */
#include "progress.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "provenance.h"
#include "result.h"

enum { WINDOW = 1024, TURN = 256, TAIL = 4096, ATTEMPTS_AHEAD = 4 };

static struct lane *
lane_of(struct progress *p, const char *pipeline, const char *job)
{
	struct lane *l;

	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].pipeline, pipeline) == 0 && strcmp(p->v[i].job, job) == 0)
			return &p->v[i];
	GROW(p->v, p->n, p->cap);
	l = &p->v[p->n++];
	*l = (struct lane){ .planned = false };
	snprintf(l->pipeline, sizeof l->pipeline, "%s", pipeline);
	snprintf(l->job, sizeof l->job, "%s", job);
	return l;
}

static int
open_plan(struct recfile *f, const struct lane *l, const char *suffix, const char *kind, unsigned version)
{
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX], tail[96];

	snprintf(tail, sizeof tail, "%s%s", l->job, suffix);
	return recfile_open(f, layout_plan(path, l->pipeline, tail), kind, version, &ignored);
}

static void
read_todo(struct lane *l)
{
	struct plan_head head = PLAN_HEAD_INIT;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;

	if (open_plan(&f, l, "", "plan", 1) == 1 && plan_head_read(&head, &f, &ignored) == 0)
		for (size_t at = f.pos; plan_datum_read(&d, &f, &ignored) == 1; at = f.pos) {
			GROW(l->todo, l->n_todo, l->cap_todo);
			l->todo[l->n_todo++] = (struct lane_datum){ d.key, at };
		}
	plan_datum_release(&d);
	plan_head_release(&head);
	recfile_release(&f);
}

/* The sub-make's file comes last: where it is, the plan is whole. */
static void
read_plan(struct lane *l)
{
	struct recfile f = RECFILE_INIT;
	struct rec r;
	char path[LAYOUT_MAX], tail[96];
	uint64_t missing = 0;

	snprintf(tail, sizeof tail, "%s.mk", l->job);
	if (access(layout_plan(path, l->pipeline, tail), F_OK) < 0 || open_plan(&f, l, ".set", "set", 2) != 1)
		return;
	while (recfile_next(&f, &r) && (rec_is(&r, "total", 2) || rec_is(&r, "missing", 2)))
		rec_get_u64(&r, 1, r.f[0][0] == 't' ? &l->total : &missing);
	recfile_release(&f);
	l->planned = true;
	l->skipped = l->total > missing ? l->total - missing : 0;
	l->each = prov_duration(l->pipeline);
	read_todo(l);
	gauge_add(&l->gauge, time_now_ns(), 0);
}

/* Whatever pipeline has a job of this run open. */
static void
find_lanes(struct progress *p)
{
	DIR *d = opendir(DIR_PLAN);
	struct dirent *e;

	for (size_t i = 0; i < p->n; i++)
		p->v[i].there = false;
	while (d && (e = readdir(d))) {
		struct open_job open = OPEN_JOB_INIT;
		struct err ignored = ERR_INIT;
		char name[NAME_MAX_REPO + 1];
		const char *dot = strchr(e->d_name, '.');

		if (!dot || strcmp(dot, ".open") != 0 || dot - e->d_name > NAME_MAX_REPO)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(dot - e->d_name), e->d_name);
		if (open_job_read(&open, name, &ignored) == 1 && strcmp(open.run, p->run) == 0)
			lane_of(p, name, open.job)->there = true;
		open_job_release(&open);
	}
	if (d)
		closedir(d);
}

/* 0 not over, 1 done, 2 failed, 3 recovered */
static int
state_of(const struct progress *p, const struct oid *key)
{
	struct result r = RESULT_INIT;
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX], fail[LAYOUT_MAX + 8];
	struct stat st;
	int state = 0;

	layout_datum(path, key);
	if (access(path, F_OK) == 0)
		return 1;
	snprintf(fail, sizeof fail, "%s.fail", path);
	if (stat(fail, &st) < 0 || fs_mtime_ns(&st) < p->begun)
		return 0;
	if (result_read(&r, key, true, &ignored) == 1)
		state = strcmp(r.state, "recovered") == 0 ? 3 : 2;
	result_release(&r);
	return state;
}

static void
look_at(struct progress *p, struct lane *l)
{
	size_t kept = 0, waiting = 0, from = 0;

	for (size_t i = 0; i < l->n_todo; i++) {
		bool front = waiting < WINDOW;
		int state;

		if (!front && from == 0)
			from = l->turn > i ? l->turn : i;
		state = front || (i >= from && i < from + TURN) ? state_of(p, &l->todo[i].key) : 0;
		l->done += state == 1;
		l->failed += state == 2;
		l->recovered += state == 3;
		waiting += state == 0;
		if (state == 0)
			l->todo[kept++] = l->todo[i];
	}
	l->turn = from + TURN < l->n_todo ? from + TURN : 0;
	l->n_todo = kept;
}

double
progress_rate(const struct lane *l)
{
	return gauge_rate(&l->gauge);
}

double
progress_left(const struct progress *p, const struct lane *l)
{
	double rate = progress_rate(l), todo = (double)l->n_todo;

	if (rate > 0)
		return todo / rate;
	if (l->each == 0)
		return -1;
	return todo * (double)l->each / 1e9 / (todo < p->slots ? todo > 0 ? todo : 1 : p->slots);
}

static struct running *
running_of(struct progress *p, const struct oid *key)
{
	for (size_t i = 0; i < p->n_running; i++)
		if (oid_eq(&p->running[i].key, key))
			return &p->running[i];
	GROW(p->running, p->n_running, p->cap_running);
	p->running[p->n_running] = (struct running){ .key = *key, .since = time_now_ns(), .attempt = 1 };
	return &p->running[p->n_running++];
}

/* A view is there while the command runs. */
static void
find_running(struct progress *p)
{
	DIR *d = opendir(DIR_WORK);
	struct dirent *e;
	struct oid key;
	size_t kept = 0;

	for (size_t i = 0; i < p->n_running; i++)
		p->running[i].there = false;
	while (d && (e = readdir(d)))
		if (oid_parse(e->d_name, &key))
			running_of(p, &key)->there = true;
	if (d)
		closedir(d);
	for (size_t i = 0; i < p->n_running; i++)
		if (p->running[i].there)
			p->running[kept++] = p->running[i];
	p->n_running = kept;
}

/* Those that run are near the front of what their lane has to do. */
static const struct lane_datum *
planned(const struct lane *l, const struct oid *key)
{
	for (size_t i = 0; i < l->n_todo && i < WINDOW; i++)
		if (oid_eq(&l->todo[i].key, key))
			return &l->todo[i];
	return NULL;
}

static void
name_datum(struct progress *p, const struct lane *l, size_t at)
{
	struct recfile f = RECFILE_INIT;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct err ignored = ERR_INIT;

	buf_reset(&p->label);
	if (open_plan(&f, l, "", "plan", 1) == 1) {
		recfile_seek(&f, at);
		if (plan_datum_read(&d, &f, &ignored) == 1)
			buf_str(&p->label, d.label);
	}
	plan_datum_release(&d);
	recfile_release(&f);
}

/* Its last line; where a line was written over again and again, what stands there now. */
static void
last_line(struct buf *ret, const char *text, size_t n)
{
	size_t from;

	while (n > 0 && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
		n--;
	for (from = n; from > 0 && text[from - 1] != '\n' && text[from - 1] != '\r'; from--)
		;
	buf_add(ret, text + from, n - from);
}

/* An attempt's log is there before it begins; the newest is the one with the highest number. */
static void
read_log(struct progress *p, const struct lane *l, struct running *r)
{
	char path[LAYOUT_MAX], text[TAIL];
	struct stat st;
	ssize_t n = -1;
	int fd;

	buf_reset(&p->line);
	for (unsigned k = r->attempt; k <= r->attempt + ATTEMPTS_AHEAD; k++)
		if (access(layout_log(path, &r->key, l->job, k), F_OK) == 0)
			r->attempt = k;
	fd = open(layout_log(path, &r->key, l->job, r->attempt), O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, text, sizeof text, st.st_size > TAIL ? st.st_size - TAIL : 0);
	if (fd >= 0)
		close(fd);
	if (n > 0)
		last_line(&p->line, text, (size_t)n);
}

static void
find_slowest(struct progress *p)
{
	struct running *first = NULL;
	const struct lane *of = NULL;
	const struct lane_datum *datum = NULL;

	for (size_t i = 0; i < p->n_running; i++)
		for (size_t k = 0; k < p->n && (!first || p->running[i].since < first->since); k++) {
			const struct lane_datum *d = p->v[k].there ? planned(&p->v[k], &p->running[i].key) : NULL;

			if (!d)
				continue;
			first = &p->running[i];
			of = &p->v[k];
			datum = d;
		}
	p->slowest_of = of;
	if (!first)
		return;
	if (!p->label.n || !oid_eq(&p->slowest, &first->key))
		name_datum(p, of, datum->at);
	p->slowest = first->key;
	p->slowest_since = first->since;
	read_log(p, of, first);
}

void
progress_look(struct progress *p)
{
	find_lanes(p);
	for (size_t i = 0; i < p->n; i++) {
		struct lane *l = &p->v[i];

		if (!l->there)
			continue;
		if (!l->planned)
			read_plan(l);
		look_at(p, l);
		if (l->planned)
			gauge_add(&l->gauge, time_now_ns(), l->done + l->failed + l->recovered);
	}
	find_running(p);
	find_slowest(p);
}

void
progress_release(struct progress *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].todo);
	free(p->v);
	free(p->running);
	buf_release(&p->label);
	buf_release(&p->line);
	*p = (struct progress)PROGRESS_INIT;
}
