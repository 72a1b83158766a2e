/* helper.c: a helper has no help of its own: `dassie help VERB` asks its verbs. */
#include "helper.h"

#include <stdio.h>
#include <string.h>

#include "err.h"
#include "talk.h"

int
helper_main(const char *program, const char *usage, const struct helper_verb *v, size_t n, int argc, char **argv)
{
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fprintf(argc < 2 ? stderr : stdout, "usage: %s %s …\ndassie runs it; see dassie --help\n", program, usage);
		return talk_done(argc < 2 ? EXIT_USAGE : EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s " PACKAGE_VERSION "\n", program);
		return talk_done(EXIT_DONE);
	}
	for (size_t i = 0; i < n; i++)
		if (!strcmp(argv[1], v[i].name))
			return v[i].run(argc - 1, argv + 1);
	talk("unknown command '%s'", argv[1]);
	return EXIT_USAGE;
}
