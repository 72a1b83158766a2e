/* s3client.c: a bucket and what is known about it: each setting is taken from the first of spec, environment and profile that has it,
 * and remembers which. */
#include "s3call.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../base/err.h"

static double
chance(void)
{
	static unsigned short seed[3];
	struct timespec ts;

	if (!seed[0] && !seed[1]) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		seed[0] = (unsigned short)ts.tv_nsec;
		seed[1] = (unsigned short)(ts.tv_nsec >> 16) | 1;
		seed[2] = (unsigned short)getpid();
	}
	return erand48(seed);
}

static const char *
variable(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}

/* The profile's name and where it came from. */
static const char *
profile_of(const struct s3_target *t, const char **ret_from)
{
	if (t->profile.value) {
		*ret_from = t->profile.from ? t->profile.from : "the spec";
		return t->profile.value;
	}
	*ret_from = "AWS_PROFILE";
	if (variable("AWS_PROFILE"))
		return variable("AWS_PROFILE");
	*ret_from = variable("AWS_DEFAULT_PROFILE") ? "AWS_DEFAULT_PROFILE" : "the default";
	return variable("AWS_DEFAULT_PROFILE") ? variable("AWS_DEFAULT_PROFILE") : "default";
}

/* The spec, the environment, the profile. */
static struct s3_said
region_of(struct s3 *s, const struct s3_target *t, const char *profile)
{
	const char *value;

	if (t->region.value)
		return (struct s3_said){ t->region.value, t->region.from ? t->region.from : "the spec" };
	if ((value = variable("AWS_REGION")))
		return (struct s3_said){ value, "AWS_REGION" };
	if ((value = variable("AWS_DEFAULT_REGION")))
		return (struct s3_said){ value, "AWS_DEFAULT_REGION" };
	if ((value = awsconf_get(&s->conf, "profile", profile, "region", NULL)))
		return (struct s3_said){ value, arena_fmt(&s->a, "profile '%s'", profile) };
	return (struct s3_said){ "us-east-1", "the default" };
}

static struct s3_said
endpoint_of(struct s3 *s, const struct s3_target *t, const char *profile)
{
	static const char *const names[] = { "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL" };
	const char *ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), *value;

	if (t->endpoint.value)
		return (struct s3_said){ t->endpoint.value, t->endpoint.from ? t->endpoint.from : "the spec" };
	if (ignored && strcmp(ignored, "true") == 0)
		return (struct s3_said){ NULL, "the region" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((value = variable(names[i])))
			return (struct s3_said){ value, names[i] };
	if ((value = awsconf_endpoint(&s->conf, profile, "s3", NULL)))
		return (struct s3_said){ value, arena_fmt(&s->a, "profile '%s'", profile) };
	return (struct s3_said){ NULL, "the region" };
}

static int
find_place(struct s3 *s, const struct s3_target *t, const char *profile, struct err *err)
{
	struct s3_said region = region_of(s, t, profile), endpoint = endpoint_of(s, t, profile);

	s->region = xstrdup(region.value);
	s->region_from = arena_str(&s->a, region.from);
	s->endpoint_from = arena_str(&s->a, endpoint.from);
	s->given_endpoint = endpoint.value != NULL;
	if (region.value[strspn(region.value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")])
		return err_set(err, 0, "'%s' (from %s) is no region", region.value, region.from);
	if (!endpoint.value)
		s3_place_amazon(&s->place, s->region);
	else if (!s3_place_parse(&s->place, endpoint.value))
		return err_set(err, 0, "the endpoint '%s' (from %s) is no URL of a server: http:// or https://, a host, perhaps a port", endpoint.value, endpoint.from);
	s->endpoint = s3_place_words(&s->place);
	return 0;
}

static int
set_up(struct s3 *s, const struct s3_target *t, struct err *err)
{
	struct creds_ask ask = { .http = s->http, .role_arn = t->role_arn.value, .external_id = t->external_id, .clock_s = t->clock_s };
	const char *from, *profile = profile_of(t, &from);

	if (!*s->bucket || s->bucket[strcspn(s->bucket, "/?# ")])
		return err_set(err, 0, "'%s' is no bucket's name", s->bucket);
	if (awsconf_read(&s->conf, err) < 0 || find_place(s, t, profile, err) < 0)
		return -1;
	if (!variable("AWS_CA_BUNDLE"))
		http_trust(s->http, awsconf_get(&s->conf, "profile", profile, "ca_bundle", NULL));
	ask.profile = t->profile.value;
	ask.profile_from = from;
	ask.region = s->region;
	ask.endpoint = s->place.amazon ? NULL : s->endpoint;
	s->chain = creds_chain_new(&ask);
	return 0;
}

struct s3 *
s3_new(struct http *h, const struct s3_target *t, struct err *err)
{
	struct s3 *s = xcalloc(1, sizeof *s);

	s->http = h;
	s->bucket = arena_str(&s->a, t->bucket);
	s->keys = t->keys ? arena_str(&s->a, t->keys) : NULL;
	s->setting = arena_str(&s->a, t->setting ? t->setting : "egress");
	s->addressing = t->addressing;
	s->requester_pays = t->requester_pays;
	s->tell = t->tell;
	s->ctx = t->ctx;
	s->clock_s = t->clock_s;
	s->random = chance;
	s->last = &s->first;
	s3_pace_init(&s->pace, http_concurrency(h));
	if (set_up(s, t, err) == 0)
		return s;
	s3_free(s);
	return NULL;
}

void
s3_free(struct s3 *s)
{
	if (!s)
		return;
	s3_calls_drop(s);
	creds_chain_free(s->chain);
	awsconf_release(&s->conf);
	s3_place_release(&s->place);
	free(s->endpoint);
	free(s->region);
	free(s->bucket_region);
	free(s->who);
	free(s->from);
	arena_release(&s->a);
	free(s);
}

int
s3_creds(struct s3 *s, const struct creds **ret, struct err *err)
{
	int rc = creds_get(s->chain, ret, err);

	if (rc < 0 && s->keys) {
		struct err why = *err;

		err_set(err, 0, "%s\n  %s", why.text, s->keys);
	}
	return rc;
}

int
s3_login(struct s3 *s, struct err *err)
{
	const struct creds *creds;

	return s3_creds(s, &creds, err);
}

const char *
s3_credentials_from(struct s3 *s)
{
	const struct creds *creds;
	struct err err = ERR_INIT;

	if (creds_get(s->chain, &creds, &err) < 0)
		return "";
	free(s->from);
	s->from = xstrdup(creds->from);
	return s->from;
}

const char *
s3_region(const struct s3 *s)
{
	return s->region;
}

const char *
s3_endpoint(const struct s3 *s)
{
	return s->endpoint;
}
