/* alarms.c: a list by due time: there are few, and most go to its front or its end. */
#include "alarms.h"

#include <stdlib.h>

#include "../base/mem.h"

struct alarm {
	uint64_t due;
	void (*fn)(void *ctx);
	void *ctx;
	struct alarm *next;
};

void
alarms_add(struct alarms *v, uint64_t due, void (*fn)(void *ctx), void *ctx)
{
	struct alarm *a = xcalloc(1, sizeof *a), **at = &v->first;

	*a = (struct alarm){ due, fn, ctx, NULL };
	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	a->next = *at;
	*at = a;
}

/* Those that are due are taken out first: one that sets another one does not keep us here. */
bool
alarms_run(struct alarms *v, uint64_t now)
{
	struct alarm *due = v->first, **end = &due;

	while (*end && (*end)->due <= now)
		end = &(*end)->next;
	v->first = *end;
	*end = NULL;
	if (!due)
		return false;
	while (due) {
		struct alarm *a = due;

		due = a->next;
		a->fn(a->ctx);
		free(a);
	}
	return true;
}

uint64_t
alarms_wait(const struct alarms *v, uint64_t now, uint64_t ms)
{
	if (!v->first || v->first->due >= now + ms)
		return ms;
	return v->first->due > now ? v->first->due - now : 0;
}

size_t
alarms_count(const struct alarms *v)
{
	size_t n = 0;

	for (const struct alarm *a = v->first; a; a = a->next)
		n++;
	return n;
}

void
alarms_release(struct alarms *v)
{
	for (struct alarm *a = v->first, *next; a; a = next) {
		next = a->next;
		free(a);
	}
	v->first = NULL;
}
