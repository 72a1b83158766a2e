/* container.c: docker's client only talks to its daemon, and podman's container outlives its client, too: so each container has a
 * name and is removed by it when the client was killed, and labels by which the next job finds what a killed runner left.  They
 * keep no log of their own (--log-driver=none: it would not be masked), never pull, and run the image by its digest, which is what
 * the datum's key was made from.
 *
 * The command's variables are named, not written, on the client's command line: they are in the client's environment.  Those that
 * would mean something to the client itself (PATH, HOME) are the image's. */
#include "container.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/conf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/plan.h"
#include "capture.h"
#include "failure.h"
#include "pfs.h"
#include "result.h"
#include "secrets.h"
#include "view.h"

enum { ANSWER_MAX = 65536, TAIL = 4096, DOCKER_ERROR = 125, NOT_EXECUTABLE = 126, APPTAINER_ERROR = 255 };

#define TMP_INSIDE "/tmp/dassie"

static void
project_label(char ret[OID_HEX + 1], const char *project)
{
	struct oid id;

	sha256_bytes(project, strlen(project), &id);
	oid_hex(&id, ret);
}

int
container_init(struct container *c, const struct plan_head *h, const char *project, struct err *err)
{
	const struct plan_code *code = NULL;

	c->head = h;
	c->project = project;
	if (!h->runtime)
		return 0;
	if (images_read(&c->images, err) < 0)
		return -1;
	for (size_t i = 0; i < h->n_code; i++)
		if (strncmp(h->code[i].path, STEP_IMAGE, sizeof STEP_IMAGE - 1) == 0)
			code = &h->code[i];
	c->image = images_find(&c->images, h->image);
	if (!code || !c->image)
		return err_set(err, 0, "image '%s' was not looked for: run make again", h->image);
	if (!oid_eq(&code->id, &c->image->id))
		return err_set(err, 0, "image '%s' is another one by now: run make again", h->image);
	oid_hex(&code->id, c->id);
	c->apptainer = strcmp(h->runtime, "apptainer") == 0;
	c->client = !c->apptainer;
	return 0;
}

void
container_release(struct container *c)
{
	free(c->arg);
	free(c->env);
	arena_release(&c->arena);
	images_release(&c->images);
	*c = (struct container)CONTAINER_INIT;
}

static void
add(struct container *c, const char *word)
{
	GROW(c->arg, c->n_arg, c->cap_arg);
	c->arg[c->n_arg++] = word;
}

static void
add_env(struct container *c, const char *entry)
{
	GROW(c->env, c->n_env, c->cap_env);
	c->env[c->n_env++] = (char *)entry;
}

/* A folder or file of this machine in the container. */
static int
add_mount(struct container *c, const char *from, const char *to, bool write, struct err *err)
{
	bool colon = strchr(from, ':') || strchr(to, ':'), comma = strchr(from, ',') || strchr(to, ',');

	if (colon && (comma || c->apptainer))
		return err_set(err, 0, "%s cannot show '%s': a ':'%s in its path is taken for something else", c->head->runtime, from, comma ? " or ','" : "");
	if (c->apptainer) {
		add(c, "--bind");
		add(c, arena_fmt(&c->arena, "%s:%s%s", from, to, write ? "" : ":ro"));
	} else if (colon) {
		add(c, "--mount");
		add(c, arena_fmt(&c->arena, "type=bind,source=%s,target=%s%s", from, to, write ? "" : ",readonly"));
	} else {
		add(c, "-v");
		add(c, arena_fmt(&c->arena, "%s:%s%s", from, to, write ? "" : ":ro"));
	}
	return 0;
}

static bool
is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

struct seen { const char **v; size_t n, cap; };

static int
add_real(struct container *c, struct seen *seen, const char *real, const char *to, struct err *err)
{
	for (size_t i = 0; i < seen->n; i++)
		if (is_below(to, seen->v[i]))
			return 0;
	GROW(seen->v, seen->n, seen->cap);
	seen->v[seen->n++] = arena_str(&c->arena, to);
	return add_mount(c, real, seen->v[seen->n - 1], false, err);
}

/* What a command that was written for this machine names. */
static int
add_sources(struct container *c, struct err *err)
{
	struct seen seen = { 0 };
	char real[PATH_MAX];
	int rc = add_real(c, &seen, c->project, c->project, err);

	for (size_t i = 0; rc == 0 && i < c->head->n_input; i++) {
		const char *dir = c->head->input[i].dir;

		if (strcmp(dir, "-") == 0 || !realpath(dir, real))
			continue;
		rc = add_real(c, &seen, real, real, err);
		if (rc == 0 && dir[0] == '/')
			rc = add_real(c, &seen, real, dir, err);
	}
	free(seen.v);
	return rc;
}

static int
add_secrets(struct container *c, struct err *err)
{
	for (size_t i = 0; i < c->head->secrets.n; i++) {
		const struct secret_use *u = &c->head->secrets.v[i];
		struct buf from = BUF_INIT;
		int rc = u->mount[0] ? secrets_path(&from, u->name, err) : 1;

		if (rc == 0)
			rc = add_mount(c, arena_str(&c->arena, from.s), u->mount, false, err);
		buf_release(&from);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Whom the image's commands run as, if not as root: what they write must be theirs to write. */
static const char *
other_user(const struct container *c)
{
	const char *user = c->head->user ? c->head->user : c->image->user;
	size_t n = strcspn(user, ":");

	return n == 0 || (n == 1 && user[0] == '0') || (n == 4 && strncmp(user, "root", 4) == 0) ? NULL : user;
}

static void
open_folders(const struct container *c, struct view *v)
{
	struct buf out = BUF_INIT;

	/* What cannot be opened shows as the command's own error. */
	buf_fmt(&out, "%s/out", v->dir_abs);
	if (c->client && other_user(c) && (chmod(out.s, 0777) < 0 || chmod(v->tmp_abs, 01777) < 0))
		errno = 0;
	buf_release(&out);
}

/* The image's, or the client's. */
static bool
is_kept_out(const char *entry)
{
	static const char *const name[] = { "PATH=", "HOME=", "USER=", "LOGNAME=", "LC_ALL=", "TZ=", "TMPDIR=", "PWD=" };

	for (size_t i = 0; i < sizeof name / sizeof *name; i++)
		if (strncmp(entry, name[i], strlen(name[i])) == 0)
			return true;
	return false;
}

static bool
same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

/* Ours, and the command's over it. */
static void
add_variables(struct container *c, char *const *env)
{
	for (char **e = environ; *e; e++) {
		bool hidden = strncmp(*e, "DASSIE_IMAGE=", 13) == 0;

		for (size_t i = 0; !hidden && !c->apptainer && env[i]; i++)
			hidden = !is_kept_out(env[i]) && same_name(*e, env[i]);
		if (!hidden)
			add_env(c, *e);
	}
	for (size_t i = 0; env[i]; i++) {
		if (is_kept_out(env[i]))
			continue;
		if (c->apptainer) {
			add_env(c, arena_fmt(&c->arena, "APPTAINERENV_%s", env[i]));
			continue;
		}
		add_env(c, env[i]);
		add(c, "-e");
		add(c, arena_dup(&c->arena, env[i], strcspn(env[i], "=")));
	}
	if (c->apptainer) {
		add_env(c, "APPTAINERENV_TMPDIR=" TMP_INSIDE);
		/* The step's own words find the project, too. */
		add_env(c, arena_fmt(&c->arena, "DASSIE_PROJECT=%s", c->project));
	} else {
		add(c, "-e");
		add(c, "TMPDIR=" TMP_INSIDE);
	}
	add_env(c, arena_fmt(&c->arena, "DASSIE_IMAGE=%s", c->image->file[0] ? c->image->file : c->id));
}

static bool
has_init(const char *runtime)
{
	static const char *const place[] = { "/usr/libexec/podman/catatonit", "/usr/lib/podman/catatonit", "/usr/local/libexec/podman/catatonit" };

	if (strcmp(runtime, "docker") == 0)
		return true;
	for (size_t i = 0; i < sizeof place / sizeof *place; i++)
		if (access(place[i], X_OK) == 0)
			return true;
	return false;
}

static void
add_docker(struct container *c, uint64_t memory, bool tty)
{
	char label[OID_HEX + 1];

	project_label(label, c->project);
	snprintf(c->name, sizeof c->name, "dassie-%.16s-%ld-%u", label, (long)getpid(), ++c->n);
	add(c, "run");
	add(c, "--rm");
	add(c, tty ? "-it" : "-i");
	add(c, "--name");
	add(c, c->name);
	add(c, arena_fmt(&c->arena, "--label=dassie.project=%s", label));
	add(c, arena_fmt(&c->arena, "--label=dassie.pipeline=%s", c->head->pipeline));
	add(c, "--pull=never");
	add(c, "--log-driver=none");
	add(c, "--security-opt=label=disable");
	/* The first process of a container takes no signal that it does not ask for, and waits for nobody's children. */
	if (has_init(c->head->runtime))
		add(c, "--init");
	if (memory && (geteuid() == 0 || strcmp(c->head->runtime, "docker") == 0))
		add(c, arena_fmt(&c->arena, "--memory=%llu", (unsigned long long)memory));
	if (c->head->user) {
		add(c, "--user");
		add(c, c->head->user);
	} else if (strcmp(c->head->runtime, "docker") == 0 && geteuid() != 0) {
		/* Else what it writes into our folders would be root's. */
		add(c, arena_fmt(&c->arena, "--user=%lu:%lu", (unsigned long)geteuid(), (unsigned long)getegid()));
		add(c, "-e");
		add(c, "HOME=" TMP_INSIDE);
	}
}

int
container_words(struct container *c, struct view *v, char *const *env, uint64_t memory, bool tty, const char *const **ret,
                char ***ret_env, struct err *err)
{
	bool code = false;

	arena_release(&c->arena);
	c->n_arg = c->n_env = 0;
	open_folders(c, v);
	add(c, c->head->runtime);
	if (c->apptainer) {
		add(c, "exec");
		add(c, "--containall");
		add(c, "--writable-tmpfs");
	} else {
		add_docker(c, memory, tty);
	}
	if (add_mount(c, v->dir_abs, PFS_DIR, false, err) < 0 || add_mount(c, arena_fmt(&c->arena, "%s/out", v->dir_abs), PFS_DIR "/out", true, err) < 0 ||
	    add_mount(c, v->tmp_abs, TMP_INSIDE, true, err) < 0 || add_sources(c, err) < 0 || add_secrets(c, err) < 0)
		return -1;
	for (size_t i = 0; i < c->head->n_code; i++)
		code |= strncmp(c->head->code[i].path, STEP_IMAGE, sizeof STEP_IMAGE - 1) != 0;
	if (code) {
		add(c, c->apptainer ? "--pwd" : "--workdir");
		add(c, c->project);
	}
	add_variables(c, env);
	add(c, NULL);
	add_env(c, NULL);
	*ret = c->arg;
	*ret_env = c->env;
	return 0;
}

static void
quietly(const char *const argv[])
{
	struct buf said = BUF_INIT;
	struct err ignored = ERR_INIT;

	capture(argv, &said, ANSWER_MAX, &ignored);
	buf_release(&said);
}

void
container_end(struct container *c, struct view *v, bool killed)
{
	bool podman = c->image && strcmp(c->head->runtime, "podman") == 0;

	if (!c->image)
		return;
	if (c->client && killed && c->name[0])
		quietly(podman ? (const char *const[]){ "podman", "rm", "-f", "-t", "0", c->name, NULL } :
		    (const char *const[]){ c->head->runtime, "rm", "-f", c->name, NULL });
	c->name[0] = '\0';
	/* As an ordinary user, podman's other users are numbers that are nobody's outside. */
	if (podman && geteuid() != 0 && other_user(c))
		quietly((const char *const[]){ "podman", "unshare", "chown", "-R", "0:0", v->dir_abs, v->tmp_abs, NULL });
}

struct links { struct container *c; struct view *v; struct fault *fault; struct err *err; size_t root; };

/* A link that the command made, by the paths of its container. */
static int
change_link(struct links *l, const char *path)
{
	char text[PATH_MAX];
	struct buf to = BUF_INIT;
	ssize_t n = readlink(path, text, sizeof text - 1);
	int rc = 0;

	if (n < 0)
		return err_set(l->err, errno, "readlink '%s':", path);
	text[n] = '\0';
	if (text[0] != '/' || is_below(text, l->c->project))
		return 0;
	if (is_below(text, PFS_DIR))
		buf_fmt(&to, "%s%s", l->v->dir_abs, text + sizeof PFS_DIR - 1);
	else if (is_below(text, TMP_INSIDE))
		buf_fmt(&to, "%s%s", l->v->tmp_abs, text + sizeof TMP_INSIDE - 1);
	else
		rc = fault_set(l->fault, CLASS_OUTPUT, "output '%s' is a symlink to '%s', a file of the image: copy it", path + l->root, text);
	if (rc == 0 && (unlink(path) < 0 || symlink(to.s, path) < 0))
		rc = err_set(l->err, errno, "cannot change the link '%s':", path);
	buf_release(&to);
	return rc;
}

static int
change_links(struct links *l, struct buf *path)
{
	DIR *d = opendir(path->s);
	size_t len = path->n;
	struct dirent *e;
	int rc = 0;

	/* What cannot be read is told when it is collected. */
	while (rc == 0 && d && (e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		buf_byte(path, '/');
		buf_str(path, e->d_name);
		if (e->d_type == DT_UNKNOWN && lstat(path->s, &st) == 0)
			e->d_type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : DT_REG;
		rc = e->d_type == DT_LNK ? change_link(l, path->s) : e->d_type == DT_DIR ? change_links(l, path) : 0;
		path->n = len;
		path->s[len] = '\0';
	}
	if (d)
		closedir(d);
	return rc;
}

int
container_links(struct container *c, struct view *v, struct fault *fault, struct err *err)
{
	struct links l = { c, v, fault, err, 0 };
	struct buf path = BUF_INIT;
	int rc;

	if (!c->image)
		return 0;
	buf_fmt(&path, "%s/out", v->dir_abs);
	l.root = path.n + 1;
	rc = change_links(&l, &path);
	buf_release(&path);
	return rc;
}

/* The last line of the log. */
static const char *
last_words(const char *log, char text[TAIL + 1])
{
	ssize_t n = fs_read_tail(log, text, TAIL);
	char *at;

	text[n > 0 ? n : 0] = '\0';
	for (n = n > 0 ? n : 0; n > 0 && text[n - 1] == '\n'; )
		text[--n] = '\0';
	at = strrchr(text, '\n');
	return at ? at + 1 : text;
}

bool
container_failed(const struct container *c, const struct attempt *a, const char *log, struct err *err)
{
	char text[TAIL + 1];
	const char *line, *todo = "";

	if (!c->image || !a->log || (a->exit != (c->apptainer ? APPTAINER_ERROR : DOCKER_ERROR) && a->exit != NOT_EXECUTABLE))
		return false;
	line = last_words(log, text);
	if (a->exit == NOT_EXECUTABLE) {
		if (c->apptainer || !strstr(line, "OCI runtime") || !strstr(line, "unable to setup user"))
			return false;
		err_set(err, 0, "%s cannot run image '%s' as user '%s': an ordinary user needs numbers for that in /etc/subuid and /etc/subgid",
		    c->head->runtime, c->head->image, other_user(c) ? other_user(c) : "root");
		return true;
	}
	if (strncmp(line, c->apptainer ? "FATAL:" : "Error", c->apptainer ? 6 : 5) && strncmp(line, "docker: ", 8) &&
	    !strstr(text, "docker: Error") && !strstr(text, "Cannot connect to"))
		return false;
	if (strstr(text, "not known") || strstr(text, "No such image"))
		todo = ": run make again, which looks for it";
	else if (strstr(text, "Cannot connect to"))
		todo = ": start it, or compile with another --runtime";
	err_set(err, 0, "%s could not start image '%s': %.1000s%s", c->head->runtime, c->head->image, line, todo);
	return true;
}

void
container_sweep(const char *runtime, const char *pipeline)
{
	struct buf ids = BUF_INIT;
	struct err ignored = ERR_INIT;
	char label[OID_HEX + 1], of_project[96], of_pipeline[128], *project = getcwd(NULL, 0);

	if (strcmp(runtime, "apptainer") == 0 || !project) {
		free(project);
		return;
	}
	project_label(label, project);
	snprintf(of_project, sizeof of_project, "label=dassie.project=%s", label);
	snprintf(of_pipeline, sizeof of_pipeline, "label=dassie.pipeline=%s", pipeline);
	if (capture((const char *const[]){ runtime, "ps", "-aq", "--filter", of_project, "--filter", of_pipeline, NULL }, &ids, ANSWER_MAX,
	    &ignored) == 0)
		for (char *id = ids.s, *end; id && *id; id = end + (*end == '\n')) {
			char one[80];

			end = id + strcspn(id, "\n");
			snprintf(one, sizeof one, "%.*s", (int)(end - id), id);
			if (one[0])
				quietly(strcmp(runtime, "podman") == 0 ? (const char *const[]){ runtime, "rm", "-f", "-t", "0", one, NULL } :
				    (const char *const[]){ runtime, "rm", "-f", one, NULL });
		}
	buf_release(&ids);
	free(project);
}
