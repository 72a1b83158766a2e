/* spec.c: YAML to the model.  Whatever the text: no crash, every error with a rendering; a text without errors has a long form
 * that compiles, and whose long form is itself. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/buf.h"
#include "../../base/conf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../base/mem.h"
#include "../../compiler/confs.h"
#include "../../compiler/diag.h"
#include "../../compiler/emit.h"
#include "../../compiler/print.h"
#include "../../compiler/readspec.h"
#include "../../compiler/spec.h"
#include "../../compiler/step.h"

#include <stdio.h>

static void
add_files(struct specset *s, struct buf *ret)
{
	static const char *spec[] = { "pipeline.yaml" };
	struct emit e = { "0", "Makefile", spec, 1, NULL, 0 };

	emit_makefile(ret, s, &e);
	for (size_t i = 0; i < s->n_pipeline; i++)
		step_script(ret, s, s->by_name[i]);
}

/* The text's long form and what is made of it, 1; 0: it has errors, *ret_said. */
static bool
compile(const char *text, size_t n, struct buf *ret_long, struct buf *ret_files, struct buf *ret_said)
{
	static const char *path[] = { "pipeline.yaml" };
	struct arena arena = ARENA_INIT, nodes = ARENA_INIT;
	struct diag d = DIAG_INIT;
	struct specset s = { .a = &arena, .d = &d, .nodes = &nodes };
	struct specfiles files = { 0 };
	struct err err = ERR_INIT;
	bool missing, good;

	fuzz_put(path[0], text, n);
	d.a = &arena;
	want(readspec(&s, path, 1, &files, &missing, &err) == 0, "a spec can be read");
	good = d.errors == 0;
	diag_render(&d, ret_said, true, false);
	want(good || ret_said->n, "errors are told");
	if (good) {
		print_set(ret_long, &s);
		add_files(&s, ret_files);
	}
	free(s.pipeline);
	free(s.source);
	free((void *)s.noted);
	free(s.define);
	free((void *)s.param);
	free(files.v);
	diag_release(&d);
	arena_release(&nodes);
	arena_release(&arena);
	return good;
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->s, b->s, a->n) == 0);
}

static void
show(const char *what, const struct buf *b)
{
	fprintf(stderr, "--- %s\n%.*s\n", what, (int)b->n, b->s ? b->s : "");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = BUF_INIT, two = BUF_INIT, files = BUF_INIT, again = BUF_INIT, said = BUF_INIT;

	fuzz_place();
	if (compile((const char *)data, size, &one, &files, &said)) {
		bool good;

		buf_reset(&said);
		good = compile(one.s ? one.s : "", one.n, &two, &again, &said);
		if (!good || !same(&one, &two) || !same(&files, &again)) {
			show("the long form", &one);
			show("its long form", &two);
			show("said of it", &said);
			if (good && same(&one, &two)) {
				show("files", &files);
				show("its files", &again);
			}
		}
		want(good, "the long form compiles");
		want(same(&one, &two), "the long form of a long form is itself");
		want(same(&files, &again), "the long form compiles to the same Makefile and steps");
	}
	buf_release(&one);
	buf_release(&two);
	buf_release(&files);
	buf_release(&again);
	buf_release(&said);
	return 0;
}
