/* confs.h: from the model to what the rest of dassie reads: base/conf.h's settings and index. */
#ifndef COMPILER_CONFS_H
#define COMPILER_CONFS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct conf;
struct conf_schedule;
struct index_pipeline;
struct pipeline;
struct schedule;
struct specset;
struct words;

/* Fill c for a pipeline; everything is the set's but the text of the spec, which is put into `spec` and must stay as long as
 * c.  `script` is the step's path, `found` the undeclared code files. */
void confs_make(struct specset *s, const struct pipeline *p, const char *script, const struct words *found, struct buf *spec,
                struct conf *c);

/* h NULL leaves c as it is. */
void confs_schedule(const struct schedule *h, struct conf_schedule *c);

#endif
