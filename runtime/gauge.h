/* gauge.h: how all that dassie does is shown while it is under way: a bar, a rate over the last seconds, the time left. */
#ifndef RUNTIME_GAUGE_H
#define RUNTIME_GAUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { GAUGE_SAMPLES = 16 };

struct gauge { struct { uint64_t when, done; } sample[GAUGE_SAMPLES]; size_t n; };

/* So much was done by then (ns); taken once a second at most. */
void gauge_add(struct gauge *g, uint64_t now, uint64_t done);
/* A second, of late; 0 if it is too early to say. */
double gauge_rate(const struct gauge *g);

/* "[####----] ", as long as so many columns allow. */
void gauge_bar(struct buf *b, uint64_t over, uint64_t all, size_t columns);
/* "7s", "3m20s", "2h05m": what changes five times a second is not read. */
void gauge_seconds(struct buf *b, double seconds);

#endif
