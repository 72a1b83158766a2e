/* netmain.c: dassie-net: the part of dassie that talks to other machines, and the only one that links libcurl, whose loading
 * alone takes longer than most of what dassie does.  `dassie` starts it for the verbs below. */
#include <stddef.h>

#include "../base/helper.h"
#include "netverbs.h"

static const struct helper_verb verbs[] = {
	{ "egress", net_egress },
	{ "fetch", net_fetch },
	{ "notify", net_notify },
	{ "s3", net_s3 },
};

int
main(int argc, char **argv)
{
	return helper_main("dassie-net", "VERB", verbs, sizeof verbs / sizeof *verbs, argc, argv);
}
