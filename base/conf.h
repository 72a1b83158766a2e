/* conf.h: what the compiler says of a pipeline to everybody else: .dassie/steps/P.conf and .dassie/steps/index.
 *
 * P.conf, sealed (fields as in rec.h), in this order:
 *   dassie-conf 1
 *   pipeline NAME            description TEXT
 *   script PATH              the step: .dassie/steps/P-HASH.sh
 *   decides HEX              hash of the lines below marked *, part of the spec hash; the step has its own
 *   salt TEXT *              merge error|concat *
 *   every_job 0|1 *          reprocess_spec: every_job
 *   branch NAME *            output_branch
 *   input … *                the input tree in prefix order:
 *      input pfs NAME REPO BRANCH GLOB JOIN_ON GROUP_BY OUTER LAZY EMPTY TRIGGER [MATCH]   (flags 0|1; TRIGGER is text, "" if none)
 *      input cron NAME REPO SPEC START OVERWRITE TZ MISSED OVERLAP JITTER
 *      input cross|union|join|group N        followed by its N children
 *   tries N                  total attempts of a datum
 *   retry …  rule …          base/retry.h
 *   limits …  pool …         base/limits.h
 *   secret …                 base/secret.h: names only
 *   err_script PATH          err_cmd as a step; not there if there is none
 *   accept N …               exit codes that count as success beside 0
 *   timeout NS  job_timeout NS    0: none
 *   container RUNTIME IMAGE  the command runs in this image by podman, docker or apptainer; not there: on this machine
 *   sandbox WORD  working_dir PATH   what the command is kept from, and where it starts; not there: nothing
 *   user USER[:GROUP]        whom the command runs as; not there: nobody else
 *   code PATH                declared: must be there      found PATH   named in the command: part of the step while it is there
 *   egress URL               where the output is pushed; then its settings, by the names of the spec (runtime/egress.h):
 *   with KEY VALUE           sizes in bytes, true as 1; of lists a line a member, of maps KEY is NAME.MEMBER
 *   schedule SPEC TZ MISSED OVERLAP JITTER    when make is run for it; not there if it has none
 *   set KEY VALUE            every other setting, by the name of its spec field, for the parts that will honour it
 *   spec TEXT                the long form of this pipeline's spec (YAML)
 *
 * index, sealed:
 *   dassie-index 1
 *   compiler VERSION         makefile PATH        option TEXT (command-line options of compile that change its output)
 *   spec PATH                what compile was asked for: files and folders
 *   specfile PATH SHA256     each file that was read   include PATH SHA256   the same, where only another one names it
 *   source NAME DIR KEEP     then "branch NAME", if its commits go to another one than master.  KEEP 0|1; DIR is - for what has no folder: the ticks of a cron input, REPO@BRANCH, and what lies elsewhere:
 *   from URL                 s3://BUCKET/PREFIX (all below it: the prefix is empty or ends in '/'), or https://…, a line a file
 *   with KEY VALUE           of s3: its settings by the names of the spec, endpoint a URL; of https: name NAME, a line a URL
 *   trigger REPO BRANCH FOLLOWS ALL RATE CRON SIZE COMMITS   a branch that moves by itself, behind what it follows (REPO or REPO@BRANCH):
 *                            ALL 0|1: every condition or any; cron expressions or "", bytes and commits or 0
 *   schedule SPEC TZ MISSED OVERLAP JITTER    of the whole spec
 *   pipeline NAME SCRIPT SCRIPT-SHA256 DECIDES    then its code/found lines, a "reads REPO" or, where a change of that alone starts
 *                            no job, "quiet REPO" line for each repo, and
 *   image NAME               if its command runs in one
 *   egress HEX               if it has one: hash of its egress and with lines; moves refs/P.egress.spec
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "limits.h"
#include "mem.h"
#include "rec.h"
#include "retry.h"
#include "secret.h"
#include "sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum conf_kind { CONF_PFS, CONF_CRON, CONF_CROSS, CONF_UNION, CONF_JOIN, CONF_GROUP };

struct conf_input {
	enum conf_kind kind;
	const char *name, *repo, *branch, *glob, *join_on, *group_by, *trigger;
	const char *match;          /* a regex for the glob; NULL or "": none */
	const char *spec, *start, *tz, *missed, *overlap, *jitter;
	bool outer, lazy, empty, overwrite;
	struct conf_input *kids;    /* array of n_kids */
	size_t n_kids;
};

/* When make is run.  spec NULL: never by a clock. */
struct conf_schedule { const char *spec, *tz, *missed, *overlap, *jitter; };

struct conf_code { const char *path; bool declared; };
struct conf_set { const char *key, *value; };
struct conf_egress { const char *url; struct conf_set *with; size_t n_with; };

#define CONF_TRIGGERS "triggers"    /* set: branches of its output have triggers */

struct conf {
	struct arena arena;         /* owns everything below */
	const char *pipeline, *description, *script, *salt, *branch, *spec;
	struct oid decides;
	struct oid egress_id;       /* of what is pushed where and how: the index has it */
	bool concat;                /* merge: concat */
	bool every_job;
	struct conf_input *input;   /* NULL: no input (never after a successful compile) */
	unsigned tries;
	struct retry retry;
	struct limits limits;
	struct secret_uses secrets;
	const char *err_script;     /* NULL: none */
	const char *user;           /* NULL: nobody else */
	const char *runtime, *image;    /* NULL: on this machine */
	const char *sandbox, *working_dir;  /* NULL: none; working_dir only beside a sandbox */
	int *accept; size_t n_accept;
	uint64_t timeout_ns, job_timeout_ns;
	struct conf_code *code; size_t n_code;
	struct conf_egress *egress; size_t n_egress;
	struct conf_schedule schedule;
	struct conf_set *set; size_t n_set;
};

#define CONF_INIT { .arena = ARENA_INIT }

int conf_read(struct conf *c, const char *pipeline, struct err *err);      /* -1 if it is not there, too */
void conf_write(struct buf *b, struct conf *c);                            /* sets c->decides and c->egress_id */
void conf_release(struct conf *c);

/* The line "schedule" of both. */
void conf_write_schedule(struct buf *b, const struct conf_schedule *s);    /* nothing if there is none */
bool conf_read_schedule(struct arena *a, const struct rec *r, struct conf_schedule *ret);   /* false: another line */

/* The repos an input tree reads, sorted, each once; array from the arena. */
size_t conf_repos(struct conf *c, const char ***ret);

struct index_source {
	const char *name, *dir;
	const char *branch;                 /* to which its commits go; NULL: master */
	bool keep;
	const char **from; size_t n_from;   /* URLs; none: a folder, or ticks */
	struct conf_set *with; size_t n_with;
};
struct index_spec { const char *path; struct oid id; bool included; };
struct index_trigger {
	const char *repo, *branch, *follows, *rate, *cron;
	bool all;
	uint64_t size, commits;
};
struct index_pipeline {
	const char *name, *script;
	struct oid script_id, decides;
	struct conf_code *code; size_t n_code;
	const char **reads; size_t n_reads;
	bool *quiet;                        /* of each: it starts no job */
	const char *image;          /* NULL: none */
	bool has_egress; struct oid egress;
};

struct index {
	struct arena arena;
	struct recfile file;        /* index_read: its texts point into it; its seal is a hash of all that the index says */
	const char *compiler, *makefile;
	const char **option; size_t n_option;
	const char **asked; size_t n_asked;
	struct index_spec *spec; size_t n_spec;
	struct index_source *source; size_t n_source;
	struct conf_schedule schedule;
	struct index_trigger *trigger; size_t n_trigger;
	struct index_pipeline *pipeline; size_t n_pipeline;
};

#define INDEX_INIT { .arena = ARENA_INIT }

int index_read(struct index *x, struct err *err);                          /* 1 read, 0 there is none (or it is damaged), -1 error */
void index_write(struct buf *b, const struct index *x);
void index_release(struct index *x);
const struct index_pipeline *index_find(const struct index *x, const char *pipeline);
const struct index_source *index_find_source(const struct index *x, const char *name);
/* What runs images: podman, docker or apptainer; NULL: nothing. */
const char *index_runtime(const struct index *x);
/* Where it lies, for people: its folder, its (first) URL, "-" for ticks. */
const char *index_place(const struct index_source *s);
/* Two lists of an index, options or what was asked for: the same texts in the same order? */
bool index_same_words(const char *const *a, size_t n, const char *const *b, size_t m);

/* Step hash: SHA-256 fields "dassie-step 1", script's SHA-256, then path, "x" or "f", content hash of each code file
 * that is there, sorted by path.  Spec hash: fields "dassie-spec 1", step hash, decides. */
#define STEP_IMAGE "image:"          /* path of an image: this and its name, of which only this is hashed; its hash is its digest */
struct step_code { const char *path; bool exec; struct oid id; };
void step_hash(const struct oid *script, const struct step_code *code, size_t n, struct oid *ret);
void spec_hash(const struct oid *step, const struct oid *decides, struct oid *ret);

#endif
