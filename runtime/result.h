/* result.h: what an execution leaves: .dassie/datums/ab/cd… (a content-hash target of make), or the same with
 * ".fail" where every attempt failed (state "recovered": err_cmd says that the job may do without it).  A result that was renamed into place is done, for ever; a failure is
 * removed by the next success.  Sealed (rec.h), 0444:
 *
 *   dassie-result 1
 *   key HEX          pipeline NAME     job ID     run ID     label TEXT
 *   boot ID          the machine's boot when it was written: after a power cut one that no job covers is checked first
 *   host NAME        command PATH      what the first word of the command resolved to, "" if unknown
 *   state success|failed|recovered
 *   class TEXT       reason TEXT       a failure's class (failure.h) and sentence; not in a success
 *   attempt STARTED ENDED EXIT SIGNAL UTIME-us STIME-us MAXRSS-kB IN-bytes OUT-bytes LOG(0|1: there is one) CLASS
 *   input NAME REPO PATH KIND HASH
 *   output KIND SIZE HASH PATH         sorted by PATH
 *   sha256 HEX
 */
#ifndef RUNTIME_RESULT_H
#define RUNTIME_RESULT_H

#include "../base/rec.h"
#include "../base/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct attempt {
	const char *class;                  /* why it did not succeed (failure.h); "" if it did, or in old results */
	uint64_t started, ended;            /* wall clock, ns */
	int exit;                           /* exit status, -1 if a signal ended it */
	int signal;                         /* 0 if none */
	uint64_t utime_us, stime_us, maxrss_kb, in_bytes, out_bytes;
	bool log;                           /* layout_log(key, job, number from 1) exists */
	bool late;                          /* its time was over; not in the file */
	uint64_t memory;                    /* its limit, bytes, 0 if none; not in the file */
	const char *memory_by;              /* what held it */
	bool oom;                           /* it was ended for using more */
};

struct result_input { const char *name, *repo, *path; char kind; struct oid id; };
struct result_output { const char *path; uint64_t size; struct oid id; char kind; };

struct result {
	struct recfile text;                /* what the strings point into, after result_read */
	struct oid key;
	const char *pipeline, *job, *run, *label, *boot, *host, *command, *state, *class, *reason;
	struct attempt *attempt; size_t n_attempt, cap_attempt;
	struct result_input *input; size_t n_input, cap_input;
	struct result_output *output; size_t n_output, cap_output;
};

#define RESULT_INIT { .text = RECFILE_INIT }

/* The result, or with failed the failure, of a key.  1 read, 0 absent, -1 error (damaged too: says so). */
int result_read(struct result *r, const struct oid *key, bool failed, struct err *err);
/* Put it into place in one step.  A success also removes the key's ".fail". */
int result_write(const struct result *r, struct err *err);
/* The line of an attempt, for others who keep one; class points into the record. */
void result_put_attempt(struct buf *b, const struct attempt *a);
bool result_get_attempt(const struct rec *r, struct attempt *ret);
bool result_exists(const struct oid *key);
void result_release(struct result *r);

#endif
