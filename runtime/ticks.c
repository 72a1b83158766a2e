/* ticks.c: a few bytes a tick, written anew as a whole: a fire adds all that it has at once. */
#include "ticks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cron.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/rec.h"
#include "../base/ref.h"
#include "../base/sha256.h"
#include "store.h"

static int
by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
add(struct ticks *t, int64_t at)
{
	GROW(t->at, t->n, t->cap);
	t->at[t->n++] = at;
}

static void
tidy(struct ticks *t)
{
	size_t n = 0;

	if (t->n)
		qsort(t->at, t->n, sizeof *t->at, by_time);
	for (size_t i = 0; i < t->n; i++)
		if (!n || t->at[n - 1] != t->at[i])
			t->at[n++] = t->at[i];
	t->n = n;
}

/* The names of the files in the repo's newest commit. */
static int
read_commit(struct ticks *t, const char *repo, struct err *err)
{
	struct manifest m = MANIFEST_INIT;
	struct ref r = REF_INIT;
	char path[LAYOUT_MAX];
	int64_t at;
	int rc = ref_read(layout_ref(path, repo), &r, err);

	if (rc == 1 && (rc = manifest_load(&m, &r.id, err)) == 0)
		for (size_t i = 0; i < m.n; i++)
			if (cron_time(m.v[i].path, &at))
				add(t, at);
	manifest_release(&m);
	ref_release(&r);
	return rc < 0 ? -1 : 0;
}

int
ticks_read(struct ticks *t, const char *repo, struct err *err)
{
	struct err damaged = ERR_INIT;
	struct recfile f = RECFILE_INIT;
	struct rec r;
	char path[LAYOUT_MAX];
	int64_t at;
	int rc = recfile_open_sealed(&f, layout_ticks(path, repo), "ticks", 1, &damaged);

	*t = (struct ticks)TICKS_INIT;
	while (rc == 1 && recfile_next(&f, &r))
		if (rec_is(&r, "tick", 2) && rec_get_i64(&r, 1, &at))
			add(t, at);
	recfile_release(&f);
	if (rc < 0 && damaged.num)
		return *err = damaged, -1;
	rc = rc == 1 ? 0 : read_commit(t, repo, err);
	tidy(t);
	return rc;
}

void
ticks_release(struct ticks *t)
{
	free(t->at);
	*t = (struct ticks)TICKS_INIT;
}

static int
write_ticks(const struct ticks *t, const char *repo, struct err *err)
{
	struct buf b = BUF_INIT;
	char path[LAYOUT_MAX];
	int rc = fs_mkdirs(DIR_TICKS, err);

	rec_head(&b, "ticks", 1);
	for (size_t i = 0; i < t->n; i++) {
		rec_word(&b, "tick");
		rec_i64(&b, t->at[i]);
		rec_end(&b);
	}
	rec_seal(&b);
	if (rc == 0)
		rc = fs_replace_if_new(layout_ticks(path, repo), b.s, b.n, 0644, err);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

int
ticks_put(const char *repo, const int64_t *at, size_t n, bool alone, struct err *err)
{
	struct ticks t = TICKS_INIT;
	int lock = lock_take(repo, false, false, err), rc = lock < 0 ? -1 : 0;

	if (rc == 0 && !alone)
		rc = ticks_read(&t, repo, err);
	for (size_t i = 0; i < n; i++)
		add(&t, at[i]);
	tidy(&t);
	if (rc == 0)
		rc = write_ticks(&t, repo, err);
	if (lock >= 0)
		close(lock);
	ticks_release(&t);
	return rc < 0 ? err_wrap(err, "cannot put ticks into '%s'", repo) : 0;
}

int
ticks_drop(const char *repo, int64_t at, struct err *err)
{
	struct ticks t = TICKS_INIT;
	int lock = lock_take(repo, false, false, err), rc = lock < 0 ? -1 : 0;
	size_t n = 0;

	if (rc == 0)
		rc = ticks_read(&t, repo, err);
	for (size_t i = 0; i < t.n; i++)
		if (t.at[i] != at)
			t.at[n++] = t.at[i];
	if (rc == 0 && n < t.n) {
		t.n = n;
		rc = write_ticks(&t, repo, err);
	}
	if (lock >= 0)
		close(lock);
	ticks_release(&t);
	return rc;
}

/* What every tick's file holds. */
static int
store_nothing(struct oid *ret_id, struct err *err)
{
	char path[LAYOUT_MAX];

	sha256_bytes("", 0, ret_id);
	if (store_has(ret_id, 0))
		return 0;
	if (fs_mkdirs_for(layout_object(path, ret_id), err) < 0)
		return -1;
	return fs_replace(path, "", 0, 0444, err);
}

int
ticks_commit(const struct ticks *t, struct oid *ret_id, struct err *err)
{
	struct buf b = BUF_INIT;
	struct oid nothing;
	char name[32];
	int rc = 0;

	if (t->n == 0) {
		manifest_empty_id(ret_id);
		return 0;
	}
	manifest_head(&b);
	rc = store_nothing(&nothing, err);
	for (size_t i = 0; i < t->n; i++) {
		cron_time_text(name, t->at[i]);
		manifest_line(&b, 'f', 0, &nothing, name);
	}
	if (rc == 0)
		rc = manifest_store(&b, ret_id, err);
	buf_release(&b);
	return rc;
}
