/* scheds.c: the index tells of the pipelines, their confs of inputs and schedules.  A zone is read once for all that are in it. */
#include "scheds.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cronnext.h"
#include "../base/duration.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/sha256.h"
#include "../base/talk.h"
#include "paused.h"

static const struct zone *
zone_of(struct scheds *s, const char *name, struct err *err)
{
	struct zone *z;
	int rc;

	for (size_t i = 0; i < s->n_zone; i++)
		if (!strcmp(s->zone[i]->id, *name ? name : "UTC"))
			return s->zone[i];
	z = xcalloc(1, sizeof *z);
	rc = zone_open(z, name, err);
	if (rc == 1) {
		GROW(s->zone, s->n_zone, s->cap_zone);
		return s->zone[s->n_zone++] = z;
	}
	free(z);
	if (rc == 0)
		err_set(err, 0, "there is no time zone '%s' on this machine any more: is the package tzdata installed?", name);
	return NULL;
}

/* The same for a schedule on a machine ever again; another one for another. */
static int64_t
delay_of(const struct sched *s, const char *jitter)
{
	char host[256] = "", here[PATH_MAX] = "";
	struct sha256 h;
	struct oid id;
	int64_t ns = 0;
	uint64_t v = 0;
	bool bare;

	if (!*jitter || !duration_parse(jitter, &ns, &bare) || ns < 1000000000)
		return 0;
	gethostname(host, sizeof host - 1);
	if (!getcwd(here, sizeof here))
		here[0] = '\0';
	sha256_init(&h);
	sha256_field_str(&h, host);
	sha256_field_str(&h, here);
	sha256_field_str(&h, s->name);
	sha256_final(&h, &id);
	memcpy(&v, id.b, sizeof v);
	return (int64_t)(v % (uint64_t)(ns / 1000000000 + 1));
}

static const char *
print_of(struct scheds *s, const struct sched *v, const char *start)
{
	char hex[OID_HEX + 1];
	struct sha256 h;
	struct oid id;

	sha256_init(&h);
	sha256_field_str(&h, v->spec);
	sha256_field_str(&h, v->tz);
	sha256_field_str(&h, start);
	sha256_final(&h, &id);
	oid_hex(&id, hex);
	hex[16] = '\0';
	return arena_str(&s->a, hex);
}

/* v has its name, pipeline and input; the rest is what the spec says. */
static void
add(struct scheds *s, struct sched v, const struct conf_schedule *c, const char *start)
{
	struct cron_fault fault;
	struct err err = ERR_INIT;

	v.spec = arena_str(&s->a, c->spec);
	v.tz = arena_str(&s->a, c->tz);
	v.missed_text = arena_str(&s->a, *c->missed ? c->missed : "last");
	v.overlap_text = arena_str(&s->a, *c->overlap ? c->overlap : "skip");
	v.zone = zone_of(s, c->tz, &err);
	if (!v.zone || !cron_parse(c->spec, &v.expr, &fault)) {
		talk("%s: %s", v.name, v.zone ? fault.text : err.text);
		s->bad++;
		return;
	}
	cron_missed(c->missed, &v.missed);
	cron_overlap(c->overlap, &v.overlap);
	if (!*start || !cron_time(start, &v.start))
		v.start = INT64_MIN;
	v.delay = delay_of(&v, c->jitter);
	v.print = print_of(s, &v, start);
	GROW(s->v, s->n, s->cap);
	s->v[s->n++] = v;
}

static void
add_inputs(struct scheds *s, const struct sched *of, const struct conf_input *in)
{
	struct conf_schedule c = { in->spec, in->tz, in->missed, in->overlap, in->jitter };
	struct sched v = *of;

	for (size_t i = 0; i < in->n_kids; i++)
		add_inputs(s, of, &in->kids[i]);
	if (in->kind != CONF_CRON)
		return;
	v.name = arena_fmt(&s->a, "%s/%s", of->pipeline, in->name);
	v.input = arena_str(&s->a, in->name);
	v.repo = arena_str(&s->a, in->repo);
	v.overwrite = in->overwrite;
	add(s, v, &c, in->start);
}

static int64_t
changed(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

static int
add_pipeline(struct scheds *s, const char *name, struct err *err)
{
	struct sched v = { .name = name, .pipeline = name, .paused = paused_is(name) };
	struct conf c = CONF_INIT;
	char path[LAYOUT_MAX];

	if (conf_read(&c, name, err) < 0)
		return -1;
	v.since = changed(layout_conf(path, name));
	if (c.input)
		add_inputs(s, &v, c.input);
	if (c.schedule.spec)
		add(s, v, &c.schedule, "");
	conf_release(&c);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct sched *)a)->name, ((const struct sched *)b)->name);
}

int
scheds_read(struct scheds *s, struct err *err)
{
	struct sched whole = { .name = "*" };
	int rc = index_read(&s->x, err);

	for (size_t i = 0; rc == 1 && i < s->x.n_pipeline; i++)
		if (add_pipeline(s, s->x.pipeline[i].name, err) < 0)
			rc = -1;
	whole.since = changed(FILE_INDEX);
	if (rc == 1 && s->x.schedule.spec)
		add(s, whole, &s->x.schedule, "");
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, by_name);
	return rc;
}

void
scheds_release(struct scheds *s)
{
	for (size_t i = 0; i < s->n_zone; i++) {
		zone_release(s->zone[i]);
		free(s->zone[i]);
	}
	free(s->zone);
	free(s->v);
	index_release(&s->x);
	arena_release(&s->a);
	*s = (struct scheds)SCHEDS_INIT;
}

const struct sched *
scheds_find(const struct scheds *s, const char *name)
{
	struct sched key = { .name = name };

	return s->n ? bsearch(&key, s->v, s->n, sizeof *s->v, by_name) : NULL;
}

void
sched_walk(struct cron_walk *w, const struct sched *s, int64_t after)
{
	int64_t start = s->start == INT64_MIN ? 0 : s->start;

	if (s->start != INT64_MIN && after < start - 1)
		after = start - 1;
	cron_walk(w, &s->expr, s->zone, start, after);
}
