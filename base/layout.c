/* layout.c: one place that knows how the names under .dassie are made. */
#include "layout.h"

#include <stdio.h>
#include <string.h>

#include "sha256.h"

static bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
name_ok(const char *name, size_t max)
{
	size_t n = strlen(name);

	if (n == 0 || n > max || !alnum(name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!alnum(name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

char *
layout_egress_name(char ret[EGRESS_NAME_MAX], const char *pipeline)
{
	snprintf(ret, EGRESS_NAME_MAX, "%s.egress", pipeline);
	return ret;
}

bool
layout_name_ok(const char *name)
{
	return name_ok(name, NAME_MAX_REPO);
}

bool
layout_branch_ok(const char *name)
{
	return name_ok(name, NAME_MAX_BRANCH);
}

size_t
layout_repo_len(const char *name)
{
	return strcspn(name, "@");
}

static char *
join(char ret[LAYOUT_MAX], const char *dir, const char *name, const char *suffix)
{
	snprintf(ret, LAYOUT_MAX, "%s/%s%s", dir, name, suffix);
	return ret;
}

char *
layout_ref(char ret[LAYOUT_MAX], const char *repo)
{
	return join(ret, DIR_REFS, repo, "");
}

char *
layout_done(char ret[LAYOUT_MAX], const char *pipeline)
{
	return join(ret, DIR_REFS, pipeline, ".done");
}

char *
layout_spec(char ret[LAYOUT_MAX], const char *pipeline)
{
	return join(ret, DIR_REFS, pipeline, ".spec");
}

char *
layout_conf(char ret[LAYOUT_MAX], const char *pipeline)
{
	return join(ret, DIR_STEPS, pipeline, ".conf");
}

char *
layout_lock(char ret[LAYOUT_MAX], const char *name)
{
	return join(ret, DIR_LOCK, name, "");
}

char *
layout_mark(char ret[LAYOUT_MAX], const char *repo)
{
	return join(ret, DIR_MARKS, repo, "");
}

char *
layout_ticks(char ret[LAYOUT_MAX], const char *repo)
{
	return join(ret, DIR_TICKS, repo, "");
}

char *
layout_paused(char ret[LAYOUT_MAX], const char *pipeline)
{
	return join(ret, DIR_PAUSED, pipeline, "");
}

char *
layout_scan(char ret[LAYOUT_MAX], const char *repo)
{
	return join(ret, DIR_SCAN, repo, "");
}

char *
layout_plan(char ret[LAYOUT_MAX], const char *pipeline, const char *suffix)
{
	snprintf(ret, LAYOUT_MAX, "%s/%s.%s", DIR_PLAN, pipeline, suffix);
	return ret;
}

char *
layout_pool(char ret[LAYOUT_MAX], const char *pool, const char *suffix)
{
	snprintf(ret, LAYOUT_MAX, "%s/%s.%s", DIR_POOLS, pool, suffix);
	return ret;
}

char *
layout_commit(char ret[LAYOUT_MAX], const struct oid *id)
{
	char hex[OID_HEX + 1];

	oid_hex(id, hex);
	return join(ret, DIR_COMMITS, hex, "");
}

/* DIR/ab/cd…: 256 folders keep each of them short. */
static char *
fan_out(char ret[LAYOUT_MAX], const char *dir, const struct oid *id)
{
	char hex[OID_HEX + 1];
	size_t n = strlen(dir);

	oid_hex(id, hex);
	memcpy(ret, dir, n);
	ret[n] = '/';
	ret[n + 1] = hex[0];
	ret[n + 2] = hex[1];
	ret[n + 3] = '/';
	memcpy(ret + n + 4, hex + 2, OID_HEX - 2 + 1);
	return ret;
}

char *
layout_object(char ret[LAYOUT_MAX], const struct oid *id)
{
	return fan_out(ret, DIR_OBJECTS, id);
}

char *
layout_datum(char ret[LAYOUT_MAX], const struct oid *key)
{
	return fan_out(ret, DIR_DATUMS, key);
}

char *
layout_work(char ret[LAYOUT_MAX], const struct oid *key)
{
	char hex[OID_HEX + 1];

	oid_hex(key, hex);
	return join(ret, DIR_WORK, hex, "");
}

char *
layout_log(char ret[LAYOUT_MAX], const struct oid *key, const char *job, unsigned attempt)
{
	size_t n = strlen(fan_out(ret, DIR_LOGS, key));

	snprintf(ret + n, LAYOUT_MAX - n, ".%s.%u", job, attempt);
	return ret;
}

bool
layout_step_fits(const char *path, const struct oid *text)
{
	size_t n = strlen(path), from = n - STEP_HEX - 3;
	char hex[OID_HEX + 1];

	if (n < STEP_HEX + 4 || path[from - 1] != '-' || strcmp(path + n - 3, ".sh") != 0 ||
	    strspn(path + from, "0123456789abcdef") < STEP_HEX)
		return true;
	oid_hex(text, hex);
	return strncmp(path + from, hex, STEP_HEX) == 0;
}
