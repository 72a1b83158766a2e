/* pushed.h: how the last push to a place ended: .dassie/egress/PIPELINE-ID.last, by which dassie-net tells dassie:
 *
 *   dassie-pushed 1
 *   pipeline P      url URL      commit HEX      state done|failed
 *   started NS      finished NS
 *   put N BYTES     sent          gone N   removed there      same N   that lay there already
 *   left N BYTES    not sent      reason TEXT                 "" or the first failure, lines
 */
#ifndef RUNTIME_PUSHED_H
#define RUNTIME_PUSHED_H

#include "../base/mem.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct place;

struct pushed {
	const char *pipeline, *url, *reason;
	struct oid commit;
	bool failed;
	uint64_t started, finished;
	uint64_t put, put_bytes, gone, same, left, left_bytes;
};

int pushed_write(const struct pushed *v, const struct place *p, struct err *err);
/* 1, 0 there is none, -1.  Texts go to the arena. */
int pushed_read(struct pushed *ret, const struct place *p, struct arena *a, struct err *err);

#endif
