/* helper.h: main of the programs that dassie starts for some of its verbs. */
#ifndef BASE_HELPER_H
#define BASE_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct helper_verb { const char *name; int (*run)(int argc, char **argv); };

/* The exit status of the verb that argv[1] names; --help and --version, too.  usage: what follows the program's name. */
int helper_main(const char *program, const char *usage, const struct helper_verb *v, size_t n, int argc, char **argv);

#endif
