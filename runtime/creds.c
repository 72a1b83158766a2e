/* creds.c: the chain is a list of steps.  A step that is not set up leaves a line in `tried` and the next one is asked; one that is
 * set up and fails ends the search, for going on would sign with somebody else's key.  The files are read anew at each search, so
 * what another program put there is found (aws sso login, a cron job that fetches tokens). */
#include "creds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/fs.h"
#include "../base/json.h"
#include "../base/mem.h"
#include "awsconf.h"
#include "credsweb.h"
#include "sts.h"

enum { DEEPEST = 8, MAX_OUTPUT = 1 << 16 };

static const uint64_t SECOND = 1000000000;

struct creds_chain {
	struct arena a;
	struct creds_ask ask;
	const char *sts_endpoint, *sts_region;
	struct awsconf conf;
	struct creds now;
	bool found;
	uint64_t not_before;              /* after a renewal that failed: when to try again */
	struct buf tried;
};

static void
creds_release(struct creds *c)
{
	if (c->secret)
		explicit_bzero(c->secret, strlen(c->secret));
	free(c->id);
	free(c->secret);
	free(c->token);
	free(c->from);
	*c = (struct creds)CREDS_INIT;
}

bool
creds_stale(const struct creds *c, uint64_t now)
{
	uint64_t margin = 300 * SECOND;

	if (!c->expires)
		return false;
	if (c->expires > c->got && (c->expires - c->got) / 10 < margin)
		margin = (c->expires - c->got) / 10;
	return now + margin >= c->expires;
}

uint64_t
creds_time(const char *s)
{
	struct tm tm = { 0 };
	int n = 0, hours = 0, minutes = 0;
	char sign;
	time_t t;

	if (sscanf(s, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 || !n)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	s += n;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (sscanf(s, "%c%2d:%2d", &sign, &hours, &minutes) >= 2 && (sign == '+' || sign == '-')) {
		hours = sign == '-' ? -hours : hours;
		minutes = sign == '-' ? -minutes : minutes;
	}
	t = timegm(&tm) - hours * 3600 - minutes * 60;
	return t > 0 ? (uint64_t)t * SECOND : 0;
}

static const char *
set(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

static uint64_t
now_of(const struct creds_chain *c)
{
	return time_now_ns() + (uint64_t)(c->ask.clock_s * (int64_t)SECOND);
}

static void
tried(struct creds_chain *c, const char *step, const char *why)
{
	buf_fmt(&c->tried, "%s  %s: %s", c->tried.n ? "\n" : "", step, why);
}

static char *
words(const char *kind, const char *name, const char *where)
{
	struct buf s = BUF_INIT;

	buf_fmt(&s, "%s '%s'%s%s", kind, name, *where ? " " : "", where);
	return buf_detach(&s);
}

/* --- the environment ------------------------------------------------------------------------------------------------------------- */

static int
from_environment(struct creds_chain *c, struct creds *ret, struct err *err)
{
	const char *id = set("AWS_ACCESS_KEY_ID"), *secret = set("AWS_SECRET_ACCESS_KEY"), *token = set("AWS_SESSION_TOKEN");
	const char *expires = set("AWS_CREDENTIAL_EXPIRATION");

	if (!id && !secret) {
		tried(c, "environment", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
		return 0;
	}
	if (!id || !secret)
		return err_set(err, 0, "environment: %s is set, %s is not", id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
		    id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	*ret = (struct creds){ .id = xstrdup(id), .secret = xstrdup(secret), .token = token ? xstrdup(token) : NULL, .got = time_now_ns(),
		.expires = expires ? creds_time(expires) : 0, .from = xstrdup("AWS_ACCESS_KEY_ID of the environment") };
	return 1;
}

static struct sts
sts_of(const struct creds_chain *c)
{
	return (struct sts){ c->ask.http, c->sts_endpoint, c->sts_region, c->ask.clock_s };
}

static int
by_web_identity(struct creds_chain *c, const char *file, const struct sts_role *role, const char *where, struct creds *ret, struct err *err)
{
	struct sts sts = sts_of(c);
	struct buf token = BUF_INIT;
	int rc = fs_read(file, &token, err);

	if (rc == 0)
		rc = err_set(err, 0, "'%s' is not there", file);
	if (rc == 1) {
		token.n = strcspn(token.s, "\r\n");
		token.s[token.n] = '\0';
		rc = sts_web_identity(&sts, token.s, role, ret, err);
	}
	buf_release(&token);
	if (rc < 0)
		return err_wrap(err, "%s: web identity of role '%s'", where, role->arn);
	ret->from = words("web identity of role", role->arn, where);
	return 1;
}

static int
from_web_identity(struct creds_chain *c, struct creds *ret, struct err *err)
{
	struct sts_role role = { set("AWS_ROLE_ARN"), NULL, set("AWS_ROLE_SESSION_NAME"), NULL };
	const char *file = set("AWS_WEB_IDENTITY_TOKEN_FILE");

	if (!role.arn || !file) {
		tried(c, "web identity", "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not both set");
		return 0;
	}
	return by_web_identity(c, file, &role, "of the environment", ret, err);
}

static int
from_container(struct creds_chain *c, struct creds *ret, struct err *err)
{
	int rc = creds_container(c->ask.http, ret, err);

	if (rc == 0)
		tried(c, "container", err->text);
	return rc < 0 ? err_wrap(err, "the container's credentials service") : rc;
}

static int
from_instance(struct creds_chain *c, struct creds *ret, struct err *err)
{
	int rc = creds_instance(c->ask.http, ret, err);

	if (rc == 0)
		tried(c, "instance", err->text);
	return rc < 0 ? err_wrap(err, "the instance's metadata service") : rc;
}

/* --- a profile ------------------------------------------------------------------------------------------------------------------- */

static const char *
get(const struct creds_chain *c, const char *profile, const char *key)
{
	return awsconf_get(&c->conf, "profile", profile, key, NULL);
}

/* Keys; only_file: of that file alone. */
static int
static_keys(struct creds_chain *c, const char *profile, const char *only_file, struct creds *ret, struct err *err)
{
	const char *file = NULL, *id = awsconf_get(&c->conf, "profile", profile, "aws_access_key_id", &file);
	const char *secret = get(c, profile, "aws_secret_access_key"), *token = get(c, profile, "aws_session_token");
	const char *expires = get(c, profile, "x_security_token_expires");
	struct buf from = BUF_INIT;

	if (!id || (only_file && strcmp(file, only_file)))
		return 0;
	if (!secret)
		return err_set(err, 0, "profile '%s' in '%s' has aws_access_key_id, but no aws_secret_access_key", profile, file);
	*ret = (struct creds){ .id = xstrdup(id), .secret = xstrdup(secret), .token = token ? xstrdup(token) : NULL, .got = time_now_ns(),
		.expires = expires ? creds_time(expires) : 0 };
	buf_fmt(&from, "profile '%s' in '%s'", profile, file);
	ret->from = buf_detach(&from);
	return 1;
}

static _Noreturn void
be_process(const char *command, int out)
{
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (dup2(out, STDOUT_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* What a credential_process prints.  It may ask something, an agent or a service, and gets a minute. */
static int
process_output(const char *command, struct buf *ret, struct err *err)
{
	int fd[2], status = 0;
	char chunk[4096];
	ssize_t n = 0;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_set(err, errno, "cannot make a pipe:");
	pid = fork();
	if (pid == 0) {
		alarm(60);
		be_process(command, fd[1]);
	}
	close(fd[1]);
	while (pid > 0 && ret->n < MAX_OUTPUT && ((n = read(fd[0], chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			buf_add(ret, chunk, (size_t)n);
	memset(chunk, 0, sizeof chunk);
	close(fd[0]);
	if (pid < 0)
		return err_set(err, errno, "cannot start a process:");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		return err_set(err, 0, "it took longer than a minute");
	if (status)
		return err_set(err, 0, WIFEXITED(status) ? "it ended with status %d" : "it was ended by signal %d",
		    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return 0;
}

static int
by_process(struct creds_chain *c, const char *profile, struct creds *ret, struct err *err)
{
	const char *command = get(c, profile, "credential_process");
	struct buf out = BUF_INIT;
	int rc = 0;

	if (!command)
		return 0;
	buf_str(&out, "");
	if (process_output(command, &out, err) < 0 || creds_from_json(out.s, out.n, ret, err) < 0)
		rc = err_wrap(err, "credential_process of profile '%s'", profile);
	memset(out.s, 0, out.n);
	buf_release(&out);
	if (rc < 0)
		return -1;
	ret->from = words("credential_process of profile", profile, "");
	return 1;
}

static int from_profile(struct creds_chain *c, const char *profile, unsigned depth, struct creds *ret, struct err *err);

/* Who assumes a profile's role. */
static int
source_of(struct creds_chain *c, const char *profile, unsigned depth, struct creds *ret, struct err *err)
{
	const char *source = get(c, profile, "source_profile"), *kind = get(c, profile, "credential_source");
	int rc = 0;

	if (source && strcmp(source, profile) == 0)
		rc = static_keys(c, profile, NULL, ret, err);
	else if (source && !awsconf_has(&c->conf, "profile", source))
		return err_set(err, 0, "its source_profile '%s' is not there; there are %s", source, awsconf_profiles(&c->conf));
	else if (source)
		rc = from_profile(c, source, depth + 1, ret, err);
	else if (kind && strcmp(kind, "Environment") == 0)
		rc = from_environment(c, ret, err);
	else if (kind && strcmp(kind, "Ec2InstanceMetadata") == 0)
		rc = from_instance(c, ret, err);
	else if (kind && strcmp(kind, "EcsContainer") == 0)
		rc = from_container(c, ret, err);
	else
		return err_set(err, 0, "it has role_arn, but no source_profile, credential_source or web_identity_token_file");
	return rc == 0 ? err_set(err, 0, "its %s '%s' has no credentials", source ? "source_profile" : "credential_source", source ? source : kind) : rc;
}

static int
assume(struct creds_chain *c, const struct sts_role *role, struct creds *by, const char *where, struct creds *ret, struct err *err)
{
	struct sts sts = sts_of(c);
	struct buf text = BUF_INIT;

	if (sts_assume_role(&sts, by, role, ret, err) < 0) {
		if (strstr(err->text, "NoSuchEntity"))
			return err_wrap(err, "cannot assume role '%s' (%s): there is no such role", role->arn, where);
		return err_wrap(err, "cannot assume role '%s' (%s) with %s: its trust policy must let that identity call sts:AssumeRole%s", role->arn,
		    where, by->from, role->external_id ? ", with this external id" : "");
	}
	buf_fmt(&text, "role '%s' (%s), assumed with %s", role->arn, where, by->from);
	ret->from = buf_detach(&text);
	return 1;
}

static int
by_role(struct creds_chain *c, const char *profile, unsigned depth, struct creds *ret, struct err *err)
{
	struct sts_role role = { get(c, profile, "role_arn"), get(c, profile, "external_id"), get(c, profile, "role_session_name"),
		get(c, profile, "duration_seconds") };
	const char *token_file = get(c, profile, "web_identity_token_file");
	char where[300];
	struct creds by = CREDS_INIT;
	int rc;

	if (!role.arn)
		return 0;
	snprintf(where, sizeof where, "of profile '%s'", profile);
	if (token_file)
		return by_web_identity(c, token_file, &role, where, ret, err);
	if (get(c, profile, "mfa_serial"))
		return err_set(err, 0, "profile '%s' asks for a code (mfa_serial), which nobody is here to give; name a profile without it, or put a "
		    "session's keys into the environment", profile);
	rc = source_of(c, profile, depth, &by, err);
	if (rc == 1)
		rc = assume(c, &role, &by, where, ret, err);
	else
		err_wrap(err, "profile '%s'", profile);
	creds_release(&by);
	return rc;
}

/* 0: it has nothing of the kind. */
static int
from_profile(struct creds_chain *c, const char *profile, unsigned depth, struct creds *ret, struct err *err)
{
	int rc;

	if (depth > DEEPEST)
		return err_set(err, 0, "the source_profiles go round in a circle");
	if ((rc = by_role(c, profile, depth, ret, err)))
		return rc;
	if ((rc = creds_sso(c->ask.http, &c->conf, profile, ret, err)))
		return rc;
	if ((rc = static_keys(c, profile, c->conf.credentials, ret, err)))
		return rc;
	if ((rc = by_process(c, profile, ret, err)))
		return rc;
	return static_keys(c, profile, NULL, ret, err);
}

static int
unknown_profile(struct creds_chain *c, const char *profile, const char *from, struct err *err)
{
	const char *all = awsconf_profiles(&c->conf);

	return err_set(err, 0, "there is no profile '%s' (from %s) in '%s' or '%s'%s%s%s", profile, from, c->conf.credentials, c->conf.config,
	    *all ? "; there are " : ": these files have none, or are not there", all, *all ? "" : "");
}

static int
named_profile(struct creds_chain *c, const char *profile, const char *from, struct creds *ret, struct err *err)
{
	int rc;

	if (!awsconf_has(&c->conf, "profile", profile))
		return unknown_profile(c, profile, from, err);
	rc = from_profile(c, profile, 0, ret, err);
	return rc ? rc : err_set(err, 0, "profile '%s' (from %s) has no credentials: no role_arn, sso_session, aws_access_key_id or "
	    "credential_process in '%s' or '%s'", profile, from, c->conf.credentials, c->conf.config);
}

static int
usual_profile(struct creds_chain *c, struct creds *ret, struct err *err)
{
	const char *profile = set("AWS_PROFILE");
	struct buf why = BUF_INIT;
	int rc = 0;

	if (profile)
		return named_profile(c, profile, "AWS_PROFILE", ret, err);
	if ((profile = set("AWS_DEFAULT_PROFILE")))
		return named_profile(c, profile, "AWS_DEFAULT_PROFILE", ret, err);
	if (awsconf_has(&c->conf, "profile", "default")) {
		rc = from_profile(c, "default", 0, ret, err);
		buf_str(&why, "it has no credentials");
	} else {
		const char *all = awsconf_profiles(&c->conf);

		buf_fmt(&why, "not in '%s' or '%s'%s%s", c->conf.credentials, c->conf.config, *all ? ", where there are " : "", all);
	}
	if (rc == 0)
		tried(c, "profile 'default'", why.s);
	buf_release(&why);
	return rc;
}

/* --- the chain -------------------------------------------------------------------------------------------------------------------- */

static int
first_that_has(struct creds_chain *c, struct creds *ret, struct err *err)
{
	static int (*const steps[])(struct creds_chain *, struct creds *, struct err *) =
	    { from_environment, from_web_identity, usual_profile, from_container, from_instance };
	int rc = 0;

	if (c->ask.profile)
		return named_profile(c, c->ask.profile, c->ask.profile_from, ret, err);
	for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
		rc = steps[i](c, ret, err);
	return rc ? rc : err_set(err, 0, "there are no credentials; these places were asked, in this order:\n%s\n"
	    "  set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or make a profile with 'aws configure' and name it in the spec", c->tried.s);
}

static int
search(struct creds_chain *c, struct creds *ret, struct err *err)
{
	struct creds by = CREDS_INIT;
	int rc;

	awsconf_release(&c->conf);
	buf_reset(&c->tried);
	if (awsconf_read(&c->conf, err) < 0)
		return -1;
	rc = first_that_has(c, &by, err);
	if (rc == 1 && c->ask.role_arn) {
		struct sts_role role = { c->ask.role_arn, c->ask.external_id, NULL, NULL };

		rc = assume(c, &role, &by, "of the spec", ret, err);
		creds_release(&by);
	} else if (rc == 1) {
		*ret = by;
	}
	return rc == 1 ? 0 : -1;
}

static void
find_sts(struct creds_chain *c, const char *profile)
{
	const char *url = set("AWS_ENDPOINT_URL_STS"), *region = c->ask.region ? c->ask.region : "us-east-1";

	if (!url)
		url = set("AWS_ENDPOINT_URL");
	if (!url)
		url = awsconf_endpoint(&c->conf, profile, "sts", NULL);
	if (!url)
		url = c->ask.endpoint;
	c->sts_endpoint = url ? arena_dup(&c->a, url, strlen(url) - (url[strlen(url) - 1] == '/'))
	    : arena_fmt(&c->a, "https://sts.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) ? "" : ".cn");
	c->sts_region = region;
}

struct creds_chain *
creds_chain_new(const struct creds_ask *ask)
{
	struct creds_chain *c = xcalloc(1, sizeof *c);
	const char **text[] = { &c->ask.profile, &c->ask.profile_from, &c->ask.role_arn, &c->ask.external_id, &c->ask.region, &c->ask.endpoint };
	const char *profile = ask->profile ? ask->profile : set("AWS_PROFILE") ? set("AWS_PROFILE") : "default";
	struct err err = ERR_INIT;

	c->ask = *ask;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		if (*text[i])
			*text[i] = arena_str(&c->a, *text[i]);
	/* A file that cannot be read is told by the search. */
	awsconf_read(&c->conf, &err);
	find_sts(c, profile);
	buf_str(&c->tried, "");
	return c;
}

void
creds_chain_free(struct creds_chain *c)
{
	if (!c)
		return;
	creds_release(&c->now);
	awsconf_release(&c->conf);
	buf_release(&c->tried);
	arena_release(&c->a);
	free(c);
}

void
creds_chain_clock(struct creds_chain *c, int64_t clock_s)
{
	c->ask.clock_s = clock_s;
}

/* A renewal that fails is no fault yet while the old ones hold. */
int
creds_get(struct creds_chain *c, const struct creds **ret, struct err *err)
{
	uint64_t now = now_of(c);
	struct creds found = CREDS_INIT;

	if (!c->found || (creds_stale(&c->now, now) && now >= c->not_before)) {
		if (search(c, &found, err) == 0) {
			creds_release(&c->now);
			c->now = found;
			c->found = true;
			c->not_before = creds_stale(&c->now, now) ? now + 60 * SECOND : 0;
		} else if (!c->found || now >= c->now.expires) {
			return -1;
		} else {
			c->not_before = now + 30 * SECOND;
		}
	}
	*ret = &c->now;
	return 0;
}

int
creds_renew(struct creds_chain *c, struct err *err)
{
	struct creds found = CREDS_INIT;
	bool other;

	if (search(c, &found, err) < 0)
		return -1;
	other = !c->found || strcmp(found.id, c->now.id) || strcmp(found.secret, c->now.secret) || (found.token && (!c->now.token || strcmp(found.token, c->now.token)));
	creds_release(&c->now);
	c->now = found;
	c->found = true;
	return other;
}

const char *
creds_sts_endpoint(const struct creds_chain *c)
{
	return c->sts_endpoint;
}
