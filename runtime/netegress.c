/* netegress.c: dassie-net egress: one pipeline's output to all of its places, one after the other; `dassie egress` starts it, and
 * holds the locks. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/talk.h"
#include "netverbs.h"
#include "place.h"
#include "push.h"

static int
push_to(const struct conf *c, size_t i, struct push *p, struct err *err)
{
	struct place place = PLACE_INIT;
	int rc = place_init(&place, c, i, err);

	p->place = &place;
	if (rc == 0)
		rc = push_place(p, err);
	place_release(&place);
	return rc;
}

static int
push_all(const char *pipeline, const struct push *how)
{
	struct conf c = CONF_INIT;
	struct err err = ERR_INIT;
	int status = EXIT_DONE;

	if (conf_read(&c, pipeline, &err) < 0)
		return talk_err(&err);
	for (size_t i = 0; i < c.n_egress; i++) {
		struct push p = *how;
		int rc = push_to(&c, i, &p, &err);

		if (rc < 0)
			status = EXIT_WORLD;
		else if (rc > 0 && status == EXIT_DONE)
			status = EXIT_FAILED;
	}
	conf_release(&c);
	return talk_done(status);
}

int
net_egress(int argc, char **argv)
{
	static const struct option options[] = {
		{ "commit", required_argument, NULL, 'c' }, { "when", required_argument, NULL, 'w' }, { "check", no_argument, NULL, 'k' },
		{ "dry-run", no_argument, NULL, 'n' }, { "verify", no_argument, NULL, 'v' }, { "all", no_argument, NULL, 'a' },
		{ "quiet", no_argument, NULL, 'q' }, { "json", no_argument, NULL, 'j' }, { NULL, 0, NULL, 0 },
	};
	struct push p = { .opt = { 0 } };
	bool commit = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		commit |= c == 'c' && oid_parse(optarg, &p.commit);
		if (c == 'w')
			p.when = strtoull(optarg, NULL, 10);
		p.opt.check |= c == 'k';
		p.opt.dry |= c == 'n';
		p.opt.verify |= c == 'v';
		p.opt.all |= c == 'a';
		p.opt.quiet |= c == 'q';
		p.opt.json |= c == 'j';
	}
	if (optind + 1 != argc || !commit) {
		talk("usage: dassie-net egress --commit=ID --when=NS PIPELINE   (called by 'dassie egress')");
		return EXIT_USAGE;
	}
	return push_all(argv[optind], &p);
}
