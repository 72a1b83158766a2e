/* netmain.c: dassie-net: the part of dassie that talks to other machines, and the only one that links libcurl, whose loading
 * alone takes longer than most of what dassie does.  `dassie` starts it for the verbs below. */
#include <stdio.h>
#include <string.h>

#include "../base/err.h"
#include "../base/talk.h"
#include "netverbs.h"

static const struct { const char *name; int (*run)(int, char **); } verbs[] = {
	{ "egress", net_egress },
	{ "fetch", net_fetch },
	{ "notify", net_notify },
	{ "s3", net_s3 },
};

int
main(int argc, char **argv)
{
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs("usage: dassie-net VERB …\ndassie runs it; see dassie --help\n", argc < 2 ? stderr : stdout);
		return talk_done(argc < 2 ? EXIT_USAGE : EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("dassie-net " PACKAGE_VERSION);
		return talk_done(EXIT_DONE);
	}
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	talk("unknown command '%s'", argv[1]);
	return EXIT_USAGE;
}
