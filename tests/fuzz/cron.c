/* cron.c: cron expressions, durations, times: the parser's fault lies in the text, a walk goes forward and ends. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/cron.h"
#include "../../base/cronnext.h"
#include "../../base/duration.h"
#include "../../base/err.h"
#include "../../base/zone.h"

enum { STEPS = 20 };

static void
walk(const struct cron_expr *c, const char *zone)
{
	struct zone z = ZONE_INIT;
	struct err err = ERR_INIT;
	struct cron_walk w;
	struct cron_instant i;
	int64_t last = 1774659600;      /* 2026-03-28, before the clocks change */

	if (zone_open(&z, zone, &err) != 1)
		return;
	cron_walk(&w, c, &z, 0, last);
	for (unsigned n = 0; n < STEPS && cron_walk_next(&w, &i); n++) {
		want(i.how == CRON_DROPPED || i.at > last, "instants ascend");
		if (i.how != CRON_DROPPED)
			last = i.at;
	}
	zone_release(&z);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), shown[32];
	struct cron_expr c = { 0 };
	struct cron_fault fault = { 0 };
	enum cron_overlap overlap;
	uint64_t max;
	int64_t ns, at, again;
	bool bare;

	if (cron_parse(text, &c, &fault)) {
		want(c.kind != CRON_EVERY || c.every >= 1, "@every is at least a second");
		walk(&c, "UTC");
		walk(&c, "Europe/Berlin");
	} else {
		want(fault.text[0] && memchr(fault.text, '\0', sizeof fault.text), "what is wrong is told");
		want(fault.at <= strlen(text) && fault.n <= strlen(text) - fault.at + 1, "the fault lies in the text");
	}
	if (duration_parse(text, &ns, &bare))
		want(ns >= 0, "a duration is not negative");
	if (cron_time(text, &at)) {
		cron_time_text(shown, at);
		want(cron_time(shown, &again) && again == at, "a time's text is that time");
	}
	cron_missed(text, &max);
	cron_overlap(text, &overlap);
	free(text);
	return 0;
}
