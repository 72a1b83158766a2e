/* awsconf.c: a flat list of what was read, in order; the files have a few dozen lines. */
#include "awsconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"

static const char BLANK[] = " \t\r";

/* n bytes of s without blanks around. */
static const char *
trim(struct arena *a, const char *s, size_t n)
{
	while (n && strchr(BLANK, s[0])) {
		s++;
		n--;
	}
	while (n && strchr(BLANK, s[n - 1]))
		n--;
	return arena_dup(a, s, n);
}

static void
add(struct awsconf *c, struct awsconf_entry e)
{
	GROW(c->entry, c->n, c->cap);
	c->entry[c->n++] = e;
}

/* "[profile x]", "[services x]", "[default]"; quotes around x are allowed. */
static void
read_section(struct awsconf *c, struct awsconf_entry *at, bool credentials, const char *s, size_t n)
{
	static const char *const kinds[] = { "profile", "services", "sso-session" };
	const char *name = trim(&c->a, s, n);

	at->kind = credentials || strcmp(name, "default") == 0 ? "profile" : "";
	for (size_t i = 0; !credentials && i < sizeof kinds / sizeof *kinds; i++) {
		size_t len = strlen(kinds[i]);

		if (strncmp(name, kinds[i], len) == 0 && name[len] && strchr(BLANK, name[len])) {
			at->kind = kinds[i];
			name = trim(&c->a, name + len, strlen(name + len));
		}
	}
	if ((name[0] == '"' || name[0] == '\'') && name[1] && name[strlen(name) - 1] == name[0])
		name = arena_dup(&c->a, name + 1, strlen(name) - 2);
	at->section = name;
	at->key = at->value = NULL;
	add(c, *at);
}

/* A comment begins where a blank stands before its sign: secrets and commands may hold the sign itself. */
static size_t
without_comment(const char *s, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if ((s[i] == '#' || s[i] == ';') && strchr(BLANK, s[i - 1]))
			return i;
	return n;
}

static void
read_setting(struct awsconf *c, struct awsconf_entry at, const char *parent, const char *s, size_t n)
{
	const char *equals = memchr(s, '=', n);
	const char *value;

	if (!equals || !at.section)
		return;
	at.key = trim(&c->a, s, (size_t)(equals - s));
	if (parent)
		at.key = arena_fmt(&c->a, "%s.%s", parent, at.key);
	value = equals + 1;
	n -= (size_t)(value - s);
	if (strcmp(at.key, "credential_process"))
		n = without_comment(value, n);
	at.value = trim(&c->a, value, n);
	add(c, at);
}

void
awsconf_add(struct awsconf *c, const char *file, bool credentials, const char *text)
{
	struct awsconf_entry at = { .file = arena_str(&c->a, file) };
	const char *parent = NULL;

	for (const char *s = text, *end; *s; s = *end ? end + 1 : end) {
		size_t n = strcspn(s, "\n"), indent = strspn(s, " \t");

		end = s + n;
		if (indent >= n || s[indent] == '\r' || strchr("#;", s[indent]))
			continue;
		if (s[indent] == '[') {
			const char *close = memchr(s, ']', n);

			read_section(c, &at, credentials, s + indent + 1, close ? (size_t)(close - s) - indent - 1 : n - indent - 1);
			parent = NULL;
		} else if (!indent) {
			read_setting(c, at, NULL, s, n);
			parent = c->n && c->entry[c->n - 1].value && !*c->entry[c->n - 1].value ? c->entry[c->n - 1].key : NULL;
		} else if (parent) {
			read_setting(c, at, parent, s, n);
		}
	}
}

static int
read_file(struct awsconf *c, const char *file, bool credentials, struct err *err)
{
	struct buf b = BUF_INIT;
	int rc = fs_read(file, &b, err);

	if (rc == 1)
		awsconf_add(c, file, credentials, b.s);
	if (b.s)
		memset(b.s, 0, b.n);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

static const char *
file_name(struct awsconf *c, const char *variable, const char *name)
{
	const char *given = getenv(variable), *home = getenv("HOME");

	if (given && strncmp(given, "~/", 2) == 0)
		return arena_fmt(&c->a, "%s%s", home ? home : "", given + 1);
	if (given && *given)
		return arena_str(&c->a, given);
	return arena_fmt(&c->a, "%s/.aws/%s", home ? home : "", name);
}

int
awsconf_read(struct awsconf *c, struct err *err)
{
	c->config = file_name(c, "AWS_CONFIG_FILE", "config");
	c->credentials = file_name(c, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
	if (read_file(c, c->credentials, true, err) < 0 || read_file(c, c->config, false, err) < 0)
		return -1;
	return 0;
}

void
awsconf_release(struct awsconf *c)
{
	arena_release(&c->a);
	free(c->entry);
	*c = (struct awsconf)AWSCONF_INIT;
}

/* Within a file the last one counts; the credentials file was read first. */
const char *
awsconf_get(const struct awsconf *c, const char *kind, const char *section, const char *key, const char **ret_file)
{
	const struct awsconf_entry *found = NULL;

	for (size_t i = 0; i < c->n; i++) {
		const struct awsconf_entry *e = &c->entry[i];

		if (!e->key || strcmp(e->kind, kind) || strcmp(e->section, section) || strcmp(e->key, key))
			continue;
		if (!found || found->file == e->file)
			found = e;
	}
	if (found && ret_file)
		*ret_file = found->file;
	return found && *found->value ? found->value : NULL;
}

bool
awsconf_has(const struct awsconf *c, const char *kind, const char *section)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->entry[i].kind, kind) == 0 && strcmp(c->entry[i].section, section) == 0)
			return true;
	return false;
}

const char *
awsconf_profiles(struct awsconf *c)
{
	const char *list = "";

	for (size_t i = 0; i < c->n; i++) {
		bool again = false;

		if (c->entry[i].key || strcmp(c->entry[i].kind, "profile"))
			continue;
		for (size_t k = 0; k < i; k++)
			again |= !c->entry[k].key && strcmp(c->entry[k].kind, "profile") == 0 && strcmp(c->entry[k].section, c->entry[i].section) == 0;
		if (!again)
			list = arena_fmt(&c->a, "%s%s'%s'", list, *list ? ", " : "", c->entry[i].section);
	}
	return list;
}

const char *
awsconf_endpoint(const struct awsconf *c, const char *profile, const char *service, const char **ret_file)
{
	const char *section = awsconf_get(c, "profile", profile, "services", NULL), *url;
	char key[64];

	snprintf(key, sizeof key, "%s.endpoint_url", service);
	if (section && (url = awsconf_get(c, "services", section, key, ret_file)))
		return url;
	return awsconf_get(c, "profile", profile, "endpoint_url", ret_file);
}
