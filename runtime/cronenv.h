/* cronenv.h: what the crontab's entry finds in the project: the environment to run in, and when it was called last. */
#ifndef RUNTIME_CRONENV_H
#define RUNTIME_CRONENV_H

#include "../base/layout.h"
#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define DIR_CRON DIR_STATE "/cron"
#define FILE_CRON_ENV DIR_CRON "/environment"
#define FILE_CRON_LOG DIR_CRON "/log"

enum { CRONENV_MAX = 64 };

struct cronenv {
	struct arena arena;         /* owns everything below */
	const char *project, *program;
	const char *name[CRONENV_MAX], *value[CRONENV_MAX];
	size_t n;
};

#define CRONENV_INIT { .arena = ARENA_INIT }

/* The environment of now, as the file has it (the format is at the top of cronenv.c): what every entry needs, and the
 * variables `name`. -1 if one of those is not set. */
int cronenv_write(struct buf *b, const char *project, const char *program, const char *const *name, size_t n, struct err *err);
/* 1 read, 0 there is none, -1. */
int cronenv_read(struct cronenv *e, struct err *err);
void cronenv_release(struct cronenv *e);
/* Make it this process's. e may be empty: then a PATH that usually works. */
void cronenv_set(const struct cronenv *e);

/* Secrets that this shell has and no file will: their names, "" if there is none. */
void cronenv_secrets(struct buf *b);

/* When the entry was called last (ns, 0: never), and its note of now. */
uint64_t cronenv_called(void);
int cronenv_note_call(uint64_t now, struct err *err);

#endif
