/* cronself.h: how a crontab or a unit is to call this dassie, and in which folder. */
#ifndef RUNTIME_CRONSELF_H
#define RUNTIME_CRONSELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/* The real path of the current folder, which is the project's. */
int cronself_project(struct buf *b, struct err *err);

/* An absolute path of this program: as PATH has it, if that leads here (a link there survives an update), else its own. */
int cronself_program(struct buf *b, struct err *err);

#endif
