/* compile.c: the verb: specs in; steps, settings, index and Makefile out.
 *
 * All errors first, then nothing is written; else everything is, each file in one step and only if its bytes differ, the
 * index last: it says what was compiled from which bytes, so that after a kill in between the next scan compiles again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/format.h"
#include "../base/fs.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "../base/notify.h"
#include "../base/sha256.h"
#include "../base/talk.h"
#include "alerts.h"
#include "branches.h"
#include "check.h"
#include "confs.h"
#include "diag.h"
#include "emit.h"
#include "graph.h"
#include "notice.h"
#include "origin.h"
#include "params.h"
#include "print.h"
#include "readspec.h"
#include "schema.h"
#include "spec.h"
#include "step.h"
#include "stepdir.h"
#include "unchanged.h"
#include "verbs.h"
#include "words.h"

static const char usage[] =
"usage: dassie compile [OPTION]… [SPEC]…\n"
"Check the specs and compile them to a Makefile and .dassie/steps.  A SPEC is a file, or a folder of files and folders;\n"
"without one: pipeline.yaml, pipeline.yml, pipeline.json or specs/, whichever is here.\n"
"  -o FILE        write the Makefile there (default: Makefile)\n"
"  --check        only check; write nothing\n"
"  --print-spec   print the long form; write nothing\n"
"  --force        overwrite a Makefile that dassie did not write\n"
"  -D NAME=VALUE  the value of a param; make keeps it when it compiles again\n"
"  --runtime R    run commands in their images by podman, docker or apptainer; host: on this machine, as if it were not given;\n"
"                 DASSIE_RUNTIME says the same; make keeps it when it compiles again\n"
"  --strict       fields that have no effect are errors\n"
"  -q, --quiet    say nothing if nothing changed\n";

struct options {
	const char *makefile;
	const char *runtime;        /* NULL: commands run on this machine */
	bool check, print, force, strict, quiet, help;
	const char **spec, **define;
	size_t n_spec, n_define;
};

struct compile {
	struct options o;
	struct arena arena, nodes;
	struct diag diag;
	struct specset set;
	struct specfiles files;
	struct index index;
	struct stepdir steps;
	struct buf notes;           /* what is said when all went well */
	struct buf text, spec;      /* of the pipeline under way */
	bool changed, makefile_changed;
};

static bool
flag_option(struct options *o, const char *arg)
{
	const struct { const char *name; bool *flag; } flags[] = {
		{ "--check", &o->check }, { "--print-spec", &o->print }, { "--force", &o->force }, { "--strict", &o->strict },
		{ "-q", &o->quiet }, { "--quiet", &o->quiet }, { "-h", &o->help }, { "--help", &o->help },
	};

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (!strcmp(arg, flags[i].name)) {
			*flags[i].flag = true;
			return true;
		}
	return false;
}

/* -D NAME=VALUE, -DNAME=VALUE, --define=NAME=VALUE: its value; NULL: none of these. */
static const char *
define_option(int argc, char **argv, int *i)
{
	const char *arg = argv[*i];

	if ((!strcmp(arg, "-D") || !strcmp(arg, "--define")) && *i + 1 < argc)
		return argv[++*i];
	return !strncmp(arg, "--define=", 9) ? arg + 9 : !strncmp(arg, "-D", 2) ? arg + 2 : NULL;
}

/* Is it one that we know?  "host" is none. */
static bool
check_runtime(const char **runtime)
{
	static const char *const known[] = { "podman", "docker", "apptainer" };

	if (!*runtime || !**runtime || !strcmp(*runtime, "host"))
		*runtime = NULL;
	for (size_t i = 0; *runtime && i < sizeof known / sizeof *known; i++)
		if (!strcmp(*runtime, known[i]))
			return true;
	if (*runtime)
		talk("'%s' runs no images: podman, docker and apptainer do; host stands for none of them", *runtime);
	return !*runtime;
}

static int
parse_options(struct options *o, int argc, char **argv)
{
	const char *define;
	bool names = false;

	o->spec = xcalloc((size_t)argc + 1, sizeof *o->spec);
	o->define = xcalloc((size_t)argc + 1, sizeof *o->define);
	o->makefile = "Makefile";
	o->runtime = getenv("DASSIE_RUNTIME");
	for (int i = 1; i < argc; i++) {
		if (names || argv[i][0] != '-') {
			o->spec[o->n_spec++] = argv[i];
		} else if (!strcmp(argv[i], "--")) {
			names = true;
		} else if (!strcmp(argv[i], "-o")) {
			if (i + 1 == argc) {
				talk("option '-o' needs a file name");
				return EXIT_USAGE;
			}
			o->makefile = argv[++i];
		} else if (!strncmp(argv[i], "-o", 2)) {
			o->makefile = argv[i] + 2;
		} else if (!strncmp(argv[i], "--runtime=", 10) || (!strcmp(argv[i], "--runtime") && i + 1 < argc)) {
			o->runtime = argv[i][9] ? argv[i] + 10 : argv[++i];
		} else if ((define = define_option(argc, argv, &i))) {
			o->define[o->n_define++] = define;
		} else if (!flag_option(o, argv[i])) {
			talk("unknown option '%s'; see dassie compile --help", argv[i]);
			return EXIT_USAGE;
		}
	}
	return check_runtime(&o->runtime) ? EXIT_DONE : EXIT_USAGE;
}

/* Is the Makefile ours to write? */
static int
check_owner(const char *path, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = fs_read(path, &b, err);
	bool ours = rc == 0 || b.n == 0 || !strncmp(b.s, EMIT_MARK, sizeof EMIT_MARK - 1);

	buf_release(&b);
	if (rc < 0)
		return -1;
	return ours ? 1 : 0;
}

static int
write_file(struct compile *c, const char *path, const struct buf *b, mode_t mode, struct err *err)
{
	int rc = fs_replace_if_new(path, b->s, b->n, mode, err);

	c->changed |= rc > 0;
	return rc;
}

static void
note_found(struct compile *c, const char *pipeline, const struct conf_code *code, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		struct stat st;

		if (code[i].declared || stat(code[i].path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (any)
			buf_str(&c->notes, ", ");
		else
			buf_fmt(&c->notes, "dassie: %s: code found in its command: ", pipeline);
		buf_fmt(&c->notes, "'%s'", code[i].path);
		any = true;
	}
	if (any)
		buf_byte(&c->notes, '\n');
}

/* A pipeline's err_cmd, as a step of its own: it is no part of what the datums are.  NULL if it has none. */
static int
write_err_step(struct compile *c, const struct pipeline *p, const char **ret, struct err *err)
{
	struct buf *b = &c->text;
	struct oid id;
	char hex[OID_HEX + 1];

	*ret = NULL;
	if (!p->transform->err_cmd.n)
		return 0;
	buf_reset(b);
	step_err_script(b, &c->set, p);
	sha256_bytes(b->s, b->n, &id);
	oid_hex(&id, hex);
	*ret = arena_fmt(&c->arena, DIR_STEPS "/%s-err-%.*s.sh", pipeline_name(p), STEP_HEX, hex);
	return stepdir_step(&c->steps, *ret, b, err);
}

/* One pipeline: its step, its settings, its part of the index. */
static int
write_pipeline(struct compile *c, const struct pipeline *p, struct index_pipeline *ret, struct err *err)
{
	struct buf *b = &c->text;
	struct words w = { 0 };
	struct conf conf = CONF_INIT;
	char hex[OID_HEX + 1];
	int rc;

	buf_reset(b);
	step_script(b, &c->set, p);
	step_words(&c->set, p, &w);
	sha256_bytes(b->s, b->n, &ret->script_id);
	oid_hex(&ret->script_id, hex);
	ret->name = pipeline_name(p);
	ret->script = arena_fmt(&c->arena, DIR_STEPS "/%s-%.*s.sh", ret->name, STEP_HEX, hex);
	rc = stepdir_step(&c->steps, ret->script, b, err);
	if (rc >= 0)
		rc = write_err_step(c, p, &conf.err_script, err);
	confs_make(&c->set, p, ret->script, &w, &c->spec, &conf);
	buf_reset(b);
	conf_write(b, &conf);
	if (rc >= 0)
		rc = stepdir_conf(&c->steps, ret->name, b, err);
	ret->decides = conf.decides;
	ret->image = conf.image;
	ret->code = conf.code;
	ret->n_code = conf.n_code;
	ret->has_egress = conf.n_egress > 0;
	ret->egress = conf.egress_id;
	ret->n_reads = p->n_reads;
	ret->reads = arena_alloc(&c->arena, (p->n_reads + 1) * sizeof *ret->reads);
	ret->quiet = arena_alloc(&c->arena, p->n_reads + 1);
	for (size_t i = 0; i < p->n_reads; i++) {
		ret->reads[i] = p->reads[i]->s;
		ret->quiet[i] = !input_starts(p->input, p->reads[i]->s);
	}
	note_found(c, ret->name, ret->code, ret->n_code);
	words_release(&w);
	retry_release(&conf.retry);
	limits_release(&conf.limits);
	secret_uses_release(&conf.secrets);
	return rc;
}

static void
fill_index(struct compile *c)
{
	struct index *x = &c->index;
	struct specset *s = &c->set;

	x->compiler = PACKAGE_VERSION;
	x->makefile = c->o.makefile;
	x->option = arena_alloc(&c->arena, (s->n_define + 2) * sizeof *x->option);
	if (s->runtime)
		x->option[x->n_option++] = arena_fmt(&c->arena, "--runtime=%s", s->runtime);
	if (c->o.strict)
		x->option[x->n_option++] = "--strict";
	for (size_t i = 0; i < s->n_define; i++)
		x->option[x->n_option++] = arena_fmt(&c->arena, "--define=%s=%s", s->define[i].name, s->define[i].value);
	x->asked = c->o.spec;
	x->n_asked = c->o.n_spec;
	x->spec = arena_alloc(&c->arena, (c->files.n + 1) * sizeof *x->spec);
	x->n_spec = c->files.n;
	for (size_t i = 0; i < c->files.n; i++)
		x->spec[i] = (struct index_spec){ c->files.v[i].path, c->files.v[i].id, c->files.v[i].included };
	x->source = arena_alloc(&c->arena, (s->n_source + 1) * sizeof *x->source);
	x->n_source = s->n_source;
	for (size_t i = 0; i < s->n_source; i++) {
		x->source[i] = (struct index_source){ .name = s->source[i].name, .dir = s->source[i].dir, .keep = s->source[i].keep || s->source[i].branched };
		x->source[i].branch = s->source[i].of ? NULL : branches_own(s, s->source[i].name);
		origin_index(s, &s->source[i], &x->source[i]);
	}
	x->trigger = arena_alloc(&c->arena, (s->n_triggered + 1) * sizeof *x->trigger);
	for (size_t i = 0; i < s->n_triggered; i++) {
		const struct source *src = s->triggered[i];
		const struct trigger *t = src->trigger;

		x->trigger[x->n_trigger++] = (struct index_trigger){ src->of->s, src->name + strlen(src->of->s) + 1, src->follows,
			t->rate_limit_spec.s ? t->rate_limit_spec.s : "", t->cron_spec.s ? t->cron_spec.s : "", t->all.v, (uint64_t)t->size.v,
			(uint64_t)t->commits.v };
	}
	confs_schedule(s->schedule, &x->schedule);
	x->pipeline = arena_alloc(&c->arena, (s->n_pipeline + 1) * sizeof *x->pipeline);
	x->n_pipeline = s->n_pipeline;
}

/* For editors.  One of this length was written by this version. */
static int
write_schema(struct err *err)
{
	struct buf b = BUF_INIT;
	struct stat st;
	int rc = 0;

	schema_json(&b);
	if (stat(FILE_SCHEMA, &st) < 0 || (size_t)st.st_size != b.n)
		rc = fs_replace(FILE_SCHEMA, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

static bool
nothing_new(struct compile *c)
{
	struct index then = INDEX_INIT;
	bool same = unchanged(&c->index, &then);

	for (size_t i = 0; same && i < then.n_pipeline; i++)
		note_found(c, then.pipeline[i].name, then.pipeline[i].code, then.pipeline[i].n_code);
	index_release(&then);
	return same;
}

/* Its addresses may be secrets. */
static int
write_notify(struct compile *c, struct buf *b, struct err *err)
{
	struct notify n = NOTIFY_INIT;
	int rc = 0;

	alerts_make(&c->set, &n);
	buf_reset(b);
	notify_write(b, &n);
	if (n.n)
		rc = fs_replace_if_new(FILE_NOTIFY, b->s, b->n, 0600, err);
	else if (unlink(FILE_NOTIFY) < 0 && errno != ENOENT)
		rc = err_set(err, errno, "cannot remove '%s':", FILE_NOTIFY);
	notify_release(&n);
	return rc;
}

static int
write_all(struct compile *c, struct err *err)
{
	struct emit e = { PACKAGE_VERSION, c->o.makefile, c->o.spec, c->o.n_spec, NULL, 0 };
	struct buf b = BUF_INIT;
	int rc = 0;

	if (stepdir_open(&c->steps, err) < 0)
		return -1;
	fill_index(c);
	rc = write_schema(err);
	if (rc >= 0 && !c->o.force && nothing_new(c))
		return 0;
	for (size_t i = 0; rc >= 0 && i < c->set.n_pipeline; i++)
		rc = write_pipeline(c, c->set.by_name[i], &c->index.pipeline[i], err);
	if (rc >= 0)
		rc = stepdir_tidy(&c->steps, &c->set, err);
	e.option = c->index.option;
	e.n_option = c->index.n_option;
	emit_makefile(&b, &c->set, &e);
	if (rc >= 0)
		rc = write_file(c, c->o.makefile, &b, 0644, err);
	c->makefile_changed = rc > 0;
	c->changed |= c->steps.changed;
	if (rc >= 0)
		rc = write_notify(c, &b, err);
	buf_reset(&b);
	index_write(&b, &c->index);
	/* Also where its bytes are the same: its time says that all before it fits (unchanged.h). */
	if (rc >= 0)
		rc = fs_replace(FILE_INDEX, b.s, b.n, 0644, err);
	buf_release(&b);
	return rc;
}

/* The first three of them. */
static void
some_names(struct buf *b, const char *const *name, size_t n)
{
	for (size_t i = 0; i < n && i < 3; i++)
		buf_fmt(b, "%s%s", i ? ", " : "", name[i]);
	if (n > 3)
		buf_fmt(b, " and %zu more", n - 3);
}

static void
spec_names(struct compile *c, struct buf *b)
{
	some_names(b, c->o.spec, c->o.n_spec);
}

/* What was found in the text: all of it, or only errors. */
static void
say_diag(struct compile *c, struct buf *b, bool errors_only)
{
	struct buf notice = BUF_INIT;

	diag_render(&c->diag, b, talk_color(2), errors_only);
	if (!errors_only && !c->diag.errors) {
		notice_fields(&c->set, &notice);
		if (notice.n)
			buf_fmt(b, "dassie: note: %s\n", notice.s);
		if (c->set.n_passed) {
			buf_str(b, "dassie: note: no specs, passed over: ");
			some_names(b, c->set.passed, c->set.n_passed);
			buf_byte(b, '\n');
		}
	}
	buf_release(&notice);
}

static int
compile_set(struct compile *c, struct err *err)
{
	struct buf said = BUF_INIT;
	size_t n = c->set.n_pipeline;
	int rc = EXIT_DONE, owner;

	if (c->diag.errors) {
		say_diag(c, &said, false);
		rc = EXIT_FAILED;
	} else if (c->o.check || c->o.print) {
		say_diag(c, &said, c->o.quiet);
		if (c->o.check && !c->o.quiet) {
			buf_str(&said, "dassie: ");
			spec_names(c, &said);
			buf_fmt(&said, ": %zu pipeline%s, no errors\n", n, n == 1 ? "" : "s");
		}
	} else if (format_check(err) < 0) {
		rc = talk_err(err);
	} else if ((owner = c->o.force ? 1 : check_owner(c->o.makefile, err)) <= 0) {
		if (owner == 0)
			buf_fmt(&said, "dassie: '%s' was not written by dassie; --force overwrites it, -o FILE writes another\n", c->o.makefile);
		rc = owner < 0 ? talk_err(err) : EXIT_FAILED;
	} else if (write_all(c, err) < 0) {
		say_diag(c, &said, false);
		rc = talk_err(err);
	} else if (c->changed || !c->o.quiet) {
		say_diag(c, &said, false);
		buf_add(&said, c->notes.s, c->notes.n);
		buf_fmt(&said, "dassie: compiled %zu pipeline%s from ", n, n == 1 ? "" : "s");
		spec_names(c, &said);
		buf_fmt(&said, ": %s %s\n", c->o.makefile, c->makefile_changed ? "written" : "unchanged");
	}
	talk_raw(said.s, said.n);
	buf_release(&said);
	if (c->o.print && rc == EXIT_DONE) {
		struct buf text = BUF_INIT;

		print_set(&text, &c->set);
		fwrite(text.s, 1, text.n, stdout);
		buf_release(&text);
		return talk_done(rc);
	}
	return rc;
}

static int
compile_run(struct compile *c)
{
	struct err err = ERR_INIT;
	bool missing;

	if (c->o.n_spec == 0) {
		c->o.spec[0] = readspec_default(&err);
		if (!c->o.spec[0])
			return talk_err(&err), EXIT_USAGE;
		c->o.n_spec = 1;
	}
	for (size_t i = 0; i < c->o.n_define; i++)
		if (!params_define(&c->set, c->o.define[i])) {
			talk("'-D %s': write -D NAME=VALUE", c->o.define[i]);
			return EXIT_USAGE;
		}
	if (readspec(&c->set, c->o.spec, c->o.n_spec, &c->files, &missing, &err) < 0) {
		talk_err(&err);
		return missing ? EXIT_USAGE : EXIT_WORLD;
	}
	return compile_set(c, &err);
}

int
verb_compile(int argc, char **argv)
{
	struct compile *c = xcalloc(1, sizeof *c);
	int rc = parse_options(&c->o, argc, argv);

	c->diag.a = c->set.a = &c->arena;
	c->set.d = &c->diag;
	c->set.nodes = &c->nodes;
	c->set.strict = c->o.strict;
	c->set.runtime = c->o.runtime;
	if (rc == EXIT_DONE && c->o.help) {
		fputs(usage, stdout);
		rc = talk_done(EXIT_DONE);
	} else if (rc == EXIT_DONE) {
		rc = compile_run(c);
	}
	free(c->set.pipeline);
	free(c->set.source);
	free((void *)c->set.passed);
	free(c->set.staged);
	free((void *)c->set.noted);
	free(c->files.v);
	free(c->set.define);
	free((void *)c->set.param);
	free((void *)c->o.define);
	free((void *)c->o.spec);
	stepdir_close(&c->steps);
	buf_release(&c->notes);
	buf_release(&c->text);
	buf_release(&c->spec);
	diag_release(&c->diag);
	arena_release(&c->nodes);
	arena_release(&c->arena);
	free(c);
	return rc;
}
