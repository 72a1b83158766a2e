/* paused.h: pipelines that are not to run until somebody says so: .dassie/paused/PIPELINE
 *
 *   dassie-paused 1
 *   since NS
 *   by USER
 *   why TEXT
 *
 * The file being there is what counts; what it says is for people. */
#ifndef RUNTIME_PAUSED_H
#define RUNTIME_PAUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct index;

bool paused_is(const char *pipeline);
/* 1 done, 0 it was so already, -1. */
int paused_set(const char *pipeline, const char *why, struct err *err);
int paused_clear(const char *pipeline, struct err *err);
/* "since 2026-11-22 07:00:59Z by ada: the disk is full", as much as is known. */
void paused_text(const char *pipeline, struct buf *b);
/* The paused pipeline that this repo, which has no commit yet, waits for, at whatever distance; NULL if there is none. */
const char *paused_behind(const struct index *x, const char *repo);

#endif
