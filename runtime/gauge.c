/* gauge.c: the rate is that of the last quarter of a minute: what was true an hour ago says little of the time left. */
#include "gauge.h"

#include <string.h>

#include "../base/buf.h"

static const uint64_t SECOND = 1000000000;

void
gauge_add(struct gauge *g, uint64_t now, uint64_t done)
{
	if (g->n && now < g->sample[g->n - 1].when + SECOND)
		return;
	if (g->n == GAUGE_SAMPLES) {
		memmove(g->sample, g->sample + 1, (GAUGE_SAMPLES - 1) * sizeof *g->sample);
		g->n--;
	}
	g->sample[g->n].when = now;
	g->sample[g->n++].done = done;
}

double
gauge_rate(const struct gauge *g)
{
	size_t last = g->n ? g->n - 1 : 0;
	uint64_t ns = g->sample[last].when - g->sample[0].when, done = g->sample[last].done - g->sample[0].done;

	return ns && g->sample[last].done > g->sample[0].done ? (double)done * 1e9 / (double)ns : 0;
}

void
gauge_bar(struct buf *b, uint64_t over, uint64_t all, size_t columns)
{
	size_t wide = columns >= 100 ? 30 : columns >= 70 ? 16 : 8, full = all ? (size_t)(wide * over / all) : wide;

	buf_byte(b, '[');
	for (size_t i = 0; i < wide; i++)
		buf_byte(b, i < full ? '#' : '-');
	buf_str(b, "] ");
}

void
gauge_seconds(struct buf *b, double seconds)
{
	unsigned long long s = (unsigned long long)(seconds + 0.5);

	if (s < 60)
		buf_fmt(b, "%llus", s);
	else if (s < 3600)
		buf_fmt(b, "%llum%02llus", s / 60, s % 60);
	else if (s < 100 * 3600)
		buf_fmt(b, "%lluh%02llum", s / 3600, s / 60 % 60);
	else
		buf_fmt(b, "%llu days", s / 86400);
}
