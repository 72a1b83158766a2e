/* codecheck.c: somebody may save a script while its datums run.  What ran with the new text must not be kept under
 * the key of the old one, so every attempt is held between two looks at the files. */
#include "codecheck.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/plan.h"
#include "failure.h"

/* A file that changed within this time before it was hashed may change again without looking different. */
static const uint64_t RACY_NS = 1000000000;

void
codecheck_init(struct codecheck *c, const struct plan_code *code, size_t n)
{
	*c = (struct codecheck){ .code = code, .n = n, .seen = xcalloc(n, sizeof *c->seen) };
}

static bool
same(const struct codecheck_seen *a, const struct codecheck_seen *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime &&
	    a->exec == b->exec;
}

static bool
content_fits(const struct plan_code *code, const struct codecheck_seen *now)
{
	struct err err = ERR_INIT;
	struct oid id;
	int fd = open(code->path, O_RDONLY | O_CLOEXEC);
	bool fits = fd >= 0 && sha256_fd(fd, &id, NULL, &err) == 0 && oid_eq(&id, &code->id) && now->exec == code->exec;

	if (fd >= 0)
		close(fd);
	return fits;
}

static int
check_one(const struct plan_code *code, struct codecheck_seen *seen, bool begun, struct fault *fault)
{
	struct codecheck_seen now;
	struct stat st;

	if (stat(code->path, &st) < 0)
		return fault_set(fault, CLASS_CODE_CHANGED, "its code '%s' is gone (%s): run make again", code->path, strerror(errno));
	now = (struct codecheck_seen){ st.st_dev, st.st_ino, (uint64_t)st.st_size, fs_mtime_ns(&st), fs_ctime_ns(&st),
		(st.st_mode & S_IXUSR) != 0, 0 };
	if (begun && same(&now, seen) && seen->ctime + RACY_NS < seen->at)
		return 0;
	now.at = time_now_ns();
	if (!content_fits(code, &now))
		return fault_set(fault, CLASS_CODE_CHANGED, "its code '%s' changed while make was running: run make again",
		    code->path);
	*seen = now;
	return 0;
}

int
codecheck_now(struct codecheck *c, struct fault *fault)
{
	for (size_t i = 0; i < c->n; i++)
		if (strncmp(c->code[i].path, STEP_IMAGE, sizeof STEP_IMAGE - 1) && check_one(&c->code[i], &c->seen[i], c->begun, fault))
			return 1;
	c->begun = true;
	return 0;
}

void
codecheck_release(struct codecheck *c)
{
	free(c->seen);
	*c = (struct codecheck)CODECHECK_INIT;
}
