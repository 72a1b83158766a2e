/* fire.c: `dassie cron fire`: what is due now is run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/talk.h"
#include "child.h"
#include "croncmd.h"
#include "show.h"
#include "state.h"

static const char usage[] =
    "usage: dassie cron fire\n\n"
    "Runs what is due now, and ends. The entry that 'dassie cron install' makes calls it, in the project's folder, every minute.\n";

int
cron_fire(int argc, char **argv)
{
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	int rc;

	if (argc > 1)
		return show_usage(usage, strcmp(argv[1], "--help") == 0);
	if (state_find(NULL, &err) < 0 || (rc = index_read(&x, &err)) < 0)
		return talk_err(&err);
	rc = child_run((const char *const[]){ GNU_MAKE, "-k", "-f", rc == 1 ? x.makefile : "Makefile", NULL }, -1, &err);
	index_release(&x);
	return rc < 0 ? talk_err(&err) : rc == 0 ? EXIT_DONE : EXIT_FAILED;
}
