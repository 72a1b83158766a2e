/* stale.c: the same comparison that make and a stage do: what P.done says a pipeline was planned from, against what
 * spec and inputs are now. */
#include "stale.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "failure.h"
#include "jobset.h"
#include "result.h"
#include "show.h"

enum { MOST_REASONS = 64 };

struct look { struct query *q; struct arena *a; const struct index *x; struct stale *v; struct err *err; };

const char *
stale_word(enum stale_state s)
{
	static const char *const word[] = { "up to date", "stale", "never run", "failed", "running" };

	return word[s];
}

const char *
stale_sentence(enum stale_state s)
{
	static const char *const word[] = { "is up to date", "is stale", "has never run to success", "failed", "is running" };

	return word[s];
}

uint64_t
stale_as_of(void)
{
	uint64_t newest = 0;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(DIR_SCAN);

	if (stat(DIR_SCAN, &st) == 0)
		newest = fs_mtime_ns(&st);
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && fs_mtime_ns(&st) > newest)
			newest = fs_mtime_ns(&st);
	if (d)
		closedir(d);
	return newest;
}

struct tally { uint64_t added, changed, removed; };

static int
count(void *ctx, const struct entry *old, const struct entry *now)
{
	struct tally *t = ctx;

	t->added += !old;
	t->removed += !now;
	t->changed += old && now;
	return 0;
}

/* "+1 ~2 -0 files"; "" if a manifest is gone. */
static const char *
difference(struct arena *a, const struct oid *from, const struct oid *to)
{
	struct manifest m[2] = { MANIFEST_INIT, MANIFEST_INIT };
	struct err gone = ERR_INIT;
	struct tally t = { 0 };
	const char *text = "";

	if (manifest_load(&m[0], from, &gone) == 0 && manifest_load(&m[1], to, &gone) == 0) {
		manifest_diff(&m[0], &m[1], count, &t);
		text = arena_fmt(a, "+%llu ~%llu -%llu files", (unsigned long long)t.added, (unsigned long long)t.changed,
		    (unsigned long long)t.removed);
	}
	manifest_release(&m[0]);
	manifest_release(&m[1]);
	return text;
}

static void
reason(struct look *l, struct stale *s, const char *text)
{
	if (!s->reason)
		s->reason = arena_alloc(l->a, MOST_REASONS * sizeof *s->reason);
	if (s->n_reason < MOST_REASONS)
		s->reason[s->n_reason++] = text;
}

/* The spec hash moved: because of the step, or of the rest? */
static int
compare_spec(struct look *l, struct stale *s, const struct ref *done, const struct ref *spec)
{
	struct q_version was;
	int rc;

	if (oid_eq(&done->id, &spec->id))
		return 0;
	rc = query_version(l->q, l->a, s->pipeline, &done->id, &was, l->err);
	if (rc < 0)
		return -1;
	reason(l, s, rc == 0 ? "its spec changed" : oid_eq(&was.step, &spec->step) ?
	    "its settings changed (inputs, globs, merge, …)" : "its command or its code changed");
	return 0;
}

static int
compare_input(struct look *l, struct stale *s, const struct ref *done, const char *repo)
{
	struct ref now = REF_INIT;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, repo), &now, l->err);
	const struct ref_input *was = NULL;

	for (size_t i = 0; i < done->n_input; i++)
		if (strcmp(done->input[i].repo, repo) == 0)
			was = &done->input[i];
	if (rc == 1 && was && !oid_eq(&was->id, &now.id)) {
		const char *files = difference(l->a, &was->id, &now.id);

		reason(l, s, arena_fmt(l->a, "%s changed%s%s", repo, files[0] ? ": " : "", files));
	} else if (rc == 1 && !was) {
		reason(l, s, arena_fmt(l->a, "%s is a new input", repo));
	} else if (rc == 0 && index_find_source(l->x, repo)) {
		reason(l, s, arena_fmt(l->a, "%s has not been scanned", repo));
	}
	ref_release(&now);
	return rc < 0 ? -1 : 0;
}

/* How the newest job failed, in one sentence. */
static int
failure(struct look *l, struct stale *s)
{
	struct result r = RESULT_INIT;
	struct jobset set;
	struct buf b = BUF_INIT;
	int rc = jobset_load(l->q, l->a, &s->job, &set, l->err);

	if (s->job.failed > 0) {
		show_count(&b, s->job.failed, "datum", "datums");
		buf_str(&b, " failed ");
		show_ago(&b, s->job.finished);
	} else {
		show_name(&b, s->job.reason[0] ? s->job.reason : "it was ended before it had finished");
	}
	for (size_t i = 0; rc >= 0 && s->job.failed > 0 && i < set.n; i++) {
		bool found;

		rc = jobset_result(l->q, l->a, &set.v[i].key, s->job.id, &r, l->err);
		found = rc == 1 && strcmp(r.state, "failed") == 0 && strcmp(r.job, s->job.id) == 0;
		if (found) {
			buf_str(&b, "; first ");
			show_name(&b, r.label);
			if (r.n_attempt > 0 && r.attempt[r.n_attempt - 1].signal)
				buf_fmt(&b, ": killed by %s", failure_signal_name(r.attempt[r.n_attempt - 1].signal));
			else if (r.n_attempt > 0 && r.attempt[r.n_attempt - 1].exit)
				buf_fmt(&b, ": exit %d", r.attempt[r.n_attempt - 1].exit);
			else if (r.class[0])
				buf_fmt(&b, ": %s", r.class);
		}
		result_release(&r);
		r = (struct result)RESULT_INIT;
		if (found)
			break;
	}
	if (rc >= 0) {
		reason(l, s, "");
		/* What stands in the way comes before what is new. */
		memmove(s->reason + 1, s->reason, (s->n_reason - 1) * sizeof *s->reason);
		s->reason[0] = arena_str(l->a, b.s);
	}
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

/* Where the newest job says more than the refs. */
static int
judge_job(struct look *l, struct stale *s)
{
	int rc = jobset_find(l->q, l->a, s->pipeline, NULL, &s->job, l->err);

	if (rc < 0)
		return -1;
	s->has_job = rc == 1;
	if (!s->has_job)
		return 0;
	if (strcmp(s->job.state, "running") == 0) {
		s->state = STALE_RUNNING;
		reason(l, s, arena_fmt(l->a, "%llu of %llu datums are done", (unsigned long long)(s->job.processed + s->job.skipped),
		    (unsigned long long)s->job.total));
	} else if (strcmp(s->job.state, "failure") == 0 && s->state != STALE_NO) {
		s->state = STALE_FAILED;
		return failure(l, s);
	} else if (strcmp(s->job.state, "killed") == 0 && s->state != STALE_NO) {
		reason(l, s, "its last job was killed; make goes on with it");
	}
	return 0;
}

static int
judge(struct look *l, struct stale *s, const struct index_pipeline *p)
{
	struct ref done = REF_INIT, spec = REF_INIT, out = REF_INIT;
	char path[LAYOUT_MAX];
	int have = ref_read(layout_done(path, p->name), &done, l->err), rc = have < 0 ? -1 : 0, shown = 0;

	s->pipeline = p->name;
	if (rc == 0 && ((rc = ref_read(layout_spec(path, p->name), &spec, l->err)) < 0 ||
	    (shown = ref_read(layout_ref(path, p->name), &out, l->err)) < 0))
		rc = -1;
	if (rc >= 0 && have == 0) {
		s->state = STALE_NEVER;
	} else if (rc >= 0) {
		if (rc == 0)
			reason(l, s, "its spec has not been scanned");
		else
			rc = compare_spec(l, s, &done, &spec);
		for (size_t i = 0; rc >= 0 && i < p->n_reads; i++)
			rc = p->quiet[i] ? 0 : compare_input(l, s, &done, p->reads[i]);
		if (shown == 0)
			reason(l, s, "its output's ref is gone");
		s->state = s->n_reason > 0 ? STALE_YES : STALE_NO;
	}
	ref_release(&done);
	ref_release(&spec);
	ref_release(&out);
	return rc < 0 ? -1 : judge_job(l, s);
}

/* What reads from a stale pipeline will perhaps have to run, too. One pass more for each rank of the graph. */
static void
pass_on(struct look *l)
{
	bool again = true;

	for (size_t round = 0; again && round <= l->x->n_pipeline; round++) {
		again = false;
		for (size_t i = 0; i < l->x->n_pipeline; i++) {
			const struct index_pipeline *p = &l->x->pipeline[i];

			if (l->v[i].state != STALE_NO && (l->v[i].state != STALE_NEVER || l->v[i].n_reason > 0))
				continue;
			for (size_t k = 0; k < p->n_reads; k++) {
				const struct index_pipeline *up = index_find(l->x, p->reads[k]);

				if (!up || p->quiet[k] || l->v[up - l->x->pipeline].state == STALE_NO)
					continue;
				if (l->v[i].state == STALE_NO)
					l->v[i].state = STALE_YES;
				reason(l, &l->v[i], arena_fmt(l->a, "%s, which it reads, %s", up->name,
				    stale_sentence(l->v[up - l->x->pipeline].state)));
				again = true;
			}
		}
	}
}

int
stale_all(struct query *q, struct arena *a, const struct index *x, struct stale **ret, struct err *err)
{
	struct look l = { q, a, x, arena_alloc(a, (x->n_pipeline + 1) * sizeof *l.v), err };

	for (size_t i = 0; i < x->n_pipeline; i++)
		if (judge(&l, &l.v[i], &x->pipeline[i]) < 0)
			return -1;
	pass_on(&l);
	*ret = l.v;
	return 0;
}
