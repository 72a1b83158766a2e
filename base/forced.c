/* forced.c: an order is a salt of the pipeline.  It goes into the spec hash, so the scan moves refs/P.spec and make looks by
 * itself; and into the keys, so no result of before is found.  Nothing is removed: a kill at any moment leaves either the old
 * order or the new one. */
#include "forced.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "conf.h"
#include "err.h"
#include "fs.h"
#include "json.h"
#include "layout.h"
#include "lock.h"
#include "rec.h"

int
forced_read(struct forced *f, struct err *err)
{
	struct recfile file = RECFILE_INIT;
	struct rec r;
	int rc = recfile_open_sealed(&file, FILE_FORCED, "forced", 1, err);

	if (rc < 0)
		return err_wrap(err, "remove '%s' to go on without what --force ordered", FILE_FORCED);
	while (rc == 1 && recfile_next(&file, &r))
		if (rec_is(&r, "pipeline", 3)) {
			GROW(f->v, f->n, f->cap);
			f->v[f->n++] = (struct forced_one){ arena_str(&f->arena, r.f[1]), arena_str(&f->arena, r.f[2]) };
		}
	recfile_release(&file);
	return 0;
}

void
forced_release(struct forced *f)
{
	free(f->v);
	arena_release(&f->arena);
	*f = (struct forced)FORCED_INIT;
}

static struct forced_one *
find(const struct forced *f, const char *pipeline)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].pipeline, pipeline) == 0)
			return &f->v[i];
	return NULL;
}

void
forced_mix(const struct forced *f, const char *pipeline, struct oid *decides)
{
	const struct forced_one *one = find(f, pipeline);
	struct sha256 h;

	if (!one)
		return;
	sha256_init(&h);
	sha256_field_str(&h, "dassie-forced 1");
	sha256_field_oid(&h, decides);
	sha256_field_str(&h, one->salt);
	sha256_final(&h, decides);
}

int
forced_conf(struct conf *c, struct err *err)
{
	struct forced f = FORCED_INIT;
	const struct forced_one *one;
	int rc = forced_read(&f, err);

	if (rc == 0 && (one = find(&f, c->pipeline))) {
		forced_mix(&f, c->pipeline, &c->decides);
		c->salt = arena_fmt(&c->arena, "%s%s%s", c->salt ? c->salt : "", c->salt && c->salt[0] ? " " : "", one->salt);
	}
	forced_release(&f);
	return rc;
}

static int
write_all(const struct forced *f, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc;

	rec_head(&b, "forced", 1);
	for (size_t i = 0; i < f->n; i++) {
		rec_word(&b, "pipeline");
		rec_str(&b, f->v[i].pipeline);
		rec_str(&b, f->v[i].salt);
		rec_end(&b);
	}
	rec_seal(&b);
	rc = fs_replace(FILE_FORCED, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

int
forced_add(const char *const *pipeline, size_t n, struct err *err)
{
	struct forced f = FORCED_INIT;
	char salt[48];
	int lock = lock_take(LOCK_FORCED, false, false, err), rc = lock < 0 ? -1 : forced_read(&f, err);

	snprintf(salt, sizeof salt, "forced %llx.%lx", (unsigned long long)time_now_ns(), (unsigned long)getpid());
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct forced_one *one = find(&f, pipeline[i]);

		if (!one) {
			GROW(f.v, f.n, f.cap);
			one = &f.v[f.n++];
		}
		*one = (struct forced_one){ arena_str(&f.arena, pipeline[i]), arena_str(&f.arena, salt) };
	}
	if (rc == 0)
		rc = write_all(&f, err);
	forced_release(&f);
	if (lock >= 0)
		close(lock);
	return rc;
}
