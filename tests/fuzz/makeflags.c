/* makeflags.c: MAKEFLAGS, and a place in the history as people write it (REPO@COMMIT:PATH): what is read of it is in bounds. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mflags.h"
#include "../../runtime/repoarg.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct repoarg r;
	struct mflags m;
	const char *why = NULL;

	mflags_parse(&m, text, 3);
	want(m.jobs >= 1, "at least one slot");
	if (repoarg_parse(&r, text, &why)) {
		want(memchr(r.repo, '\0', sizeof r.repo) && memchr(r.commit, '\0', sizeof r.commit) &&
		    memchr(r.branch, '\0', sizeof r.branch), "its parts end");
		want(!r.path || (r.path >= text && r.path <= text + size), "the path lies in the argument");
	} else {
		want(why && why[0], "what is wrong is told");
	}
	free(text);
	return 0;
}
