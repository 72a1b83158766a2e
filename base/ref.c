/* ref.c: everything that writes a ref holds the clock, so "newest stamp" and "what is in the files" can
 * never disagree for another process that holds it too. */
#include "ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "err.h"
#include "fs.h"
#include "json.h"
#include "layout.h"
#include "mem.h"
#include "rec.h"

static bool
parse_line(struct ref *ref, const struct rec *r, size_t *cap)
{
	if (rec_is(r, "stamp", 2))
		return rec_get_u64(r, 1, &ref->stamp);
	if (rec_is(r, "id", 2))
		return rec_get_oid(r, 1, &ref->id);
	if (rec_is(r, "asof", 2))
		return rec_get_u64(r, 1, &ref->asof);
	if (rec_is(r, "step", 2))
		return rec_get_oid(r, 1, &ref->step);
	if (rec_is(r, "output", 2))
		return rec_get_oid(r, 1, &ref->output);
	if (rec_is(r, "input", 3)) {
		GROW(ref->input, ref->n_input, *cap);
		ref->input[ref->n_input].repo = xstrdup(r->f[1]);
		return rec_get_oid(r, 2, &ref->input[ref->n_input++].id);
	}
	return true;
}

int
ref_read(const char *path, struct ref *ret, struct err *err)
{
	struct buf text = BUF_INIT;
	struct recfile f;
	struct rec r;
	size_t cap = 0;
	bool ok, whole = false;
	int rc = fs_read(path, &text, err);

	*ret = (struct ref)REF_INIT;
	if (rc == 1) {
		recfile_memory(&f, text.s, text.n);
		ok = recfile_next(&f, &r) && strcmp(r.f[0], "dassie-ref") == 0 && r.n == 2 && strcmp(r.f[1], "1") == 0;
		while (ok && recfile_next(&f, &r)) {
			ok = parse_line(ret, &r, &cap);
			whole = rec_is(&r, "end", 1);
		}
		if (!ok || !whole || ret->stamp == 0) {
			ref_release(ret);
			rc = 0;
		}
	}
	buf_release(&text);
	return rc;
}

void
ref_release(struct ref *r)
{
	for (size_t i = 0; i < r->n_input; i++)
		free(r->input[i].repo);
	free(r->input);
	*r = (struct ref)REF_INIT;
}

/* The newest stamp that was given out: what the clock file says. */
static uint64_t
last_stamp(int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	return n > 0 ? strtoull(text, NULL, 10) : 0;
}

int
clock_lock(struct clock *c, struct err *err)
{
	c->fd = open(FILE_CLOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (c->fd < 0)
		return err_set(err, errno, "cannot open '%s':", FILE_CLOCK);
	while (flock(c->fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		err_set(err, errno, "cannot lock '%s':", FILE_CLOCK);
		clock_unlock(c);
		return -1;
	}
	c->last = last_stamp(c->fd);
	return 0;
}

void
clock_unlock(struct clock *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct clock)CLOCK_INIT;
}

int
clock_note(struct clock *c, uint64_t stamp, struct err *err)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%020llu\n", (unsigned long long)stamp);

	if (stamp <= c->last)
		return 0;
	/* One short write of fixed length in place: torn or lost, the worst is a smaller number, and a stamp
	 * that was used is found again in the refs' own mtimes by the next scan. */
	if (pwrite(c->fd, text, (size_t)n, 0) != n)
		return err_set(err, errno, "cannot write '%s':", FILE_CLOCK);
	c->last = stamp;
	return 0;
}

static void
format(struct buf *b, const struct ref *r)
{
	static const struct oid none;

	rec_head(b, "ref", 1);
	rec_word(b, "stamp");
	rec_u64(b, r->stamp);
	rec_end(b);
	rec_word(b, "id");
	rec_oid(b, &r->id);
	rec_end(b);
	if (r->asof) {
		rec_word(b, "asof");
		rec_u64(b, r->asof);
		rec_end(b);
	}
	if (!oid_eq(&r->step, &none)) {
		rec_word(b, "step");
		rec_oid(b, &r->step);
		rec_end(b);
	}
	if (!oid_eq(&r->output, &none)) {
		rec_word(b, "output");
		rec_oid(b, &r->output);
		rec_end(b);
	}
	for (size_t i = 0; i < r->n_input; i++) {
		rec_word(b, "input");
		rec_str(b, r->input[i].repo);
		rec_oid(b, &r->input[i].id);
		rec_end(b);
	}
	buf_str(b, "end\n");
}

int
ref_write(struct clock *c, const char *path, struct ref *r, struct err *err)
{
	struct buf b = BUF_INIT;
	uint64_t kept = 0;
	int rc;

	if (clock_note(c, r->stamp, err) < 0)
		return -1;
	format(&b, r);
	rc = fs_replace_stamped(path, b.s, b.n, r->stamp, &kept, err);
	buf_release(&b);
	return rc;
}

/* A file system that rounds mtimes down would let two stamps look alike: step up to the next granule
 * that it keeps exactly (a microsecond, a millisecond, a second, two for FAT). */
static uint64_t
round_up(uint64_t stamp, uint64_t kept)
{
	uint64_t granule = 1;

	while (granule < 2000000000u && kept % (granule * 10) == 0)
		granule *= 10;
	return kept + (stamp - kept > granule ? stamp - kept : granule);
}

int
ref_move(struct clock *c, const char *path, struct ref *r, struct err *err)
{
	uint64_t now = time_now_ns();
	struct buf b = BUF_INIT;
	uint64_t kept;
	int rc;

	r->stamp = now > c->last ? now : c->last + 1;
	for (int tries = 0;; tries++) {
		kept = r->stamp;
		buf_reset(&b);
		format(&b, r);
		rc = fs_replace_stamped(path, b.s, b.n, r->stamp, &kept, err);
		if (rc < 0 || kept == r->stamp || tries == 8)
			break;
		r->stamp = round_up(r->stamp, kept);
	}
	if (rc == 0)
		rc = clock_note(c, r->stamp, err);
	buf_release(&b);
	return rc;
}

int
ref_heal(struct clock *c, const char *path, struct err *err)
{
	struct ref r;
	struct stat st;
	int rc = ref_read(path, &r, err);

	if (rc == 1 && stat(path, &st) == 0 && fs_mtime_ns(&st) != r.stamp) {
		struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
			{ (time_t)(r.stamp / 1000000000), (long)(r.stamp % 1000000000) } };

		if (utimensat(AT_FDCWD, path, t, 0) < 0)
			rc = err_set(err, errno, "cannot set the time of '%s':", path);
		else if (clock_note(c, r.stamp, err) < 0)
			rc = -1;
	} else if (rc == 1) {
		rc = 0;
	}
	ref_release(&r);
	return rc;
}
