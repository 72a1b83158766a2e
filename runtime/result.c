/* result.c: what an execution leaves behind.  A result is one small text, written whole and renamed into
 * place: that rename is the moment at which the datum is done. */
#include "result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"

enum { VERSION = 1, FAIL_MAX = LAYOUT_MAX + 8 };

/* The lines of one word and one field of text. */
static const struct { const char *word; size_t at; } text_field[] = {
	{ "pipeline", offsetof(struct result, pipeline) }, { "job", offsetof(struct result, job) },
	{ "run", offsetof(struct result, run) },           { "label", offsetof(struct result, label) },
	{ "boot", offsetof(struct result, boot) },         { "host", offsetof(struct result, host) },
	{ "command", offsetof(struct result, command) },   { "state", offsetof(struct result, state) },
	{ "class", offsetof(struct result, class) },       { "reason", offsetof(struct result, reason) },
};

enum { TEXT_FIELDS = sizeof text_field / sizeof text_field[0] };

static const char **
text_of(struct result *r, size_t i)
{
	return (const char **)(void *)((char *)r + text_field[i].at);
}

static const char *
fail_path(char ret[FAIL_MAX], const struct oid *key)
{
	char path[LAYOUT_MAX];

	snprintf(ret, FAIL_MAX, "%s.fail", layout_datum(path, key));
	return ret;
}

bool
result_get_attempt(const struct rec *rec, struct attempt *ret)
{
	struct attempt a = { .class = rec->n > 11 ? rec->f[11] : "" };
	int64_t ended_by = 0, signal = 0;
	uint64_t log = 0;
	bool ok = rec_is(rec, "attempt", 11) && rec_get_u64(rec, 1, &a.started) && rec_get_u64(rec, 2, &a.ended) &&
	    rec_get_i64(rec, 3, &ended_by) && rec_get_i64(rec, 4, &signal) && rec_get_u64(rec, 5, &a.utime_us) &&
	    rec_get_u64(rec, 6, &a.stime_us) && rec_get_u64(rec, 7, &a.maxrss_kb) && rec_get_u64(rec, 8, &a.in_bytes) &&
	    rec_get_u64(rec, 9, &a.out_bytes) && rec_get_u64(rec, 10, &log);

	a.exit = (int)ended_by;
	a.signal = (int)signal;
	a.log = log != 0;
	*ret = a;
	return ok;
}

static bool
read_attempt(struct result *r, const struct rec *rec)
{
	GROW(r->attempt, r->n_attempt, r->cap_attempt);
	return result_get_attempt(rec, &r->attempt[r->n_attempt++]);
}

static bool
read_input(struct result *r, const struct rec *rec)
{
	struct result_input in = { 0 };

	if (!rec_is(rec, "input", 6) || rec->len[4] != 1 || !rec_get_oid(rec, 5, &in.id))
		return false;
	in.name = rec->f[1];
	in.repo = rec->f[2];
	in.path = rec->f[3];
	in.kind = rec->f[4][0];
	GROW(r->input, r->n_input, r->cap_input);
	r->input[r->n_input++] = in;
	return true;
}

static bool
read_output(struct result *r, const struct rec *rec)
{
	struct result_output out = { 0 };

	if (!rec_is(rec, "output", 5) || rec->len[1] != 1 || !rec_get_u64(rec, 2, &out.size) || !rec_get_oid(rec, 3, &out.id))
		return false;
	out.kind = rec->f[1][0];
	out.path = rec->f[4];
	GROW(r->output, r->n_output, r->cap_output);
	r->output[r->n_output++] = out;
	return true;
}

static bool
read_line(struct result *r, const struct rec *rec)
{
	const char *word = rec->f[0];

	if (strcmp(word, "key") == 0)
		return rec_get_oid(rec, 1, &r->key);
	if (strcmp(word, "attempt") == 0)
		return read_attempt(r, rec);
	if (strcmp(word, "input") == 0)
		return read_input(r, rec);
	if (strcmp(word, "output") == 0)
		return read_output(r, rec);
	for (size_t i = 0; i < TEXT_FIELDS; i++)
		if (strcmp(word, text_field[i].word) == 0) {
			*text_of(r, i) = rec->n > 1 ? rec->f[1] : "";
			return rec->n == 2;
		}
	return false;
}

int
result_read(struct result *r, const struct oid *key, bool failed, struct err *err)
{
	char datum[LAYOUT_MAX], fail[FAIL_MAX];
	const char *path = failed ? fail_path(fail, key) : layout_datum(datum, key);
	struct rec rec;
	bool ok = true;
	int rc;

	*r = (struct result)RESULT_INIT;
	rc = recfile_open_sealed(&r->text, path, "result", VERSION, err);
	if (rc != 1)
		return rc;
	for (size_t i = 0; i < TEXT_FIELDS; i++)
		*text_of(r, i) = "";
	while (ok && recfile_next(&r->text, &rec))
		ok = read_line(r, &rec);
	if (ok && oid_eq(&r->key, key))
		return 1;
	result_release(r);
	return err_set(err, 0, "'%s' is damaged", path);
}

void
result_put_attempt(struct buf *b, const struct attempt *a)
{
	rec_word(b, "attempt");
	rec_u64(b, a->started);
	rec_u64(b, a->ended);
	rec_i64(b, a->exit);
	rec_i64(b, a->signal);
	rec_u64(b, a->utime_us);
	rec_u64(b, a->stime_us);
	rec_u64(b, a->maxrss_kb);
	rec_u64(b, a->in_bytes);
	rec_u64(b, a->out_bytes);
	rec_u64(b, a->log);
	if (a->class && a->class[0])
		rec_str(b, a->class);
	rec_end(b);
}

static void
add_input(struct buf *b, const struct result_input *in)
{
	rec_word(b, "input");
	rec_str(b, in->name);
	rec_str(b, in->repo);
	rec_str(b, in->path);
	rec_bytes(b, &in->kind, 1);
	rec_oid(b, &in->id);
	rec_end(b);
}

static void
add_output(struct buf *b, const struct result_output *out)
{
	rec_word(b, "output");
	rec_bytes(b, &out->kind, 1);
	rec_u64(b, out->size);
	rec_oid(b, &out->id);
	rec_str(b, out->path);
	rec_end(b);
}

static void
add_result(struct buf *b, const struct result *r)
{
	struct result copy = *r;

	rec_head(b, "result", VERSION);
	rec_word(b, "key");
	rec_oid(b, &r->key);
	rec_end(b);
	for (size_t i = 0; i < TEXT_FIELDS; i++) {
		const char *s = *text_of(&copy, i);

		if (!s || !s[0])
			continue;
		rec_word(b, text_field[i].word);
		rec_str(b, s);
		rec_end(b);
	}
	for (size_t i = 0; i < r->n_attempt; i++)
		result_put_attempt(b, &r->attempt[i]);
	for (size_t i = 0; i < r->n_input; i++)
		add_input(b, &r->input[i]);
	for (size_t i = 0; i < r->n_output; i++)
		add_output(b, &r->output[i]);
	rec_seal(b);
}

int
result_write(const struct result *r, struct err *err)
{
	bool failed = r->state && strcmp(r->state, "success") != 0;
	char datum[LAYOUT_MAX], fail[FAIL_MAX];
	const char *path;
	struct buf b = BUF_INIT;
	int rc;

	layout_datum(datum, &r->key);
	fail_path(fail, &r->key);
	path = failed ? fail : datum;
	add_result(&b, r);
	rc = fs_replace(path, b.s, b.n, 0444, err);
	if (rc < 0 && err->num == ENOENT && fs_mkdirs_for(path, err) == 0)
		rc = fs_replace(path, b.s, b.n, 0444, err);
	buf_release(&b);
	if (rc == 0 && !failed && unlink(fail) < 0 && errno != ENOENT)
		rc = err_set(err, errno, "cannot remove '%s':", fail);
	return rc;
}

bool
result_exists(const struct oid *key)
{
	char path[LAYOUT_MAX];

	return access(layout_datum(path, key), F_OK) == 0;
}

void
result_release(struct result *r)
{
	recfile_release(&r->text);
	free(r->attempt);
	free(r->input);
	free(r->output);
	*r = (struct result)RESULT_INIT;
}
