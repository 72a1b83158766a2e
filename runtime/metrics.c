/* metrics.c: `dassie metrics`: the index and the state of the refs in Prometheus' text format 0.0.4, to stdout or, for
 * node_exporter's textfile collector, to a file that is replaced in one step. */
#include <getopt.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "measure.h"
#include "query.h"
#include "show.h"
#include "stale.h"
#include "state.h"
#include "verbs.h"

static const char usage[] =
    "usage: dassie metrics [-o FILE]\n\n"
    "Jobs, datums, durations, bytes, retries and last successes of each pipeline, as Prometheus reads\n"
    "them: on stdout, or in FILE, which is replaced in one step. For node_exporter, after each run or\n"
    "from cron: dassie metrics -o /var/lib/node_exporter/textfile/dassie.prom\n\n"
    "    -o FILE    write it there; node_exporter wants a name that ends with .prom\n";

static void
add_states(struct buf *b, const struct stale *s, size_t n, const char *name, const char *help, enum stale_state state)
{
	if (n)
		measure_family(b, name, "gauge", help);
	for (size_t i = 0; i < n; i++) {
		buf_str(b, name);
		measure_label(b, "pipeline", s[i].pipeline);
		buf_fmt(b, "} %d\n", s[i].state == state);
	}
}

static int
metrics(struct buf *b, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct index x = INDEX_INIT;
	struct query *q = NULL;
	struct stale *s;
	int rc = index_read(&x, err);

	measure_family(b, "dassie_info", "gauge", "The program that wrote this.");
	buf_str(b, "dassie_info");
	measure_label(b, "version", PACKAGE_VERSION);
	buf_str(b, "} 1\n");
	if (rc == 1 && (rc = query_open(&q, err)) >= 0 && (rc = stale_all(q, &a, &x, &s, err)) == 0) {
		add_states(b, s, x.n_pipeline, "dassie_pipeline_up_to_date", "1 if nothing has to run, as of the last scan.", STALE_NO);
		add_states(b, s, x.n_pipeline, "dassie_pipeline_running", "1 while a job of it runs.", STALE_RUNNING);
	}
	query_close(q);
	index_release(&x);
	arena_release(&a);
	return rc < 0 || measure_index(b, err) < 0 ? -1 : 0;
}

int
verb_metrics(int argc, char **argv)
{
	static const struct option options[] = { { "output", required_argument, NULL, 'o' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	struct buf b = BUF_INIT, path = BUF_INIT;
	struct err err = ERR_INIT;
	const char *file = NULL;
	int c, rc;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c != 'o')
			return show_usage(usage, c == 'h');
		file = optarg;
	}
	if (optind != argc)
		return show_usage(usage, false);
	rc = state_find(&path, &err);
	if (rc == 0)
		rc = metrics(&b, &err);
	if (rc == 0 && file) {
		if (file[0] == '/')
			buf_reset(&path);
		buf_str(&path, file);
		rc = fs_replace(path.s, b.s, b.n, 0644, &err);
		buf_reset(&b);
	}
	buf_release(&path);
	return rc < 0 ? (buf_release(&b), show_err(&err)) : show_out(&b, EXIT_DONE);
}
