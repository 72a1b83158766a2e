/* sts.c: a form is posted, signed unless a token in it speaks for itself; XML comes back:
 *
 *	<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>…</></></AssumeRoleResponse>
 *	<ErrorResponse><Error><Code>AccessDenied</Code><Message>…</Message></Error></ErrorResponse>
 */
#include "sts.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "../base/sha256.h"
#include "creds.h"
#include "http.h"
#include "sigv4.h"
#include "webcall.h"
#include "xml.h"

enum { CONNECT_MS = 3000, PATIENCE_MS = 10000, MAX_HEADERS = 8 };

static void
field(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_fmt(b, "%s%s=", b->n ? "&" : "", name);
	sigv4_encode(b, value, strlen(value), false);
}

static const char *
host_of(struct arena *a, const char *url)
{
	const char *s = strstr(url, "://");

	s = s ? s + 3 : url;
	return arena_dup(a, s, strcspn(s, "/"));
}

/* Header lines; an Authorization among them where `by` signs. */
static size_t
headers(const struct sts *s, struct arena *a, const struct creds *by, const struct buf *form, const char *line[])
{
	static const char type[] = "application/x-www-form-urlencoded; charset=utf-8";
	struct sigv4_scope scope = { s->region, "sts", "" };
	struct sigv4_pair pair[] = { { "host", host_of(a, s->endpoint) }, { "content-type", type }, { "x-amz-date", scope.date },
		{ "x-amz-security-token", by ? by->token : NULL } };
	struct sigv4_request r = { .method = "POST", .path = "/", .header = pair, .n_header = by && by->token ? 4 : 3 };
	struct buf authorization = BUF_INIT;
	char hex[OID_HEX + 1];
	struct oid hash;
	size_t n = 0;

	line[n++] = arena_fmt(a, "Content-Type: %s", type);
	if (!by)
		return n;
	sha256_bytes(form->s, form->n, &hash);
	oid_hex(&hash, hex);
	r.payload_hash = hex;
	sigv4_date(scope.date, time_now_ns() + (uint64_t)(s->clock_s * 1000000000));
	sigv4_authorization(&authorization, &r, &scope, &(struct sigv4_key){ by->id, by->secret });
	line[n++] = arena_fmt(a, "X-Amz-Date: %s", scope.date);
	if (by->token)
		line[n++] = arena_fmt(a, "X-Amz-Security-Token: %s", by->token);
	line[n++] = arena_fmt(a, "Authorization: %s", authorization.s);
	buf_release(&authorization);
	return n;
}

static int
refusal(int status, const struct xml *root, struct err *err)
{
	const struct xml *e = xml_kid(root, "Error");
	const char *code, *message;

	if (!e && root && strcmp(root->name, "Error") == 0)
		e = root;
	code = xml_text(e, "Code");
	message = xml_text(e, "Message");
	return err_set(err, 0, "HTTP %d%s%s%s%s", status, *code ? " " : "", code, *message ? ": " : "", message);
}

/* The result element, in the arena; NULL and err. */
static const struct xml *
ask(const struct sts *s, const struct creds *by, struct buf *form, const char *result, struct arena *a, struct err *err)
{
	const char *line[MAX_HEADERS];
	struct buf body = BUF_INIT;
	struct http_request r = HTTP_REQUEST_INIT;
	struct xml *root;
	const struct xml *found = NULL;
	int status;

	r.method = "POST";
	r.url = arena_fmt(a, "%s/", s->endpoint);
	r.header = line;
	r.n_header = headers(s, a, by, form, line);
	r.body.p = form->s;
	r.body.n = form->n;
	r.connect_ms = CONNECT_MS;
	r.total_ms = PATIENCE_MS;
	status = web_call(s->http, &r, &body, err);
	root = status > 0 ? xml_parse(a, body.s, body.n) : NULL;
	if (status == 200)
		found = xml_kid(root, result);
	if (status > 0 && !found)
		refusal(status, root, err);
	if (!found)
		err_wrap(err, "%s", s->endpoint);
	memset(body.s, 0, body.n);
	buf_release(&body);
	return found;
}

static int
take(const struct xml *result, struct creds *ret, struct err *err)
{
	const struct xml *c = xml_kid(result, "Credentials");

	if (!*xml_text(c, "AccessKeyId") || !*xml_text(c, "SecretAccessKey"))
		return err_set(err, 0, "the answer has no credentials in it");
	*ret = (struct creds){
		.id = xstrdup(xml_text(c, "AccessKeyId")),
		.secret = xstrdup(xml_text(c, "SecretAccessKey")),
		.token = xstrdup(xml_text(c, "SessionToken")),
		.got = time_now_ns(),
		.expires = creds_time(xml_text(c, "Expiration")),
	};
	return 0;
}

static int
temporary(const struct sts *s, const struct creds *by, const char *action, const char *token, const struct sts_role *role,
    struct creds *ret, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf form = BUF_INIT;
	const struct xml *result;
	int rc = -1;

	field(&form, "Action", action);
	field(&form, "Version", "2011-06-15");
	field(&form, "RoleArn", role->arn);
	field(&form, "RoleSessionName", role->session ? role->session : "dassie");
	field(&form, "DurationSeconds", role->duration);
	field(&form, "ExternalId", role->external_id);
	field(&form, "WebIdentityToken", token);
	result = ask(s, by, &form, arena_fmt(&a, "%sResult", action), &a, err);
	if (result)
		rc = take(result, ret, err);
	arena_release(&a);
	buf_release(&form);
	return rc;
}

int
sts_assume_role(const struct sts *s, const struct creds *by, const struct sts_role *role, struct creds *ret, struct err *err)
{
	return temporary(s, by, "AssumeRole", NULL, role, ret, err);
}

int
sts_web_identity(const struct sts *s, const char *token, const struct sts_role *role, struct creds *ret, struct err *err)
{
	return temporary(s, NULL, "AssumeRoleWithWebIdentity", token, role, ret, err);
}

int
sts_who(const struct sts *s, const struct creds *by, char **ret_arn, struct err *err)
{
	struct arena a = ARENA_INIT;
	struct buf form = BUF_INIT;
	const struct xml *result;

	field(&form, "Action", "GetCallerIdentity");
	field(&form, "Version", "2011-06-15");
	result = ask(s, by, &form, "GetCallerIdentityResult", &a, err);
	if (result)
		*ret_arn = xstrdup(xml_text(result, "Arn"));
	arena_release(&a);
	buf_release(&form);
	return result ? 0 : -1;
}
