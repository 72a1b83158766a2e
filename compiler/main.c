/* main.c: dassie-compile: the half of dassie that reads specs.  `dassie compile`, `dassie glob` and the stages'
 * planning start it; it runs no command of the user's and knows no database. */
#include <stddef.h>

#include "../base/helper.h"
#include "verbs.h"

static const struct helper_verb verbs[] = {
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
	return helper_main("dassie-compile", "compile|glob|match|plan|schema|datums", verbs, sizeof verbs / sizeof *verbs, argc, argv);
}
