/* makerun.c: what `dassie run` and the ticks have in common.  A tick's make is a `dassie run` of its own, which tells what
 * happened and alerts whom the spec names. */
#include "makerun.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "child.h"

void
makerun_environment(const char *command, char ret_run[17])
{
	char self[PATH_MAX], hex[OID_HEX + 1];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	struct sha256 h;
	struct oid oid;

	if (n > 0) {
		self[n] = '\0';
		setenv("DASSIE", self, 0);
	}
	sha256_init(&h);
	sha256_field_u64(&h, time_now_ns());
	sha256_field_u64(&h, (uint64_t)getpid());
	sha256_final(&h, &oid);
	oid_hex(&oid, hex);
	snprintf(ret_run, 17, "%.16s", hex);
	setenv("DASSIE_RUN", ret_run, 1);
	setenv("DASSIE_COMMAND", command, 1);
}

const char *
makerun_jobs(const char *given, char ret[32])
{
	snprintf(ret, 32, "-j%s", given ? given : "");
	if (!given)
		snprintf(ret, 32, "-j%ld", sysconf(_SC_NPROCESSORS_ONLN));
	return ret;
}

int
makerun(const char *jobs, const char *const goal[], size_t n, struct err *err)
{
	const char **args = xcalloc(n + 8, sizeof *args);
	char jflag[32];
	size_t k = 0;
	int rc;

	args[k++] = "/proc/self/exe";
	args[k++] = "run";
	args[k++] = "--same-run";
	args[k++] = "--progress=plain";
	args[k++] = "-k";
	args[k++] = makerun_jobs(jobs, jflag);
	for (size_t i = 0; i < n; i++)
		args[k++] = goal[i];
	rc = child_run(args, -1, err);
	free(args);
	return rc;
}
