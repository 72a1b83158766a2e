/* images.c: an image is part of a step by its digest, as code is by its hash.  All of them are asked for in one process; only
 * when that fails one by one, to tell which.  Pulling is the user's: make looks at every start, also without a network. */
#include "images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/rec.h"
#include "capture.h"
#include "filecache.h"

enum { ANSWER_MAX = 1024 * 1024 };

int
images_read(struct images *m, struct err *err)
{
	struct recfile f;
	struct rec r;
	struct image one;
	int rc = recfile_open_sealed(&f, FILE_IMAGES, "images", 1, err);

	if (rc <= 0)
		return rc < 0 ? err_wrap(err, "make looks at images again when '%s' is removed", FILE_IMAGES) : 0;
	while (recfile_next(&f, &r))
		if (rec_is(&r, "runtime", 2)) {
			m->runtime = arena_dup(&m->arena, r.f[1], r.len[1]);
		} else if (rec_is(&r, "image", 5) && rec_get_oid(&r, 2, &one.id)) {
			one.name = arena_dup(&m->arena, r.f[1], r.len[1]);
			one.user = arena_dup(&m->arena, r.f[3], r.len[3]);
			one.file = arena_dup(&m->arena, r.f[4], r.len[4]);
			GROW(m->v, m->n, m->cap);
			m->v[m->n++] = one;
		}
	recfile_release(&f);
	return 0;
}

const struct image *
images_find(const struct images *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].name, name) == 0)
			return &m->v[i];
	return NULL;
}

static int
write_images(const struct images *m, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "images", 1);
	rec_word(&b, "runtime");
	rec_str(&b, m->runtime);
	rec_end(&b);
	for (size_t i = 0; i < m->n; i++) {
		rec_word(&b, "image");
		rec_str(&b, m->v[i].name);
		rec_oid(&b, &m->v[i].id);
		rec_str(&b, m->v[i].user);
		rec_str(&b, m->v[i].file);
		rec_end(&b);
	}
	rec_seal(&b);
	rc = fs_replace_if_new(FILE_IMAGES, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

/* "[sha256:]HEX USER" */
static bool
take_answer(struct images *m, struct image *one, const char *line)
{
	const char *hex = strncmp(line, "sha256:", 7) ? line : line + 7;
	size_t n = strcspn(hex, " \n");
	char text[OID_HEX + 1];

	if (n != OID_HEX)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)n, hex);
	hex += n + (hex[n] == ' ');
	one->user = arena_dup(&m->arena, hex, strcspn(hex, "\n"));
	return oid_parse(text, &one->id);
}

/* Its last line that says something. */
static const char *
last_line(struct buf *said)
{
	char *s = said->s ? said->s : (char *)"", *at;

	while (said->n && (s[said->n - 1] == '\n' || s[said->n - 1] == ' '))
		s[--said->n] = '\0';
	at = strrchr(s, '\n');
	return at ? at + 1 : s;
}

static int
tell_unanswered(const char *runtime, const char *name, struct buf *said, struct err *err)
{
	const char *line = last_line(said);

	if (strstr(line, "permission denied"))
		return err_set(err, 0, "%s may not be used by you: %s: a user in the group '%s' may", runtime, line, runtime);
	if (strstr(line, "onnect to") || strstr(line, "daemon running") || strstr(line, "connection refused"))
		return err_set(err, 0, "%s does not answer: %s: start it ('systemctl start %s'), or compile with another --runtime", runtime, line,
		    runtime);
	if (strstr(line, "No such image") || strstr(line, "not known") || strstr(line, "no such object") || strstr(line, "No such object") || !*line)
		return err_set(err, 0, "image '%s' is not here: '%s pull %s' fetches it", name, runtime, name);
	return err_set(err, 0, "image '%s': %s says: %s", name, runtime, line);
}

/* What the runtime prints about these, its complaints too. */
static int
inspect(const char *runtime, const char *const *name, size_t n, struct buf *said, struct err *err)
{
	static const char script[] = "exec \"$@\" 2>&1";
	const char **argv = xcalloc(n + 12, sizeof *argv);
	size_t at = 0;
	int rc;

	argv[at++] = "/bin/sh";
	argv[at++] = "-c";
	argv[at++] = script;
	argv[at++] = "sh";
	argv[at++] = runtime;
	argv[at++] = "image";
	argv[at++] = "inspect";
	argv[at++] = "--format";
	argv[at++] = "{{.Id}} {{.Config.User}}";
	for (size_t i = 0; i < n; i++)
		argv[at++] = name[i];
	rc = capture(argv, said, ANSWER_MAX, err);
	free(argv);
	if (rc == 127)
		return err_set(err, 0, "there is no '%s' on this machine, which --runtime names: install it, or compile with --runtime=host", runtime);
	return rc;
}

static int
ask_one(struct images *m, size_t i, struct err *err)
{
	struct buf said = BUF_INIT;
	int rc = inspect(m->runtime, &m->v[i].name, 1, &said, err);

	if (rc >= 0 && (rc != 0 || !take_answer(m, &m->v[i], last_line(&said))))
		rc = tell_unanswered(m->runtime, m->v[i].name, &said, err);
	buf_release(&said);
	return rc;
}

static int
ask_all(struct images *m, struct err *err)
{
	const char **name = xcalloc(m->n + 1, sizeof *name);
	struct buf said = BUF_INIT;
	size_t done = 0;
	int rc;

	for (size_t i = 0; i < m->n; i++)
		name[i] = m->v[i].name;
	rc = inspect(m->runtime, name, m->n, &said, err);
	if (rc == 0)
		for (const char *line = said.s; line && *line && done < m->n && take_answer(m, &m->v[done], line); done++)
			line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "";
	for (size_t i = 0; rc >= 0 && done < m->n && i < m->n; i++)
		if (ask_one(m, i, err) < 0)
			rc = -1;
	buf_release(&said);
	free(name);
	return rc < 0 ? -1 : 0;
}

/* A .sif by its path, or by the name that `apptainer pull docker://NAME` gives it. */
static int
find_sif(struct images *m, struct image *one, struct filecache *files, struct err *err)
{
	const char *base = strrchr(one->name, '/'), *tag;
	const struct filecache_entry *e;
	char *pulled;
	int kind = filecache_hash(files, one->name, &e, err);

	one->user = "";
	one->file = one->name;
	if (kind == FILE_ABSENT) {
		base = base ? base + 1 : one->name;
		tag = strchr(base, ':');
		pulled = arena_fmt(&m->arena, "%.*s_%s.sif", tag ? (int)(tag - base) : (int)strlen(base), base, tag ? tag + 1 : "latest");
		one->file = pulled;
		kind = filecache_hash(files, pulled, &e, err);
	}
	if (kind == FILE_REGULAR)
		one->id = e->id;
	if (kind < 0)
		return files->bad.n ? err_set(err, 0, "%s", files->bad.v[0]) : -1;
	return kind == FILE_REGULAR ? 0 : err_set(err, 0, "image '%s' is not here: apptainer runs a file, '%s' or '%s', which 'apptainer pull docker://%s' makes",
	    one->name, one->name, one->file, one->name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

int
images_look(struct images *m, const struct index *x, struct filecache *files, struct err *err)
{
	const char *runtime = index_runtime(x);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; runtime && i < x->n_pipeline; i++)
		if (x->pipeline[i].image) {
			GROW(m->v, m->n, m->cap);
			m->v[m->n++] = (struct image){ .name = arena_str(&m->arena, x->pipeline[i].image), .file = "" };
		}
	if (m->n == 0)
		return 0;
	m->runtime = arena_str(&m->arena, runtime);
	qsort(m->v, m->n, sizeof *m->v, by_name);
	for (size_t i = 0; i < m->n; i++)
		if (n == 0 || strcmp(m->v[n - 1].name, m->v[i].name))
			m->v[n++] = m->v[i];
	m->n = n;
	if (strcmp(runtime, "apptainer") != 0)
		rc = ask_all(m, err);
	else
		for (size_t i = 0; rc == 0 && i < m->n; i++)
			rc = find_sif(m, &m->v[i], files, err);
	return rc < 0 ? -1 : write_images(m, err);
}

void
images_release(struct images *m)
{
	free(m->v);
	arena_release(&m->arena);
	*m = (struct images)IMAGES_INIT;
}
