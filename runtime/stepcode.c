/* stepcode.c: the same walk and the same cache as the scan's, for one pipeline. */
#include "stepcode.h"

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "codescan.h"
#include "filecache.h"
#include "images.h"

static int
list(const struct index_pipeline *p, struct arena *a, struct step_code **ret, size_t *ret_n, struct err *err)
{
	struct complaints missing = COMPLAINTS_INIT;
	struct images images = IMAGES_INIT;
	struct filecache cache;
	struct err second = ERR_INIT;
	char path[LAYOUT_MAX];
	int rc;

	filecache_open(&cache, layout_scan(path, ".code"), false);
	rc = images_read(&images, err);
	if (rc == 0)
		rc = codescan_files(&cache, &images, p, a, ret, ret_n, &missing, err);
	if (rc < 0 && cache.bad.n)
		err_set(err, 0, "%s", cache.bad.v[0]);
	else if (missing.n)
		rc = err_set(err, 0, "%s", missing.v[0]);
	complaints_release(&missing);
	images_release(&images);
	if (filecache_close(&cache, false, rc < 0 ? &second : err) < 0)
		rc = -1;
	return rc;
}

int
stepcode_list(const struct index *x, const char *pipeline, const struct oid *step, struct arena *a, struct step_code **ret,
              size_t *ret_n, struct err *err)
{
	const struct index_pipeline *p = index_find(x, pipeline);
	struct oid now;

	*ret_n = 0;
	if (!p)
		return err_set(err, 0, "it is no longer in the spec: run make again");
	if (list(p, a, ret, ret_n, err) < 0)
		return -1;
	step_hash(&p->script_id, *ret, *ret_n, &now);
	return oid_eq(&now, step) ? 0 : err_set(err, 0, "its code changed while make was running: run make again");
}
