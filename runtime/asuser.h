/* asuser.h: whom a command runs as (transform.user), where we are root. */
#ifndef RUNTIME_ASUSER_H
#define RUNTIME_ASUSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

struct asuser {
	bool set;                   /* another user than we are */
	uid_t uid;
	gid_t gid;
	gid_t *group; size_t n_group;   /* all it is in */
	char *name, *home;          /* of a number that no user has: that, and "/" */
};

#define ASUSER_INIT { 0 }

/* USER, USER:GROUP, names or numbers; a NULL or empty text is nobody else.  As another user than root only an unknown one is an
 * error: 1 then says that it has no effect, 0 else.  -1: no such user or group. */
int asuser_find(struct asuser *u, const char *text, struct err *err);

/* In the child that is to become the command: system calls only.  0 or -1 with errno. */
int asuser_become(const struct asuser *u);

/* A folder becomes the user's; nothing where it is nobody else. */
int asuser_give(const struct asuser *u, const char *path, struct err *err);

/* May the user read the file or folder, through links, too?  Always where it is nobody else. */
bool asuser_may_read(const struct asuser *u, const char *path);

void asuser_release(struct asuser *u);

#endif
