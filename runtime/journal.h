/* journal.h: what the database was told beside results, as files: .dassie/history/YYYY-MM, only ever appended to.
 *
 *   dassie-journal 1
 *   entry NS                     a transaction: what follows, up to "end"
 *   text BODY                    a script, a spec or a diff, when it was new; named by its SHA-256 below
 *   run ID STARTED HOST USER COMMAND VERSION
 *   version PIPELINE SPEC STEP SALT SCRIPT-TEXT SPEC-TEXT
 *   job ID RUN PIPELINE STATE REASON STARTED FINISHED TOTAL PROCESSED SKIPPED FAILED RECOVERED COMMIT|- SPEC STEP
 *   git HEAD BRANCH DIRTY DIFF-TEXT|-        of the job before it, like
 *   code f|x HASH PATH                       and
 *   input REPO COMMIT
 *   commit REPO ID NS JOB FILES BYTES
 *   egress PIPELINE URL COMMIT STARTED FINISHED done|failed PUT BYTES DELETED UNCHANGED LEFT BYTES REASON
 *   forgot ID                    a commit that fsck took out of the history
 *   schedule …, tick …          as in ledger.h
 *   end SHA256                   of the entry's bytes before this line: a torn entry is passed over
 *
 * (fields as in rec.h). It is written after the transaction: a stage that is killed between the two puts the same job
 * again. An entry that is there twice says the same twice. */
#ifndef RUNTIME_JOURNAL_H
#define RUNTIME_JOURNAL_H

#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct prov;
struct prov_job;
struct prov_run;
struct pushed;

/* Each adds a line or more to b, an entry in the making. */
void journal_text(struct buf *b, const char *text);
void journal_run(struct buf *b, const struct prov_run *r);
void journal_version(struct buf *b, const char *pipeline, const struct oid *spec, const struct oid *step, const char *salt,
                     const char *script, const char *conf);
void journal_job(struct buf *b, const struct prov_job *j);
void journal_commit(struct buf *b, const char *repo, const struct oid *id, uint64_t when, const char *job, uint64_t files,
                    uint64_t bytes);
void journal_egress(struct buf *b, const struct pushed *v);
void journal_forgot(struct buf *b, const struct oid *id);

/* Append the entry; an empty one is nothing. The caller holds the database's lock. */
int journal_append(struct buf *b, struct err *err);

/* What a job of the journal was made from. */
struct journal_job { char *id; struct oid spec; };

struct journal {
	uint64_t entries, torn;
	struct journal_job *job; size_t n_job, cap_job;   /* in order; one may be there twice */
};

#define JOURNAL_INIT { 0 }

/* Tell the database all of it again, oldest first. */
int journal_replay(struct journal *j, struct prov *p, struct err *err);
void journal_release(struct journal *j);

#endif
