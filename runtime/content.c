/* content.c: outputs are objects; the bytes of a source are the user's files, and old ones are kept only if its repo
 * says so. */
#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/ref.h"
#include "collected.h"
#include "repoarg.h"
#include "show.h"

/* 1 the file has this content, 0 not, -1 it is there and cannot be read. */
static int
has_content(const char *path, const struct entry *e, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	uint64_t size;
	struct oid id;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(err, errno, "cannot read '%s':", path);
	rc = sha256_fd(fd, &id, &size, err);
	close(fd);
	return rc < 0 ? -1 : size == e->size && oid_eq(&id, &e->id);
}

int
content_find(const char *repo, const struct entry *e, struct buf *ret_path, struct err *err)
{
	struct index x = INDEX_INIT;
	const struct index_source *s;
	char object[LAYOUT_MAX];
	int rc;

	buf_reset(ret_path);
	if (access(layout_object(object, &e->id), F_OK) == 0) {
		buf_str(ret_path, object);
		return 1;
	}
	rc = index_read(&x, err);
	if (rc == 1 && (s = index_find_source(&x, repo)) && strcmp(s->dir, "-")) {
		fs_join(ret_path, s->dir, e->path);
		rc = has_content(ret_path->s, e, err);
	} else if (rc == 1) {
		rc = 0;
	}
	index_release(&x);
	return rc;
}

int
content_commit(const struct repoarg *r, struct query *q, struct manifest *ret, struct err *err)
{
	struct collected c = COLLECTED_INIT;
	struct err ignored = ERR_INIT;
	struct oid id;
	char path[LAYOUT_MAX];
	int rc;

	if (repoarg_commit(r, q, &id, err) < 0)
		return -1;
	rc = manifest_load(ret, &id, err);
	if (rc < 0 && access(layout_commit(path, &id), F_OK) < 0 && collected_read(&c, &ignored) == 0 && collected_has(&c, &id))
		err_set(err, 0, "commit %.12s of '%s' is no longer there: it was old, and removed by 'dassie gc'",
		    path + sizeof DIR_COMMITS, r->repo);
	collected_release(&c);
	return rc;
}

int
content_arg(struct repoarg *ret, const char *arg, struct err *err)
{
	const char *why;

	return repoarg_parse(ret, arg, &why) ? 0 : err_set(err, SHOW_USAGE, "'%s' is not REPO[@COMMIT][:PATH]: %s", arg, why);
}

static void
repo_row(struct table *t, const char *name, bool source, const struct ref *ref, const struct manifest *m)
{
	buf_str(&t->cell, name);
	show_cell(t);
	buf_str(&t->cell, source ? "source" : "pipeline");
	show_cell(t);
	show_id(&t->cell, &ref->id);
	show_cell(t);
	if (m)
		show_count(&t->cell, m->n, "file", "files");
	else
		buf_str(&t->cell, "manifest gone");
	show_cell(t);
	show_ago(&t->cell, ref->asof ? ref->asof : ref->stamp);
	show_cell(t);
	show_row(t);
}

static void
repo_json(struct buf *b, const char *name, bool source, const struct ref *ref, const struct manifest *m)
{
	json_open(b, NULL, '{');
	json_str(b, "repo", name);
	json_str(b, "kind", source ? "source" : "pipeline");
	json_oid(b, "commit", &ref->id);
	if (m)
		json_i64(b, "files", (int64_t)m->n);
	json_time(b, "time", ref->asof ? ref->asof : ref->stamp);
	json_close(b, '}');
	buf_byte(b, '\n');
}

static int
one_repo(struct buf *b, struct table *t, const char *name, bool source, bool json, bool zero, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct err gone = ERR_INIT;
	struct ref ref = REF_INIT;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, name), &ref, err);

	if (rc == 1) {
		const struct manifest *have = zero || manifest_load(&m, &ref.id, &gone) < 0 ? NULL : &m;

		if (zero)
			buf_add(b, name, strlen(name) + 1);
		else if (json)
			repo_json(b, name, source, &ref, have);
		else
			repo_row(t, name, source, &ref, have);
	}
	manifest_release(&m);
	ref_release(&ref);
	return rc < 0 ? -1 : 0;
}

int
content_repos(struct buf *b, bool json, bool zero, struct err *err)
{
	struct index x = INDEX_INIT;
	struct table t = TABLE_INIT;
	int rc = index_read(&x, err);

	for (size_t i = 0; rc >= 0 && i < x.n_source; i++)
		rc = one_repo(b, &t, x.source[i].name, true, json, zero, err);
	for (size_t i = 0; rc >= 0 && i < x.n_pipeline; i++)
		rc = one_repo(b, &t, x.pipeline[i].name, false, json, zero, err);
	if (t.n > 0)
		show_table(b, &t, "");
	table_release(&t);
	index_release(&x);
	return rc < 0 ? -1 : 0;
}
