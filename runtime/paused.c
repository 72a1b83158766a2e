/* paused.c: a file a pipeline, so that nothing has to be locked to look. */
#include "paused.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "show.h"

bool
paused_is(const char *pipeline)
{
	char path[LAYOUT_MAX];

	return access(layout_paused(path, pipeline), F_OK) == 0;
}

int
paused_set(const char *pipeline, const char *why, struct err *err)
{
	const char *user = getenv("USER");
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	if (paused_is(pipeline))
		return 0;
	if (fs_mkdirs(DIR_PAUSED, err) < 0)
		return -1;
	rec_head(&b, "paused", 1);
	rec_word(&b, "since");
	rec_u64(&b, time_now_ns());
	rec_end(&b);
	rec_word(&b, "by");
	rec_str(&b, user ? user : "");
	rec_end(&b);
	rec_word(&b, "why");
	rec_str(&b, why ? why : "");
	rec_end(&b);
	rc = fs_replace(layout_paused(path, pipeline), b.s, b.n, 0644, err);
	buf_release(&b);
	return rc < 0 ? -1 : 1;
}

int
paused_clear(const char *pipeline, struct err *err)
{
	char path[LAYOUT_MAX];

	if (unlink(layout_paused(path, pipeline)) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_set(err, errno, "cannot remove '%s':", path);
}

void
paused_text(const char *pipeline, struct buf *b)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct rec r;
	char path[LAYOUT_MAX];
	uint64_t since;

	if (recfile_open(&f, layout_paused(path, pipeline), "paused", 1, &ignored) == 1)
		while (recfile_next(&f, &r)) {
			if (rec_is(&r, "since", 2) && rec_get_u64(&r, 1, &since)) {
				buf_str(b, "since ");
				show_when(b, since);
			} else if (rec_is(&r, "by", 2) && r.len[1]) {
				buf_str(b, " by ");
				show_name(b, r.f[1]);
			} else if (rec_is(&r, "why", 2) && r.len[1]) {
				buf_str(b, ": ");
				show_name(b, r.f[1]);
			}
		}
	recfile_release(&f);
}

static const char *
behind(const struct index *x, const char *repo, bool *seen)
{
	const struct index_pipeline *p = index_find(x, repo);
	char path[LAYOUT_MAX];

	/* One that has a commit keeps nobody waiting. */
	if (!p || seen[p - x->pipeline] || access(layout_ref(path, repo), F_OK) == 0)
		return NULL;
	seen[p - x->pipeline] = true;
	if (paused_is(p->name))
		return p->name;
	for (size_t i = 0; i < p->n_reads; i++) {
		const char *found = behind(x, p->reads[i], seen);

		if (found)
			return found;
	}
	return NULL;
}

const char *
paused_behind(const struct index *x, const char *repo)
{
	bool *seen = xcalloc(x->n_pipeline + 1, sizeof *seen);
	const char *found = behind(x, repo, seen);

	free(seen);
	return found;
}
