/* respec.c: make compiles a changed spec when it runs; but whether it is to run now is in the spec. So who asks for the
 * schedules brings them up to date first, as a make would, by what the index says the compiler was called with. The stat
 * cache is one of its own, .dassie/scan/.cron: in that of make the code files would be forgotten. */
#include "respec.h"

#include <unistd.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/layout.h"
#include "../base/lock.h"
#include "../base/talk.h"
#include "filecache.h"
#include "specscan.h"
#include "state.h"

static int
scan(const struct index *x, struct err *err)
{
	const struct specs s = { x->makefile, x->asked, x->n_asked, x->option, x->n_option };
	struct index fresh = INDEX_INIT;
	struct filecache c;
	char path[LAYOUT_MAX];
	int lock = lock_take(LOCK_SPECS, false, false, err), status;

	if (lock < 0)
		return talk_err(err);
	filecache_open(&c, layout_scan(path, ".cron"), false);
	status = specscan(&c, &s, &fresh);
	if (filecache_close(&c, status == EXIT_DONE, err) < 0 && status == EXIT_DONE)
		status = talk_err(err);
	close(lock);
	index_release(&fresh);
	return status;
}

int
respec(void)
{
	struct index x = INDEX_INIT;
	struct err err = ERR_INIT;
	int rc, status = EXIT_DONE;

	/* Who may only look sees what was compiled. */
	if (access(DIR_STATE, W_OK) < 0)
		return EXIT_DONE;
	rc = state_make(&err) < 0 ? -1 : index_read(&x, &err);
	if (rc < 0)
		status = talk_err(&err);
	else if (rc == 1)
		status = scan(&x, &err);
	index_release(&x);
	return status;
}
