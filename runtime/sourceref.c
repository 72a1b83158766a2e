/* sourceref.c: under the clock, as every ref. */
#include "sourceref.h"

#include "../base/err.h"
#include "../base/layout.h"
#include "../base/ref.h"

int
sourceref_move(const char *repo, const struct oid *id, uint64_t asof, struct err *err)
{
	struct ref old = REF_INIT, r = { .id = *id, .asof = asof };
	struct clock clock = CLOCK_INIT;
	char path[LAYOUT_MAX];
	int rc = ref_read(layout_ref(path, repo), &old, err);
	bool same = rc == 1 && oid_eq(&old.id, id);

	ref_release(&old);
	if (rc < 0 || same)
		return rc < 0 ? -1 : 0;
	rc = clock_lock(&clock, err);
	if (rc == 0)
		rc = ref_move(&clock, path, &r, err);
	clock_unlock(&clock);
	return rc < 0 ? -1 : 1;
}
