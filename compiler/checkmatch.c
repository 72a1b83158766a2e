/* checkmatch.c: globs and regexes, and the keys made of their captures.
 *
 * A glob's captures have numbers, a regex's may have names, and those are variables of the command.  A key that names what
 * is not captured would be "" for every file: told here, not found out from one huge datum. */
#include "checkmatch.h"

#include <string.h>

#include "../base/layout.h"
#include "../base/mem.h"
#include "check.h"
#include "diag.h"
#include "glob.h"
#include "spec.h"
#include "suggest.h"

enum { NAMES_MAX = 100 };

/* Would a variable of this name change how the shell, make or the loader work? */
bool
check_takes_over(const char *name)
{
	static const char *const whole[] = {
		"PATH", "HOME", "SHELL", "TMPDIR", "IFS", "ENV", "BASH_ENV", "CDPATH", "GLOBIGNORE", "SHELLOPTS", "BASHOPTS", "MAKEFLAGS",
		"MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS", "PWD", "OLDPWD", "OPTIND", "OPTARG", "PPID", "LANG", "TZ", "USER", "LOGNAME", "PFS",
		"TERM", "_",
	};
	static const char *const prefix[] = { "LD_", "LC_", "DASSIE_", "PACH_", "BASH_" };
	char twin[NAME_MAX_REPO + 1];
	size_t n = 0;

	for (; name[n] && n < NAME_MAX_REPO; n++)
		twin[n] = name[n] == '-' ? '_' : name[n];
	twin[n] = 0;
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (!strcmp(twin, whole[i]))
			return true;
	for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
		if (!strncmp(twin, prefix[i], strlen(prefix[i])))
			return true;
	return twin[0] == 'P' && twin[1] == 'S' && twin[2] >= '0' && twin[2] <= '9' && !twin[3];
}

static bool
given(const struct str *t)
{
	return t->s && *t->s;
}

/* Byte `at` of a text, where the file has it as it is. */
static struct span
inside(const struct str *t, size_t at)
{
	return t->at.len == strlen(t->s) ? (struct span){ t->at.off + (uint32_t)at, 1 } : t->at;
}

static bool
check_glob(struct specset *s, const struct str *glob)
{
	const char *msg;
	size_t at;

	if (!glob_check(glob->s, &msg, &at))
		return diag_error(s->d, inside(glob, at), "glob '%s': %s", glob->s, msg);
	if (!strcmp(glob->s, "/**") || !strcmp(glob->s, "**"))
		diag_warn(s->d, glob->at, "'%s' matches folders and what is in them, so files are seen more than once", glob->s);
	return true;
}

/* The end of a reference's name or number that begins at d. */
static const char *
name_end(const char *d)
{
	return d + strspn(d, GLOB_NAME_CHARS);
}

static bool
known(const struct glob_name *name, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(name[i].name) == len && !strncmp(name[i].name, s, len))
			return true;
	return false;
}

/* A name in a key: of a regex's captures only; in a glob's key it is literal text, which is surely not what was meant. */
static bool
check_named(struct specset *s, const struct str *key, const char *field, const struct glob *regex, const char *d, size_t len)
{
	const char *word = arena_dup(s->a, d, len), *try[NAMES_MAX];
	const struct glob_name *name = NULL;
	size_t n = regex ? glob_names(regex, &name) : 0, k = 0;

	if (!regex) {
		diag_warn(s->d, key->at, "'%s': '$%s' is text here: a glob's captures have numbers ($1); names are for 'match'", field, word);
		return true;
	}
	if (known(name, n, d, len))
		return true;
	while (k < n && k < NAMES_MAX) {
		try[k] = name[k].name;
		k++;
	}
	return diag_error(s->d, key->at, "'%s' names the capture '%s', which the regex has not%s", field, word, did_you_mean(s->a, word, try, k));
}

/* A key made of a capture that there is not is "" for every file: surely not what was meant. */
static bool
check_key(struct specset *s, const struct str *key, const char *field, const char *glob, const struct glob *regex)
{
	unsigned groups, n;
	bool ok = true;

	if (!key->s || !strchr(key->s, '$'))
		return true;
	groups = regex ? glob_captures(regex) : glob ? glob_groups(glob) : 0;
	for (const char *p = key->s; *p; p++) {
		const char *d = p + 1 + (p[1] == '{'), *end;

		if (*p != '$')
			continue;
		if (p[1] == '$') {
			p++;
			continue;
		}
		end = name_end(d);
		if (end > d && !(*d >= '0' && *d <= '9') && (p[1] != '{' || *end == '}'))
			ok &= check_named(s, key, field, regex, d, (size_t)(end - d));
		for (n = 0; *d >= '0' && *d <= '9' && n < 1000; d++)
			n = n * 10 + (unsigned)(*d - '0');
		if (n > groups)
			diag_warn(s->d, key->at, "'%s' names capture %u, but the %s has %u: put '(…)' around what should be captured", field, n,
			    regex ? "regex" : "glob", groups);
	}
	return ok;
}

static bool
check_regex(struct specset *s, const struct pfs *pfs)
{
	char msg[GLOB_MSG];
	size_t at;
	struct glob *g;
	bool ok;

	if (given(&pfs->glob))
		return diag_error(s->d, pfs->match.at, "an input has a 'glob' or a 'match', not both");
	g = glob_regex(pfs->match.s, true, msg, &at);
	if (!g)
		return diag_error(s->d, inside(&pfs->match, at), "regex '%s': %s", pfs->match.s, msg);
	ok = check_key(s, &pfs->join_on, "join_on", NULL, g);
	ok &= check_key(s, &pfs->group_by, "group_by", NULL, g);
	glob_free(g);
	return ok;
}

bool
check_selection(struct specset *s, const struct pipeline *p, const struct pfs *pfs, struct span at)
{
	if (given(&pfs->match))
		return check_regex(s, pfs);
	if (!given(&pfs->glob)) {
		if (p->broken && !pfs->glob.s)
			return true;
		return diag_error(s->d, pfs->glob.s ? pfs->glob.at : at,
		    "an input must specify a glob; write \"/*\" for a datum a file or folder, \"/\" for all as one");
	}
	check_key(s, &pfs->join_on, "join_on", pfs->glob.s, NULL);
	check_key(s, &pfs->group_by, "group_by", pfs->glob.s, NULL);
	return check_glob(s, &pfs->glob);
}

static bool
check_name(struct specset *s, const struct pipeline *p, const struct str *at, const char *name, const char *const *taken, size_t n)
{
	const struct pairs *env = p->transform ? &p->transform->env : NULL;

	if (name[strspn(name, GLOB_NAME_CHARS)])
		return diag_error(s->d, at->at, "the capture '%s' is to be a variable: letters, digits and '_'", name);
	if (check_takes_over(name) || !strcmp(name, "out"))
		return diag_error(s->d, at->at, "a capture cannot be called '%s': the variable means something else; choose another name", name);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(taken[i], name))
			return diag_error(s->d, at->at, "the capture '%s' has the name of an input, whose path is in that variable; choose another", name);
	for (size_t i = 0; env && i < env->n; i++)
		if (!strcmp(env->v[i].key.s, name))
			return diag_error(s->d, at->at, "the capture '%s' is a variable of 'env', too; choose another name", name);
	return true;
}

static bool
check_input_captures(struct specset *s, const struct pipeline *p, const struct input *in, const char *const *taken, size_t n)
{
	const struct glob_name *name;
	const char *word;
	size_t members, names, at;
	const struct input *member = input_members(in, &members, &word);
	char msg[GLOB_MSG];
	struct glob *g = in->pfs && given(&in->pfs->match) ? glob_regex(in->pfs->match.s, true, msg, &at) : NULL;
	bool ok = true;

	names = g ? glob_names(g, &name) : 0;
	for (size_t i = 0; i < names; i++)
		ok &= check_name(s, p, &in->pfs->match, name[i].name, taken, n);
	glob_free(g);
	for (size_t i = 0; i < members; i++)
		ok &= check_input_captures(s, p, &member[i], taken, n);
	return ok;
}

bool
check_captured(struct specset *s, const struct pipeline *p, const char *const *taken, size_t n)
{
	return check_input_captures(s, p, p->input, taken, n);
}
