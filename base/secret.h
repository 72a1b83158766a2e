/* secret.h: which secrets a command gets and where it finds them: names, never values.  In P.conf and in a plan's head:
 *
 *   secret NAME KEY ENV MOUNT    ENV: the variable that holds KEY's value, "" none; MOUNT: the folder that holds each key as a
 *                                file, "" none
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct rec;

struct secret_use { const char *name, *key, *env, *mount; };
struct secret_uses { struct secret_use *v; size_t n, cap; };

#define SECRET_USES_INIT { 0 }

void secret_uses_add(struct secret_uses *u, const struct secret_use *one);
void secret_uses_write(struct buf *b, const struct secret_uses *u);
/* Take in one of these lines; texts go to the arena.  1 taken, 0 another line, -1 malformed. */
int secret_uses_read(struct secret_uses *u, struct arena *a, const struct rec *r);
void secret_uses_release(struct secret_uses *u);

/* What the name of a secret and of a key may be: letters, digits, '.', '_' and '-', at most 253; not "." and not "..…". */
bool secret_name_ok(const char *name);

#endif
