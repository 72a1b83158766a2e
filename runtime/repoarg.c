/* repoarg.c: a repo's name has neither '@' nor ':', so the first of each ends it, whatever the path holds. Ancestors are
 * Pachyderm's: repo@^ is the commit before the newest, repo@^2 and repo@^^ the one before that, repo@a1b2^ the one before
 * a1b2; repo^ is repo@^. */
#include "repoarg.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "query.h"
#include "show.h"

enum { SHORTEST = 4, MOST_BACK = 1000000 };

/* ^, ^^, ^3, ^^2. */
static bool
parse_back(const char *s, size_t n, unsigned *ret)
{
	unsigned back = 0;

	for (size_t i = 0; i < n; ) {
		unsigned count = 0;

		if (s[i++] != '^')
			return false;
		for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
			if ((count = count * 10 + (unsigned)(s[i] - '0')) > MOST_BACK)
				return false;
		back += i > 0 && s[i - 1] != '^' ? count : 1;
		if (back > MOST_BACK)
			return false;
	}
	*ret = back;
	return true;
}

static bool
is_head(const char *s, size_t n)
{
	return (n == 6 && memcmp(s, "master", n) == 0) || (n == 4 && memcmp(s, "HEAD", n) == 0);
}

static bool
parse_commit(struct repoarg *ret, const char *s, size_t n, const char **ret_why)
{
	const char *hat = memchr(s, '^', n);
	size_t name = hat ? (size_t)(hat - s) : n;

	if (hat && !parse_back(hat, n - name, &ret->back)) {
		*ret_why = "after '^' comes nothing, another '^' or a number";
		return false;
	}
	if (name > 0 && name <= NAME_MAX_BRANCH) {
		memcpy(ret->branch, s, name);
		if (!layout_branch_ok(ret->branch))
			ret->branch[0] = '\0';
	}
	if (is_head(s, name))
		name = 0;
	if (ret->branch[0] && (name < SHORTEST || strspn(s, "0123456789abcdef") < name))
		return true;
	if (name > OID_HEX || strspn(s, "0123456789abcdef") < name) {
		*ret_why = "a commit is given by its hexadecimal id or the first digits of it";
		return false;
	}
	if (name > 0 && name < SHORTEST) {
		*ret_why = "a commit's id needs at least 4 digits";
		return false;
	}
	memcpy(ret->commit, s, name);
	return true;
}

bool
repoarg_parse(struct repoarg *ret, const char *arg, const char **ret_why)
{
	size_t name = strcspn(arg, "@:^"), commit;
	const char *s = arg + name;

	*ret = (struct repoarg){ .path = NULL };
	if (name >= sizeof ret->repo) {
		*ret_why = "that is no name of a repo: at most 63 letters, digits, '_' and '-'";
		return false;
	}
	memcpy(ret->repo, arg, name);
	if (!layout_name_ok(ret->repo)) {
		*ret_why = "that is no name of a repo: letters, digits, '_' and '-'";
		return false;
	}
	if (*s == '@')
		s++;
	commit = strcspn(s, ":");
	if (!parse_commit(ret, s, commit, ret_why))
		return false;
	s += commit;
	if (*s == ':') {
		s++;
		s += strspn(s, "/");
		ret->path = s;
	}
	return true;
}

struct found { struct oid id; unsigned n; };

static void
candidate(struct found *f, const struct repoarg *r, const struct oid *id)
{
	char hex[OID_HEX + 1];

	oid_hex(id, hex);
	if (strncmp(hex, r->commit, strlen(r->commit)) != 0 || (f->n > 0 && oid_eq(&f->id, id)))
		return;
	f->id = *id;
	f->n++;
}

/* Do the repo's own commits go to that branch? */
static bool
is_own(const struct repoarg *r)
{
	struct conf c = CONF_INIT;
	struct index x = INDEX_INIT;
	struct err ignored = ERR_INIT;
	bool own = is_head(r->branch, strlen(r->branch));

	if (conf_read(&c, r->repo, &ignored) == 0) {
		own |= c.branch && strcmp(c.branch, r->branch) == 0;
		conf_release(&c);
	} else if (!own && index_read(&x, &ignored) == 1) {
		const struct index_source *src = index_find_source(&x, r->repo);

		own = src && src->branch && strcmp(src->branch, r->branch) == 0;
	}
	index_release(&x);
	return own;
}

/* The head that is meant, of a branch if one is: 1, 0 there is none, -1. *ret_branch: it is a branch's. */
static int
newest(const struct repoarg *r, struct oid *ret, bool *ret_branch, struct err *err)
{
	struct ref ref = REF_INIT;
	char path[LAYOUT_MAX], name[sizeof r->repo + sizeof r->branch + 1];
	int rc = 0;

	snprintf(name, sizeof name, "%s@%s", r->repo, r->branch);
	if (r->branch[0])
		rc = ref_read(layout_ref(path, name), &ref, err);
	*ret_branch = rc == 1;
	if (rc == 0 && r->branch[0] && !r->commit[0] && !is_own(r))
		rc = err_set(err, SHOW_USAGE, "'%s' has no commit or branch '%s'; 'dassie log %s' and 'dassie branch %s' list them", r->repo, r->branch,
		    r->repo, r->repo);
	if (rc == 0)
		rc = ref_read(layout_ref(path, r->repo), &ref, err);
	*ret = ref.id;
	ref_release(&ref);
	return rc;
}

/* In .dassie/commits, for those of which no history tells; a manifest does not say of which repo it is. */
static int
look_in_commits(struct found *f, const struct repoarg *r, struct err *err)
{
	DIR *d = opendir(DIR_COMMITS);
	struct dirent *e;
	struct oid id;

	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", DIR_COMMITS);
	while ((e = readdir(d)))
		if (oid_parse(e->d_name, &id))
			candidate(f, r, &id);
	closedir(d);
	return 0;
}

/* The output of the job with this id, as Pachyderm has it. */
static int
look_in_jobs(struct found *f, const struct repoarg *r, struct query *q, struct arena *a, struct err *err)
{
	struct q_job *job;
	size_t n;

	if (query_jobs(q, a, r->repo, r->commit, 2, &job, &n, err) < 0)
		return -1;
	if (n == 1 && job[0].has_commit) {
		f->id = job[0].commit;
		f->n = 1;
	}
	return 0;
}

static int
find_named(const struct repoarg *r, struct query *q, const struct q_commit *v, size_t n, struct arena *a, struct oid *ret,
           struct err *err)
{
	struct found f = { .n = 0 };

	for (size_t i = 0; i < n; i++) {
		struct found before = f;

		candidate(&f, r, &v[i].id);
		/* One commit may be in a history several times. */
		for (size_t k = 0; f.n > before.n && k < i; k++)
			if (oid_eq(&v[k].id, &v[i].id))
				f = before;
	}
	if (f.n == 0 && look_in_jobs(&f, r, q, a, err) < 0)
		return -1;
	if (f.n == 0 && look_in_commits(&f, r, err) < 0)
		return -1;
	*ret = f.id;
	if (f.n > 1)
		return err_set(err, SHOW_USAGE, "'%s' is the beginning of several commits of '%s': give more digits ('dassie log %s' lists them)",
		    r->commit, r->repo, r->repo);
	return f.n == 1 ? 0 : err_set(err, SHOW_USAGE, "'%s' has no commit '%s'; 'dassie log %s' lists what it has", r->repo, r->commit, r->repo);
}

/* From this commit on in the history (newest first), `back` steps. */
static int
go_back(const struct repoarg *r, const struct q_commit *v, size_t n, struct oid *id, struct err *err)
{
	size_t i = 0;

	if (r->back == 0)
		return 0;
	while (i < n && !oid_eq(&v[i].id, id))
		i++;
	/* The newest may be so new that no job has recorded it yet. */
	if (i == n && !r->commit[0] && !r->branch[0])
		i = (size_t)-1;
	if (r->back > n || i + r->back >= n)
		return err_set(err, SHOW_USAGE, "'%s' has no commit that far back; 'dassie log %s' lists what it has", r->repo, r->repo);
	*id = v[i + r->back].id;
	return 0;
}

int
repoarg_commit(const struct repoarg *r, struct query *q, struct oid *ret, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct q_commit *v = NULL;
	size_t n = 0;
	bool branch, named;
	int rc = newest(r, ret, &branch, err);

	if (rc < 0)
		return -1;
	named = r->commit[0] && !branch;
	if (!named && r->back == 0)
		return rc == 1 ? 0 : err_set(err, SHOW_USAGE, "there is no repo '%s' with a commit here: 'dassie status' lists the repos", r->repo);
	if (query_commits(q, &a, r->repo, &v, &n, err) < 0)
		rc = -1;
	else if (rc == 0 && n == 0)
		rc = err_set(err, SHOW_USAGE, "there is no repo '%s' with a commit here: 'dassie status' lists the repos", r->repo);
	else
		rc = named ? find_named(r, q, v, n, &a, ret, err) : 0;
	if (rc == 0)
		rc = go_back(r, v, n, ret, err);
	arena_release(&a);
	return rc;
}
