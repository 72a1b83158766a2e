/* report.c: a person reads the last screen: so the failed datums come last, each with what to do. */
#include "report.h"

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/plan.h"
#include "../base/talk.h"
#include "ends.h"
#include "failure.h"
#include "gather.h"
#include "result.h"

enum { SHOWN = 3, ID_DIGITS = 12 };

static void
add_count(struct buf *b, uint64_t n, const char *what)
{
	if (n)
		buf_fmt(b, "%s%llu %s", b->n ? ", " : "", (unsigned long long)n, what);
}

static double
seconds_since(uint64_t ns)
{
	uint64_t now = time_now_ns();

	return now > ns ? (double)(now - ns) / 1e9 : 0;
}

void
report_success(const struct open_job *o, const struct gather *g, const struct oid *commit, bool moved)
{
	struct buf b = BUF_INIT;
	char hex[OID_HEX + 1];

	oid_hex(commit, hex);
	add_count(&b, g->processed, g->processed == 1 ? "datum ran" : "datums ran");
	add_count(&b, g->recovered, "recovered: without output, to be tried again");
	add_count(&b, g->n - g->processed - g->recovered, "skipped");
	talk("%s: %s (%.1f s); %s %.*s", o->pipeline, b.n ? b.s : "no datums", seconds_since(o->started),
	    moved ? "commit" : "unchanged, still commit", ID_DIGITS, hex);
	buf_release(&b);
}

void
report_datum(const struct oid *key)
{
	struct result r = RESULT_INIT;
	struct err err = ERR_INIT;

	if (result_read(&r, key, true, &err) == 1)
		failure_show(&r);
	result_release(&r);
}

void
report_failure(const struct open_job *o, const struct gather *g, const char *reason)
{
	struct buf b = BUF_INIT;
	uint64_t kept = g->n - g->failed - g->missing;

	if (reason[0]) {
		talk("%s: %s", o->pipeline, reason);
		return;
	}
	add_count(&b, kept, kept == 1 ? "has its result, which is kept" : "have their results, which are kept");
	add_count(&b, g->missing, "were not tried");
	talk("%s: %llu of %llu datums failed%s%s; the newest good output stays", o->pipeline, (unsigned long long)g->failed,
	    (unsigned long long)g->n, b.n ? ", " : "", b.n ? b.s : "");
	/* A run above shows them when all else is over. */
	for (size_t i = 0; i < g->failed && i < SHOWN && !ends_wanted(); i++)
		report_datum(&g->failure[i]);
	if (g->failed > SHOWN && !ends_wanted())
		talk("%s: and %llu more: dassie datums %s", o->pipeline, (unsigned long long)(g->failed - SHOWN), o->pipeline);
	buf_release(&b);
}
