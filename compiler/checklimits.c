/* checklimits.c: limits that no machine can mean are told where they are written.  Whether they fit this machine's -j is
 * known only when make runs, and told then.
 *
 * As for Kubernetes, a limit without a request is the request, too: `resource_limits: {cpu: 4}` takes four tokens. */
#include "checklimits.h"

#include <stdlib.h>
#include <string.h>

#include "../base/layout.h"
#include "../base/limits.h"
#include "../base/mem.h"
#include "spec.h"
#include "suggest.h"
#include "value.h"

enum { CPU_MAX = 4096, POOL_MAX = 10000, PRIORITY_MAX = 1000000, RAISE_MAX = 100, MEMORY_MIN = 1000 * 1000 };

static bool
pool_number(const struct str *t, int64_t *ret)
{
	return value_int(t->s, ret) && *ret >= 1 && *ret <= POOL_MAX;
}

bool
check_pools(struct specset *s)
{
	bool ok = true;
	int64_t n;

	for (size_t i = 0; i < s->pools.n; i++) {
		const struct pair *p = &s->pools.v[i];

		if (!layout_name_ok(p->key.s))
			ok = diag_error(s->d, p->key.at, "'%s' cannot be a pool's name: letters, digits, '_' and '-', the first a letter or digit, at most %d",
			    p->key.s, NAME_MAX_REPO);
		if (!pool_number(&p->val, &n))
			ok = diag_error(s->d, p->val.at, "pool '%s' is a number of places, 1 to %d, not '%s'", p->key.s, POOL_MAX, p->val.s);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(s->pools.v[k].key.s, p->key.s)) {
				ok = diag_error(s->d, p->key.at, "pool '%s' is given twice", p->key.s);
				diag_note(s->d, s->pools.v[k].key.at, "first here");
			}
	}
	return ok;
}

static const struct pair *
find_pool(const struct specset *s, const char *name)
{
	for (size_t i = 0; i < s->pools.n; i++)
		if (!strcmp(s->pools.v[i].key.s, name))
			return &s->pools.v[i];
	return 0;
}

static bool
no_pool(struct specset *s, const struct str *name)
{
	const char **v = arena_alloc(s->a, (s->pools.n + 1) * sizeof *v);

	for (size_t i = 0; i < s->pools.n; i++)
		v[i] = s->pools.v[i].key.s;
	if (!s->pools.n)
		return diag_error(s->d, name->at, "there is no pool '%s'; write 'pools: {%s: 1}' beside 'pipelines:'", name->s, name->s);
	return diag_error(s->d, name->at, "there is no pool '%s'%s", name->s, did_you_mean(s->a, name->s, v, s->pools.n));
}

static bool
check_takes(struct specset *s, const struct pipeline *p)
{
	bool ok = true;
	int64_t takes, size;

	for (size_t i = 0; i < p->pools.n; i++) {
		const struct pair *t = &p->pools.v[i], *pool = find_pool(s, t->key.s);

		if (!pool)
			ok = no_pool(s, &t->key);
		else if (!pool_number(&t->val, &takes))
			ok = diag_error(s->d, t->val.at, "a datum takes a number of places of pool '%s', not '%s'", t->key.s, t->val.s);
		else if (pool_number(&pool->val, &size) && takes > size)
			ok = diag_error(s->d, t->val.at, "pool '%s' has %lld places, a datum cannot take %lld", t->key.s, (long long)size, (long long)takes);
	}
	return ok;
}

/* What is asked for: the request, or where there is none the limit. */
static const struct str *
cpu_of(const struct pipeline *p)
{
	const struct str *request = p->resource_requests ? &p->resource_requests->cpu : 0;
	const struct str *limit = p->resource_limits ? &p->resource_limits->cpu : 0;

	return request && request->s ? request : limit && limit->s ? limit : 0;
}

static bool
check_cpu(struct specset *s, const struct resources *r)
{
	double n = r && r->cpu.s ? strtod(r->cpu.s, NULL) : 1;

	if (n >= 0 && n <= CPU_MAX)
		return true;
	return diag_error(s->d, r->cpu.at, "'cpu' is a number of cores, 0 to %d, not '%s'", CPU_MAX, r->cpu.s);
}

static bool
check_memory(struct specset *s, const struct resources *r, bool held)
{
	const struct num *m = r ? &r->memory : 0;

	if (!m || !m->v || m->v >= MEMORY_MIN)
		return true;
	if (m->v < 0)
		return diag_error(s->d, m->at, "'memory' is a size such as 512M or 10Gi");
	if (!held)
		return true;
	return diag_error(s->d, m->at, "no command runs in %lld bytes of memory; write a unit: 512M, 2Gi", (long long)m->v);
}

/* "x2", "x1.5", "2": thousandths; 0 if it is none of these. */
static unsigned
raise_of(const char *t)
{
	char *end;
	double f;

	t += *t == 'x';
	if (*t < '0' || *t > '9' || !value_number(t))
		return 0;
	f = strtod(t, &end);
	return *end || !(f > 1 && f <= RAISE_MAX) ? 0 : (unsigned)(f * 1000 + 0.5);
}

static bool
check_raise(struct specset *s, const struct pipeline *p)
{
	const struct str *t = &p->on_oom;

	if (!t->s || !*t->s)
		return true;
	if (!raise_of(t->s))
		return diag_error(s->d, t->at, "'on_oom' is what the memory limit is multiplied by for the next try, such as x2, not '%s'", t->s);
	if (!p->resource_limits || !p->resource_limits->memory.v)
		return diag_error(s->d, t->at, "'on_oom' raises a memory limit, and there is none; write 'memory: 2G'");
	return true;
}

bool
check_limits(struct specset *s, const struct pipeline *p)
{
	bool ok = check_takes(s, p);

	ok &= check_cpu(s, p->resource_requests);
	ok &= check_cpu(s, p->resource_limits);
	ok &= check_memory(s, p->resource_requests, false);
	ok &= check_memory(s, p->resource_limits, true);
	ok &= check_raise(s, p);
	if (p->priority.v < -PRIORITY_MAX || p->priority.v > PRIORITY_MAX)
		ok = diag_error(s->d, p->priority.at, "'priority' is a whole number from -%d to %d; higher comes first", PRIORITY_MAX, PRIORITY_MAX);
	return ok;
}

void
limits_of(const struct specset *s, const struct pipeline *p, struct limits *ret)
{
	const struct str *cpu = cpu_of(p);
	double n = cpu ? strtod(cpu->s, NULL) : 0;

	*ret = (struct limits)LIMITS_INIT;
	ret->cpu = (unsigned)n;
	ret->cpu += n > ret->cpu;
	ret->memory = p->resource_limits ? (uint64_t)p->resource_limits->memory.v : 0;
	ret->raise = p->on_oom.s ? raise_of(p->on_oom.s) : 0;
	ret->workers = p->parallelism_spec ? (unsigned)p->parallelism_spec->constant.v : 0;
	for (size_t i = 0; i < p->pools.n; i++) {
		const struct pair *pool = find_pool(s, p->pools.v[i].key.s);
		int64_t takes, size;

		if (!pool || !pool_number(&p->pools.v[i].val, &takes) || !pool_number(&pool->val, &size))
			continue;
		GROW(ret->pool, ret->n_pool, ret->cap_pool);
		ret->pool[ret->n_pool++] = (struct limits_pool){ pool->key.s, (unsigned)takes, (unsigned)size };
	}
}
