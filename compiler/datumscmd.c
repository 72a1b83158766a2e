/* datumscmd.c: the verb `datums -f SPEC`: which datums a spec would make, so that globs and joins can be tried before
 * anything runs.  A repo is its newest commit; a source that was never scanned is looked at as it is, by names only,
 * since contents say nothing about which datums there are. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/manifest.h"
#include "../base/mem.h"
#include "../base/ref.h"
#include "../base/talk.h"
#include "confs.h"
#include "datums.h"
#include "diag.h"
#include "graph.h"
#include "params.h"
#include "readspec.h"
#include "spec.h"
#include "verbs.h"
#include "words.h"

enum { FOLDERS_DEEP = 100, FILES_MAX = 10000000 };

static const char usage[] =
"usage: dassie datums -f SPEC [-D NAME=VALUE]… [--json] [PIPELINE]…\n"
"Which datums the pipelines of a spec would have, without running anything: of the newest commit of each repo.\n";

struct asked {
	const char **spec, **pipeline;
	size_t n_spec, n_pipeline;
	bool json, help;
	struct arena arena, nodes;
	struct diag diag;
	struct specset set;
	struct specfiles files;
};

/* The files of a folder that was never scanned. */
struct folder { struct arena *a; struct manifest *m; size_t cap; bool ignores; };

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int look_into(struct folder *f, const char *path, size_t root, unsigned depth, struct err *err);

static int
look_at(struct folder *f, const char *path, size_t root, unsigned depth, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, errno, "cannot stat '%s':", path);
	if (S_ISDIR(st.st_mode))
		return look_into(f, path, root, depth + 1, err);
	if (!S_ISREG(st.st_mode))
		return 0;
	if (f->m->n == FILES_MAX)
		return err_set(err, 0, "more than %d files below '%.*s'", FILES_MAX, (int)root, path);
	GROW(f->m->v, f->m->n, f->cap);
	f->m->v[f->m->n++] = (struct entry){ .path = arena_str(f->a, path + root + 1), .size = (uint64_t)st.st_size,
		.kind = st.st_mode & S_IXUSR ? 'x' : 'f' };
	return 0;
}

static int
look_into(struct folder *f, const char *path, size_t root, unsigned depth, struct err *err)
{
	DIR *d = depth > FOLDERS_DEEP ? NULL : opendir(path);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return depth > FOLDERS_DEEP ? err_set(err, 0, "'%s' is more than %d folders deep", path, FOLDERS_DEEP) :
		    err_set(err, errno, "cannot read '%s':", path);
	while (rc == 0 && (e = readdir(d))) {
		struct buf b = BUF_INIT;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, DIR_STATE))
			continue;
		if (!strcmp(e->d_name, ".dassieignore")) {
			f->ignores = true;
			continue;
		}
		fs_join(&b, path, e->d_name);
		rc = look_at(f, b.s, root, depth, err);
		buf_release(&b);
	}
	closedir(d);
	return rc;
}

/* 1 there it is; 0 there is none yet, which was told; -1. */
static int
load_repo(struct asked *a, const char *repo, struct manifest *m, struct err *err)
{
	const struct source *src = graph_source(&a->set, repo);
	struct folder f = { .a = &a->arena, .m = m };
	char path[LAYOUT_MAX];
	struct ref ref = REF_INIT;
	struct stat st;
	int rc = ref_read(layout_ref(path, repo), &ref, err);

	if (rc == 1)
		rc = manifest_load(m, &ref.id, err) < 0 ? -1 : 1;
	ref_release(&ref);
	if (rc != 0)
		return rc;
	if (src && src->ticks) {
		talk(src->of ? "note: the branch '%s' has no commit yet" : "note: '%s' has no tick yet", repo);
		return 1;
	}
	if (src && src->form) {
		talk("repo '%s' was not fetched yet: 'make' fetches it", repo);
		return 0;
	}
	if (!src || stat(src->dir, &st) < 0) {
		talk("repo '%s' has no commit yet%s: %s", repo, src ? " and its folder is not there" : "",
		    src ? "make it" : "'make' makes the first");
		return 0;
	}
	if (look_into(&f, src->dir, strlen(src->dir) - !strcmp(src->dir, "/"), 0, err) < 0)
		return -1;
	if (f.m->n)
		qsort(f.m->v, f.m->n, sizeof *f.m->v, by_path);
	if (f.ignores)
		talk("note: '%s' was never scanned: what its .dassieignore leaves out is listed, too", repo);
	return 1;
}

static void
print_json(struct buf *b, const char *pipeline, const struct datums_input *in, const struct dmatch *const *m, size_t n)
{
	struct buf path = BUF_INIT;

	json_open(b, NULL, '{');
	json_str(b, "pipeline", pipeline);
	json_open(b, "inputs", '[');
	for (size_t i = 0; i < n; i++) {
		buf_reset(&path);
		buf_fmt(&path, "/%s%s", m[i]->path, m[i]->kind == 'd' && m[i]->path[0] ? "/" : "");
		json_open(b, NULL, '{');
		json_str(b, "name", in[m[i]->input].name);
		json_str(b, "repo", in[m[i]->input].repo);
		json_str(b, "path", path.s);
		for (unsigned k = 0; k < m[i]->n_var; k++) {
			if (k == 0)
				json_open(b, "captures", '{');
			json_str(b, m[i]->var[k].name, m[i]->var[k].value);
			if (k + 1 == m[i]->n_var)
				json_close(b, '}');
		}
		if (m[i]->join_on)
			json_str(b, "join_on", m[i]->join_on);
		if (m[i]->group_by)
			json_str(b, "group_by", m[i]->group_by);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
	buf_release(&path);
}

static void
print_all(const struct asked *a, const char *pipeline, struct datums *d)
{
	const struct datums_input *in;
	const struct dmatch *const *m;
	struct buf b = BUF_INIT;

	datums_inputs(d, &in);
	for (uint64_t i = 0; i < datums_count(d); i++) {
		size_t n = datums_get(d, i, &m);

		buf_reset(&b);
		if (a->json) {
			print_json(&b, pipeline, in, m, n);
		} else {
			buf_str(&b, pipeline);
			for (size_t k = 0; k < n; k++)
				buf_fmt(&b, "%s%s:/%s%s", k ? " " : "  ", in[m[k]->input].name, m[k]->path, m[k]->kind == 'd' && m[k]->path[0] ? "/" : "");
		}
		buf_byte(&b, '\n');
		fwrite(b.s, 1, b.n, stdout);
	}
	if (!datums_count(d))
		talk("%s: no datums", pipeline);
	buf_release(&b);
}

static int
list_pipeline(struct asked *a, const struct pipeline *p, struct err *err)
{
	struct manifest *m = xcalloc(p->n_reads + 1, sizeof *m);
	struct datums_repo *repo = xcalloc(p->n_reads + 1, sizeof *repo);
	struct datums *d = NULL;
	struct conf conf = CONF_INIT;
	struct words none = { 0 };
	struct buf spec = BUF_INIT;
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < p->n_reads; i++) {
		repo[i] = (struct datums_repo){ p->reads[i]->s, &m[i] };
		rc = load_repo(a, p->reads[i]->s, &m[i], err);
	}
	confs_make(&a->set, p, "", &none, &spec, &conf);
	if (rc == 1)
		rc = datums_new(&d, conf.input, repo, p->n_reads, err) == 0 ? 1 : -1;
	if (rc == 1)
		print_all(a, pipeline_name(p), d);
	datums_free(d);
	for (size_t i = 0; i < p->n_reads; i++)
		manifest_release(&m[i]);
	free(m);
	free(repo);
	buf_release(&spec);
	return rc;
}

static int
list(struct asked *a, struct err *err)
{
	int status = EXIT_DONE;

	for (size_t i = 0; i < a->n_pipeline; i++)
		if (!graph_pipeline(&a->set, a->pipeline[i])) {
			talk("there is no pipeline '%s' in '%s'", a->pipeline[i], a->spec[0]);
			return EXIT_USAGE;
		}
	for (size_t i = 0; i < a->set.n_pipeline; i++) {
		const struct pipeline *p = a->n_pipeline ? NULL : a->set.order[i];
		int rc;

		if (!p && i < a->n_pipeline)
			p = graph_pipeline(&a->set, a->pipeline[i]);
		rc = p ? list_pipeline(a, p, err) : 1;
		if (rc < 0)
			return talk_err(err);
		if (rc == 0)
			status = EXIT_FAILED;
	}
	return status;
}

static int
read_and_list(struct asked *a)
{
	struct err err = ERR_INIT;
	struct buf said = BUF_INIT;
	bool missing;

	if (readspec(&a->set, a->spec, a->n_spec, &a->files, &missing, &err) < 0) {
		talk_err(&err);
		return missing ? EXIT_USAGE : EXIT_WORLD;
	}
	if (!a->diag.errors)
		return list(a, &err);
	diag_render(&a->diag, &said, talk_color(2), false);
	talk_raw(said.s, said.n);
	buf_release(&said);
	return EXIT_FAILED;
}

static bool
arguments(struct asked *a, int argc, char **argv)
{
	a->spec = xcalloc((size_t)argc + 1, sizeof *a->spec);
	a->pipeline = xcalloc((size_t)argc + 1, sizeof *a->pipeline);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-f") && i + 1 < argc)
			a->spec[a->n_spec++] = argv[++i];
		else if (!strncmp(argv[i], "-f", 2) && argv[i][2])
			a->spec[a->n_spec++] = argv[i] + 2;
		else if (!strncmp(argv[i], "-D", 2) && params_define(&a->set, argv[i][2] || i + 1 == argc ? argv[i] + 2 : argv[i + 1]))
			i += !argv[i][2];
		else if (!strcmp(argv[i], "--json"))
			a->json = true;
		else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			a->help = true;
		else if (argv[i][0] != '-')
			a->pipeline[a->n_pipeline++] = argv[i];
		else
			return false;
	}
	return a->help || a->n_spec;
}

int
verb_datums_of(int argc, char **argv)
{
	struct asked *a = xcalloc(1, sizeof *a);
	bool good;
	int status;

	a->diag.a = a->set.a = &a->arena;
	a->set.d = &a->diag;
	a->set.nodes = &a->nodes;
	good = arguments(a, argc, argv);
	status = good ? EXIT_DONE : EXIT_USAGE;
	if (!good || a->help)
		fputs(usage, good ? stdout : stderr);
	else
		status = read_and_list(a);
	free(a->set.pipeline);
	free(a->set.source);
	free(a->set.staged);
	free((void *)a->set.passed);
	free((void *)a->set.noted);
	free(a->files.v);
	free(a->set.define);
	free((void *)a->set.param);
	free((void *)a->spec);
	free((void *)a->pipeline);
	diag_release(&a->diag);
	arena_release(&a->nodes);
	arena_release(&a->arena);
	free(a);
	return talk_done(status);
}
