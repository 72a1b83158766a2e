/* awsconf.h: AWS's shared files, ~/.aws/config and ~/.aws/credentials (docs.aws.amazon.com/sdkref, "Shared config and credentials
 * files"): sections of "key = value" lines; an indented line below "key =" is "key.sub".  '#' and ';' begin a comment. */
#ifndef RUNTIME_AWSCONF_H
#define RUNTIME_AWSCONF_H

#include "../base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct awsconf_entry { const char *file, *kind, *section, *key, *value; };

struct awsconf {
	struct arena a;
	struct awsconf_entry *entry; size_t n, cap;    /* key NULL: the section's head */
	const char *config, *credentials;              /* the files' names, whether they are there or not */
};

#define AWSCONF_INIT { .a = ARENA_INIT }

/* Read both files by the names that the environment gives (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, HOME).  What is not there is
 * empty. */
int awsconf_read(struct awsconf *c, struct err *err);
/* Take in a file's text.  In a credentials file every section is a profile. */
void awsconf_add(struct awsconf *c, const char *file, bool credentials, const char *text);
void awsconf_release(struct awsconf *c);

/* kind: "profile", "services", "sso-session".  The credentials file beats the other.  NULL if not set; ret_file may be NULL. */
const char *awsconf_get(const struct awsconf *c, const char *kind, const char *section, const char *key, const char **ret_file);
bool awsconf_has(const struct awsconf *c, const char *kind, const char *section);
/* The names of all profiles: "'a', 'b'"; "" if there is none.  In the arena. */
const char *awsconf_profiles(struct awsconf *c);
/* endpoint_url of a profile for a service: its services section's, else its own. */
const char *awsconf_endpoint(const struct awsconf *c, const char *profile, const char *service, const char **ret_file);

#endif
