/* fanout.c: 256 folders of two digits, in them names of 62 digits and what the owner of the file adds to them. */
#include "fanout.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/err.h"
#include "../base/layout.h"
#include "../base/sha256.h"

static int
each_in(const char *dir, const char *two, fanout_fn *fn, void *ctx, struct err *err)
{
	char path[LAYOUT_MAX + 256], hex[OID_HEX + 1];
	struct dirent *e;
	struct oid id;
	int rc = 0;

	snprintf(path, sizeof path, "%s/%s", dir, two);
	DIR *d = opendir(path);
	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_set(err, errno, "cannot read '%s':", path);
	while (rc == 0 && (e = readdir(d))) {
		if (strlen(e->d_name) < OID_HEX - 2)
			continue;
		snprintf(hex, sizeof hex, "%s%.62s", two, e->d_name);
		if (!oid_parse(hex, &id))
			continue;
		snprintf(path, sizeof path, "%s/%s/%s", dir, two, e->d_name);
		rc = fn(ctx, path, &id, e->d_name + OID_HEX - 2, err);
	}
	closedir(d);
	return rc;
}

int
fanout_each(const char *dir, fanout_fn *fn, void *ctx, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : err_set(err, errno, "cannot read '%s':", dir);
	while (rc == 0 && (e = readdir(d)))
		if (strlen(e->d_name) == 2 && strspn(e->d_name, "0123456789abcdef") == 2)
			rc = each_in(dir, e->d_name, fn, ctx, err);
	closedir(d);
	return rc;
}
