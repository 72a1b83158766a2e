/* Credentials: AWS's shared files, the order of the chain, times of expiry.  Nothing is asked over a network here. */
#include "tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/buf.h"
#include "../../base/err.h"
#include "../../base/fs.h"
#include "../../runtime/awsconf.h"
#include "../../runtime/creds.h"
#include "../../runtime/http.h"

static const char CONFIG[] =
    "# a comment\n"
    "[default]\n"
    "region = eu-west-1   ; where we are\n"
    "s3 =\n"
    "  addressing_style = path\n"
    "  max_concurrent_requests = 20\n"
    "\n"
    "[profile etl]\r\n"
    "region=us-west-2\r\n"
    "aws_access_key_id = FROMCONFIG\n"
    "aws_secret_access_key = CONFIGSECRET\n"
    "services = mine\n"
    "[services mine]\n"
    "s3 =\n"
    "\tendpoint_url = http://s3.example:9000\n"
    "sts =\n"
    "  endpoint_url = http://sts.example\n"
    "[profile \"with blank\"]\n"
    "endpoint_url = http://all.example\n"
    "[profile cmd]\n"
    "credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AK\", \"SecretAccessKey\": \"S#E ;C\", \"SessionToken\": \"T\", "
    "\"Expiration\": \"2100-01-01T00:00:00Z\"}'\n"
    "[profile broken]\n"
    "credential_process = exit 7\n"
    "[profile a]\n"
    "role_arn = arn:aws:iam::1:role/a\n"
    "source_profile = b\n"
    "[profile b]\n"
    "role_arn = arn:aws:iam::1:role/b\n"
    "source_profile = a\n"
    "[profile none]\n"
    "region = us-east-1\n";

static const char CREDENTIALS[] =
    "[default]\n"
    "aws_access_key_id = DEFAULT\n"
    "aws_secret_access_key = a/b+c=;#\n"
    "[etl]\n"
    "aws_access_key_id = ETL\n"
    "aws_secret_access_key = ETLSECRET # old\n"
    "aws_session_token = TOKEN\n"
    "[etl]\n"
    "aws_secret_access_key = NEWER\n";

static void
test_files(void)
{
	struct awsconf c = AWSCONF_INIT;
	const char *file = NULL;

	awsconf_add(&c, "credentials", true, CREDENTIALS);
	awsconf_add(&c, "config", false, CONFIG);
	is_str(awsconf_get(&c, "profile", "default", "region", &file), "eu-west-1", "a comment after a blank is none of the value");
	is_str(file, "config", "where it was found");
	is_str(awsconf_get(&c, "profile", "default", "aws_secret_access_key", NULL), "a/b+c=;#", "signs of comments within a secret");
	is_str(awsconf_get(&c, "profile", "default", "s3.addressing_style", NULL), "path", "an indented setting");
	is_str(awsconf_get(&c, "profile", "etl", "region", NULL), "us-west-2", "lines that end with CR LF");
	is_str(awsconf_get(&c, "profile", "etl", "aws_access_key_id", &file), "ETL", "the credentials file beats the config file");
	is_str(awsconf_get(&c, "profile", "etl", "aws_secret_access_key", NULL), "NEWER", "the last one of a file counts");
	is_str(awsconf_get(&c, "profile", "etl", "nothing", NULL), NULL, "what is not set");
	is_str(awsconf_endpoint(&c, "etl", "s3", NULL), "http://s3.example:9000", "a services section");
	is_str(awsconf_endpoint(&c, "etl", "sts", NULL), "http://sts.example", "another service of it");
	is_str(awsconf_endpoint(&c, "with blank", "s3", NULL), "http://all.example", "a profile's own endpoint, its name in quotes");
	is_str(awsconf_endpoint(&c, "default", "s3", NULL), NULL, "no endpoint");
	ok(awsconf_has(&c, "profile", "cmd") && !awsconf_has(&c, "profile", "mine"), "a services section is no profile");
	is_str(awsconf_profiles(&c), "'default', 'etl', 'with blank', 'cmd', 'broken', 'a', 'b', 'none'", "the names of all profiles");
	awsconf_release(&c);
}

static void
test_times(void)
{
	struct creds c = { .got = 1000, .expires = 1000 + 3600 * 1000000000u };

	is_u64(creds_time("2013-05-24T00:00:00Z"), 1369353600000000000u, "UTC");
	is_u64(creds_time("2013-05-24T02:00:00.123+02:00"), 1369353600000000000u, "an offset and a fraction");
	is_u64(creds_time("soon"), 0, "no time");
	ok(!creds_stale(&c, 1000 + 3299 * 1000000000u), "an hour's credentials hold for 55 minutes");
	ok(creds_stale(&c, 1000 + 3301 * 1000000000u), "and are renewed five minutes before they expire");
	c.expires = 1000 + 2 * 1000000000u;
	ok(!creds_stale(&c, 1000 + 1700000000u) && creds_stale(&c, 1000 + 1900000000u), "short-lived ones after nine tenths of their life");
	c.expires = 0;
	ok(!creds_stale(&c, UINT64_MAX / 2), "what never expires");
}

static struct http *http;

static struct creds_chain *
chain(const char *profile)
{
	return creds_chain_new(&(struct creds_ask){ .http = http, .profile = profile, .profile_from = "egress.profile" });
}

static void
is_found(const char *profile, const char *id, const char *from, const char *name)
{
	struct creds_chain *c = chain(profile);
	const struct creds *got;
	struct err err = ERR_INIT;

	if (ok(creds_get(c, &got, &err) == 0, "%s: found", name)) {
		is_str(got->id, id, "%s: the key", name);
		is_str(got->from, from, "%s: where it came from", name);
	} else {
		tap_show("error", err.text);
	}
	creds_chain_free(c);
}

static void
is_missing(const char *profile, const char *const words[], const char *name)
{
	struct creds_chain *c = chain(profile);
	const struct creds *got;
	struct err err = ERR_INIT;

	ok(creds_get(c, &got, &err) < 0, "%s: not found", name);
	for (; *words; words++)
		if (!ok(strstr(err.text, *words) != NULL, "%s: says \"%s\"", name, *words))
			tap_show("error", err.text);
	creds_chain_free(c);
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void
test_chain(void)
{
	struct err err = ERR_INIT;

	setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "ENVSECRET", 1);
	is_found(NULL, "ENV", "AWS_ACCESS_KEY_ID of the environment", "the environment comes first");
	is_found("etl", "ETL", "profile 'etl' in 'credentials'", "a named profile beats the environment");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	is_missing(NULL, WORDS("AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"), "half a pair");
	unsetenv("AWS_ACCESS_KEY_ID");
	is_found(NULL, "DEFAULT", "profile 'default' in 'credentials'", "the default profile");
	setenv("AWS_PROFILE", "cmd", 1);
	is_found(NULL, "AK", "credential_process of profile 'cmd'", "credential_process");
	setenv("AWS_PROFILE", "nobody", 1);
	is_missing(NULL, WORDS("no profile 'nobody' (from AWS_PROFILE)", "'credentials' or 'config'", "'default', 'etl'"), "AWS_PROFILE that is not there");
	unsetenv("AWS_PROFILE");
	is_missing("nobody", WORDS("no profile 'nobody' (from egress.profile)", "'with blank'"), "an unknown profile");
	is_missing("broken", WORDS("credential_process of profile 'broken'", "ended with status 7"), "a process that fails");
	is_missing("a", WORDS("profile 'a'", "circle"), "source_profiles in a circle");
	is_missing("none", WORDS("profile 'none' (from egress.profile) has no credentials"), "a profile without any");
	ok(fs_replace("credentials", "", 0, 0600, &err) == 0, "an empty credentials file");
	is_missing(NULL, WORDS("in this order", "environment: AWS_ACCESS_KEY_ID", "web identity: AWS_ROLE_ARN", "profile 'default': it has no credentials",
	    "container: neither", "instance: AWS_EC2_METADATA_DISABLED"), "nothing anywhere");
}

/* Another process puts fresh keys into the file while we run. */
static void
test_renewal(void)
{
	static const char before[] = "[x]\naws_access_key_id = A\naws_secret_access_key = S\n", after[] = "[x]\naws_access_key_id = B\naws_secret_access_key = S\n";
	struct creds_chain *c;
	const struct creds *got;
	struct err err = ERR_INIT;

	ok(fs_replace("credentials", before, sizeof before - 1, 0600, &err) == 0, "keys are there");
	c = chain("x");
	ok(creds_get(c, &got, &err) == 0 && creds_renew(c, &err) == 0, "looked for again: the same ones");
	ok(fs_replace("credentials", after, sizeof after - 1, 0600, &err) == 0, "others are put there");
	ok(creds_renew(c, &err) == 1 && creds_get(c, &got, &err) == 0 && strcmp(got->id, "B") == 0, "and are found");
	creds_chain_free(c);
}

int
main(void)
{
	char dir[] = "/tmp/test_creds.XXXXXX";
	struct err err = ERR_INIT;

	test_files();
	test_times();
	if (!ok(mkdtemp(dir) && chdir(dir) == 0, "a folder of our own"))
		return done();
	setenv("AWS_CONFIG_FILE", "config", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "credentials", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	for (const char *const *name = WORDS("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
	    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CREDENTIAL_EXPIRATION"); *name; name++)
		unsetenv(*name);
	ok(fs_replace("config", CONFIG, sizeof CONFIG - 1, 0600, &err) == 0 && fs_replace("credentials", CREDENTIALS, sizeof CREDENTIALS - 1, 0600, &err) == 0,
	    "both files");
	http = http_new(NULL, &err);
	test_chain();
	test_renewal();
	http_free(http);
	fs_remove_tree(dir, &err);
	return done();
}
