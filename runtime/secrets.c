/* secrets.c: a folder a secret, a file a key, as Kubernetes shows them, too.  A file must belong to us (or root) and be closed
 * to group and others; a folder must not let them put another one in its place.  It is the open file that is looked at, so
 * links are followed and nothing is checked that is not read. */
#include "secrets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/mem.h"
#include "mask.h"

enum { SECRET_MAX = 1024 * 1024 };      /* as for Kubernetes */

/* Absolute. */
static int
secrets_folder(struct buf *b, struct err *err)
{
	const char *own = getenv("DASSIE_SECRETS"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *here;

	if (own && own[0] && own[0] != '/') {
		if (!(here = getcwd(NULL, 0)))
			return err_set(err, errno, "cannot find the current directory:");
		buf_fmt(b, "%s/%s", here, own);
		free(here);
	} else if (own && own[0])
		buf_str(b, own);
	else if (config && config[0] == '/')
		buf_fmt(b, "%s/dassie/secrets", config);
	else if (home && home[0])
		buf_fmt(b, "%s/.config/dassie/secrets", home);
	else
		return err_set(err, 0, "HOME is not set: DASSIE_SECRETS says where secrets are");
	return 0;
}

/* As a shell takes it. */
static void
quoted(struct buf *b, const char *dir, const char *name, const char *key)
{
	buf_byte(b, '\'');
	for (const char *s = dir; *s; s++)
		buf_str(b, *s == '\'' ? "'\\''" : (char[]){ *s, '\0' });
	buf_fmt(b, "/%s%s%s'", name, key ? "/" : "", key ? key : "");
}

static void
next_line(struct buf *ill)
{
	buf_str(ill, ill->n ? "\n  " : "");
}

/* What was looked for and is not there, and the two commands that make it. */
static void
tell_missing(struct buf *ill, const char *dir, const char *name, const char *key)
{
	next_line(ill);
	if (key)
		buf_fmt(ill, "secret '%s' has no key '%s' here; its value, then ^D, goes to:  install -d -m 700 ", name, key);
	else
		buf_fmt(ill, "there is no secret '%s' here; for each of its keys:  install -d -m 700 ", name);
	quoted(ill, dir, name, NULL);
	buf_str(ill, " && install -m 600 /dev/stdin ");
	quoted(ill, dir, name, key ? key : "KEY");
}

static bool
is_safe(struct buf *ill, const struct stat *st, mode_t open_to, const char *dir, const char *name, const char *key)
{
	if (st->st_uid != geteuid() && st->st_uid != 0) {
		next_line(ill);
		quoted(ill, dir, name, key);
		buf_fmt(ill, " of secret '%s' belongs to user %lu, not to you:  chown %lu ", name, (unsigned long)st->st_uid, (unsigned long)geteuid());
		quoted(ill, dir, name, key);
		return false;
	}
	if (!(st->st_mode & open_to))
		return true;
	next_line(ill);
	buf_fmt(ill, key ? "secret '%s': others can read '%s':  chmod 600 " : "secret '%s': others can change its folder:  chmod 700 ", name, key);
	quoted(ill, dir, name, key);
	return false;
}

static void
ill_errno(struct buf *ill, const char *dir, const char *name, const char *key)
{
	int num = errno;

	next_line(ill);
	buf_fmt(ill, "secret '%s': cannot read ", name);
	quoted(ill, dir, name, key);
	buf_fmt(ill, ": %s", strerror(num));
}

static bool
known(const struct secrets *s, const char *name, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0 && strcmp(s->v[i].key, key) == 0)
			return true;
	return false;
}

static bool
read_value(int fd, size_t size, struct secret_value *v)
{
	v->v = xmalloc(size + 1);
	for (ssize_t n; v->n < size; v->n += (size_t)n)
		if ((n = read(fd, v->v + v->n, size - v->n)) <= 0)
			return n == 0;
	return true;
}

/* at: the secret's folder.  absent: what is not there is not missed. */
static void
load_key(struct secrets *s, int at, const char *dir, const char *name, const char *key, bool absent, struct buf *ill)
{
	int fd = openat(at, key, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct secret_value v = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		if (errno != ENOENT)
			ill_errno(ill, dir, name, key);
		else if (!absent)
			tell_missing(ill, dir, name, key);
	} else if (!S_ISREG(st.st_mode) || st.st_size > SECRET_MAX) {
		if (!absent || S_ISREG(st.st_mode)) {
			next_line(ill);
			buf_fmt(ill, "secret '%s': its key '%s' is %s", name, key, S_ISREG(st.st_mode) ? "larger than 1 MiB" : "no file");
		}
	} else if (is_safe(ill, &st, 077, dir, name, key)) {
		if (read_value(fd, (size_t)st.st_size, &v)) {
			v.v[v.n] = '\0';
			v.text = xmemdup(v.v, v.n - (v.n && v.v[v.n - 1] == '\n'));
			v.name = xstrdup(name);
			v.key = xstrdup(key);
			GROW(s->v, s->n, s->cap);
			s->v[s->n++] = v;
		} else {
			ill_errno(ill, dir, name, key);
			free(v.v);
		}
	}
	if (fd >= 0)
		close(fd);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Kubernetes' own folders of a mounted secret have ".." at their beginning and links to what is in them beside them. */
static void
load_all(struct secrets *s, int at, const char *dir, const char *name, struct buf *ill)
{
	int again = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);
	char **key = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;

	if (!d)
		ill_errno(ill, dir, name, NULL);
	while (d && (e = readdir(d)))
		if (secret_name_ok(e->d_name)) {
			GROW(key, n, cap);
			key[n++] = xstrdup(e->d_name);
		}
	if (d)
		closedir(d);
	if (n)
		qsort(key, n, sizeof *key, by_name);
	for (size_t i = 0; i < n; i++) {
		if (!known(s, name, key[i]))
			load_key(s, at, dir, name, key[i], true, ill);
		free(key[i]);
	}
	free(key);
}

static void
load_one(struct secrets *s, const char *dir, const struct secret_use *u, struct buf *ill)
{
	struct buf path = BUF_INIT;
	struct stat st;
	int at;

	buf_fmt(&path, "%s/%s", dir, u->name);
	at = open(path.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0 || fstat(at, &st) < 0) {
		if (errno == ENOENT)
			tell_missing(ill, dir, u->name, *u->env ? u->key : NULL);
		else
			ill_errno(ill, dir, u->name, NULL);
	} else if (is_safe(ill, &st, 022, dir, u->name, NULL)) {
		if (*u->env && !known(s, u->name, u->key))
			load_key(s, at, dir, u->name, u->key, false, ill);
		if (*u->mount)
			load_all(s, at, dir, u->name, ill);
	}
	if (at >= 0)
		close(at);
	buf_release(&path);
}

static const struct secret_value *
value_of(const struct secrets *s, const struct secret_use *u)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, u->name) == 0 && strcmp(s->v[i].key, u->key) == 0)
			return &s->v[i];
	return NULL;
}

/* A variable has no NUL. */
static void
check_texts(const struct secrets *s, const struct secret_uses *u, struct buf *ill)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct secret_value *v = *u->v[i].env ? value_of(s, &u->v[i]) : NULL;

		if (!v || !memchr(v->v, '\0', v->n))
			continue;
		next_line(ill);
		buf_fmt(ill, "secret '%s': its key '%s' has a NUL byte and cannot be in a variable: use 'mount_path'", u->v[i].name, u->v[i].key);
	}
}

int
secrets_load(struct secrets *s, const struct secret_uses *u, struct err *err)
{
	struct buf dir = BUF_INIT, ill = BUF_INIT, one = BUF_INIT;
	int rc = u->n ? secrets_folder(&dir, err) : 0;

	for (size_t i = 0; rc == 0 && i < u->n; i++) {
		buf_reset(&one);
		load_one(s, dir.s, &u->v[i], &one);
		/* What is wanted twice is missed once. */
		if (!one.n || (ill.n && strstr(ill.s, one.s)))
			continue;
		next_line(&ill);
		buf_str(&ill, one.s);
	}
	if (rc == 0)
		check_texts(s, u, &ill);
	if (ill.n)
		rc = err_set(err, 0, "%s", ill.s);
	buf_release(&dir);
	buf_release(&ill);
	buf_release(&one);
	return rc;
}

const char *
secrets_text(const struct secrets *s, const struct secret_use *u)
{
	const struct secret_value *v = value_of(s, u);

	return v ? v->text : "";
}

void
secrets_mask(const struct secrets *s, struct mask *m)
{
	for (size_t i = 0; i < s->n; i++)
		mask_add(m, s->v[i].v, s->v[i].n);
}

void
secrets_release(struct secrets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		explicit_bzero(s->v[i].text, strlen(s->v[i].text));
		explicit_bzero(s->v[i].v, s->v[i].n);
		free(s->v[i].text);
		free(s->v[i].v);
		free(s->v[i].name);
		free(s->v[i].key);
	}
	free(s->v);
	*s = (struct secrets)SECRETS_INIT;
}

int
secrets_path(struct buf *b, const char *name, struct err *err)
{
	if (secrets_folder(b, err) < 0)
		return -1;
	buf_fmt(b, "/%s", name);
	return 0;
}
