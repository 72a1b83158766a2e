/* desturl.h: where an egress goes, as one text:
 *
 *   s3://BUCKET/PREFIX[?region=…&endpoint=…]      gs:// and gcs:// likewise, by Google's S3-compatible endpoint
 *   minio://HOST[:PORT]/BUCKET/PREFIX             as Pachyderm writes it; http, or https with ?secure=true
 *   file:///FOLDER                                file://./FOLDER and file://../FOLDER from the project's folder
 *   https://HOST[:PORT]/PATH                      PUT; http:// too
 *   sftp://[USER@]HOST[:PORT]/PATH                /~/PATH below the user's home
 *
 * In the last three %XX are bytes.
 */
#ifndef BASE_DESTURL_H
#define BASE_DESTURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum dest_kind { DEST_S3, DEST_FILE, DEST_HTTP, DEST_SFTP };

struct dest_query { const char *key, *value; };

struct desturl {
	enum dest_kind kind;
	const char *scheme;         /* in lower case: "s3", "minio" */
	const char *host;           /* of minio, https, sftp: [USER@]HOST[:PORT]; else "" */
	const char *bucket;         /* of s3; else "" */
	const char *prefix;         /* s3: "" or "a/b/"; file: the folder, without a '/' at its end; else "/" or "/a/b/" */
	struct dest_query *query; size_t n_query;
};

enum { DESTURL_MSG = 512 };

/* False: msg says what is wrong with it, and what to write.  Texts go to the arena. */
bool desturl_parse(struct desturl *u, const char *text, struct arena *a, char msg[DESTURL_MSG]);

/* The last value of a part of the query, or NULL. */
const char *desturl_query(const struct desturl *u, const char *key);

/* Is this one of a query's ways to say yes: true, 1, yes, or nothing? */
bool desturl_yes(const char *value);

#endif
