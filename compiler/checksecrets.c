/* checksecrets.c: what a secret is shown as must not hide something else: a variable of the step, a folder that the system
 * lives on.  Whether the secret is there is no business of the spec: it is seen when a job begins. */
#include "checksecrets.h"

#include <string.h>

#include "../base/secret.h"
#include "checkmatch.h"
#include "spec.h"

static bool
given(const struct str *t)
{
	return t->s && *t->s;
}

static bool
check_word(struct specset *s, const struct str *t, const char *what)
{
	if (!given(t) || secret_name_ok(t->s))
		return true;
	return diag_error(s->d, t->at, "'%s' cannot be %s: letters, digits, '.', '_' and '-'", t->s, what);
}

static bool
check_variable(struct specset *s, const struct transform *t, const struct str *name, const char *const *inputs, size_t n_inputs)
{
	size_t n = strspn(name->s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (name->s[n] || (name->s[0] >= '0' && name->s[0] <= '9'))
		return diag_error(s->d, name->at, "'%s' cannot be a variable's name: letters, digits and '_'", name->s);
	if (!strncmp(name->s, "DASSIE_", 7) || !strcmp(name->s, "out") || !strcmp(name->s, "PFS") || check_takes_over(name->s))
		return diag_error(s->d, name->at, "a secret cannot be in '%s': the variable means something already; choose another", name->s);
	for (size_t i = 0; i < n_inputs; i++)
		if (!strcmp(inputs[i], name->s))
			return diag_error(s->d, name->at, "'%s' is an input's name already, and the input's path would be lost; choose another", name->s);
	for (size_t i = 0; i < t->env.n; i++)
		if (!strcmp(t->env.v[i].key.s, name->s)) {
			diag_error(s->d, name->at, "'%s' is in 'env' already, which would hide the secret", name->s);
			return diag_note(s->d, t->env.v[i].key.at, "first here"), false;
		}
	return true;
}

static bool
below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

static bool
check_folder(struct specset *s, const struct str *path)
{
	static const char *const system[] = { "/pfs", "/proc", "/sys", "/dev", "/bin", "/sbin", "/lib", "/lib64", "/usr" };
	const char *p = path->s;
	size_t n = strlen(p);

	if (p[0] != '/')
		return diag_error(s->d, path->at, "'mount_path' begins with '/', as in /secrets/NAME");
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 127)
			return diag_error(s->d, path->at, "'mount_path' has a character that is none of a path's");
	if (!p[strspn(p, "/")] || strstr(p, "//") || strstr(p, "/./") || strstr(p, "/../") || (n > 1 && !strcmp(p + n - 2, "/.")) ||
	    (n > 2 && !strcmp(p + n - 3, "/..")))
		return diag_error(s->d, path->at, "'mount_path' is a plain path to a folder, as in /secrets/NAME");
	for (size_t i = 0; i < sizeof system / sizeof *system; i++)
		if (i < 4 ? below(p, system[i]) : !strcmp(p, system[i]) || (below(p, system[i]) && p[strlen(system[i]) + 1] == 0))
			return diag_error(s->d, path->at, "a secret cannot be in '%s': %s", p, i ? "the system lives there" :
			    "that is where the datum is");
	return true;
}

static bool
check_one(struct specset *s, const struct transform *t, const struct secret *v, const char *const *inputs, size_t n_inputs)
{
	bool ok = check_word(s, &v->name, "the name of a secret");

	ok &= check_word(s, &v->key, "a key of a secret");
	if (!given(&v->name))
		return diag_error(s->d, t->secrets.at, "a secret has no 'name'");
	if (given(&v->env_var) && !given(&v->key))
		ok = diag_error(s->d, v->env_var.at, "secret '%s' has 'env_var' set but is missing 'key': which of its values the variable gets", v->name.s);
	else if (!given(&v->env_var) && !given(&v->mount_path))
		ok = diag_error(s->d, v->name.at, "secret '%s' says neither 'mount_path' nor 'env_var': where the command finds it", v->name.s);
	if (given(&v->env_var))
		ok &= check_variable(s, t, &v->env_var, inputs, n_inputs);
	if (given(&v->mount_path))
		ok &= check_folder(s, &v->mount_path);
	return ok;
}

/* Of two in one place the command would see one. */
static bool
check_twice(struct specset *s, const struct secret *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			bool var = given(&v[i].env_var) && given(&v[k].env_var) && !strcmp(v[i].env_var.s, v[k].env_var.s);
			bool folder = given(&v[i].mount_path) && given(&v[k].mount_path) && !strcmp(v[i].mount_path.s, v[k].mount_path.s);
			const struct str *at = var ? &v[i].env_var : &v[i].mount_path;

			if (!var && !folder)
				continue;
			diag_error(s->d, at->at, "two secrets are to be in '%s'", at->s);
			return diag_note(s->d, (var ? &v[k].env_var : &v[k].mount_path)->at, "first here"), false;
		}
	return true;
}

bool
check_secrets(struct specset *s, const struct transform *t, const char *const *inputs, size_t n_inputs)
{
	const struct secret *v = t->secrets.v;
	bool ok = true;

	for (size_t i = 0; i < t->secrets.n; i++)
		ok &= check_one(s, t, &v[i], inputs, n_inputs);
	return ok && check_twice(s, v, t->secrets.n);
}

void
secrets_of(const struct objs *secrets, struct secret_uses *ret)
{
	const struct secret *v = secrets->v;

	for (size_t i = 0; i < secrets->n; i++)
		secret_uses_add(ret, &(struct secret_use){ v[i].name.s, v[i].key.s ? v[i].key.s : "", v[i].env_var.s ? v[i].env_var.s : "",
			v[i].mount_path.s ? v[i].mount_path.s : "" });
}
