/* pattern.h: what `retry: {on: …, never: …}` lists. */
#ifndef COMPILER_PATTERN_H
#define COMPILER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct retry_rule;

enum { PATTERN_MSG = 512 };

/* "75": an exit code; "SIGTERM": a signal; anything else: a pattern, which is compiled to see whether it is one.
 * The rule keeps `text` itself.  false: msg says why not. */
bool retry_rule_of(const char *text, struct retry_rule *ret, char msg[PATTERN_MSG]);

#endif
