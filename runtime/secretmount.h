/* secretmount.h: secrets as files of the command, in the memory of its own mount namespace. */
#ifndef RUNTIME_SECRETMOUNT_H
#define RUNTIME_SECRETMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct secret_uses;
struct secrets;

/* After pfs_enter, before pfs_show: each mount_path is a read-only folder with a file (0400) a key, all of them this user's. */
int secretmount(const struct secrets *s, const struct secret_uses *u, const char *project, uid_t uid, gid_t gid, struct err *err);

/* Where there are no mount namespaces of our own: why not, and what else to do. Returns -1. */
int secretmount_refuse(const struct secret_uses *u, struct err *err);

/* Is any of them to be files? */
bool secretmount_wanted(const struct secret_uses *u);

#endif
