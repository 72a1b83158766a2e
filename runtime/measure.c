/* measure.c: one statement a family, each stepped to its end before the next begins: a reader of a large index stands in
 * nobody's way.  Counters count what is on record: after `fsck --rebuild` they are the same again.
 *
 * A retry's class is that of the attempt before it. */
#include "measure.h"

#include <stdio.h>

#include <sqlite3.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "migrations.h"

enum { LABELS = 2, BUCKETS = 9 };

struct family {
	const char *name, *type, *help;
	const char *label[LABELS];      /* the first columns */
	const char *sql;                /* the last column is the value */
};

#define BY_JOB " FROM job JOIN repo ON repo.id = job.repo"
#define BY_ATTEMPT " FROM attempt JOIN job ON job.id = attempt.job JOIN repo ON repo.id = job.repo"
#define NEWEST_JOB "(SELECT max(started) FROM job AS j WHERE j.repo = job.repo)"
/* Attempts of before the class was recorded of each have none. */
#define CLASS "CASE WHEN a.class <> '' THEN a.class WHEN a.signal > 0 THEN 'signal' WHEN a.exit = 75 THEN 'temporary' WHEN a.exit = 126 THEN 'not executable'" \
	" WHEN a.exit = 127 THEN 'command not found' WHEN a.exit = 0 THEN 'bad output' ELSE 'exit status' END"

static const struct family families[] = {
	{ "dassie_jobs_total", "counter", "Jobs that ended.", { "pipeline", "state" },
	    "SELECT repo.name, state, count(*)" BY_JOB " GROUP BY 1, 2" },
	{ "dassie_datums_total", "counter", "Datums of jobs by what became of them.", { "pipeline", "result" },
	    "SELECT repo.name, 'failed', sum(failed)" BY_JOB " GROUP BY 1 UNION ALL"
	    " SELECT repo.name, 'processed', sum(processed)" BY_JOB " GROUP BY 1 UNION ALL"
	    " SELECT repo.name, 'recovered', sum(recovered)" BY_JOB " GROUP BY 1 UNION ALL"
	    " SELECT repo.name, 'skipped', sum(skipped)" BY_JOB " GROUP BY 1 ORDER BY 1, 2" },
	{ "dassie_datum_failures_total", "counter", "Datums whose every attempt failed, by the class of the failure.", { "pipeline", "class" },
	    "SELECT repo.name, class, count(*) FROM failure JOIN job ON job.id = failure.job JOIN repo ON repo.id = job.repo"
	    " WHERE class <> 'recovered' GROUP BY 1, 2" },
	{ "dassie_retries_total", "counter", "Attempts after the first one, by how the one before ended.", { "pipeline", "class" },
	    "SELECT repo.name, " CLASS ", count(*) FROM attempt AS b JOIN attempt AS a ON a.job = b.job AND a.datum = b.datum AND"
	    " a.n = b.n - 1 JOIN job ON job.id = b.job JOIN repo ON repo.id = job.repo WHERE b.n > 1 GROUP BY 1, 2" },
	{ "dassie_input_bytes_total", "counter", "Bytes that attempts were shown.", { "pipeline" },
	    "SELECT repo.name, sum(in_bytes)" BY_ATTEMPT " GROUP BY 1" },
	{ "dassie_output_bytes_total", "counter", "Bytes that attempts wrote.", { "pipeline" },
	    "SELECT repo.name, sum(out_bytes)" BY_ATTEMPT " GROUP BY 1" },
	{ "dassie_cpu_seconds_total", "counter", "Processor time of attempts.", { "pipeline" },
	    "SELECT repo.name, sum(utime_us + stime_us) / 1e6" BY_ATTEMPT " GROUP BY 1" },
	{ "dassie_max_resident_bytes", "gauge", "The most memory that an attempt of the newest job took.", { "pipeline" },
	    "SELECT repo.name, max(maxrss_kb) * 1024" BY_ATTEMPT " WHERE job.started = " NEWEST_JOB " GROUP BY 1" },
	{ "dassie_last_job_timestamp_seconds", "gauge", "When the newest job ended.", { "pipeline" },
	    "SELECT repo.name, max(finished) / 1e9" BY_JOB " GROUP BY 1" },
	{ "dassie_last_success_timestamp_seconds", "gauge", "When the newest successful job ended.", { "pipeline" },
	    "SELECT repo.name, max(finished) / 1e9" BY_JOB " WHERE state = 'success' GROUP BY 1" },
	{ "dassie_last_job_success", "gauge", "1 if the newest job succeeded.", { "pipeline" },
	    "SELECT repo.name, max(state = 'success')" BY_JOB " WHERE started = " NEWEST_JOB " GROUP BY 1" },
	{ "dassie_last_job_duration_seconds", "gauge", "How long the newest job took.", { "pipeline" },
	    "SELECT repo.name, max(finished - started) / 1e9" BY_JOB " WHERE started = " NEWEST_JOB " GROUP BY 1" },
	{ "dassie_repo_bytes", "gauge", "Size of a repo's newest commit.", { "repo" },
	    "SELECT repo.name, bytes FROM commits JOIN repo ON repo.id = commits.repo WHERE job IS NOT NULL AND"
	    " time = (SELECT max(time) FROM commits AS c WHERE c.repo = commits.repo) GROUP BY 1" },
	{ "dassie_repo_files", "gauge", "Files of a repo's newest commit.", { "repo" },
	    "SELECT repo.name, files FROM commits JOIN repo ON repo.id = commits.repo WHERE job IS NOT NULL AND"
	    " time = (SELECT max(time) FROM commits AS c WHERE c.repo = commits.repo) GROUP BY 1" },
};

/* Of attempts in microseconds, of jobs in nanoseconds: the unit is the statement's. */
struct histogram {
	const char *name, *help;
	const char *le[BUCKETS];        /* up to a NULL, as they are printed */
	const char *value;              /* SQL, seconds */
	const char *from;
};

static const struct histogram histograms[] = {
	{ "dassie_attempt_duration_seconds", "How long attempts at datums took.",
	    { "0.01", "0.1", "0.5", "1", "10", "60", "600", "3600", NULL }, "us / 1e6", BY_ATTEMPT },
	{ "dassie_job_duration_seconds", "How long jobs took.",
	    { "0.1", "1", "10", "60", "600", "3600", "21600", "86400", NULL }, "(finished - started) / 1e9", BY_JOB },
};

void
measure_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
measure_label(struct buf *b, const char *name, const char *value)
{
	char last = b->n ? b->s[b->n - 1] : '\n';

	buf_fmt(b, "%c%s=\"", last == '"' ? ',' : '{', name);
	for (; *value; value++)
		if (*value == '\n')
			buf_str(b, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_fmt(b, "\\%c", *value);
		else
			buf_byte(b, *value);
	buf_byte(b, '"');
}

static void
add_number(struct buf *b, sqlite3_stmt *st, int i)
{
	if (sqlite3_column_type(st, i) == SQLITE_FLOAT)
		buf_fmt(b, " %.6f\n", sqlite3_column_double(st, i));
	else
		buf_fmt(b, " %lld\n", (long long)sqlite3_column_int64(st, i));
}

static const char *
text(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s ? s : "";
}

static void
family_row(struct buf *b, const struct family *f, sqlite3_stmt *st)
{
	int n = 0;

	buf_str(b, f->name);
	for (; n < LABELS && f->label[n]; n++)
		measure_label(b, f->label[n], text(st, n));
	buf_byte(b, '}');
	add_number(b, st, n);
}

/* Columns: pipeline, how many in all, their sum, how many up to each bound. */
static void
histogram_row(struct buf *b, const struct histogram *h, sqlite3_stmt *st)
{
	for (int i = 0; i == 0 || h->le[i - 1]; i++) {
		buf_fmt(b, "%s_bucket", h->name);
		measure_label(b, "pipeline", text(st, 0));
		measure_label(b, "le", h->le[i] ? h->le[i] : "+Inf");
		buf_byte(b, '}');
		add_number(b, st, h->le[i] ? i + 3 : 1);
	}
	for (int i = 0; i < 2; i++) {
		buf_fmt(b, "%s_%s", h->name, i == 0 ? "sum" : "count");
		measure_label(b, "pipeline", text(st, 0));
		buf_byte(b, '}');
		add_number(b, st, i == 0 ? 2 : 1);
	}
}

static int
each_row(struct sqlite3 *db, const char *sql, struct buf *b, const struct family *f, const struct histogram *h, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	bool any = false;

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(st);
		if (code != SQLITE_ROW)
			break;
		if (!any)
			measure_family(b, f ? f->name : h->name, f ? f->type : "histogram", f ? f->help : h->help);
		any = true;
		if (f)
			family_row(b, f, st);
		else
			histogram_row(b, h, st);
	}
	if (code != SQLITE_DONE)
		db_fail(db, code, "read", err);
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? 0 : -1;
}

static int
each_bucket(struct sqlite3 *db, const struct histogram *h, struct buf *b, struct err *err)
{
	struct buf sql = BUF_INIT;
	int rc;

	buf_fmt(&sql, "SELECT repo.name, count(*), total(%s)", h->value);
	for (int i = 0; h->le[i]; i++)
		buf_fmt(&sql, ", sum(%s <= %s)", h->value, h->le[i]);
	buf_fmt(&sql, "%s WHERE %s IS NOT NULL GROUP BY 1 ORDER BY 1", h->from, h->value);
	rc = each_row(db, sql.s, b, NULL, h, err);
	buf_release(&sql);
	return rc;
}

int
measure_index(struct buf *b, struct err *err)
{
	struct sqlite3 *db = NULL;
	int rc = db_open_read(&db, err);

	if (rc != 1)
		return rc;
	rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof families / sizeof *families; i++)
		rc = each_row(db, families[i].sql, b, &families[i], NULL, err);
	for (size_t i = 0; rc == 0 && i < sizeof histograms / sizeof *histograms; i++)
		rc = each_bucket(db, &histograms[i], b, err);
	db_close(db);
	return rc;
}
