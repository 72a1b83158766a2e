/* fields.c: the field tables of the spec language: Pachyderm's, 1.x and 2.x, and dassie's own.
 *
 * A row says how a field is called, what it holds, whether anything comes of it here and why.  Documentation and
 * the JSON Schema are made of these rows, so the last column is written for the user. */
#include "fields.h"

#include <string.h>

#include "spec.h"

/* What a kind is loaded into; a row whose member is of another type does not compile. */
#define HOLDS_FK_STR struct str
#define HOLDS_FK_NUMBER struct str
#define HOLDS_FK_INT struct num
#define HOLDS_FK_BOOL struct num
#define HOLDS_FK_DURATION struct num
#define HOLDS_FK_SIZE struct num
#define HOLDS_FK_STRS struct strs
#define HOLDS_FK_INTS struct nums
#define HOLDS_FK_PAIRS struct pairs
#define HOLDS_FK_OBJS struct objs
#define HOLDS_FK_RAW struct raw
#define MEMBER(st, member) __typeof__(((struct st *)0)->member)
#define OFFSET(st, member, good) (offsetof(struct st, member) + sizeof(char[(good) ? 1 : -1]) - 1)

#define FIELD(st, nm, member, kd, stat, y) \
	{ .name = nm, .kind = kd, .status = stat, .why = y, \
	    .off = OFFSET(st, member, __builtin_types_compatible_p(MEMBER(st, member), HOLDS_##kd)) }
#define FIELD_SUB(st, nm, member, kd, stat, tab, y) \
	{ .name = nm, .kind = kd, .status = stat, .sub = &tab, .why = y, .off = OFFSET(st, member, \
	    kd == FK_OBJS ? __builtin_types_compatible_p(MEMBER(st, member), struct objs) : sizeof(MEMBER(st, member)) == sizeof(void *)) }
#define TABLE(var, path_, what_, st, rows) \
	const struct table var = { path_, what_, rows, sizeof rows / sizeof *rows, sizeof(struct st) }

#define K8S "for Kubernetes; there is no cluster here"

static const struct field project_rows[] = {
	FIELD(project, "name", name, FK_STR, FS_NO_EFFECT, "a project is a folder here"),
};
static TABLE(project_table, "pipeline.project", "a project", project, project_rows);

static const struct field id_rows[] = {
	FIELD(pipeline_id, "name", name, FK_STR, FS_HONOURED, "names the pipeline and its output repo"),
	FIELD_SUB(pipeline_id, "project", project, FK_OBJ, FS_HONOURED, project_table, "holds the project's name"),
};
static TABLE(id_table, "pipeline", "a pipeline's name", pipeline_id, id_rows);

static const struct field metadata_rows[] = {
	FIELD(metadata, "annotations", annotations, FK_PAIRS, FS_NO_EFFECT, K8S),
	FIELD(metadata, "labels", labels, FK_PAIRS, FS_NO_EFFECT, K8S),
};
static TABLE(metadata_table, "metadata", "metadata", metadata, metadata_rows);

static const struct field secret_rows[] = {
	FIELD(secret, "name", name, FK_STR, FS_HONOURED, "the secret"),
	FIELD(secret, "key", key, FK_STR, FS_HONOURED, "a key of it"),
	FIELD(secret, "mount_path", mount_path, FK_STR, FS_HONOURED, "a folder that holds each of its keys as a file, for the command alone"),
	FIELD(secret, "env_var", env_var, FK_STR, FS_HONOURED, "the variable that gets the key's value"),
};
TABLE(secret_table, "transform.secrets", "a secret", secret, secret_rows);

static const struct field build_rows[] = {
	FIELD(build, "path", path, FK_STR, FS_HONOURED, "the folder to build from"),
	FIELD(build, "language", language, FK_STR, FS_HONOURED, "the language of the code"),
	FIELD(build, "image", image, FK_STR, FS_HONOURED, "the image to build on"),
};
static TABLE(build_table, "transform.build", "a build", build, build_rows);

static const struct field transform_rows[] = {
	FIELD(transform, "image", image, FK_STR, FS_MAPPED, "with --runtime podman, docker or apptainer the command runs in it; without, on this machine"),
	FIELD(transform, "cmd", cmd, FK_STRS, FS_HONOURED, "the command and its arguments; no shell looks at them"),
	FIELD(transform, "stdin", stdin_lines, FK_STRS, FS_HONOURED, "lines that the command gets on standard input"),
	FIELD(transform, "err_cmd", err_cmd, FK_STRS, FS_HONOURED, "runs after the last failed attempt; exit 0 makes the datum recovered"),
	FIELD(transform, "err_stdin", err_stdin, FK_STRS, FS_HONOURED, "lines that err_cmd gets on standard input"),
	FIELD(transform, "env", env, FK_PAIRS, FS_HONOURED, "variables of the command"),
	FIELD(transform, "code", code, FK_STRS, FS_HONOURED, "files of the project that the command runs; part of its identity"),
	{ .name = "secrets", .kind = FK_OBJS, .off = offsetof(struct transform, secrets), .sub = &secret_table,
	    .why = "from files of the user, ~/.config/dassie/secrets/NAME/KEY: as variables or files of the command" },
	FIELD(transform, "image_pull_secrets", image_pull_secrets, FK_STRS, FS_NO_EFFECT, K8S),
	FIELD(transform, "accept_return_code", accept_return_code, FK_INTS, FS_HONOURED, "exit codes that count as success beside 0"),
	FIELD(transform, "debug", debug, FK_BOOL, FS_NO_EFFECT, "logs are always kept whole"),
	FIELD(transform, "user", user, FK_STR, FS_HONOURED, "USER[:GROUP], names or numbers: whom the command runs as, where dassie runs as root; else it has no effect"),
	FIELD(transform, "working_dir", working_dir, FK_STR, FS_HONOURED, "where the command starts; the project's folder if not given"),
	FIELD(transform, "sandbox", sandbox, FK_STR, FS_HONOURED, "strict: the command sees its inputs and code alone of the project, and writes to $out, $TMPDIR and /tmp alone; none: what holds if not given"),
	FIELD(transform, "dockerfile", dockerfile, FK_STR, FS_NO_EFFECT, "no image is built here"),
	FIELD(transform, "memory_volume", memory_volume, FK_BOOL, FS_NO_EFFECT, "small input files lie in memory anyway, large ones are shown where they are"),
	FIELD(transform, "datum_batching", datum_batching, FK_BOOL, FS_MAPPED, "the command is started for each datum: 'pachctl next datum' gives it that one, and the second call ends it"),
	FIELD_SUB(transform, "build", build, FK_OBJ, FS_NO_EFFECT, build_table, "no image is built here"),
};
TABLE(transform_table, "transform", "a transform", transform, transform_rows);

static const struct field retry_rows[] = {
	FIELD(retry_form, "tries", tries, FK_INT, FS_HONOURED, "attempts of a datum in all, as datum_tries"),
	FIELD(retry_form, "delay", delay, FK_DURATION, FS_HONOURED, "the first wait is anything up to this; 1s if not given"),
	FIELD(retry_form, "factor", factor, FK_NUMBER, FS_HONOURED, "each wait may be so many times as long as the one before; 2 if not given"),
	FIELD(retry_form, "max_delay", max_delay, FK_DURATION, FS_HONOURED, "but never longer than this; 60s if not given"),
	FIELD(retry_form, "on", on, FK_STRS, FS_HONOURED, "exit codes, signals and patterns of output that are worth every try"),
	FIELD(retry_form, "never", never, FK_STRS, FS_HONOURED, "those after which no try helps; stronger than 'on'"),
};
static TABLE(retry_table, "retry", "a retry", retry_form, retry_rows);

static const struct field parallelism_rows[] = {
	FIELD(parallelism, "constant", constant, FK_INT, FS_HONOURED, "at most so many datums of the pipeline at once; make -j bounds all"),
	FIELD(parallelism, "coefficient", coefficient, FK_NUMBER, FS_NO_EFFECT, "workers per node of a cluster; there is one machine"),
	FIELD(parallelism, "strategy", strategy, FK_STR, FS_NO_EFFECT, "the old form's word for constant or coefficient"),
};
static TABLE(parallelism_table, "parallelism_spec", "a parallelism_spec", parallelism, parallelism_rows);

static const struct field gpu_rows[] = {
	FIELD(gpu, "type", type, FK_STR, FS_HONOURED, "the kind of GPU"),
	FIELD(gpu, "number", number, FK_INT, FS_HONOURED, "how many"),
};
TABLE(gpu_table, "gpu", "a gpu", gpu, gpu_rows);

static const struct field resources_rows[] = {
	FIELD(resources, "cpu", cpu, FK_NUMBER, FS_HONOURED, "cores"),
	FIELD(resources, "memory", memory, FK_SIZE, FS_HONOURED, "bytes of memory"),
	FIELD_SUB(resources, "gpu", gpu, FK_OBJ, FS_HONOURED, gpu_table, "GPUs"),
	FIELD(resources, "disk", disk, FK_SIZE, FS_HONOURED, "bytes of disk"),
};
static TABLE(resources_table, "resources", "resources", resources, resources_rows);

#define GPU_POOL "nothing here counts GPUs; say pools: {gpu: 1} beside pipelines and pool: gpu"

static const struct field requests_rows[] = {
	FIELD(resources, "cpu", cpu, FK_NUMBER, FS_HONOURED, "of make's -jN a datum counts as so many jobs; rounded up"),
	FIELD(resources, "memory", memory, FK_SIZE, FS_NO_EFFECT, "nothing is set aside; resource_limits.memory is held"),
	FIELD_SUB(resources, "gpu", gpu, FK_OBJ, FS_NO_EFFECT, gpu_table, GPU_POOL),
	FIELD(resources, "disk", disk, FK_SIZE, FS_NO_EFFECT, "nothing is set aside"),
};
static TABLE(requests_table, "resource_requests", "resource_requests", resources, requests_rows);

static const struct field limits_rows[] = {
	FIELD(resources, "cpu", cpu, FK_NUMBER, FS_HONOURED, "as resource_requests.cpu, where that is not given"),
	FIELD(resources, "memory", memory, FK_SIZE, FS_HONOURED, "what all processes of an attempt may use together; more is out of memory"),
	FIELD_SUB(resources, "gpu", gpu, FK_OBJ, FS_NO_EFFECT, gpu_table, GPU_POOL),
	FIELD(resources, "disk", disk, FK_SIZE, FS_NO_EFFECT, "the file system is the limit"),
};
static TABLE(limits_table, "resource_limits", "resource_limits", resources, limits_rows);

static const struct field trigger_rows[] = {
	FIELD(trigger, "branch", branch, FK_STR, FS_HONOURED, "the branch that is followed"),
	FIELD(trigger, "all", all, FK_BOOL, FS_HONOURED, "every condition must hold, not any"),
	FIELD(trigger, "rate_limit_spec", rate_limit_spec, FK_STR, FS_HONOURED, "a cron expression: not more often than that"),
	FIELD(trigger, "size", size, FK_SIZE, FS_HONOURED, "so many bytes are new"),
	FIELD(trigger, "commits", commits, FK_INT, FS_HONOURED, "so many commits are new"),
	FIELD(trigger, "cron_spec", cron_spec, FK_STR, FS_HONOURED, "a cron expression: at these times"),
};
static TABLE(trigger_table, "input.pfs.trigger", "a trigger", trigger, trigger_rows);

static const struct field propagation_rows[] = {
	FIELD(propagation, "never", never, FK_BOOL, FS_HONOURED, "a change of this input alone starts no job; the next job reads the newest"),
};
static TABLE(propagation_table, "input.pfs.propagation_spec", "a propagation_spec", propagation, propagation_rows);

static const struct field pfs_rows[] = {
	FIELD(pfs, "project", project, FK_STR, FS_NO_EFFECT, "a project is a folder here"),
	FIELD(pfs, "name", name, FK_STR, FS_HONOURED, "the variable and folder that the command sees; the repo's name if not given"),
	FIELD(pfs, "repo", repo, FK_STR, FS_HONOURED, "a source, or another pipeline's output"),
	FIELD(pfs, "repo_type", repo_type, FK_STR, FS_NO_EFFECT, "internal to Pachyderm"),
	FIELD(pfs, "branch", branch, FK_STR, FS_HONOURED, "the branch to read; master if not given"),
	FIELD(pfs, "commit", commit, FK_STR, FS_REFUSED, "an input follows a branch; write 'branch'"),
	FIELD(pfs, "glob", glob, FK_STR, FS_HONOURED, "which files and folders are a datum each"),
	FIELD(pfs, "match", match, FK_STR, FS_HONOURED, "instead of a glob, a regex of PCRE2: which files are a datum each; its named captures are variables of the command"),
	FIELD(pfs, "join_on", join_on, FK_STR, FS_HONOURED, "the key for join, of the captures"),
	FIELD(pfs, "outer_join", outer_join, FK_BOOL, FS_HONOURED, "keep files whose key the others do not have"),
	FIELD(pfs, "group_by", group_by, FK_STR, FS_HONOURED, "the key for group, of the captures"),
	FIELD(pfs, "lazy", lazy, FK_BOOL, FS_MAPPED, "files are on this machine anyway"),
	FIELD(pfs, "empty_files", empty_files, FK_BOOL, FS_HONOURED, "show names, not contents"),
	FIELD(pfs, "s3", s3, FK_BOOL, FS_REFUSED, "there is no S3 gateway; the command reads files"),
	FIELD_SUB(pfs, "trigger", trigger, FK_OBJ, FS_HONOURED, trigger_table, "the branch moves only under conditions"),
	FIELD_SUB(pfs, "propagation_spec", propagation_spec, FK_OBJ, FS_HONOURED, propagation_table, "never: a change here alone starts no job"),
	FIELD(pfs, "reference", reference, FK_BOOL, FS_MAPPED, "its content counts all the same: what saw another one runs again"),
	FIELD(pfs, "from_commit", from_commit, FK_STR, FS_REFUSED, "of Pachyderm 1.3; an input is read whole"),
};
static TABLE(pfs_table, "input.pfs", "a pfs input", pfs, pfs_rows);

static const struct field cron_rows[] = {
	FIELD(cron, "name", name, FK_STR, FS_HONOURED, "the variable and folder that the command sees"),
	FIELD(cron, "spec", spec, FK_STR, FS_HONOURED, "a cron expression, @every DURATION or @never"),
	FIELD(cron, "repo", repo, FK_STR, FS_HONOURED, "the repo of the ticks; PIPELINE_NAME if not given"),
	FIELD(cron, "start", start, FK_STR, FS_HONOURED, "no tick before this RFC 3339 time"),
	FIELD(cron, "overwrite", overwrite, FK_BOOL, FS_HONOURED, "only the newest tick exists"),
	FIELD(cron, "project", project, FK_STR, FS_NO_EFFECT, "a project is a folder here"),
	FIELD(cron, "commit", commit, FK_STR, FS_NO_EFFECT, "internal to Pachyderm"),
	FIELD(cron, "tz", tz, FK_STR, FS_HONOURED, "the time zone; UTC if not given"),
	FIELD(cron, "missed", missed, FK_STR, FS_HONOURED, "ticks that nobody was there for: last (if not given), none, all, all(max N)"),
	FIELD(cron, "overlap", overlap, FK_STR, FS_HONOURED, "a tick while the one before runs: skip (if not given), queue or cancel"),
	FIELD(cron, "jitter", jitter, FK_STR, FS_HONOURED, "ticks run up to so much later, always by the same: spreads pipelines"),
};
static TABLE(cron_table, "input.cron", "a cron input", cron, cron_rows);

static const struct field schedule_rows[] = {
	FIELD(schedule, "spec", spec, FK_STR, FS_HONOURED, "a cron expression, @every DURATION or @never"),
	FIELD(schedule, "tz", tz, FK_STR, FS_HONOURED, "the time zone; UTC if not given"),
	FIELD(schedule, "missed", missed, FK_STR, FS_HONOURED, "times that nobody was there for: last (if not given), none, all, all(max N)"),
	FIELD(schedule, "overlap", overlap, FK_STR, FS_HONOURED, "a time while the one before runs: skip (if not given), queue or cancel"),
	FIELD(schedule, "jitter", jitter, FK_STR, FS_HONOURED, "runs up to so much later, always by the same: spreads pipelines"),
};
TABLE(schedule_table, "schedule", "a schedule", schedule, schedule_rows);

static const struct field git_rows[] = {
	FIELD(git, "name", name, FK_STR, FS_HONOURED, "the folder that the command sees"),
	FIELD(git, "url", url, FK_STR, FS_HONOURED, "the repository"),
	FIELD(git, "branch", branch, FK_STR, FS_HONOURED, "its branch"),
};
static TABLE(git_table, "input.git", "a git input", git, git_rows);

static const struct field input_rows[] = {
	{ .name = "pfs", .alias = "atom", .kind = FK_OBJ, .off = offsetof(struct input, pfs), .sub = &pfs_table,
	    .why = "files of a repo; 'atom' is its name of before 1.9" },
	FIELD_SUB(input, "cross", cross, FK_OBJS, FS_HONOURED, input_table, "every combination of its members' datums"),
	FIELD_SUB(input, "union", union_, FK_OBJS, FS_HONOURED, input_table, "the datums of each member"),
	FIELD_SUB(input, "join", join, FK_OBJS, FS_HONOURED, input_table, "combinations of files with the same join_on"),
	FIELD_SUB(input, "group", group, FK_OBJS, FS_HONOURED, input_table, "a datum for all files with the same group_by"),
	FIELD_SUB(input, "cron", cron, FK_OBJ, FS_HONOURED, cron_table, "a file a tick, at certain times"),
	FIELD_SUB(input, "git", git, FK_OBJ, FS_REFUSED, git_table, "clone the repository into a folder and name that under 'repos'"),
};
TABLE(input_table, "input", "an input", input, input_rows);

static const struct field object_storage_rows[] = {
	FIELD(object_storage, "url", url, FK_STR, FS_HONOURED, "where to push"),
};
static TABLE(object_storage_table, "egress.object_storage", "an object_storage", object_storage, object_storage_rows);

static const struct field file_format_rows[] = {
	FIELD(file_format, "type", type, FK_STR, FS_HONOURED, "CSV, JSON or PARQUET"),
	FIELD(file_format, "columns", columns, FK_STRS, FS_HONOURED, "the columns"),
};
static TABLE(file_format_table, "egress.sql_database.file_format", "a file_format", file_format, file_format_rows);

static const struct field sql_secret_rows[] = {
	FIELD(sql_secret, "name", name, FK_STR, FS_HONOURED, "the secret"),
	FIELD(sql_secret, "key", key, FK_STR, FS_HONOURED, "its key"),
};
static TABLE(sql_secret_table, "egress.sql_database.secret", "a secret", sql_secret, sql_secret_rows);

static const struct field sql_rows[] = {
	FIELD(sql_database, "url", url, FK_STR, FS_HONOURED, "the database"),
	FIELD_SUB(sql_database, "file_format", file_format, FK_OBJ, FS_HONOURED, file_format_table, "how the files are to be read"),
	FIELD_SUB(sql_database, "secret", secret, FK_OBJ, FS_HONOURED, sql_secret_table, "where the password is"),
};
static TABLE(sql_table, "egress.sql_database", "a sql_database", sql_database, sql_rows);

static const struct field egress_rows[] = {
	{ .name = "URL", .alias = "url", .kind = FK_STR, .off = offsetof(struct egress, url), .why = "where to push: s3://BUCKET/PREFIX, …" },
	FIELD_SUB(egress, "object_storage", object_storage, FK_OBJ, FS_HONOURED, object_storage_table, "the same, as 2.x writes it"),
	FIELD_SUB(egress, "sql_database", sql_database, FK_OBJ, FS_REFUSED, sql_table, "let a pipeline that reads the output run the database's own loader"),
	FIELD(egress, "region", region, FK_STR, FS_HONOURED, "the bucket's region; found by itself if not given"),
	FIELD(egress, "profile", profile, FK_STR, FS_HONOURED, "the profile of ~/.aws to push with"),
	FIELD(egress, "role_arn", role_arn, FK_STR, FS_HONOURED, "the role to assume"),
	FIELD(egress, "external_id", external_id, FK_STR, FS_HONOURED, "what that role's owner wants to be told"),
	FIELD(egress, "endpoint", endpoint, FK_STR, FS_HONOURED, "another S3 than Amazon's: https://HOST[:PORT]"),
	FIELD(egress, "addressing", addressing, FK_STR, FS_HONOURED, "how the bucket is named: auto (if not given), path or virtual"),
	FIELD(egress, "requester_pays", requester_pays, FK_BOOL, FS_HONOURED, "the bucket wants its users to pay, and you will"),
	FIELD(egress, "sse", sse, FK_STR, FS_HONOURED, "encryption at rest: AES256, aws:kms or aws:kms:dsse"),
	FIELD(egress, "kms_key", kms_key, FK_STR, FS_HONOURED, "the key of aws:kms"),
	FIELD(egress, "acl", acl, FK_STR, FS_HONOURED, "a canned ACL: bucket-owner-full-control, …; none is sent if not given"),
	FIELD(egress, "storage_class", storage_class, FK_STR, FS_HONOURED, "STANDARD_IA, GLACIER, …"),
	FIELD(egress, "tags", tags, FK_PAIRS, FS_HONOURED, "tags of the objects, at most 10"),
	FIELD(egress, "metadata", metadata, FK_PAIRS, FS_HONOURED, "x-amz-meta-…, beside dassie's own"),
	FIELD(egress, "content_type", content_type, FK_STR, FS_HONOURED, "of all objects; by their names if not given"),
	FIELD(egress, "cache_control", cache_control, FK_STR, FS_HONOURED, "how long others may keep copies"),
	FIELD(egress, "delete", delete_, FK_BOOL, FS_HONOURED, "remove there what left the output, after all else went"),
	FIELD(egress, "layout", layout, FK_STR, FS_HONOURED, "{path} (if not given), {date}/{path}, {commit}/{path}; {pipeline} too"),
	FIELD(egress, "include", include, FK_STRS, FS_HONOURED, "only these files: patterns as in .gitignore"),
	FIELD(egress, "exclude", exclude, FK_STRS, FS_HONOURED, "all files but these"),
	FIELD(egress, "concurrency", concurrency, FK_INT, FS_HONOURED, "transfers at once; 8 if not given"),
	FIELD(egress, "part_size", part_size, FK_SIZE, FS_HONOURED, "of what is sent in parts; 8Mi, or more for very large files"),
	FIELD(egress, "bandwidth", bandwidth, FK_SIZE, FS_HONOURED, "at most so many bytes a second"),
	FIELD(egress, "verify", verify, FK_BOOL, FS_HONOURED, "compare with a listing of the place before each push"),
};
TABLE(egress_table, "egress", "an egress", egress, egress_rows);

static const struct field datum_set_rows[] = {
	FIELD(datum_set, "number", number, FK_INT, FS_HONOURED, "datums a set"),
	FIELD(datum_set, "size_bytes", size_bytes, FK_SIZE, FS_HONOURED, "bytes a set"),
	FIELD(datum_set, "per_worker", per_worker, FK_INT, FS_HONOURED, "sets a worker"),
};
static TABLE(datum_set_table, "datum_set_spec", "a datum_set_spec", datum_set, datum_set_rows);

static const struct field chunk_rows[] = {
	FIELD(chunk, "number", number, FK_INT, FS_HONOURED, "datums a chunk"),
	FIELD(chunk, "size_bytes", size_bytes, FK_SIZE, FS_HONOURED, "bytes a chunk"),
};
static TABLE(chunk_table, "chunk_spec", "a chunk_spec", chunk, chunk_rows);

static const struct field hashtree_rows[] = {
	FIELD(hashtree, "constant", constant, FK_INT, FS_HONOURED, "shards"),
};
static TABLE(hashtree_table, "hashtree_spec", "a hashtree_spec", hashtree, hashtree_rows);

static const struct field service_rows[] = {
	FIELD(service, "internal_port", internal_port, FK_INT, FS_HONOURED, "port of the container"),
	FIELD(service, "external_port", external_port, FK_INT, FS_HONOURED, "port of the node"),
	FIELD(service, "ip", ip, FK_STR, FS_HONOURED, "address"),
	FIELD(service, "type", type, FK_STR, FS_HONOURED, "NodePort, LoadBalancer"),
	FIELD(service, "annotations", annotations, FK_PAIRS, FS_HONOURED, "annotations"),
};
static TABLE(service_table, "service", "a service", service, service_rows);

static const struct field spout_rows[] = {
	FIELD_SUB(spout, "service", service, FK_OBJ, FS_HONOURED, service_table, "a port to listen on"),
	FIELD(spout, "overwrite", overwrite, FK_BOOL, FS_HONOURED, "replace instead of append"),
	FIELD(spout, "marker", marker, FK_STR, FS_HONOURED, "a file to resume from"),
};
static TABLE(spout_table, "spout", "a spout", spout, spout_rows);

static const struct field scheduling_rows[] = {
	FIELD(scheduling, "node_selector", node_selector, FK_PAIRS, FS_HONOURED, "labels of nodes"),
	FIELD(scheduling, "priority_class_name", priority_class_name, FK_STR, FS_HONOURED, "a priority class"),
};
static TABLE(scheduling_table, "scheduling_spec", "a scheduling_spec", scheduling, scheduling_rows);

static const struct field toleration_rows[] = {
	FIELD(toleration, "key", key, FK_STR, FS_HONOURED, "a taint's key"),
	FIELD(toleration, "operator", operator_, FK_STR, FS_HONOURED, "EQUAL or EXISTS"),
	FIELD(toleration, "value", value, FK_STR, FS_HONOURED, "a taint's value"),
	FIELD(toleration, "effect", effect, FK_STR, FS_HONOURED, "a taint's effect"),
	FIELD(toleration, "toleration_seconds", toleration_seconds, FK_INT, FS_HONOURED, "for how long"),
};
static TABLE(toleration_table, "tolerations", "a toleration", toleration, toleration_rows);

static const struct field determined_rows[] = {
	FIELD(determined, "workspaces", workspaces, FK_STRS, FS_HONOURED, "workspaces"),
};
static TABLE(determined_table, "determined", "determined", determined, determined_rows);

static const struct field notify_rows[] = {
	{ .name = "mail", .kind = FK_STRS, .one = true, .off = offsetof(struct notify_form, mail),
	    .why = "addresses that get a mail, by sendmail or 'smtp'" },
	{ .name = "webhook", .kind = FK_STRS, .one = true, .off = offsetof(struct notify_form, webhook),
	    .why = "URLs that get JSON by POST, as Slack and its likes take it; env:NAME and file:PATH hold secret ones" },
	{ .name = "when", .alias = "on", .kind = FK_STRS, .one = true, .off = offsetof(struct notify_form, on),
	    .why = "what is told: failure, recovery, long; all, if not given" },
	FIELD(notify_form, "long", long_run, FK_DURATION, FS_HONOURED, "a job that takes longer is told of while it runs; none if not given"),
	FIELD(notify_form, "smtp", smtp, FK_STR, FS_HONOURED, "the mail server, smtp://HOST:PORT or smtps://…, also env:NAME or file:PATH; sendmail if not given"),
	FIELD(notify_form, "from", from, FK_STR, FS_HONOURED, "the address that mails come from"),
};
TABLE(notify_table, "notify", "a notify", notify_form, notify_rows);

static const struct field pipeline_rows[] = {
	FIELD_SUB(pipeline, "pipeline", id, FK_OBJ, FS_HONOURED, id_table, "the name"),
	FIELD(pipeline, "description", description, FK_STR, FS_HONOURED, "free text; shown by make help"),
	FIELD_SUB(pipeline, "metadata", metadata, FK_OBJ, FS_HONOURED, metadata_table, "annotations and labels"),
	FIELD_SUB(pipeline, "transform", transform, FK_OBJ, FS_HONOURED, transform_table, "what is run"),
	FIELD_SUB(pipeline, "input", input, FK_OBJ, FS_HONOURED, input_table, "what it is run on"),
	FIELD(pipeline, "merge", merge, FK_STR, FS_HONOURED, "two datums that write one path: error (if not given) or concat, in the order of the datums"),
	{ .name = "output_branch", .kind = FK_STR, .status = FS_HONOURED, .usual = "master", .off = offsetof(struct pipeline, output_branch),
	    .why = "the branch that gets the output; master if not given" },
	{ .name = "egress", .kind = FK_OBJS, .one = true, .off = offsetof(struct pipeline, egress),
	    .sub = &egress_table, .why = "where the output is pushed; one or a list" },
	FIELD_SUB(pipeline, "schedule", schedule, FK_OBJ, FS_HONOURED, schedule_table, "a cron expression, or a map with one: make is run for the pipeline then"),
	FIELD_SUB(pipeline, "parallelism_spec", parallelism_spec, FK_OBJ, FS_HONOURED, parallelism_table, "how many datums at once"),
	FIELD(pipeline, "datum_tries", datum_tries, FK_INT, FS_HONOURED, "attempts of a datum in all; 3 if not given or 0"),
	FIELD_SUB(pipeline, "retry", retry, FK_OBJ, FS_HONOURED, retry_table, "when and how often a failed datum is tried again"),
	FIELD(pipeline, "datum_timeout", datum_timeout, FK_DURATION, FS_HONOURED, "the longest that an attempt may take"),
	FIELD(pipeline, "job_timeout", job_timeout, FK_DURATION, FS_HONOURED, "the longest that a job may take, from its own first datum"),
	FIELD(pipeline, "reprocess_spec", reprocess_spec, FK_STR, FS_HONOURED, "until_success (if not given), or every_job: a job runs all its datums"),
	FIELD(pipeline, "salt", salt, FK_STR, FS_HONOURED, "a text that is part of every datum's identity"),
	FIELD_SUB(pipeline, "notify", notify, FK_OBJ, FS_HONOURED, notify_table, "who is told of failures, recoveries and long runs, instead of the set's"),
	FIELD_SUB(pipeline, "resource_requests", resource_requests, FK_OBJ, FS_HONOURED, requests_table, "what a datum needs"),
	FIELD_SUB(pipeline, "resource_limits", resource_limits, FK_OBJ, FS_HONOURED, limits_table, "what a datum may take"),
	FIELD(pipeline, "on_oom", on_oom, FK_STR, FS_HONOURED, "x2: a try that ran out of memory is followed by one with twice the limit"),
	FIELD(pipeline, "pools", pools, FK_PAIRS, FS_HONOURED, "places that a datum takes of the pools that 'pools' beside 'pipelines' names"),
	FIELD(pipeline, "priority", priority, FK_INT, FS_HONOURED, "make looks at pipelines with a higher one first; 0 if not given"),
	FIELD_SUB(pipeline, "sidecar_resource_limits", sidecar_resource_limits, FK_OBJ, FS_NO_EFFECT, resources_table, K8S),
	FIELD_SUB(pipeline, "sidecar_resource_requests", sidecar_resource_requests, FK_OBJ, FS_NO_EFFECT, resources_table, K8S),
	FIELD_SUB(pipeline, "datum_set_spec", datum_set_spec, FK_OBJ, FS_NO_EFFECT, datum_set_table, "chunks are made by recorded durations"),
	FIELD_SUB(pipeline, "chunk_spec", chunk_spec, FK_OBJ, FS_NO_EFFECT, chunk_table, "chunks are made by recorded durations"),
	FIELD_SUB(pipeline, "hashtree_spec", hashtree_spec, FK_OBJ, FS_NO_EFFECT, hashtree_table, "of Pachyderm 1.x's storage"),
	FIELD_SUB(pipeline, "scheduling_spec", scheduling_spec, FK_OBJ, FS_NO_EFFECT, scheduling_table, K8S),
	FIELD(pipeline, "pod_spec", pod_spec, FK_STR, FS_NO_EFFECT, K8S),
	FIELD(pipeline, "pod_patch", pod_patch, FK_STR, FS_NO_EFFECT, K8S),
	FIELD_SUB(pipeline, "tolerations", tolerations, FK_OBJS, FS_NO_EFFECT, toleration_table, K8S),
	FIELD_SUB(pipeline, "determined", determined, FK_OBJ, FS_NO_EFFECT, determined_table, K8S),
	FIELD(pipeline, "maximum_expected_uptime", maximum_expected_uptime, FK_DURATION, FS_NO_EFFECT, "an alert of Pachyderm's"),
	FIELD(pipeline, "autoscaling", autoscaling, FK_BOOL, FS_NO_EFFECT, "nothing runs between jobs here"),
	FIELD(pipeline, "standby", standby, FK_BOOL, FS_NO_EFFECT, "nothing runs between jobs here"),
	FIELD(pipeline, "enable_stats", enable_stats, FK_BOOL, FS_NO_EFFECT, "everything is recorded always"),
	FIELD(pipeline, "incremental", incremental, FK_BOOL, FS_REFUSED, "of Pachyderm before 1.8; let a second pipeline combine the outputs"),
	FIELD(pipeline, "batch", batch, FK_BOOL, FS_NO_EFFECT, "of Pachyderm before 1.9"),
	FIELD(pipeline, "cache_size", cache_size, FK_SIZE, FS_NO_EFFECT, "of Pachyderm 1.x's storage"),
	FIELD(pipeline, "scale_down_threshold", scale_down_threshold, FK_STR, FS_NO_EFFECT, "nothing runs between jobs here"),
	FIELD(pipeline, "max_queue_size", max_queue_size, FK_INT, FS_NO_EFFECT, "data is on this machine already"),
	FIELD(pipeline, "s3_out", s3_out, FK_BOOL, FS_REFUSED, "there is no S3 gateway; the command writes files to $out"),
	FIELD_SUB(pipeline, "service", service, FK_OBJ, FS_REFUSED, service_table, "make runs things that end; let systemd run the service on out/"),
	FIELD_SUB(pipeline, "spout", spout, FK_OBJ, FS_REFUSED, spout_table, "make runs things that end; let a daemon write files into a source's folder"),
	FIELD(pipeline, "tf_job", tf_job, FK_RAW, FS_REFUSED, "Pachyderm never supported it either"),
	FIELD(pipeline, "foreach", foreach, FK_RAW, FS_HONOURED, "makes a pipeline for each value of a list, with ${…} in its text"),
	FIELD(pipeline, "matrix", matrix, FK_RAW, FS_HONOURED, "makes a pipeline for every combination of the values of several lists"),
	FIELD(pipeline, "parallelism", parallelism, FK_INT, FS_MAPPED, "of Pachyderm 1.1: parallelism_spec.constant"),
	FIELD(pipeline, "inputs", inputs, FK_RAW, FS_MAPPED, "of Pachyderm 1.3: one is a pfs input, several are a cross of them"),
	{ .name = "spec_commit", .kind = FK_RAW, .status = FS_NO_EFFECT, .quiet = true, .off = offsetof(struct pipeline, spec_commit), .why = "of Pachyderm's API" },
	{ .name = "update", .kind = FK_BOOL, .status = FS_NO_EFFECT, .quiet = true, .off = offsetof(struct pipeline, update), .why = "of Pachyderm's API" },
	{ .name = "reprocess", .kind = FK_BOOL, .status = FS_NO_EFFECT, .quiet = true, .off = offsetof(struct pipeline, reprocess), .why = "of Pachyderm's API" },
	{ .name = "dry_run", .kind = FK_BOOL, .status = FS_NO_EFFECT, .quiet = true, .off = offsetof(struct pipeline, dry_run), .why = "of Pachyderm's API" },
};
_Static_assert(sizeof pipeline_rows / sizeof *pipeline_rows <= FIELDS_MAX, "raise FIELDS_MAX");
TABLE(pipeline_table, "", "a pipeline", pipeline, pipeline_rows);

static const struct field repo_rows[] = {
	{ .name = "source", .kind = FK_STRS, .one = true, .off = offsetof(struct repo_form, source),
	    .why = "the folder that the repo is; or s3://BUCKET/PREFIX; or https:// URLs, each a file" },
	FIELD(repo_form, "keep", keep, FK_BOOL, FS_HONOURED, "keep old contents too, not only their hashes"),
	FIELD(repo_form, "include", include, FK_STRS, FS_HONOURED, "of S3, only these files: patterns as in .gitignore"),
	FIELD(repo_form, "exclude", exclude, FK_STRS, FS_HONOURED, "of S3, all files but these"),
	FIELD(repo_form, "region", region, FK_STR, FS_HONOURED, "the bucket's region; found by itself if not given"),
	FIELD(repo_form, "profile", profile, FK_STR, FS_HONOURED, "the profile of ~/.aws to read with"),
	FIELD(repo_form, "role_arn", role_arn, FK_STR, FS_HONOURED, "the role to assume"),
	FIELD(repo_form, "external_id", external_id, FK_STR, FS_HONOURED, "what that role's owner wants to be told"),
	FIELD(repo_form, "endpoint", endpoint, FK_STR, FS_HONOURED, "another S3 than Amazon's: https://HOST[:PORT]"),
	FIELD(repo_form, "addressing", addressing, FK_STR, FS_HONOURED, "how the bucket is named: auto (if not given), path or virtual"),
	FIELD(repo_form, "requester_pays", requester_pays, FK_BOOL, FS_HONOURED, "the bucket wants its users to pay, and you will"),
};
TABLE(repo_table, "repos", "a repo", repo_form, repo_rows);

/* params.c reads them by itself. */
struct param_form { struct str type, dflt, min, max, description; struct strs values; };

static const struct field param_rows[] = {
	FIELD(param_form, "type", type, FK_STR, FS_HONOURED, "int, float, string, size, duration, path or enum; if not given, what the default looks like"),
	FIELD(param_form, "default", dflt, FK_STR, FS_HONOURED, "its value without -D; without a default, -D must give one"),
	FIELD(param_form, "values", values, FK_STRS, FS_HONOURED, "of an enum: what it may be"),
	FIELD(param_form, "min", min, FK_STR, FS_HONOURED, "of a number, size or duration: the least"),
	FIELD(param_form, "max", max, FK_STR, FS_HONOURED, "the most"),
	FIELD(param_form, "description", description, FK_STR, FS_HONOURED, "free text"),
};
TABLE(param_table, "params", "a param", param_form, param_rows);

/* The map that holds repos and pipelines; load.c reads all but the last by itself. */
static const struct field set_rows[] = {
	{ .name = "repos", .kind = FK_RAW, .why = "the sources, by name" },
	{ .name = "pipelines", .kind = FK_RAW, .why = "the pipelines, by name" },
	{ .name = "params", .kind = FK_RAW, .why = "names that stand for text, ${name}, with a type and a value that -D changes" },
	{ .name = "include", .kind = FK_RAW, .why = "a file or a list of files, relative to this one, that are read as if they stood here" },
	{ .name = "pools", .kind = FK_PAIRS, .off = offsetof(struct specset, pools), .why = "named pools and how many places each has: of all runs of the project together" },
	FIELD_SUB(specset, "schedule", schedule, FK_OBJ, FS_HONOURED, schedule_table, "a cron expression, or a map with one: make is run then"),
	{ .name = "notify", .kind = FK_OBJ, .off = offsetof(struct specset, notify), .sub = &notify_table,
	    .why = "who is told of failures, recoveries and long runs" },
};
const struct table set_table = { "", "a spec", set_rows, sizeof set_rows / sizeof *set_rows, sizeof(struct specset) };

const struct shorthand shorthand_table[] = {
	{ "run", "transform.stdin", "lines for sh -eu; cmd becomes [sh, -eu]" },
	{ "cmd", "transform.cmd", "the command and its arguments" },
	{ "stdin", "transform.stdin", "lines that the command gets on standard input" },
	{ "env", "transform.env", "variables of the command" },
	{ "code", "transform.code", "files of the project that the command runs" },
	{ "secrets", "transform.secrets", "as there, or a map: VARIABLE: NAME/KEY, and /FOLDER: NAME" },
	{ "working_dir", "transform.working_dir", "where the command starts" },
	{ "sandbox", "transform.sandbox", "strict: nothing of the project but inputs and code" },
	{ "err_cmd", "transform.err_cmd", "runs after the last failed attempt" },
	{ "err_stdin", "transform.err_stdin", "lines that err_cmd gets on standard input" },
	{ "accept_return_code", "transform.accept_return_code", "exit codes that count as success beside 0" },
	{ "tries", "datum_tries", "attempts of a datum in all" },
	{ "timeout", "datum_timeout", "the longest that an attempt may take" },
	{ "workers", "parallelism_spec.constant", "at most so many datums of the pipeline at once" },
	{ "memory", "resource_limits.memory", "what all processes of an attempt may use together" },
	{ "cpu", "resource_requests.cpu", "of make's -jN a datum counts as so many jobs" },
	{ "pool", "pools", "the pool of which a datum takes a place, or a list of them" },
};
const size_t shorthand_count = sizeof shorthand_table / sizeof *shorthand_table;

bool
field_name_is(const char *snake, const char *given)
{
	if (!strcmp(snake, given))
		return true;
	for (; *snake; snake++, given++) {
		char want = *snake;

		if (want == '_' && snake[1])
			want = *++snake >= 'a' && *snake <= 'z' ? (char)(*snake - 32) : *snake;
		if (*given != want)
			return false;
	}
	return !*given;
}

const struct field *
field_find(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->field[i];

		if (f->name[0] == name[0] && field_name_is(f->name, name))
			return f;
		if (f->alias && !strcmp(f->alias, name))
			return f;
	}
	return 0;
}

const struct shorthand *
shorthand_find(const char *name)
{
	for (size_t i = 0; i < shorthand_count; i++)
		if (shorthand_table[i].name[0] == name[0] && field_name_is(shorthand_table[i].name, name))
			return &shorthand_table[i];
	return 0;
}
