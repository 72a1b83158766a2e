/* croncmd.c: `dassie cron WHAT`: which sub-command it is. What each does is in a file of its own. */
#include "croncmd.h"

#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/talk.h"
#include "show.h"
#include "verbs.h"

struct sub {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis, *text;    /* text NULL: plumbing */
};

static const struct sub subs[] = {
	{ "next", cron_next, "[-n N] [PIPELINE]", "when schedules run next" },
	{ "history", cron_history, "[-n N] [PIPELINE]", "what was decided of the times behind us" },
	{ "fire", cron_fire, "", "run what is due now; what the crontab's entry calls" },
	{ "install", cron_install, "[--systemd] [--print]", "have the crontab (or systemd) call dassie every minute" },
	{ "remove", cron_remove, "[PROJECT]", "take that out again" },
	{ "list", cron_list, "[--json]", "the projects of yours that are called" },
	{ "status", cron_status, "[--json]", "is this project called; last and next times" },
	{ "entry", cron_entry, NULL, NULL },
};

enum { N_SUBS = sizeof subs / sizeof *subs };

static int
help(bool asked)
{
	struct buf b = BUF_INIT;
	int status;

	buf_str(&b, "usage: dassie cron WHAT …\n\nRuns pipelines on their schedules: cron inputs, and 'schedule' in the spec. The user's own crontab (or\n"
	    "systemd) is the clock; what is due, and what was decided of each instant, is dassie's.\n\n");
	for (size_t i = 0; i < N_SUBS; i++)
		if (subs[i].text)
			buf_fmt(&b, "    %s%s%-*s%s\n", subs[i].name, *subs[i].synopsis ? " " : "",
			    (int)(30 - strlen(subs[i].name) - (*subs[i].synopsis ? 1 : 0)), subs[i].synopsis, subs[i].text);
	buf_str(&b, "\n'dassie cron WHAT --help' tells more.\n");
	status = show_usage(b.s, asked);
	buf_release(&b);
	return status;
}

int
verb_cron(int argc, char **argv)
{
	if (argc < 2)
		return help(false);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(true);
	for (size_t i = 0; i < N_SUBS; i++)
		if (strcmp(argv[1], subs[i].name) == 0)
			return subs[i].run(argc - 1, argv + 1);
	talk("there is no 'cron %s'; 'dassie cron --help' lists what there is", argv[1]);
	return EXIT_USAGE;
}
