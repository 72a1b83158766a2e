/* sshhome.c: libcurl looks for id_rsa alone, and offers one key a connection; so the keys are found here, and tried in turn by who
 * connects.  ~/.ssh/config is not read. */
#include "sshhome.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/buf.h"

static char *
in_home(const char *name)
{
	const char *home = getenv("HOME");
	const struct passwd *pw = home && *home ? NULL : getpwuid(getuid());
	struct buf b = BUF_INIT;

	buf_fmt(&b, "%s/.ssh/%s", pw ? pw->pw_dir : home ? home : "", name);
	return buf_detach(&b);
}

/* The newer kinds first: an old libssh2 signs with RSA in a way that servers of today refuse. */
void
sshhome_init(struct sshhome *s)
{
	static const char *const names[SSHHOME_KEYS] = { "id_ed25519", "id_ecdsa", "id_rsa" };

	*s = (struct sshhome){ .known_hosts = in_home("known_hosts") };
	for (size_t i = 0; i < SSHHOME_KEYS; i++) {
		char *path = in_home(names[i]);

		if (access(path, R_OK) == 0)
			s->key[s->n++] = path;
		else
			free(path);
	}
}

void
sshhome_release(struct sshhome *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->key[i]);
	free(s->known_hosts);
	*s = (struct sshhome){ .n = 0 };
}

void
sshhome_tell(struct buf *b, const struct sshhome *s)
{
	const char *agent = getenv("SSH_AUTH_SOCK");

	for (size_t i = 0; i < s->n; i++)
		buf_fmt(b, "%s'%s'", i ? ", " : "", s->key[i]);
	if (agent && *agent)
		buf_str(b, s->n ? " and the agent" : "the agent");
	else if (s->n == 0)
		buf_str(b, "nothing: there is no key in ~/.ssh, and no agent");
}
