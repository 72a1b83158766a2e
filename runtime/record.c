/* record.c: collects from files what the database is to know of a job. */
#include "record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/plan.h"
#include "gather.h"
#include "gitinfo.h"
#include "provenance.h"

static int
put_run(struct prov *p, const struct open_job *o, struct err *err)
{
	struct prov_run run = { .id = o->run, .started = o->started, .host = "", .user = "", .command = "make",
		.version = PACKAGE_VERSION };
	const char *user = getenv("USER"), *command = getenv("DASSIE_COMMAND");
	char host[256] = "";

	if (gethostname(host, sizeof host - 1) == 0)
		run.host = host;
	if (user)
		run.user = user;
	if (command)
		run.command = command;
	return prov_put_run(p, &run, err);
}

static int
put_version(struct prov *p, const struct conf *c, const struct open_job *o, struct err *err)
{
	struct buf script = BUF_INIT;
	int rc = fs_read(c->script, &script, err);

	if (rc == 0)
		rc = err_set(err, 0, "'%s' is not there: 'dassie compile' makes it again", c->script);
	else if (rc == 1)
		rc = prov_put_version(p, c, &o->spec, &o->step, script.s ? script.s : "", err);
	buf_release(&script);
	return rc;
}

static void
count(struct prov_job *job, const struct gather *g)
{
	job->total = g->n;
	job->processed = g->processed;
	job->failed = g->failed;
	job->recovered = g->recovered;
	job->skipped = g->n - g->processed - g->failed - g->missing - g->recovered;
}

static int
put_job(struct prov *p, struct prov_job *job, struct conf *c, const struct open_job *o, struct err *err)
{
	struct prov_input *input = arena_alloc(&c->arena, (o->n_input + 1) * sizeof *input);
	struct prov_code *code = arena_alloc(&c->arena, (o->n_code + 1) * sizeof *code);
	struct prov_git git;

	for (size_t i = 0; i < o->n_code; i++)
		code[i] = (struct prov_code){ o->code[i].path, o->code[i].exec, o->code[i].id };
	for (size_t i = 0; i < o->n_input; i++)
		input[i] = (struct prov_input){ o->input[i].repo, o->input[i].commit };
	job->code = code;
	job->n_code = o->n_code;
	job->input = input;
	job->n_input = o->n_input;
	if (gitinfo_get(&git, &c->arena, o->run, code, o->n_code, err) < 0)
		return -1;
	job->git = &git;
	return prov_put_job(p, job, err);
}

int
record_job(struct prov *p, struct conf *c, const struct open_job *o, const struct gather *g, const struct outcome *end,
           struct err *err)
{
	struct prov_job job = { .id = o->job, .run = o->run, .pipeline = o->pipeline, .state = end->state, .reason = end->reason,
		.started = o->started, .finished = time_now_ns(), .spec = o->spec, .step = o->step };

	count(&job, g);
	if (end->commit) {
		job.has_commit = true;
		job.commit = *end->commit;
	}
	if (put_run(p, o, err) < 0 || put_version(p, c, o, err) < 0 || put_job(p, &job, c, o, err) < 0)
		return -1;
	for (size_t i = 0; i < o->n_input; i++)
		/* A pipeline's output has no time at which it was looked at: its own job recorded it. */
		if (o->input[i].asof &&
		    prov_put_commit(p, o->input[i].repo, &o->input[i].commit, o->input[i].asof, "", 0, 0, err) < 0)
			return -1;
	return end->commit ? prov_put_commit(p, o->pipeline, end->commit, job.finished, o->job, end->files, end->bytes, err) : 0;
}

int
record_killed(struct prov *p, const struct open_job *o, struct err *err)
{
	struct prov_job job = { .id = o->job, .run = o->run, .pipeline = o->pipeline, .state = "killed",
		.reason = "it was ended before it had finished, and then its inputs or its spec changed", .started = o->started,
		.finished = time_now_ns(), .spec = o->spec, .step = o->step };

	return put_run(p, o, err) < 0 ? -1 : prov_put_job(p, &job, err);
}
