/* main.c: dassie-compile: the half of dassie that reads specs.  `dassie compile`, `dassie glob` and the stages'
 * planning start it; it runs no command of the user's and knows no database. */
#include <stdio.h>
#include <string.h>

#include "../base/err.h"
#include "../base/talk.h"
#include "verbs.h"

static const struct { const char *name; int (*run)(int, char **); } verbs[] = {
	{ "compile", verb_compile },
	{ "glob", verb_glob },
	{ "match", verb_match },
	{ "plan", verb_plan },
	{ "schema", verb_schema },
	{ "datums", verb_datums_of },
};

int
main(int argc, char **argv)
{
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs("usage: dassie-compile compile|glob|match|plan|schema|datums …\ndassie runs it; see dassie --help\n", argc < 2 ? stderr : stdout);
		return talk_done(argc < 2 ? EXIT_USAGE : EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("dassie-compile " PACKAGE_VERSION);
		return talk_done(EXIT_DONE);
	}
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	talk("unknown command '%s'", argv[1]);
	return EXIT_USAGE;
}
