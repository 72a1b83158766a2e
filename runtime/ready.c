/* ready.c: each runner would find the same; said once, and before anything was tried, it is not taken for a fault of the datums. */
#include "ready.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/conf.h"
#include "../base/err.h"
#include "../base/talk.h"
#include "asuser.h"
#include "pfs.h"
#include "secretmount.h"
#include "secrets.h"
#include "strict.h"

static int
check_secrets(const struct conf *c, struct err *err)
{
	struct secrets s = SECRETS_INIT;
	int rc = secrets_load(&s, &c->secrets, err);
	char *project = getcwd(NULL, 0);

	if (rc == 0 && !c->runtime && secretmount_wanted(&c->secrets) && !(project && pfs_possible(project)))
		rc = secretmount_refuse(&c->secrets, err);
	free(project);
	secrets_release(&s);
	return rc;
}

static int
check_user(const struct conf *c, struct err *err)
{
	struct asuser as = ASUSER_INIT;
	int rc = asuser_find(&as, c->user, err);

	if (rc == 1)
		talk("%s: 'user: %s' has no effect: only root can run commands as somebody else", c->pipeline, c->user);
	asuser_release(&as);
	return rc < 0 ? -1 : 0;
}

static int
check_sandbox(const struct conf *c, struct err *err)
{
	char *project;
	int rc;

	if (c->sandbox && c->runtime)
		return err_set(err, 0, "%s: 'sandbox: strict' is for commands on this machine: in an image they would find the whole project, read-only; "
		    "compile with --runtime=host, or take 'sandbox' out", c->pipeline);
	project = c->sandbox ? getcwd(NULL, 0) : NULL;
	rc = c->sandbox && !(project && pfs_possible(project)) ? strict_refuse(c->pipeline, err) : 0;

	free(project);
	return rc;
}

int
ready_check(const struct conf *c, struct err *err)
{
	return check_secrets(c, err) < 0 || (!c->runtime && check_user(c, err) < 0) || check_sandbox(c, err) < 0 ? -1 : 0;
}
