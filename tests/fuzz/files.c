/* files.c: every text file of the state folder, told apart by its first line.  The seal is made to fit, since it guards against
 * damage and not against what another version, or somebody's editor, wrote.  Reading never crashes, and where a file has a writer,
 * what it writes of what was read is read as the same again. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/conf.h"
#include "../../base/entries.h"
#include "../../base/err.h"
#include "../../base/forced.h"
#include "../../base/fs.h"
#include "../../base/jobfile.h"
#include "../../base/layout.h"
#include "../../base/manifest.h"
#include "../../base/notify.h"
#include "../../base/plan.h"
#include "../../base/rec.h"
#include "../../base/ref.h"
#include "../../base/sha256.h"
#include "../../base/spool.h"
#include "../../compiler/times.h"
#include "../../runtime/collected.h"
#include "../../runtime/cronenv.h"
#include "../../runtime/fetched.h"
#include "../../runtime/images.h"
#include "../../runtime/paused.h"
#include "../../runtime/place.h"
#include "../../runtime/placerec.h"
#include "../../runtime/pushed.h"
#include "../../runtime/queue.h"
#include "../../runtime/result.h"
#include "../../runtime/roster.h"
#include "../../runtime/statcache.h"
#include "../../runtime/ticks.h"

static struct err err;
static struct oid id;           /* of the bytes at hand */

/* --- files with a writer into a buf: read the file at hand, append what the writer makes of it; false: it was refused --- */

static bool
conf(struct buf *ret)
{
	struct conf c = CONF_INIT;
	bool good = conf_read(&c, "p", &err) >= 0 && c.pipeline;
	const char **repo;

	if (good) {
		conf_repos(&c, &repo);
		conf_write(ret, &c);
	}
	conf_release(&c);
	return good;
}

static bool
index_(struct buf *ret)
{
	struct index x = INDEX_INIT;
	bool good = index_read(&x, &err) == 1;

	if (good) {
		index_find(&x, "p");
		for (size_t i = 0; i < x.n_source; i++)
			index_place(&x.source[i]);
		index_write(ret, &x);
	}
	index_release(&x);
	return good;
}

static bool
notify(struct buf *ret)
{
	struct notify n = NOTIFY_INIT;
	bool good = notify_read(&n, &err) == 1;

	if (good)
		notify_write(ret, &n);
	notify_release(&n);
	return good;
}

static bool
plan(struct buf *ret)
{
	struct plan_head h = PLAN_HEAD_INIT;
	struct plan_datum d = PLAN_DATUM_INIT;
	struct recfile f = RECFILE_INIT;
	struct oid key;
	bool good = recfile_open(&f, "file", "plan", 1, &err) == 1;
	int rc = -1;

	if (good && plan_head_read(&h, &f, &err) >= 0) {
		plan_head_write(ret, &h);
		while ((rc = plan_datum_read(&d, &f, &err)) == 1) {
			plan_datum_key(&h, &d, &key);
			plan_datum_write(ret, &d);
		}
	}
	plan_datum_release(&d);
	plan_head_release(&h);
	if (good)
		recfile_release(&f);
	return rc == 0;
}

static bool
commit(struct buf *ret)
{
	struct manifest m = MANIFEST_INIT;
	bool good = manifest_load(&m, &id, &err) == 0;
	struct entries e = ENTRIES_INIT;
	size_t lo, hi;

	if (good) {
		manifest_head(ret);
		for (size_t i = 0; i < m.n; i++) {
			want(i == 0 || strcmp(m.v[i - 1].path, m.v[i].path) < 0, "paths ascend");
			want(manifest_find(&m, m.v[i].path) == &m.v[i], "a path is found");
			manifest_line(ret, m.v[i].kind, m.v[i].size, &m.v[i].id, m.v[i].path);
		}
		manifest_below(&m, "a", &lo, &hi);
	}
	if (entries_commit(&e, &id, &err) == 0) {
		size_t n = 0;

		while (entries_next(&e, &err) == 1)
			n++;
		want(!good || n == m.n, "read piece by piece it has as many entries");
	}
	entries_release(&e);
	manifest_release(&m);
	return good;
}

/* --- files whose writer writes the file: the bytes are taken from there --- */

static bool
take(const char *path, struct buf *ret)
{
	return fs_read(path, ret, &err) == 1;
}

static bool
open_job(struct buf *ret)
{
	struct open_job o = OPEN_JOB_INIT;
	bool good = open_job_read(&o, "p", &err) == 1;
	char path[LAYOUT_MAX];

	if (good) {
		o.pipeline = "p";
		good = open_job_write(&o, &err) == 0 && take(layout_plan(path, "p", "open"), ret);
		want(good, "the job is written");
	}
	open_job_release(&o);
	return good;
}

static bool
ref(struct buf *ret)
{
	struct ref r = REF_INIT;
	struct clock c = CLOCK_INIT;
	bool good = ref_read("file", &r, &err) == 1;

	if (good) {
		want(fs_mkdirs(DIR_LOCK, &err) == 0 && clock_lock(&c, &err) == 0, "the clock can be had");
		good = ref_write(&c, "file", &r, &err) >= 0 && take("file", ret);
		clock_unlock(&c);
	}
	ref_release(&r);
	return good;
}

static const struct fetched_file *
fetched_at(const void *ctx, size_t i)
{
	return &((const struct fetched *)ctx)->v[i];
}

static bool
fetched(struct buf *ret)
{
	struct fetched o = FETCHED_INIT;
	struct oid zero = { { 0 } };
	bool good = fetched_read(&o, "r", &zero, &err) == 1;

	if (good) {
		struct buf b = BUF_INIT;

		fetched_find(&o, "a");
		for (size_t i = 0; i < o.n; i++)
			fetched_url(&b, &o, &o.v[i]);
		buf_release(&b);
		want(fetched_write(&o, "r", &zero, fetched_at, &o, &err) == 0, "it is written");
		take(DIR_FETCHED "/r.0000000000000000000000000000000000000000000000000000000000000000", ret);
	}
	fetched_release(&o);
	return good;
}

static const struct place somewhere = { .pipeline = "p", .url = "file:///x", .layout = "", .id = "0123456789abcdef" };

static bool
pushed(struct buf *ret)
{
	struct arena a = ARENA_INIT;
	struct pushed v;
	bool good = pushed_read(&v, &somewhere, &a, &err) == 1;

	if (good) {
		want(pushed_write(&v, &somewhere, &err) == 0, "it is written");
		take(DIR_EGRESS "/p-0123456789abcdef.last", ret);
	}
	arena_release(&a);
	return good;
}

static bool
collected(struct buf *ret)
{
	struct collected c = COLLECTED_INIT;
	bool good = collected_read(&c, &err) == 0 && c.n;

	if (good) {
		collected_has(&c, &id);
		want(collected_write(&c, &err) == 0, "it is written");
		take(DIR_STATE "/collected", ret);
	}
	collected_release(&c);
	return good;
}

/* The key is the first one that the text has. */
static bool
result(struct buf *ret)
{
	struct result r = RESULT_INIT;
	struct buf b = BUF_INIT;
	struct oid key = { { 0 } };
	char hex[OID_HEX + 1] = "", path[LAYOUT_MAX];
	const char *at;
	bool good;

	take("file", &b);
	at = b.s ? strstr(b.s, "\nkey ") : NULL;
	if (at)
		snprintf(hex, sizeof hex, "%.*s", OID_HEX, at + 5);
	if (!oid_parse(hex, &key))
		oid_parse("0000000000000000000000000000000000000000000000000000000000000000", &key);
	fuzz_put(layout_datum(path, &key), b.s ? b.s : "", b.n);
	buf_release(&b);
	good = result_read(&r, &key, false, &err) == 1;
	if (good) {
		struct oid again = r.key;

		want(!memcmp(&again, &key, sizeof key), "it has the key that was asked for");
		want(result_write(&r, &err) == 0, "it is written");
		if (!take(path, ret))
			good = false;   /* a failure lies elsewhere */
	}
	result_release(&r);
	unlink(path);
	return good;
}

/* --- files that are only read here --- */

static bool
job(struct buf *ret)
{
	struct jobfile j;
	struct job_writers w;
	struct arena a = ARENA_INIT;
	struct oid key;

	(void)ret;
	if (jobfile_read(&j, "p", &err) == 1) {
		for (size_t i = 0; i < j.n_datum; i++) {
			jobfile_key(&j, i, &key);
			jobfile_number(&j, i);
			jobfile_label(&j, i, &a);
		}
		job_writers_begin(&w, &j);
		while (job_writers_next(&w) == 1)
			want(w.n > 0, "somebody wrote it");
		job_writers_release(&w);
		jobfile_release(&j);
	}
	arena_release(&a);
	return false;
}

static void
put_job(void)
{
	struct spool s = SPOOL_INIT;
	struct oid zero = { { 0 } };

	if (jobfile_open(&s, "p", &err) < 0)
		return;
	jobfile_put_head(&s.b, "j1", &zero, &zero, 3);
	for (unsigned i = 0; i < 3; i++) {
		zero.b[0] = (unsigned char)i;
		jobfile_put_datum(&s.b, &zero, i, "r:/a");
	}
	want(jobfile_close(&s, "p", &err) == 0, "a job can be written");
	spool_release(&s);
}

static bool
set(struct buf *ret)
{
	struct roster r = ROSTER_INIT;
	struct spool s = SPOOL_INIT;
	struct arena a = ARENA_INIT;

	(void)ret;
	put_job();
	if (roster_last(&r, "p", &err) >= 0 && roster_read(&r, "p", "j2", &err) == 1 && r.n < 100000) {
		for (size_t i = 0; i < r.n_fresh; i++)
			roster_label(&r, roster_number(&r, i), &a);
		roster_is_gone(&r, 1);
		if (jobfile_open(&s, "q", &err) == 0)
			roster_put(&r, &s, &err);
	}
	spool_release(&s);
	roster_release(&r);
	arena_release(&a);
	return false;
}

static bool
egress(struct buf *ret)
{
	struct placerec r = PLACEREC_INIT;
	struct entries e = ENTRIES_INIT;

	(void)ret;
	if (placerec_read(&r, &somewhere, &err) == 1 && placerec_entries(&r, r.base, &e, &err) >= 0) {
		while (entries_next(&e, &err) == 1)
			want(e.more, "its ETAG may be empty, but is there");
		entries_release(&e);
	}
	placerec_release(&r);
	return false;
}

static bool
egress_open(struct buf *ret)
{
	struct placerec r = PLACEREC_INIT;
	bool lost;

	(void)ret;
	placerec_open(&r, &somewhere, &lost, &err);
	placerec_release(&r);
	unlink(DIR_EGRESS "/p-0123456789abcdef");
	return false;
}

static bool
times(struct buf *ret)
{
	struct times t = TIMES_INIT;

	(void)ret;
	times_read(&t, "p");
	times_of(&t, "r:/a");
	times_release(&t);
	return false;
}

static bool
forced(struct buf *ret)
{
	struct forced f = FORCED_INIT;
	struct oid decides = { { 0 } };

	(void)ret;
	if (forced_read(&f, &err) == 0)
		forced_mix(&f, "p", &decides);
	forced_release(&f);
	return false;
}

static bool
ticks(struct buf *ret)
{
	struct ticks t;

	(void)ret;
	if (ticks_read(&t, "r", &err) == 0)
		for (size_t i = 1; i < t.n; i++)
			want(t.at[i - 1] < t.at[i], "ticks ascend");
	ticks_release(&t);
	return false;
}

static bool
images(struct buf *ret)
{
	struct images m = IMAGES_INIT;

	(void)ret;
	if (images_read(&m, &err) == 0)
		images_find(&m, "python:3.12");
	images_release(&m);
	return false;
}

static bool
paused(struct buf *ret)
{
	struct buf b = BUF_INIT;

	(void)ret;
	paused_text("p", &b);
	buf_release(&b);
	return false;
}

static bool
cron_environment(struct buf *ret)
{
	struct cronenv e = CRONENV_INIT;

	(void)ret;
	if (cronenv_read(&e, &err) == 1)
		want(e.n <= CRONENV_MAX, "as many as there is room for");
	cronenv_release(&e);
	return false;
}

static bool
cron_called(struct buf *ret)
{
	(void)ret;
	cronenv_called();
	return false;
}

static bool
queue(struct buf *ret)
{
	static const char text[] = "dassie-plan 1\ndatum 0000000000000000000000000000000000000000000000000000000000000000 r:/a\n";
	struct queue q = QUEUE_INIT;
	struct recfile f = RECFILE_INIT;

	(void)ret;
	fuzz_put("plan", text, sizeof text - 1);
	if (recfile_open(&f, "plan", "plan", 1, &err) == 1) {
		queue_read(&q, "file", &f, 1, 1, &err);
		recfile_release(&f);
	}
	queue_release(&q);
	return false;
}

static bool
statcache(struct buf *ret)
{
	struct statcache c = STATCACHE_INIT;
	struct statcache_info info;
	const struct statcache_dir *d;

	(void)ret;
	statcache_open(&c, "file");
	statcache_about(&c, &info);
	d = statcache_dir(&c, "", 0);
	if (d) {
		const struct statcache_entry *e = statcache_first(d);

		for (uint32_t i = 0; i < d->n; i++, e = statcache_next(e))
			statcache_believed(&info, &e->sig, false);
		statcache_subs(d);
	}
	statcache_release(&c);
	return false;
}

struct kind { const char *word, *path; bool sealed; bool (*read)(struct buf *ret); };

static const struct kind kinds[] = {
	{ "dassie-conf 1", DIR_STEPS "/p.conf", true, conf }, { "dassie-index 1", FILE_INDEX, true, index_ },
	{ "dassie-notify 1", FILE_NOTIFY, true, notify }, { "dassie-plan 1", "file", false, plan },
	{ "dassie-commit 1", NULL, false, commit }, { "dassie-open 1", DIR_PLAN "/p.open", true, open_job },
	{ "dassie-ref 1", "file", false, ref },
	{ "dassie-fetched 1", DIR_FETCHED "/r.0000000000000000000000000000000000000000000000000000000000000000", true, fetched },
	{ "dassie-pushed 1", DIR_EGRESS "/p-0123456789abcdef.last", true, pushed },
	{ "dassie-collected 1", DIR_STATE "/collected", true, collected }, { "dassie-result 1", "file", true, result },
	{ "dassie-job 2", DIR_PLAN "/p.job", true, job }, { "dassie-set 2", DIR_PLAN "/p.j2.set", false, set },
	{ "dassie-egress 1", DIR_EGRESS "/p-0123456789abcdef", true, egress },
	{ "dassie-egress-open 1", DIR_EGRESS "/p-0123456789abcdef.open", false, egress_open },
	{ "dassie-times 1", DIR_PLAN "/p.times", false, times }, { "dassie-forced 1", FILE_FORCED, true, forced },
	{ "dassie-images 1", FILE_IMAGES, true, images },
	{ "dassie-ticks 1", DIR_TICKS "/r", true, ticks }, { "dassie-paused 1", DIR_PAUSED "/p", false, paused },
	{ "dassie-cron-environment 1", FILE_CRON_ENV, false, cron_environment },
	{ "dassie-cron-called 1", DIR_CRON "/called", false, cron_called }, { "dassieSC", "file", false, statcache },
	{ "later ", "file", false, queue }, { "attempt ", "file", false, queue },
};

/* The bytes without the seal that they may have, and with one that fits. */
static void
seal(struct buf *b)
{
	for (size_t i = b->n > 80 ? b->n - 80 : 0; i + 8 < b->n; i++)
		if (!memcmp(b->s + i, "\nsha256 ", 8)) {
			b->n = i + 1;
			break;
		}
	if (b->n && b->s[b->n - 1] != '\n')
		buf_byte(b, '\n');
	b->s[b->n] = '\0';
	rec_seal(b);
}

static bool
read_as(const struct kind *k, const struct buf *b, struct buf *ret)
{
	char path[LAYOUT_MAX];

	sha256_bytes(b->s, b->n, &id);
	if (k->path)
		snprintf(path, sizeof path, "%s", k->path);
	else
		layout_commit(path, &id);
	fuzz_put(path, b->s, b->n);
	err = (struct err)ERR_INIT;
	bool good = k->read(ret);
	unlink(path);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT, one = BUF_INIT, two = BUF_INIT;
	const struct kind *k = NULL;

	fuzz_place();
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !k; i++) {
		size_t n = strlen(kinds[i].word);

		if (size >= n && !memcmp(data, kinds[i].word, n))
			k = &kinds[i];
	}
	if (!k)
		return 0;
	buf_add(&b, data, size);
	if (k->sealed)
		seal(&b);
	if (read_as(k, &b, &one)) {
		bool good = read_as(k, &one, &two);

		if (!good || one.n != two.n || memcmp(one.s, two.s, one.n) != 0)
			fprintf(stderr, "%s\n--- written\n%.*s--- and again\n%.*s", err.text, (int)one.n, one.s, (int)two.n, two.s ? two.s : "");
		want(good, "what was written is read");
		want(one.n == two.n && memcmp(one.s, two.s, one.n) == 0, "what was read is what was written");
	}
	buf_release(&b);
	buf_release(&one);
	buf_release(&two);
	return 0;
}
