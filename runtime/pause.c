/* pause.c: `dassie pause` and `dassie resume`. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/talk.h"
#include "paused.h"
#include "show.h"
#include "state.h"
#include "verbs.h"

static const char pause_usage[] =
    "usage: dassie pause [--why TEXT] [PIPELINE…]\n\n"
    "A paused pipeline is not run, by make, by 'dassie run' or by its schedule, until 'dassie resume' says so: its stage says so and\n"
    "succeeds, what reads it sees its newest output, and its ticks are recorded as paused. What runs now comes to its end.\n"
    "Without a pipeline: lists those that are paused.\n\n"
    "    --why TEXT    is shown wherever it is told\n";

static const char resume_usage[] =
    "usage: dassie resume PIPELINE…\n\n"
    "The pipelines are run again, with the next make and the next tick. 'dassie backfill' makes up for ticks that were recorded as\n"
    "paused.\n";

static int
list(const struct index *x)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < x->n_pipeline; i++)
		if (paused_is(x->pipeline[i].name)) {
			buf_fmt(&b, "%s  ", x->pipeline[i].name);
			paused_text(x->pipeline[i].name, &b);
			buf_byte(&b, '\n');
		}
	return show_out(&b, EXIT_DONE);
}

static int
names_ok(const struct index *x, int argc, char **argv)
{
	int bad = 0;

	for (int i = optind; i < argc; i++)
		if (!index_find(x, argv[i])) {
			talk("there is no pipeline '%s'; 'dassie graph' shows which there are", argv[i]);
			bad++;
		}
	return bad ? -1 : 0;
}

static int
each(const struct index *x, int argc, char **argv, bool pause, const char *why, struct err *err)
{
	if (names_ok(x, argc, argv) < 0)
		return EXIT_USAGE;
	if (optind == argc)
		return list(x);
	for (; optind < argc; optind++) {
		int rc = pause ? paused_set(argv[optind], why, err) : paused_clear(argv[optind], err);

		if (rc < 0)
			return talk_err(err);
		if (rc == 0)
			talk(pause ? "%s: is paused already" : "%s: is not paused", argv[optind]);
		else
			talk(pause ? "%s: paused; 'dassie resume %s' ends that" : "%s: runs again", argv[optind], argv[optind]);
	}
	return EXIT_DONE;
}

static int
run(int argc, char **argv, bool pause)
{
	static const struct option options[] = { { "why", required_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	const char *why = NULL, *usage = pause ? pause_usage : resume_usage;
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	int c, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'w' || !pause)
			return show_usage(usage, c == 'h');
		why = optarg;
	}
	if (!pause && optind == argc)
		return show_usage(usage, false);
	if (state_find(NULL, &err) < 0 || (rc = index_read(&x, &err)) < 0)
		return talk_err(&err);
	if (rc == 0)
		talk("nothing is compiled here: 'dassie compile' does");
	rc = rc == 0 ? EXIT_WORLD : each(&x, argc, argv, pause, why, &err);
	index_release(&x);
	return rc;
}

int
verb_pause(int argc, char **argv)
{
	return run(argc, argv, true);
}

int
verb_resume(int argc, char **argv)
{
	return run(argc, argv, false);
}
