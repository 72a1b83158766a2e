/* pushed.c: a small file a place, replaced whole. */
#include "pushed.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/rec.h"
#include "place.h"

enum { VERSION = 1 };

static void
line_str(struct buf *b, const char *word, const char *value)
{
	rec_word(b, word);
	rec_str(b, value);
	rec_end(b);
}

static void
line_u64(struct buf *b, const char *word, uint64_t v, const uint64_t *also)
{
	rec_word(b, word);
	rec_u64(b, v);
	if (also)
		rec_u64(b, *also);
	rec_end(b);
}

int
pushed_write(const struct pushed *v, const struct place *p, struct err *err)
{
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc;

	rec_head(&b, "pushed", VERSION);
	line_str(&b, "pipeline", v->pipeline);
	line_str(&b, "url", v->url);
	rec_word(&b, "commit");
	rec_oid(&b, &v->commit);
	rec_end(&b);
	line_str(&b, "state", v->failed ? "failed" : "done");
	line_u64(&b, "started", v->started, NULL);
	line_u64(&b, "finished", v->finished, NULL);
	line_u64(&b, "put", v->put, &v->put_bytes);
	line_u64(&b, "gone", v->gone, NULL);
	line_u64(&b, "same", v->same, NULL);
	line_u64(&b, "left", v->left, &v->left_bytes);
	line_str(&b, "reason", v->reason);
	rec_seal(&b);
	rc = fs_replace(place_file(path, p, ".last"), b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

static void
take_line(struct pushed *v, const struct rec *r, struct arena *a)
{
	const struct { const char *word; const char **to; } text[] = {
		{ "pipeline", &v->pipeline }, { "url", &v->url }, { "reason", &v->reason },
	};
	const struct { const char *word; uint64_t *to, *also; } number[] = {
		{ "started", &v->started, NULL }, { "finished", &v->finished, NULL }, { "put", &v->put, &v->put_bytes },
		{ "gone", &v->gone, NULL }, { "same", &v->same, NULL }, { "left", &v->left, &v->left_bytes },
	};

	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		if (rec_is(r, text[i].word, 2))
			*text[i].to = arena_dup(a, r->f[1], r->len[1]);
	for (size_t i = 0; i < sizeof number / sizeof *number; i++)
		if (rec_is(r, number[i].word, 2)) {
			rec_get_u64(r, 1, number[i].to);
			if (number[i].also)
				rec_get_u64(r, 2, number[i].also);
		}
	if (rec_is(r, "commit", 2))
		rec_get_oid(r, 1, &v->commit);
	else if (rec_is(r, "state", 2))
		v->failed = strcmp(r->f[1], "done") != 0;
}

int
pushed_read(struct pushed *ret, const struct place *p, struct arena *a, struct err *err)
{
	struct recfile f;
	struct rec r;
	char path[LAYOUT_MAX];
	int rc = recfile_open_sealed(&f, place_file(path, p, ".last"), "pushed", VERSION, err);

	*ret = (struct pushed){ .pipeline = p->pipeline, .url = p->url, .reason = "" };
	if (rc <= 0)
		return rc;
	while (recfile_next(&f, &r))
		take_line(ret, &r, a);
	recfile_release(&f);
	return 1;
}
