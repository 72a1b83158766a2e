/* layout.h: where everything of a project lies, relative to the project's folder. */
#ifndef BASE_LAYOUT_H
#define BASE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oid;

#define DIR_STATE   ".dassie"
#define DIR_REFS    ".dassie/refs"
#define DIR_STEPS   ".dassie/steps"
#define DIR_COMMITS ".dassie/commits"
#define DIR_OBJECTS ".dassie/objects"
#define DIR_DATUMS  ".dassie/datums"
#define DIR_PLAN    ".dassie/plan"
#define DIR_LOGS    ".dassie/logs"
#define DIR_SCAN    ".dassie/scan"
#define DIR_WORK    ".dassie/work"
#define DIR_LOCK    ".dassie/lock"
#define DIR_MARKS   ".dassie/marks"
#define DIR_POOLS   ".dassie/pools"
#define DIR_EGRESS  ".dassie/egress"
#define DIR_FETCHED ".dassie/fetched"
#define DIR_MOVING  ".dassie/moving"
#define DIR_TICKS   ".dassie/ticks"
#define DIR_PAUSED  ".dassie/paused"
#define DIR_BRANCHES ".dassie/branches"
#define DIR_DEBUG   ".dassie/debug"
#define DIR_OUT     "out"
#define FILE_FORMAT ".dassie/format"
#define FILE_CLOCK  ".dassie/clock"
#define FILE_BOOT   ".dassie/boot"
#define FILE_SCANMK ".dassie/scan.mk"
#define FILE_INDEX  ".dassie/steps/index"
#define FILE_SCHEMA ".dassie/spec.schema.json"
#define FILE_DB     ".dassie/provenance.db"
#define FILE_NOTIFY ".dassie/notify"
#define FILE_ALERTS ".dassie/alerts"
#define FILE_FORCED ".dassie/forced"
#define FILE_IMAGES ".dassie/images"

enum { LAYOUT_MAX = 256, NAME_MAX_REPO = 63, NAME_MAX_BRANCH = 90, EGRESS_NAME_MAX = NAME_MAX_REPO + 8 };

/* Names of repos and pipelines: letters, digits, '_' and '-', the first one a letter or digit, at most 63. */
bool layout_name_ok(const char *name);

/* P.egress: what the refs of a pipeline's egress are called after; no pipeline can have this name. */
char *layout_egress_name(char ret[EGRESS_NAME_MAX], const char *pipeline);

/* Names of branches: the same, at most 90 (Pachyderm makes them of a pipeline's name). */
bool layout_branch_ok(const char *name);

/* What a repo is called in refs/: NAME, or NAME@BRANCH for a branch that its own commits do not go to.  How long NAME is. */
size_t layout_repo_len(const char *name);

/* Each writes a NUL-terminated path into ret and returns ret. */
char *layout_ref(char ret[LAYOUT_MAX], const char *repo);                          /* .dassie/refs/R */
char *layout_done(char ret[LAYOUT_MAX], const char *pipeline);                     /* .dassie/refs/P.done */
char *layout_spec(char ret[LAYOUT_MAX], const char *pipeline);                     /* .dassie/refs/P.spec */
char *layout_conf(char ret[LAYOUT_MAX], const char *pipeline);                     /* .dassie/steps/P.conf */
char *layout_lock(char ret[LAYOUT_MAX], const char *name);                         /* .dassie/lock/NAME */
char *layout_mark(char ret[LAYOUT_MAX], const char *repo);                         /* .dassie/marks/R */
char *layout_ticks(char ret[LAYOUT_MAX], const char *repo);                        /* .dassie/ticks/R */
char *layout_paused(char ret[LAYOUT_MAX], const char *pipeline);                   /* .dassie/paused/P */
char *layout_scan(char ret[LAYOUT_MAX], const char *repo);                         /* .dassie/scan/R */
char *layout_plan(char ret[LAYOUT_MAX], const char *pipeline, const char *suffix); /* .dassie/plan/P.SUFFIX */
char *layout_commit(char ret[LAYOUT_MAX], const struct oid *id);                   /* .dassie/commits/HEX */
char *layout_object(char ret[LAYOUT_MAX], const struct oid *id);                   /* .dassie/objects/ab/cd… */
char *layout_datum(char ret[LAYOUT_MAX], const struct oid *key);                   /* .dassie/datums/ab/cd… */
char *layout_work(char ret[LAYOUT_MAX], const struct oid *key);                    /* .dassie/work/HEX */
char *layout_pool(char ret[LAYOUT_MAX], const char *pool, const char *suffix);     /* .dassie/pools/POOL.SUFFIX */
/* .dassie/steps/NAME-HASH.sh: the first STEP_HEX digits of the hash of its text. */
enum { STEP_HEX = 12 };
/* Can a step of this name have this text?  A name that has no hash in it says nothing: true. */
bool layout_step_fits(const char *path, const struct oid *text);
/* .dassie/logs/ab/cd….JOB.ATTEMPT */
char *layout_log(char ret[LAYOUT_MAX], const struct oid *key, const char *job, unsigned attempt);

#endif
