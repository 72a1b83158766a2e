/* sshhome.h: what ssh keeps for its user: ~/.ssh/known_hosts and the keys that it would try by itself. */
#ifndef RUNTIME_SSHHOME_H
#define RUNTIME_SSHHOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { SSHHOME_KEYS = 3 };

struct sshhome {
	char *known_hosts;                  /* whether it is there or not */
	char *key[SSHHOME_KEYS]; size_t n;  /* those that can be read, in the order in which they are tried */
};

void sshhome_init(struct sshhome *s);
void sshhome_release(struct sshhome *s);
/* "'/home/me/.ssh/id_ed25519' and the agent": what we have to be let in by. */
void sshhome_tell(struct buf *b, const struct sshhome *s);

#endif
