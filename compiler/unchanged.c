/* unchanged.c: what compile writes is made of the specs' bytes, its options and itself, and of nothing else.  The index says which
 * bytes those were, and is written last: so where it fits, and all that was written is older than it, writing it all
 * again would give the same.  A compiler that is newer than the index counts as another one whatever its version says. */
#include "unchanged.h"

#include <string.h>
#include <sys/stat.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/layout.h"

static bool
same_specs(const struct index *a, const struct index *b)
{
	bool same = a->n_spec == b->n_spec;

	for (size_t i = 0; same && i < a->n_spec; i++)
		same = a->spec[i].included == b->spec[i].included && oid_eq(&a->spec[i].id, &b->spec[i].id) && strcmp(a->spec[i].path, b->spec[i].path) == 0;
	return same;
}

/* There, a file, and older than the index: of the same moment may be what was written after it. */
static bool
untouched(const char *path, uint64_t since)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && fs_mtime_ns(&st) < since;
}

bool
unchanged(const struct index *now, struct index *then)
{
	struct err ignored = ERR_INIT;
	char path[LAYOUT_MAX];
	struct stat st;
	uint64_t since;
	bool same;

	if (index_read(then, &ignored) != 1)
		return false;
	if (strcmp(now->compiler, then->compiler) || strcmp(now->makefile, then->makefile) || stat(FILE_INDEX, &st) < 0)
		return false;
	since = fs_mtime_ns(&st);
	same = index_same_words(now->option, now->n_option, then->option, then->n_option) &&
	    index_same_words(now->asked, now->n_asked, then->asked, then->n_asked) && same_specs(now, then) && untouched("/proc/self/exe", since) &&
	    untouched(now->makefile, since);
	for (size_t i = 0; same && i < then->n_pipeline; i++)
		same = untouched(then->pipeline[i].script, since) && untouched(layout_conf(path, then->pipeline[i].name), since);
	return same;
}
