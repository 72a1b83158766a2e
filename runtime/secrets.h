/* secrets.h: the values of secrets, out of files of the user: DASSIE_SECRETS/NAME/KEY, else dassie/secrets/NAME/KEY in
 * XDG_CONFIG_HOME, else in ~/.config.  They go to the command and nowhere else. */
#ifndef RUNTIME_SECRETS_H
#define RUNTIME_SECRETS_H

#include "../base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct mask;

/* A key of a secret: v has n bytes, as they are in the file; text is the same without one newline at the end. */
struct secret_value { char *name, *key, *v, *text; size_t n; };

struct secrets { struct secret_value *v; size_t n, cap; };

#define SECRETS_INIT { 0 }

/* Read all that these uses need.  What is missing or open to others is named with the way out, all of it at once: -1. */
int secrets_load(struct secrets *s, const struct secret_uses *u, struct err *err);

/* The value of a key for a variable. */
const char *secrets_text(const struct secrets *s, const struct secret_use *u);

/* All values are to be masked. */
void secrets_mask(const struct secrets *s, struct mask *m);

/* The folder of a secret, absolute, appended to b.  -1: nothing says where secrets are. */
int secrets_path(struct buf *b, const char *name, struct err *err);

/* Values are overwritten before their memory is given back. */
void secrets_release(struct secrets *s);

#endif
