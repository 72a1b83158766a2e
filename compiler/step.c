/* step.c: what is run for a datum, as one POSIX shell script that a person can run too.
 *
 * A shell that gets its lines on stdin (cmd [sh, -eu], what `run:` lowers to) would cost a second process a datum:
 * the lines become the end of the script instead, and its flags a `set`.  Any other command is exec'ed with its words
 * in single quotes and its stdin as a quoted here-document, whose delimiter is no line of it.
 *
 * What cron and a terminal would set differently under one key is fixed here: umask, LC_ALL, TZ.  The runner says where
 * the project is in DASSIE_PROJECT; by hand it is found from the script's own path, which costs a process only then.
 *
 * Where the command is to run in its image, the script runs outside of it, with what begins a container as its arguments
 * ("podman run -v …", made by the runner): it adds the command's own part, the image (DASSIE_IMAGE) and the command.  What is set
 * for cron above is the image's business there. */
#include "step.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/layout.h"
#include "../base/mem.h"
#include "check.h"
#include "spec.h"
#include "value.h"
#include "words.h"

void
sh_quote(struct buf *b, const char *s)
{
	buf_byte(b, '\'');
	for (const char *q; (q = strchr(s, '\'')); s = q + 1) {
		buf_add(b, s, (size_t)(q - s));
		buf_str(b, "'\\''");
	}
	buf_str(b, s);
	buf_byte(b, '\'');
}

/* A flag of sh that means the same in `set`. */
static bool
set_flag(const char *s)
{
	return s[0] == '-' && s[1] && strspn(s + 1, "aefuxC") == strlen(s + 1);
}

/* Is the command a plain sh that reads its lines from stdin? */
static bool
is_sh_stdin(const struct strs *cmd, const struct strs *lines)
{
	if (!cmd->n || !lines->n || (strcmp(cmd->v[0].s, "sh") != 0 && strcmp(cmd->v[0].s, "/bin/sh") != 0))
		return false;
	for (size_t i = 1; i < cmd->n; i++)
		if (!set_flag(cmd->v[i].s) && !(strcmp(cmd->v[i].s, "-s") == 0 && i + 1 == cmd->n))
			return false;
	return true;
}

static void
add_lines(struct buf *b, const struct strs *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		buf_str(b, lines->v[i].s);
		buf_byte(b, '\n');
	}
}

static bool
has_line(const struct strs *lines, const char *line)
{
	size_t n = strlen(line);

	for (size_t i = 0; i < lines->n; i++)
		for (const char *p = lines->v[i].s; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : 0)
			if (!strncmp(p, line, n) && (!p[n] || p[n] == '\n'))
				return true;
	return false;
}

/* Variables that no shell can set: 'spark.driver=x', for env. */
static bool
has_odd_names(const struct pairs *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (!value_shell_name(env->v[i].key.s))
			return true;
	return false;
}

static void
add_odd_names(struct buf *b, const struct pairs *env)
{
	struct buf pair = BUF_INIT;

	buf_str(b, " env --");
	for (size_t i = 0; i < env->n; i++) {
		if (value_shell_name(env->v[i].key.s))
			continue;
		buf_reset(&pair);
		buf_fmt(&pair, "%s=%s", env->v[i].key.s, env->v[i].val.s);
		buf_byte(b, ' ');
		sh_quote(b, pair.s);
	}
	buf_release(&pair);
}

/* After a command: its standard input, and what else there is to say on its line. */
static void
add_input(struct buf *b, const struct strs *lines, const char *then)
{
	struct buf end = BUF_INIT;

	if (!lines->n) {
		buf_fmt(b, "%s\n", then);
		return;
	}
	buf_str(&end, "STDIN");
	while (has_line(lines, end.s))
		buf_byte(&end, '_');
	buf_fmt(b, " <<'%s'%s\n", end.s, then);
	add_lines(b, lines);
	buf_fmt(b, "%s\n", end.s);
	buf_release(&end);
}

static void
add_words(struct buf *b, const struct pairs *env, const struct strs *cmd)
{
	if (has_odd_names(env))
		add_odd_names(b, env);
	for (size_t i = 0; i < cmd->n; i++) {
		buf_byte(b, ' ');
		sh_quote(b, cmd->v[i].s);
	}
}

static void
add_exec(struct buf *b, const struct pairs *env, const struct strs *cmd, const struct strs *lines)
{
	if (!cmd->n) {
		buf_str(b, "echo 'this pipeline has no cmd, and the entrypoint of its image is run only with --runtime: give it one' >&2\nexit 127\n");
		return;
	}
	buf_str(b, "exec");
	add_words(b, env, cmd);
	add_input(b, lines, "");
}

/* A command that loops around `pachctl next datum` is started for one datum: it gets that at its first call, and has done
 * with it at the second, which ends it. */
static void
add_batch(struct buf *b, const struct pairs *env, const struct strs *cmd, const struct strs *lines)
{
	buf_str(b, "# datum_batching: 'pachctl next datum' gives this datum once; who asks again has done with it, and is ended\n"
	    "next=$(mktemp -d) || exit 126\n"
	    "cat >\"$next/pachctl\" <<'PACHCTL' && chmod +x \"$next/pachctl\" || exit 126\n"
	    "#!/bin/sh\n"
	    "[ \"$1 $2\" = 'next datum' ] || exit 0\n"
	    "next=$(dirname -- \"$0\")\n"
	    "case $3 in\n"
	    "--error*) echo \"pachctl $*\" >&2; echo 1 >\"$next/status\" ;;\n"
	    "*) mkdir \"$next/given\" 2>/dev/null && exit 0; echo 0 >\"$next/status\" ;;\n"
	    "esac\n"
	    "kill -KILL \"$(cat \"$next/pid\")\"\n"
	    "PACHCTL\n"
	    "PATH=$next:$PATH sh -c 'echo $$ >\"$0/pid\" && exec \"$@\"' \"$next\"");
	add_words(b, env, cmd);
	add_input(b, lines, " &");
	buf_str(b, "wait $!\nstatus=$?\n[ ! -e \"$next/status\" ] || status=$(cat \"$next/status\")\nexit \"$status\"\n");
}

static void
add_command(struct buf *b, const struct pairs *env, const struct strs *cmd, const struct strs *lines)
{
	if (!is_sh_stdin(cmd, lines) || has_odd_names(env)) {
		add_exec(b, env, cmd, lines);
		return;
	}
	for (size_t i = 1; i < cmd->n; i++)
		if (strcmp(cmd->v[i].s, "-s") != 0)
			buf_fmt(b, "set %s\n", cmd->v[i].s);
	add_lines(b, lines);
}

/* NAME=… for each input, as a shell can take it. */
static void
add_names(struct buf *b, const struct input *in)
{
	const char *word;
	size_t n;
	const struct input *member = input_members(in, &n, &word);

	if (in->pfs || in->cron) {
		for (const char *c = in->pfs ? pfs_name(in->pfs) : in->cron->name.s; *c; c++)
			buf_byte(b, *c == '-' ? '_' : *c);
		buf_str(b, "=… ");
	}
	for (size_t i = 0; i < n; i++)
		add_names(b, &member[i]);
}

static void
add_secret_names(struct buf *b, const struct objs *secrets)
{
	const struct secret *v = secrets->v;

	for (size_t i = 0; i < secrets->n; i++)
		if (v[i].env_var.s && *v[i].env_var.s)
			buf_fmt(b, "%s=… ", v[i].env_var.s);
}

/* Where they are is part of what is run; their values are the user's and nobody else's. */
static void
add_secrets(struct buf *b, const struct objs *secrets)
{
	const struct secret *v = secrets->v;

	for (size_t i = 0; i < secrets->n; i++) {
		if (v[i].env_var.s && *v[i].env_var.s)
			buf_fmt(b, "# $%s is the secret '%s', key '%s'\n", v[i].env_var.s, v[i].name.s, v[i].key.s);
		if (v[i].mount_path.s && *v[i].mount_path.s)
			buf_fmt(b, "# %s has the keys of the secret '%s'\n", v[i].mount_path.s, v[i].name.s);
	}
}

bool
step_in_image(const struct specset *s, const struct pipeline *p)
{
	const struct transform *t = p->transform;

	return s->runtime && t && t->image.s && *t->image.s;
}

/* Into the arguments that the container begins with: what is podman's and docker's, and what apptainer takes from its environment. */
static void
add_container_env(struct buf *b, const struct pairs *env, bool apptainer)
{
	struct buf pair = BUF_INIT;

	for (size_t i = 0; i < env->n; i++) {
		buf_reset(&pair);
		buf_fmt(&pair, "%s=%s", env->v[i].key.s, env->v[i].val.s);
		if (apptainer && value_shell_name(env->v[i].key.s)) {
			buf_fmt(b, "export APPTAINERENV_%s=", env->v[i].key.s);
			sh_quote(b, env->v[i].val.s);
			buf_byte(b, '\n');
			continue;
		}
		buf_str(b, apptainer ? "set -- \"$@\" --env " : "set -- \"$@\" -e ");
		sh_quote(b, pair.s);
		buf_byte(b, '\n');
	}
	buf_release(&pair);
}

/* A folder of the image, or, if it is none from the root on, of the project. */
static void
add_container_folder(struct buf *b, const struct str *dir, bool apptainer)
{
	if (!dir->s || !*dir->s)
		return;
	buf_fmt(b, "set -- \"$@\" %s ", apptainer ? "--pwd" : "--workdir");
	if (*dir->s != '/')
		buf_str(b, "\"$DASSIE_PROJECT\"/");
	sh_quote(b, dir->s);
	buf_byte(b, '\n');
}

/* As Pachyderm: a command is run instead of the image's entrypoint, without one it is the entrypoint that runs. */
static void
image_script(struct buf *b, const struct specset *s, const struct pipeline *p, const char *what, const struct strs *cmd, const struct strs *lines)
{
	const struct transform *t = p->transform;
	bool apptainer = !strcmp(s->runtime, "apptainer");

	buf_fmt(b, "#!/bin/sh\n# %s of pipeline '%s', compiled from its spec by dassie: runs in an image.\n# By hand: DASSIE_IMAGE=… sh FILE %s\n", what,
	    pipeline_name(p), apptainer ? "apptainer exec --bind …:/pfs" : "podman run -i --rm -v …:/pfs");
	buf_str(b, "umask 022\n");
	add_secrets(b, &t->secrets);
	if (!apptainer && cmd->n)
		buf_str(b, "set -- \"$@\" --entrypoint=\n");
	if (apptainer && !cmd->n)
		buf_str(b, "run=$1\nshift 2\nset -- \"$run\" run \"$@\"\n");
	add_container_env(b, &t->env, apptainer);
	add_container_folder(b, &t->working_dir, apptainer);
	buf_str(b, "exec \"$@\" \"$DASSIE_IMAGE\"");
	for (size_t i = 0; i < cmd->n; i++) {
		buf_byte(b, ' ');
		sh_quote(b, cmd->v[i].s);
	}
	add_input(b, lines, "");
}

static void
script(struct buf *b, const struct specset *s, const struct pipeline *p, const char *what, const struct strs *cmd, const struct strs *lines)
{
	const struct transform *t = p->transform;

	if (step_in_image(s, p)) {
		image_script(b, s, p, what, cmd, lines);
		return;
	}
	buf_fmt(b, "#!/bin/sh\n# %s of pipeline '%s', compiled from its spec by dassie.\n# By hand: ", what, pipeline_name(p));
	add_names(b, p->input);
	add_secret_names(b, &t->secrets);
	buf_str(b, "out=… sh FILE, with absolute paths\numask 022\n"
	    "CDPATH='' cd -- \"${DASSIE_PROJECT:-$(dirname -- \"$0\")/../..}\" || exit 126\n"
	    "export LC_ALL=C.UTF-8 TZ=UTC\n");
	add_secrets(b, &t->secrets);
	if (t->sandbox.s && !strcmp(t->sandbox.s, "strict"))
		buf_str(b, "# sandbox: strict\n");
	for (size_t i = 0; i < t->env.n; i++) {
		if (!value_shell_name(t->env.v[i].key.s))
			continue;
		buf_str(b, "export ");
		buf_str(b, t->env.v[i].key.s);
		buf_byte(b, '=');
		sh_quote(b, t->env.v[i].val.s);
		buf_byte(b, '\n');
	}
	if (t->working_dir.s && *t->working_dir.s) {
		buf_str(b, "CDPATH='' cd -- ");
		sh_quote(b, t->working_dir.s);
		buf_str(b, " || exit 126\n");
	}
	if (t->datum_batching.v && cmd == &t->cmd && cmd->n)
		add_batch(b, &t->env, cmd, lines);
	else
		add_command(b, &t->env, cmd, lines);
}

void
step_script(struct buf *b, const struct specset *s, const struct pipeline *p)
{
	script(b, s, p, "The step", &p->transform->cmd, &p->transform->stdin_lines);
}

void
step_err_script(struct buf *b, const struct specset *s, const struct pipeline *p)
{
	script(b, s, p, "The err_cmd", &p->transform->err_cmd, &p->transform->err_stdin);
}

static bool
is_data(const struct specset *s, const char *path)
{
	size_t n;

	if (!strncmp(path, DIR_OUT "/", sizeof DIR_OUT) || !strncmp(path, DIR_STATE "/", sizeof DIR_STATE))
		return true;
	for (size_t i = 0; i < s->n_source; i++) {
		if (s->source[i].ticks)
			continue;
		n = strlen(s->source[i].dir);
		if (!strncmp(path, s->source[i].dir, n) && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

void
step_words(const struct specset *s, const struct pipeline *p, struct words *ret)
{
	const struct transform *t = p->transform;
	size_t n = 0;

	for (size_t i = 0; i < t->cmd.n; i++) {
		words_add(s->a, ret, t->cmd.v[i].s, strlen(t->cmd.v[i].s));
		words_find(s->a, ret, t->cmd.v[i].s);
	}
	for (size_t i = 0; i < t->stdin_lines.n; i++)
		words_find(s->a, ret, t->stdin_lines.v[i].s);
	for (size_t i = 0; i < t->err_cmd.n; i++) {
		words_add(s->a, ret, t->err_cmd.v[i].s, strlen(t->err_cmd.v[i].s));
		words_find(s->a, ret, t->err_cmd.v[i].s);
	}
	for (size_t i = 0; t->err_cmd.n && i < t->err_stdin.n; i++)
		words_find(s->a, ret, t->err_stdin.v[i].s);
	words_sort(ret);
	for (size_t i = 0; i < ret->n; i++) {
		bool known = is_data(s, ret->v[i]);

		for (size_t k = 0; k < t->code.n; k++)
			known |= !strcmp(t->code.v[k].s, ret->v[i]);
		if (!known)
			ret->v[n++] = ret->v[i];
	}
	ret->n = n;
}
