/* include.c: `include: common.yaml` makes one text of several files: what an included file has stands where it is included.
 *
 * Params are known in all of it, wherever they are declared: so all files are parsed first, then every `params:` is read,
 * the included ones' first, and then pipelines are loaded, of each file once however often it is included.  Of a folder
 * the files that are included by another one are not read by themselves. */
#include "include.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"
#include "load.h"
#include "params.h"
#include "readspec.h"
#include "scope.h"
#include "spec.h"
#include "yaml.h"

enum { DEEP = 50, FILES_MAX = 10000 };

struct module {
	size_t file;                /* number in the set */
	struct ynode *docs;
	size_t *inc, n_inc, cap_inc; /* numbers of modules, in the order of the file */
	bool parsing, included, loaded, seen;
};

struct modules {
	struct specset *s;
	struct specfiles *files;
	struct arena nodes;         /* of all of them: they are needed until the last is loaded */
	struct module *v;
	size_t n, cap;
	size_t stack[DEEP + 1], depth;
};

bool
include_maybe(const struct text *t)
{
	return t->n && memmem(t->s, t->n, "include", 7);
}

struct modules *
modules_new(struct specset *s, struct specfiles *files)
{
	struct modules *m = xcalloc(1, sizeof *m);

	m->s = s;
	m->files = files;
	return m;
}

void
modules_free(struct modules *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].inc);
	free(m->v);
	arena_release(&m->nodes);
	free(m);
}

static struct module *
find(const struct modules *m, size_t file)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].file == file)
			return &m->v[i];
	return NULL;
}

enum module_state
modules_state(const struct modules *m, size_t i)
{
	const struct module *at = find(m, i);

	return !at ? MODULE_NONE : at->included ? MODULE_INCLUDED : MODULE_ROOT;
}

/* The path of a file that another one names: without "." and "..", so that one file has one name. */
static const char *
path_beside(struct specset *s, const char *from, const char *name)
{
	const char *slash = strrchr(from, '/');
	struct buf b = BUF_INIT;
	const char *text, *p;

	p = *name == '/' || !slash ? name : arena_fmt(s->a, "%.*s/%s", (int)(slash - from), from, name);
	if (*p == '/')
		buf_byte(&b, '/');
	while (*p) {
		size_t n = strcspn(p, "/"), last = b.n;

		while (last && b.s[last - 1] != '/')
			last--;
		if (n == 2 && !strncmp(p, "..", 2) && b.n && strcmp(b.s + last, "..") != 0 && strcmp(b.s, "/") != 0) {
			b.n = last > 1 ? last - 1 : last;
			b.s[b.n] = 0;
		} else if (n && !(n == 1 && *p == '.')) {
			if (b.n && b.s[b.n - 1] != '/')
				buf_byte(&b, '/');
			buf_add(&b, p, n);
		}
		p += n;
		p += strspn(p, "/");
	}
	text = arena_dup(s->a, b.n ? b.s : "", b.n);
	buf_release(&b);
	return text;
}

static const char *
clean_name(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	return path;
}

/* The file of this name in the set, read now if it is not there yet.  False: told at the place of the include. */
static bool
read_file(struct modules *m, const struct ynode *n, const char *path, size_t *ret, struct text *ret_text)
{
	struct specset *s = m->s;
	struct err err = ERR_INIT;
	struct stat st;

	for (size_t i = 0; i < m->files->n; i++)
		if (!strcmp(clean_name(m->files->v[i].path), path)) {
			*ret = i;
			*ret_text = m->files->v[i].text;
			return true;
		}
	if (stat(path, &st) < 0)
		return diag_error(s->d, n->at, "cannot include '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_error(s->d, n->at, "cannot include '%s': it is %s; name the files", path, S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
	if (m->files->n >= FILES_MAX)
		return diag_error(s->d, n->at, "more than %d spec files", FILES_MAX);
	GROW(m->files->v, m->files->n, m->files->cap);
	*ret = m->files->n++;
	m->files->v[*ret] = (struct specfile){ .path = path, .included = true };
	if (readspec_text(s, &m->files->v[*ret], &err) <= 0)
		return diag_error(s->d, n->at, "cannot include '%s': %s", path, err.text);
	*ret_text = m->files->v[*ret].text;
	return true;
}

static const char *
path_of(const struct modules *m, size_t module)
{
	return m->files->v[m->v[module].file].path;
}

static bool
tell_circle(struct modules *m, const struct ynode *n, size_t again)
{
	struct buf b = BUF_INIT;
	size_t i = 0;

	while (m->stack[i] != again)
		i++;
	for (; i < m->depth; i++)
		buf_fmt(&b, "%s -> ", path_of(m, m->stack[i]));
	diag_error(m->s->d, n->at, "files include each other in a circle: %s%s", b.s, path_of(m, again));
	buf_release(&b);
	return false;
}

static bool
include(struct modules *m, size_t by, const struct ynode *n)
{
	struct specset *s = m->s;
	struct text t;
	size_t file, at;
	bool ok = true;

	if (n->kind != Y_SCALAR || !n->n || strlen(n->text) != n->n)
		return diag_error(s->d, n->at, "'include' is a file or a list of files, this is %s", n->kind == Y_SCALAR ? "nothing" : ynode_kind_name(n));
	if (strstr(n->text, "${"))
		return diag_error(s->d, n->at, "'include' comes before params are known: write the file's name");
	if (!read_file(m, n, path_beside(s, path_of(m, by), n->text), &file, &t))
		return false;
	if (m->depth >= DEEP)
		return diag_error(s->d, n->at, "files that include files more than %d deep", DEEP);
	if (!find(m, file))
		ok = modules_add(m, file, &t);
	at = (size_t)(find(m, file) - m->v);
	if (m->v[at].parsing)
		return tell_circle(m, n, at);
	m->v[at].included = true;
	GROW(m->v[by].inc, m->v[by].n_inc, m->v[by].cap_inc);
	m->v[by].inc[m->v[by].n_inc++] = at;
	return ok;
}

bool
modules_add(struct modules *m, size_t i, const struct text *t)
{
	size_t at = m->n;
	bool ok;

	if (find(m, i))
		return true;
	GROW(m->v, m->n, m->cap);
	m->v[m->n++] = (struct module){ .file = i, .parsing = true };
	m->stack[m->depth++] = at;
	ok = yaml_parse_all(m->s->a, &m->nodes, m->s->d, t->s, t->n, t->base, &m->v[at].docs);
	m->s->unread |= !ok;
	for (const struct ynode *d = m->v[at].docs; d; d = d->next) {
		const struct ynode *inc = ynode_get(d, "include");

		if (!inc || ynode_is_null(inc))
			continue;
		if (inc->kind != Y_SEQ)
			ok &= include(m, at, inc);
		for (const struct ynode *k = inc->kind == Y_SEQ ? inc->kids : NULL; k; k = k->next)
			ok &= include(m, at, k);
	}
	m->depth--;
	m->v[at].parsing = false;
	return ok;
}

static bool
declare(struct modules *m, size_t at)
{
	bool ok = true;

	if (m->v[at].seen)
		return true;
	m->v[at].seen = true;
	for (size_t i = 0; i < m->v[at].n_inc; i++)
		ok &= declare(m, m->v[at].inc[i]);
	return load_params(m->s, m->v[at].docs) && ok;
}

static bool
load(struct modules *m, size_t at)
{
	bool ok = true;

	if (m->v[at].loaded)
		return true;
	m->v[at].loaded = true;
	for (size_t i = 0; i < m->v[at].n_inc; i++)
		ok &= load(m, m->v[at].inc[i]);
	if (!m->v[at].included && readspec_passed(m->s, &m->files->v[m->v[at].file], m->v[at].docs))
		return ok;
	return load_docs(m->s, m->v[at].docs) && ok;
}

bool
modules_load(struct modules *m, size_t i)
{
	size_t at = (size_t)(find(m, i) - m->v);
	bool ok;

	for (size_t k = 0; k < m->n; k++)
		m->v[k].seen = false;
	ok = declare(m, at);
	ok &= load(m, at);
	scope_end(m->s);
	return ok;
}
