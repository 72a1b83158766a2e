/* queue.c: see the header.  A line that a killed runner or a full disk cut short ends the list: those datums have neither
 * result nor failure, and the next make plans them anew. */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "failure.h"
#include "result.h"

void
queue_put(struct queue *q, const struct waiting *w)
{
	GROW(q->v, q->n, q->cap);
	q->v[q->n++] = *w;
}

struct waiting
queue_take(struct queue *q)
{
	struct waiting w;
	size_t first = 0;

	for (size_t i = 1; i < q->n; i++)
		if (q->v[i].due < q->v[first].due)
			first = i;
	w = q->v[first];
	q->v[first] = q->v[--q->n];
	return w;
}

static void
put_one(struct buf *b, const struct waiting *w)
{
	rec_word(b, "later");
	rec_u64(b, w->at);
	rec_u64(b, w->due);
	if (w->again.known)
		rec_oid(b, &w->again.alike);
	else
		rec_str(b, "-");
	rec_u64(b, w->again.oom);
	rec_end(b);
	for (size_t i = 0; i < w->n; i++)
		result_put_attempt(b, &w->attempt[i]);
}

int
queue_leave(struct queue *q, const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), rc;
	struct buf b = BUF_INIT;

	if (fd < 0)
		return err_set(err, errno, "cannot open '%s':", path);
	for (size_t i = 0; i < q->n; i++)
		put_one(&b, &q->v[i]);
	rc = fs_write_all(fd, b.s, b.n, err);
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, errno, "cannot write '%s':", path);
	buf_release(&b);
	if (rc == 0)
		queue_release(q);
	return rc;
}

static bool
read_later(struct waiting *w, const struct rec *r)
{
	uint64_t oom;

	if (r->n != 5 || !rec_get_u64(r, 1, &w->at) || !rec_get_u64(r, 2, &w->due) || !rec_get_u64(r, 4, &oom))
		return false;
	w->again.oom = (unsigned)oom;
	w->again.known = strcmp(r->f[3], "-") != 0;
	return !w->again.known || rec_get_oid(r, 3, &w->again.alike);
}

/* The datum itself is in the plan. */
static bool
find_datum(struct waiting *w, struct recfile *plan)
{
	struct err err = ERR_INIT;

	if (w->at >= plan->n)
		return false;
	recfile_seek(plan, (size_t)w->at);
	return plan_datum_read(&w->datum, plan, &err) == 1;
}

int
queue_read(struct queue *q, const char *path, struct recfile *plan, uint64_t i, uint64_t n, struct err *err)
{
	struct recfile f = RECFILE_INIT;
	struct waiting *w = NULL;
	struct rec r;
	uint64_t number = 0;
	int rc = access(path, F_OK) < 0 && errno == ENOENT ? 0 : recfile_map(&f, path, err);

	if (rc <= 0)
		return rc;
	while (recfile_next(&f, &r)) {
		if (rec_is(&r, "later", 5)) {
			struct waiting one = { .at = 0 };
			bool ours = number++ % n == i - 1;

			w = NULL;
			if (!ours || !read_later(&one, &r))
				continue;
			if (!find_datum(&one, plan)) {
				plan_datum_release(&one.datum);
				break;
			}
			queue_put(q, &one);
			w = &q->v[q->n - 1];
		} else if (w && rec_is(&r, "attempt", 11)) {
			GROW(w->attempt, w->n, w->cap);
			if (!result_get_attempt(&r, &w->attempt[w->n]))
				break;
			w->attempt[w->n].class = failure_class(w->attempt[w->n].class);
			w->n++;
		}
	}
	recfile_release(&f);
	return 0;
}

void
queue_release(struct queue *q)
{
	for (size_t i = 0; i < q->n; i++) {
		plan_datum_release(&q->v[i].datum);
		free(q->v[i].attempt);
	}
	free(q->v);
	*q = (struct queue)QUEUE_INIT;
}
