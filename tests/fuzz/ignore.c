/* ignore.c: .dassieignore: rules, an empty line, then paths. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../runtime/ignore.h"

enum { SECONDS = 10 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *paths = strstr(text, "\n\n"), *line, *rest;
	size_t n = paths ? (size_t)(paths - text) + 1 : size;
	struct ignore *outer = ignore_parse(text, n, NULL, 0), *inner = ignore_parse(text, n, outer, 2);

	for (line = paths ? strtok_r(paths, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
		clock_t t = clock();
		bool file = ignore_match(outer, line, false), dir = ignore_match(outer, line, true);

		want(ignore_match(outer, line, false) == file && ignore_match(outer, line, true) == dir, "the same again");
		ignore_covers(outer, line);
		if (!strncmp(line, "x/", 2))
			ignore_match(inner, line, false);
		want(clock() - t < (clock_t)SECONDS * CLOCKS_PER_SEC, "a match is quick");
	}
	ignore_free(inner);
	ignore_free(outer);
	free(text);
	return 0;
}
