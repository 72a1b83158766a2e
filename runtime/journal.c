/* journal.c: the writing side is called by provenance.c for each thing that it puts; the reading side calls provenance.c
 * for each line. Texts come once: what refers to them does so by hash. */
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "../base/sha256.h"
#include "ledger.h"
#include "provenance.h"
#include "pushed.h"

#define DIR_HISTORY DIR_STATE "/history"

static void
text_ref(struct buf *b, const char *text)
{
	struct oid id;

	if (!text) {
		rec_str(b, "-");
		return;
	}
	sha256_bytes(text, strlen(text), &id);
	rec_oid(b, &id);
}

void
journal_text(struct buf *b, const char *text)
{
	rec_word(b, "text");
	rec_str(b, text);
	rec_end(b);
}

void
journal_run(struct buf *b, const struct prov_run *r)
{
	rec_word(b, "run");
	rec_str(b, r->id);
	rec_u64(b, r->started);
	rec_str(b, r->host);
	rec_str(b, r->user);
	rec_str(b, r->command);
	rec_str(b, r->version);
	rec_end(b);
}

void
journal_version(struct buf *b, const char *pipeline, const struct oid *spec, const struct oid *step, const char *salt,
                const char *script, const char *conf)
{
	rec_word(b, "version");
	rec_str(b, pipeline);
	rec_oid(b, spec);
	rec_oid(b, step);
	rec_str(b, salt ? salt : "");
	text_ref(b, script);
	text_ref(b, conf);
	rec_end(b);
}

void
journal_job(struct buf *b, const struct prov_job *j)
{
	rec_word(b, "job");
	rec_str(b, j->id);
	rec_str(b, j->run ? j->run : "");
	rec_str(b, j->pipeline);
	rec_str(b, j->state);
	rec_str(b, j->reason ? j->reason : "");
	for (size_t i = 0; i < 7; i++)
		rec_u64(b, (uint64_t[]){ j->started, j->finished, j->total, j->processed, j->skipped, j->failed, j->recovered }[i]);
	if (j->has_commit)
		rec_oid(b, &j->commit);
	else
		rec_str(b, "-");
	rec_oid(b, &j->spec);
	rec_oid(b, &j->step);
	rec_end(b);
	if (j->git && j->git->commit && *j->git->commit) {
		rec_word(b, "git");
		rec_str(b, j->git->commit);
		rec_str(b, j->git->branch ? j->git->branch : "");
		rec_u64(b, j->git->dirty);
		text_ref(b, j->git->diff && *j->git->diff ? j->git->diff : NULL);
		rec_end(b);
	}
	for (size_t i = 0; i < j->n_code; i++) {
		rec_word(b, "code");
		rec_str(b, j->code[i].exec ? "x" : "f");
		rec_oid(b, &j->code[i].id);
		rec_str(b, j->code[i].path);
		rec_end(b);
	}
	for (size_t i = 0; i < j->n_input; i++) {
		rec_word(b, "input");
		rec_str(b, j->input[i].repo);
		rec_oid(b, &j->input[i].commit);
		rec_end(b);
	}
}

void
journal_commit(struct buf *b, const char *repo, const struct oid *id, uint64_t when, const char *job, uint64_t files,
               uint64_t bytes)
{
	rec_word(b, "commit");
	rec_str(b, repo);
	rec_oid(b, id);
	rec_u64(b, when);
	rec_str(b, job ? job : "");
	rec_u64(b, files);
	rec_u64(b, bytes);
	rec_end(b);
}

void
journal_egress(struct buf *b, const struct pushed *v)
{
	rec_word(b, "egress");
	rec_str(b, v->pipeline);
	rec_str(b, v->url);
	rec_oid(b, &v->commit);
	rec_u64(b, v->started);
	rec_u64(b, v->finished);
	rec_str(b, v->failed ? "failed" : "done");
	for (size_t i = 0; i < 6; i++)
		rec_u64(b, (uint64_t[]){ v->put, v->put_bytes, v->gone, v->same, v->left, v->left_bytes }[i]);
	rec_str(b, v->reason);
	rec_end(b);
}

void
journal_forgot(struct buf *b, const struct oid *id)
{
	rec_word(b, "forgot");
	rec_oid(b, id);
	rec_end(b);
}

/* One write, so that what is torn is torn at the end. A last line without its end is given one first. */
static int
append(int fd, const struct buf *b, struct err *err)
{
	struct buf all = BUF_INIT;
	struct stat st;
	char last = '\n';
	int rc;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "fstat:");
	if (st.st_size == 0)
		rec_head(&all, "journal", 1);
	else if (pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		buf_byte(&all, '\n');
	buf_add(&all, b->s, b->n);
	rc = fs_write_all(fd, all.s, all.n, err);
	buf_release(&all);
	return rc;
}

int
journal_append(struct buf *b, struct err *err)
{
	struct buf entry = BUF_INIT;
	struct oid id;
	char path[LAYOUT_MAX], when[32];
	uint64_t now = time_now_ns();
	int fd, rc = -1;

	if (b->n == 0)
		return 0;
	time_rfc3339(when, now);
	snprintf(path, sizeof path, "%s/%.7s", DIR_HISTORY, when);
	rec_word(&entry, "entry");
	rec_u64(&entry, now);
	rec_end(&entry);
	buf_add(&entry, b->s, b->n);
	sha256_bytes(entry.s, entry.n, &id);
	rec_word(&entry, "end");
	rec_oid(&entry, &id);
	rec_end(&entry);
	fd = fs_mkdirs(DIR_HISTORY, err) < 0 ? -1 : open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd >= 0) {
		rc = append(fd, &entry, err);
		if (close(fd) < 0 && rc == 0)
			rc = err_set(err, errno, "close:");
	} else {
		err_set(err, errno, "open:");
	}
	buf_release(&entry);
	return rc < 0 ? err_wrap(err, "cannot write '%s'", path) : 0;
}

/* Reading. */

struct text { struct oid id; const char *body; };

struct replay {
	struct journal *j;
	struct prov *p;
	struct arena a;
	struct text *text; size_t n_text, cap_text;
	struct prov_job job;                    /* being read; id NULL: none */
	struct prov_git git;
	struct prov_code *code; size_t cap_code;
	struct prov_input *input; size_t cap_input;
};

static const char *
find_text(const struct replay *r, const char *hex)
{
	struct oid id;

	if (!oid_parse(hex, &id))
		return NULL;
	for (size_t i = r->n_text; i-- > 0; )
		if (oid_eq(&r->text[i].id, &id))
			return r->text[i].body;
	return NULL;
}

static void
take_text(struct replay *r, const struct rec *f)
{
	struct text t;

	sha256_bytes(f->f[1], f->len[1], &t.id);
	t.body = arena_dup(&r->a, f->f[1], f->len[1]);
	GROW(r->text, r->n_text, r->cap_text);
	r->text[r->n_text++] = t;
}

/* A job ends where something else begins. */
static int
flush_job(struct replay *r, struct err *err)
{
	struct prov_job *job = &r->job;
	struct journal *j = r->j;
	int rc;

	if (!job->id)
		return 0;
	job->code = r->code;
	job->input = r->input;
	rc = prov_put_job(r->p, job, err);
	GROW(j->job, j->n_job, j->cap_job);
	j->job[j->n_job++] = (struct journal_job){ xstrdup(job->id), job->spec };
	*job = (struct prov_job){ 0 };
	return rc;
}

static void
take_job(struct replay *r, const struct rec *f)
{
	struct prov_job *j = &r->job;
	uint64_t *const number[] = { &j->started, &j->finished, &j->total, &j->processed, &j->skipped, &j->failed, &j->recovered };
	const char **const text[] = { &j->id, &j->run, &j->pipeline, &j->state, &j->reason };

	*j = (struct prov_job){ 0 };
	for (size_t i = 0; i < 5; i++)
		*text[i] = arena_str(&r->a, f->f[i + 1]);
	for (size_t i = 0; i < 7; i++)
		rec_get_u64(f, i + 6, number[i]);
	j->has_commit = rec_get_oid(f, 13, &j->commit);
	rec_get_oid(f, 14, &j->spec);
	rec_get_oid(f, 15, &j->step);
}

static void
take_git(struct replay *r, const struct rec *f)
{
	r->git = (struct prov_git){ arena_str(&r->a, f->f[1]), arena_str(&r->a, f->f[2]), f->f[3][0] == '1', find_text(r, f->f[4]) };
	r->job.git = &r->git;
}

static void
take_code(struct replay *r, const struct rec *f)
{
	GROW(r->code, r->job.n_code, r->cap_code);
	r->code[r->job.n_code] = (struct prov_code){ .path = arena_str(&r->a, f->f[3]), .exec = f->f[1][0] == 'x' };
	if (rec_get_oid(f, 2, &r->code[r->job.n_code].id))
		r->job.n_code++;
}

static void
take_input(struct replay *r, const struct rec *f)
{
	GROW(r->input, r->job.n_input, r->cap_input);
	r->input[r->job.n_input] = (struct prov_input){ .repo = arena_str(&r->a, f->f[1]) };
	if (rec_get_oid(f, 2, &r->input[r->job.n_input].commit))
		r->job.n_input++;
}

static int
take_version(struct replay *r, const struct rec *f, struct err *err)
{
	struct conf c = CONF_INIT;
	struct oid spec, step;

	if (!rec_get_oid(f, 2, &spec) || !rec_get_oid(f, 3, &step))
		return 0;
	c.pipeline = f->f[1];
	c.salt = f->f[4];
	c.spec = find_text(r, f->f[6]);
	return prov_put_version(r->p, &c, &spec, &step, find_text(r, f->f[5]), err);
}

static int
take_run(struct replay *r, const struct rec *f, struct err *err)
{
	struct prov_run run = { .id = f->f[1], .host = f->f[3], .user = f->f[4], .command = f->f[5], .version = f->f[6] };

	rec_get_u64(f, 2, &run.started);
	return prov_put_run(r->p, &run, err);
}

static int
take_commit(struct replay *r, const struct rec *f, struct err *err)
{
	uint64_t when = 0, files = 0, bytes = 0;
	struct oid id;

	if (!rec_get_oid(f, 2, &id))
		return 0;
	rec_get_u64(f, 3, &when);
	rec_get_u64(f, 5, &files);
	rec_get_u64(f, 6, &bytes);
	return prov_put_commit(r->p, f->f[1], &id, when, f->f[4], files, bytes, err);
}

static int
take_egress(struct replay *r, const struct rec *f, struct err *err)
{
	struct pushed v = { .pipeline = f->f[1], .url = f->f[2], .failed = strcmp(f->f[6], "done") != 0, .reason = f->f[13] };
	uint64_t *const number[] = { &v.put, &v.put_bytes, &v.gone, &v.same, &v.left, &v.left_bytes };

	if (!rec_get_oid(f, 3, &v.commit))
		return 0;
	rec_get_u64(f, 4, &v.started);
	rec_get_u64(f, 5, &v.finished);
	for (size_t i = 0; i < 6; i++)
		rec_get_u64(f, 7 + i, number[i]);
	return prov_put_egress(r->p, &v, err);
}

static int
take_line(struct replay *r, const struct rec *f, struct err *err)
{
	struct oid id;

	if (r->job.id && rec_is(f, "git", 5))
		take_git(r, f);
	else if (r->job.id && rec_is(f, "code", 4))
		take_code(r, f);
	else if (r->job.id && rec_is(f, "input", 3))
		take_input(r, f);
	else if (flush_job(r, err) < 0)
		return -1;
	else if (rec_is(f, "text", 2))
		take_text(r, f);
	else if (rec_is(f, "job", 16))
		take_job(r, f);
	else if (rec_is(f, "run", 7))
		return take_run(r, f, err);
	else if (rec_is(f, "version", 7))
		return take_version(r, f, err);
	else if (rec_is(f, "commit", 7))
		return take_commit(r, f, err);
	else if (rec_is(f, "egress", 14))
		return take_egress(r, f, err);
	else if (rec_is(f, "forgot", 2) && rec_get_oid(f, 1, &id))
		return prov_forget_commit(r->p, &id, err);
	return ledger_replay(prov_database(r->p), f, err);
}

static int
take_entry(struct replay *r, char *text, size_t n, struct err *err)
{
	struct recfile f;
	struct rec line;
	int rc = 0;

	r->j->entries++;
	recfile_memory(&f, text, n);
	while (rc == 0 && recfile_next(&f, &line))
		rc = take_line(r, &line, err);
	return rc < 0 ? -1 : flush_job(r, err);
}

/* Where the next line that begins so begins, or the end. */
static char *
line_with(char *s, char *end, const char *word)
{
	size_t n = strlen(word);

	while (s < end && ((size_t)(end - s) < n || memcmp(s, word, n))) {
		char *nl = memchr(s, '\n', (size_t)(end - s));

		s = nl ? nl + 1 : end;
	}
	return s;
}

static int
replay_text(struct replay *r, char *s, char *end, struct err *err)
{
	struct oid want, got;
	char hex[OID_HEX + 1];
	int rc = 0;

	for (s = line_with(s, end, "entry "); rc == 0 && s < end; ) {
		char *tail = line_with(s, end, "end "), *next = line_with(s + 1, end, "entry ");

		sha256_bytes(s, (size_t)(tail - s), &got);
		snprintf(hex, sizeof hex, "%.*s", end - tail > 4 ? (int)(end - tail - 4) : 0, tail + 4);
		if (tail < next && oid_parse(hex, &want) && oid_eq(&want, &got))
			rc = take_entry(r, s, (size_t)(tail - s), err);
		else
			r->j->torn++;
		s = next;
	}
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
replay_file(struct replay *r, const char *name, struct err *err)
{
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	snprintf(path, sizeof path, "%s/%.64s", DIR_HISTORY, name);
	rc = fs_read(path, &b, err);
	if (rc == 1 && strncmp(b.s, "dassie-journal 1\n", 17))
		rc = err_set(err, 0, "'%s' is not a journal that this dassie knows: use the version that wrote it, or move it away", path);
	if (rc == 1)
		rc = replay_text(r, b.s, b.s + b.n, err);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

int
journal_replay(struct journal *j, struct prov *p, struct err *err)
{
	struct replay r = { .j = j, .p = p };
	char **name = NULL;
	size_t n = 0, cap = 0;
	DIR *d = opendir(DIR_HISTORY);
	struct dirent *e;
	int rc = 0;

	while (d && (e = readdir(d)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9') {
			GROW(name, n, cap);
			name[n++] = xstrdup(e->d_name);
		}
	if (d)
		closedir(d);
	if (n)
		qsort(name, n, sizeof *name, by_name);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			rc = replay_file(&r, name[i], err);
		free(name[i]);
	}
	free(name);
	free(r.text);
	free(r.code);
	free(r.input);
	arena_release(&r.a);
	return rc;
}

void
journal_release(struct journal *j)
{
	for (size_t i = 0; i < j->n_job; i++)
		free(j->job[i].id);
	free(j->job);
	*j = (struct journal)JOURNAL_INIT;
}
