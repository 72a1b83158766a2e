/* spec.h: the model: a spec set in its long form, as Pachyderm writes it, every field with its place.
 *
 * What was not given is NULL (text, objects) or not `set`.  Filled by load.c through the tables of fields.c; read by
 * check.c, print.c, and what emits.  Everything lives in the set's arena. */
#ifndef COMPILER_SPEC_H
#define COMPILER_SPEC_H

#include "diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct ynode;

struct str { const char *s; struct span at; };                        /* at: exactly the text where the file has it as it is */
struct num { int64_t v; struct span at; bool set; };                  /* int; bool; duration in ns; size in bytes */
struct strs { struct str *v; size_t n; struct span at; bool set; };
struct nums { struct num *v; size_t n; struct span at; bool set; };
struct pair { struct str key, val; };
struct pairs { struct pair *v; size_t n; struct span at; bool set; };
struct objs { void *v; size_t n; struct span at; bool set; };         /* array of the sub-table's struct */
struct raw { const struct ynode *node; };                             /* kept as it was written */

struct ref_name { struct str name; };                                 /* pipeline: {name}, project: {name} */
struct project { struct str name; };
struct pipeline_id { struct str name; struct project *project; };

struct metadata { struct pairs annotations, labels; };

struct secret { struct str name, key, mount_path, env_var; };

struct build { struct str path, language, image; };

struct transform {
	struct str image;
	struct strs cmd, stdin_lines, err_cmd, err_stdin;
	struct pairs env;
	struct strs code;
	struct objs secrets;        /* struct secret */
	struct strs image_pull_secrets;
	struct nums accept_return_code;
	struct num debug;
	struct str user, working_dir, sandbox, dockerfile;
	struct num memory_volume, datum_batching;
	struct build *build;
};

struct retry_form { struct num tries, delay, max_delay; struct str factor; struct strs on, never; };

struct parallelism { struct num constant; struct str coefficient, strategy; };

struct gpu { struct str type; struct num number; };
struct resources { struct str cpu; struct num memory, disk; struct gpu *gpu; };

struct trigger { struct str branch; struct num all; struct str rate_limit_spec; struct num size, commits; struct str cron_spec; };
struct propagation { struct num never; };

struct pfs {
	struct str project, name, repo, repo_type, branch, commit, glob, match, join_on, group_by, from_commit;
	struct num outer_join, lazy, empty_files, s3, reference;
	struct trigger *trigger;
	struct propagation *propagation_spec;
	struct str reads;           /* of branches.c: what it reads: REPO or REPO@BRANCH */
};

struct cron {
	struct str name, spec, repo, start, project, commit, tz, missed, overlap, jitter;
	struct num overwrite;
	struct str ticks;           /* of check.c: the repo of its ticks */
};

/* `schedule: EXPR` is its spec. */
struct schedule { struct span at; struct str spec, tz, missed, overlap, jitter; };

struct git { struct str name, url, branch; };

/* Exactly one of them is given in a right spec. */
struct input {
	struct span at;
	struct pfs *pfs;
	struct cron *cron;
	struct git *git;
	struct objs cross, join, group, union_;   /* struct input */
};

struct object_storage { struct str url; };
struct file_format { struct str type; struct strs columns; };
struct sql_secret { struct str name, key; };
struct sql_database { struct str url; struct file_format *file_format; struct sql_secret *secret; };

struct egress {
	struct str url;
	struct object_storage *object_storage;
	struct sql_database *sql_database;
	struct str region, profile, role_arn, external_id, endpoint, addressing;
	struct str sse, kms_key, acl, storage_class, content_type, cache_control, layout;
	struct pairs tags, metadata;
	struct strs include, exclude;
	struct num delete_, verify, requester_pays, concurrency, part_size, bandwidth;
};

struct datum_set { struct num number, size_bytes, per_worker; };
struct chunk { struct num number, size_bytes; };
struct hashtree { struct num constant; };
struct service { struct num internal_port, external_port; struct str ip, type; struct pairs annotations; };
struct spout { struct service *service; struct num overwrite; struct str marker; };
struct scheduling { struct pairs node_selector; struct str priority_class_name; };
struct toleration { struct str key, operator_, value, effect; struct num toleration_seconds; };
struct determined { struct strs workspaces; };

/* Which of the pipelines that a foreach or matrix makes; text NULL: none of them. */
struct made { const char *text; struct span at; };

/* Whom to tell of what. */
struct notify_form { struct strs on, mail, webhook; struct num long_run; struct str from, smtp; };

struct pipeline {
	struct span at;
	struct made made;
	const struct scope *scope;  /* the names that stood for text in it; NULL: none */
	struct pipeline_id *id;
	struct str description;
	struct metadata *metadata;
	struct transform *transform;
	struct input *input;
	struct str merge;
	struct str output_branch;
	struct objs egress;         /* struct egress */
	struct schedule *schedule;
	struct parallelism *parallelism_spec;
	struct retry_form *retry;
	struct num datum_tries, datum_timeout, job_timeout;
	struct str reprocess_spec, salt;
	struct str on_oom;
	struct pairs pools;
	struct num priority;
	struct resources *resource_requests, *resource_limits, *sidecar_resource_limits, *sidecar_resource_requests;
	struct datum_set *datum_set_spec;
	struct chunk *chunk_spec;
	struct hashtree *hashtree_spec;
	struct scheduling *scheduling_spec;
	struct str pod_spec, pod_patch;
	struct objs tolerations;    /* struct toleration */
	struct determined *determined;
	struct num maximum_expected_uptime;
	struct num autoscaling, standby, enable_stats, incremental, batch;
	struct str scale_down_threshold;
	struct num cache_size, max_queue_size;
	struct num s3_out;
	struct service *service;
	struct spout *spout;
	struct raw tf_job, inputs, spec_commit, foreach, matrix;
	struct num parallelism;     /* lowered */
	struct num update, reprocess, dry_run;
	struct notify_form *notify; /* NULL: the set's */

	bool pachyderm;             /* a document as Pachyderm has them, without a short form */
	bool broken;                /* something of it was wrong: what misses need not be told */

	/* Of check.c: */
	size_t state;               /* of graph.c's walk */
	const struct str **reads;   /* repo names of its leaves, sorted, each once */
	size_t n_reads;
};

struct source {
	const char *name;
	const char *dir;
	struct span at;
	bool keep;
	bool declared;
	bool ticks;                 /* of a cron input, or a branch: no folder */
	struct repo_form *form;     /* of URLs: no folder either; NULL: a folder */
	/* Of branches.c: */
	bool branched;              /* its old contents are needed: a branch of it is read */
	bool ranked;
	const struct str *of;       /* a branch: the repo's name; else NULL */
	const struct pipeline *by;  /* a branch: who reads it */
	const struct trigger *trigger;
	const char *follows;        /* with a trigger: the repo or branch that it follows */
};

/* A repo as `repos:` says it. */
struct repo_form {
	struct strs source, include, exclude;
	struct num keep, requester_pays;
	struct str region, profile, role_arn, external_id, endpoint, addressing;
};

struct staged { const char *repo, *branch; };             /* a source whose commits go to another branch than master */

struct define { const char *name, *value; bool used; };   /* -D name=value */

struct specset {
	struct arena *a;
	struct arena *nodes;        /* of the file under way; gone when it is loaded */
	struct diag *d;
	struct pipeline *pipeline;
	size_t n_pipeline, cap_pipeline;
	struct source *source;
	size_t n_source, cap_source;
	struct schedule *schedule;  /* of the whole set */
	struct notify_form *notify; /* likewise */
	struct pairs pools;         /* name and places */
	bool has_repos;             /* `repos:` or `pipelines:` is in it: repos must be declared */
	const struct field **noted; /* given fields that have no effect, each once */
	size_t n_noted, cap_noted;
	bool strict;
	const char *runtime;        /* what runs commands in their images: podman, docker, apptainer; NULL: nothing does */
	struct define *define;      /* of the command line */
	size_t n_define, cap_define;
	struct scope *scope;        /* params and variables of what is loaded; NULL: none */
	const char **param;         /* names of all params */
	size_t n_param, cap_param;
	size_t expanded;            /* bytes of text that params were put into */
	uint64_t n_stamped;         /* nodes that foreach and matrix made */
	struct made made;           /* of the pipeline that is loaded */
	bool unread;                /* a file was no YAML */
	const char **passed;        /* files of folders that are no specs */
	size_t n_passed, cap_passed;
	bool lenient;               /* a document as Pachyderm has them is loaded: of what is given twice the last counts */

	/* Of branches.c: */
	struct pipeline **branching;    /* those with an output_branch that is not master, sorted */
	size_t n_branching;
	struct staged *staged;
	size_t n_staged, cap_staged;
	struct source **triggered;      /* branches with a trigger, behind those that they follow */
	size_t n_triggered;

	/* Of graph.c: */
	struct pipeline **by_name;  /* sorted */
	struct pipeline **order;    /* inputs before what reads them */
};

/* Where it says that it goes, in one of its forms. */
static inline const struct str *
egress_url(const struct egress *e)
{
	return e->object_storage ? &e->object_storage->url : &e->url;
}

static inline const char *
pipeline_name(const struct pipeline *p)
{
	return p->id && p->id->name.s ? p->id->name.s : "";
}

#endif
