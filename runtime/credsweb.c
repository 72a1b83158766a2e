/* credsweb.c: small JSON answers of services that are either near or not there, so patience is short and proxies are not asked.
 * What may be asked follows the SDKs: a container's full URI over http only on this host or on the container services' own addresses. */
#include "credsweb.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "awsconf.h"
#include "creds.h"
#include "http.h"
#include "jsonin.h"
#include "sigv4.h"
#include "webcall.h"

enum { INSTANCE_MS = 1000, CONTAINER_MS = 2000, PORTAL_MS = 10000 };

static char *
dup_or_null(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

static int
take(struct jsonin *j, const char *outer, const char *const name[4], struct creds *ret, struct err *err)
{
	const char *id = jsonin_text(j, outer, name[0]), *secret = jsonin_text(j, outer, name[1]);
	const char *expires = jsonin_text(j, outer, name[3]);

	if (!id || !secret)
		return err_set(err, 0, "the answer has no '%s' and '%s'", name[0], name[1]);
	*ret = (struct creds){ .id = xstrdup(id), .secret = xstrdup(secret), .token = dup_or_null(jsonin_text(j, outer, name[2])),
		.got = time_now_ns() };
	ret->expires = expires ? creds_time(expires) : (uint64_t)jsonin_number(j, outer, name[3]) * 1000000;
	return 0;
}

int
creds_from_json(const char *p, size_t n, struct creds *ret, struct err *err)
{
	static const char *const names[] = { "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration" };
	static const char *const of_services[] = { "AccessKeyId", "SecretAccessKey", "Token", "Expiration" };
	struct jsonin *j = jsonin_parse(p, n);
	int rc;

	if (!j)
		return err_set(err, 0, "the answer is no JSON object");
	rc = take(j, NULL, jsonin_text(j, NULL, "Token") ? of_services : names, ret, err);
	jsonin_free(j);
	return rc;
}

/* GET with one header line (NULL: none). */
static int
get(struct http *h, const char *method, const char *url, const char *header, unsigned ms, bool direct, struct buf *ret, struct err *err)
{
	struct http_request r = HTTP_REQUEST_INIT;

	r.method = method;
	r.url = url;
	r.header = &header;
	r.n_header = header ? 1 : 0;
	r.direct = direct;
	r.connect_ms = r.total_ms = ms ? ms : 1;
	if (strcmp(method, "PUT") == 0)
		r.body.p = "";
	return web_call(h, &r, ret, err);
}

/* --- the container -------------------------------------------------------------------------------------------------------------- */

static bool
allowed(const char *url)
{
	static const char *const hosts[] = { "127.", "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]" };
	const char *host = url + 7;
	size_t n;

	if (strncasecmp(url, "https://", 8) == 0)
		return true;
	if (strncasecmp(url, "http://", 7) != 0)
		return false;
	n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (i == 0 ? strncmp(host, hosts[0], 4) == 0 && strspn(host, "0123456789.") == n : n == strlen(hosts[i]) && strncmp(host, hosts[i], n) == 0)
			return true;
	return false;
}

/* The header's value is read anew each time: the file's token is replaced while we run. */
static int
container_header(struct buf *b, struct err *err)
{
	const char *file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), *token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");

	if ((!file || !*file) && (!token || !*token))
		return 0;
	buf_str(b, "Authorization: ");
	if (!file || !*file) {
		buf_str(b, token);
	} else {
		int rc = fs_read(file, b, err);

		if (rc != 1)
			return rc < 0 ? -1 : err_set(err, 0, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names '%s', which is not there", file);
	}
	b->s[strcspn(b->s, "\r\n")] = '\0';
	return 0;
}

int
creds_container(struct http *h, struct creds *ret, struct err *err)
{
	const char *relative = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), *full = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct buf url = BUF_INIT, header = BUF_INIT, body = BUF_INIT;
	int status, rc = -1;

	if ((!relative || !*relative) && (!full || !*full)) {
		err_set(err, 0, "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set");
		return 0;
	}
	if (relative && *relative)
		buf_fmt(&url, "http://169.254.170.2%s", relative);
	else
		buf_str(&url, full);
	if (!allowed(url.s)) {
		err_set(err, 0, "AWS_CONTAINER_CREDENTIALS_FULL_URI is plain http to another host: '%s'", url.s);
		goto out;
	}
	if (container_header(&header, err) < 0)
		goto out;
	status = get(h, "GET", url.s, header.n ? header.s : NULL, CONTAINER_MS, strncasecmp(url.s, "https", 5) != 0, &body, err);
	if (status == 200)
		rc = creds_from_json(body.s, body.n, ret, err);
	else if (status > 0)
		err_set(err, 0, "HTTP %d from '%s'", status, url.s);
	if (rc == 0) {
		ret->from = xstrdup("the container's credentials service");
		rc = 1;
	}
out:
	if (body.s)
		memset(body.s, 0, body.n);
	buf_release(&url);
	buf_release(&header);
	buf_release(&body);
	return rc;
}

/* --- the instance: IMDSv2 --------------------------------------------------------------------------------------------------------- */

static unsigned
left_ms(uint64_t until)
{
	uint64_t now = time_now_ns();

	return now < until ? (unsigned)((until - now) / 1000000) : 0;
}

/* The role's name, then its credentials, both with the session's token. */
static int
of_role(struct http *h, const char *base, const char *token, uint64_t until, struct creds *ret, struct err *err)
{
	struct buf url = BUF_INIT, role = BUF_INIT, body = BUF_INIT;
	int status, rc = -1;

	buf_fmt(&url, "%s/latest/meta-data/iam/security-credentials/", base);
	status = get(h, "GET", url.s, token, left_ms(until), true, &role, err);
	role.s[strcspn(role.s, "\r\n")] = '\0';
	if (status == 404 || (status == 200 && !*role.s)) {
		err_set(err, 0, "this instance has no role");
		rc = 0;
	} else if (status == 200) {
		buf_str(&url, role.s);
		status = get(h, "GET", url.s, token, left_ms(until), true, &body, err);
		rc = status == 200 ? creds_from_json(body.s, body.n, ret, err) : -1;
		if (rc == 0) {
			struct buf from = BUF_INIT;

			buf_fmt(&from, "role '%s' of this instance", role.s);
			ret->from = buf_detach(&from);
			rc = 1;
		}
	}
	if (rc < 0 && status > 0 && status != 200)
		err_set(err, 0, "HTTP %d from '%s'", status, url.s);
	buf_release(&url);
	buf_release(&role);
	buf_release(&body);
	return rc;
}

int
creds_instance(struct http *h, struct creds *ret, struct err *err)
{
	const char *off = getenv("AWS_EC2_METADATA_DISABLED"), *given = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	uint64_t until = time_now_ns() + (uint64_t)INSTANCE_MS * 1000000;
	const char *base = given && *given ? given : "http://169.254.169.254";
	struct buf url = BUF_INIT, token = BUF_INIT, header = BUF_INIT;
	int status, rc = 0;

	if (off && strcasecmp(off, "true") == 0) {
		err_set(err, 0, "AWS_EC2_METADATA_DISABLED is set");
		return 0;
	}
	buf_fmt(&url, "%.*s/latest/api/token", (int)(strlen(base) - (base[strlen(base) - 1] == '/')), base);
	status = get(h, "PUT", url.s, "X-aws-ec2-metadata-token-ttl-seconds: 21600", left_ms(until), true, &token, err);
	if (status == 200) {
		buf_fmt(&header, "X-aws-ec2-metadata-token: %s", token.s);
		url.s[url.n - strlen("/latest/api/token")] = '\0';
		rc = of_role(h, url.s, header.s, until, ret, err);
	} else if (status > 0) {
		err_set(err, 0, "HTTP %d from '%s'", status, url.s);
	} else {
		err_set(err, 0, "no metadata service answers at '%s'", base);
	}
	buf_release(&url);
	buf_release(&token);
	buf_release(&header);
	return rc;
}

/* --- SSO ---------------------------------------------------------------------------------------------------------------------------- */

/* The newest token for this start URL among the cache's files, whose names are SHA-1s of what they are for. */
static int
sso_token(const char *start_url, struct buf *ret_token, uint64_t *ret_expires, struct err *err)
{
	const char *home = getenv("HOME");
	struct buf dir = BUF_INIT, text = BUF_INIT;
	struct dirent *e;
	DIR *d;

	buf_fmt(&dir, "%s/.aws/sso/cache", home ? home : "");
	d = opendir(dir.s);
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name), at = dir.n;
		struct jsonin *j = NULL;
		const char *url, *token, *expires;

		if (n < 5 || strcmp(e->d_name + n - 5, ".json"))
			continue;
		buf_fmt(&dir, "/%s", e->d_name);
		buf_reset(&text);
		if (fs_read(dir.s, &text, err) == 1)
			j = jsonin_parse(text.s, text.n);
		dir.s[dir.n = at] = '\0';
		url = j ? jsonin_text(j, NULL, "startUrl") : NULL;
		token = j ? jsonin_text(j, NULL, "accessToken") : NULL;
		expires = j ? jsonin_text(j, NULL, "expiresAt") : NULL;
		if (url && token && expires && strcmp(url, start_url) == 0 && creds_time(expires) > *ret_expires) {
			*ret_expires = creds_time(expires);
			buf_reset(ret_token);
			buf_str(ret_token, token);
		}
		if (j)
			jsonin_free(j);
	}
	if (d)
		closedir(d);
	buf_release(&dir);
	buf_release(&text);
	return ret_token->n ? 0 : err_set(err, 0, "no token for '%s' in ~/.aws/sso/cache", start_url);
}

static void
query(struct buf *b, const char *name, const char *value)
{
	buf_fmt(b, "%c%s=", strchr(b->s, '?') ? '&' : '?', name);
	sigv4_encode(b, value, strlen(value), false);
}

static int
portal(struct http *h, const char *region, const char *account, const char *role, const char *token, struct creds *ret, struct err *err)
{
	static const char *const names[] = { "accessKeyId", "secretAccessKey", "sessionToken", "expiration" };
	const char *given = getenv("AWS_ENDPOINT_URL_SSO");
	struct buf url = BUF_INIT, header = BUF_INIT, body = BUF_INIT;
	struct jsonin *j = NULL;
	int status, rc = -1;

	if (given && *given)
		buf_str(&url, given);
	else
		buf_fmt(&url, "https://portal.sso.%s.amazonaws.com", region);
	buf_str(&url, "/federation/credentials");
	query(&url, "role_name", role);
	query(&url, "account_id", account);
	buf_fmt(&header, "x-amz-sso_bearer_token: %s", token);
	status = get(h, "GET", url.s, header.s, PORTAL_MS, false, &body, err);
	if (status == 200 && (j = jsonin_parse(body.s, body.n)))
		rc = take(j, "roleCredentials", names, ret, err);
	else if (status > 0)
		err_set(err, 0, "HTTP %d from SSO for role '%s' of account '%s'", status, role, account);
	if (j)
		jsonin_free(j);
	memset(body.s, 0, body.n);
	buf_release(&url);
	buf_release(&header);
	buf_release(&body);
	return rc;
}

int
creds_sso(struct http *h, const struct awsconf *conf, const char *profile, struct creds *ret, struct err *err)
{
	const char *session = awsconf_get(conf, "profile", profile, "sso_session", NULL);
	const char *kind = session ? "sso-session" : "profile", *section = session ? session : profile;
	const char *start = awsconf_get(conf, kind, section, "sso_start_url", NULL), *region = awsconf_get(conf, kind, section, "sso_region", NULL);
	const char *account = awsconf_get(conf, "profile", profile, "sso_account_id", NULL);
	const char *role = awsconf_get(conf, "profile", profile, "sso_role_name", NULL);
	struct buf token = BUF_INIT;
	uint64_t expires = 0;
	int rc = -1;

	if (!session && !start)
		return 0;
	if (!start || !region || !account || !role)
		err_set(err, 0, "SSO needs sso_start_url, sso_region, sso_account_id and sso_role_name");
	else if (sso_token(start, &token, &expires, err) == 0 && expires < time_now_ns())
		err_set(err, 0, "the SSO session has expired");
	else if (token.n)
		rc = portal(h, region, account, role, token.s, ret, err);
	if (rc < 0)
		err_wrap(err, "profile '%s': run 'aws sso login --profile %s'", profile, profile);
	buf_release(&token);
	if (rc == 0) {
		struct buf from = BUF_INIT;

		buf_fmt(&from, "SSO role '%s' of profile '%s'", role, profile);
		ret->from = buf_detach(&from);
		rc = 1;
	}
	return rc;
}
