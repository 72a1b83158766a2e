/* heard.c: CLOCK_BOOTTIME counts a sleep of the machine, too, so a sleep is time that passed and no step. */
#include "heard.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/layout.h"
#include "../base/rec.h"

#define FILE_HEARD DIR_STATE "/heard"

struct heard { uint64_t wall, boot; bool same; };

static struct heard
last_time(void)
{
	struct recfile f = RECFILE_INIT;
	struct err ignored = ERR_INIT;
	struct heard h = { 0, 0, false };
	struct rec r;

	if (recfile_open(&f, FILE_HEARD, "heard", 1, &ignored) == 1)
		while (recfile_next(&f, &r))
			if (rec_is(&r, "clock", 4) && rec_get_u64(&r, 1, &h.wall) && rec_get_u64(&r, 2, &h.boot))
				h.same = strcmp(r.f[3], fs_boot_id()) == 0;
	recfile_release(&f);
	return h;
}

int64_t
heard_step(void)
{
	struct heard last = last_time();
	struct err ignored = ERR_INIT;
	struct buf b = BUF_INIT;
	struct timespec ts;
	uint64_t wall = time_now_ns(), boot;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	boot = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	rec_head(&b, "heard", 1);
	rec_word(&b, "clock");
	rec_u64(&b, wall);
	rec_u64(&b, boot);
	rec_str(&b, fs_boot_id());
	rec_end(&b);
	/* A full disk must not keep ticks from being decided. */
	(void)!fs_replace(FILE_HEARD, b.s, b.n, 0644, &ignored);
	buf_release(&b);
	if (!last.same || boot < last.boot)
		return 0;
	return ((int64_t)(wall - last.wall) - (int64_t)(boot - last.boot)) / 1000000000;
}
