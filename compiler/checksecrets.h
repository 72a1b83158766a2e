/* checksecrets.h: transform.secrets. */
#ifndef COMPILER_CHECKSECRETS_H
#define COMPILER_CHECKSECRETS_H

#include <stdbool.h>
#include <stddef.h>

struct objs;
struct secret_uses;
struct specset;
struct transform;

/* Names, variables and folders are such that they can be had, and nothing is lost behind one.  inputs: the inputs' names. */
bool check_secrets(struct specset *s, const struct transform *t, const char *const *inputs, size_t n_inputs);

/* As a P.conf has them; texts stay the set's. */
void secrets_of(const struct objs *secrets, struct secret_uses *ret);

#endif
